//! `system/machine.json`: the machine itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Facts of the machine that live in no hive file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineFacts {
    /// When.
    pub taken_at: Timestamp,
    /// Milliseconds since boot (`GetTickCount64`).
    pub uptime_ms: u64,
    /// Time of boot by the kernel (`SystemTimeOfDayInformation.BootTime`).
    pub boot_time: Option<Timestamp>,
    /// Firmware strings (SMBIOS types 0 and 1).
    pub firmware: Option<Firmware>,
    /// `GetFirmwareType`: 1 BIOS, 2 UEFI.
    pub firmware_type: Option<u32>,
    /// Vendor of the hypervisor (CPUID 0x40000000), such as `KVMKVMKVM` or `Microsoft Hv`.
    pub hypervisor: Option<String>,
    /// `NetGetJoinInformation`: 0 unknown, 1 unjoined, 2 workgroup, 3 domain.
    pub join_status: Option<u32>,
    /// Name of the domain or workgroup.
    pub domain: Option<String>,
    /// `SM_CLEANBOOT`: 0 normal, 1 safe mode, 2 safe mode with network.
    pub clean_boot: Option<u32>,
    /// WMI `Win32_OperatingSystem.Status`; on a running Windows practically always `OK`.
    pub wmi_status: Option<String>,
}

/// SMBIOS strings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Firmware {
    /// Type 1: manufacturer of the system, such as `Tencent Cloud`.
    pub system_manufacturer: Option<String>,
    /// Type 1: product name.
    pub system_product: Option<String>,
    /// Type 1: version.
    pub system_version: Option<String>,
    /// Type 1: family.
    pub system_family: Option<String>,
    /// Type 1: UUID, lower case.
    pub system_uuid: Option<String>,
    /// Type 0: vendor.
    pub bios_vendor: Option<String>,
    /// Type 0: version.
    pub bios_version: Option<String>,
    /// Type 0: date as written there, month first.
    pub bios_date: Option<String>,
    /// Type 3: asset tag of the chassis, by which Azure is known.
    pub chassis_asset_tag: Option<String>,
}
