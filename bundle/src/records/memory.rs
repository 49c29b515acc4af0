//! `system/memory.json` and `system/page-files.json`: what memory there is and what backs it.

use serde::{Deserialize, Serialize};

/// Physical memory and commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MemoryTopology {
    /// Installed memory, KiB (`GetPhysicallyInstalledSystemMemory`, from SMBIOS).
    pub installed_kib: Option<u64>,
    /// Memory that Windows can use, bytes (`GlobalMemoryStatusEx.ullTotalPhys`).
    pub visible_bytes: Option<u64>,
    /// Memory available, bytes (`GlobalMemoryStatusEx.ullAvailPhys`).
    pub available_bytes: Option<u64>,
    /// Commit charge and limits.
    pub commit: Option<CommitCharge>,
    /// Page size, bytes (`GetPerformanceInfo.PageSize`).
    pub page_bytes: Option<u64>,
    /// SMBIOS structures of type 17 (memory device) and 19 (mapped address), the second source
    /// when the first number fails (`GetSystemFirmwareTable('RSMB')`).
    #[serde(default)]
    pub smbios: Vec<SmbiosMemory>,
}

/// Commit charge (`GetPerformanceInfo`, pages times page size).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommitCharge {
    /// Committed now, bytes.
    pub total_bytes: u64,
    /// The most that can be committed without growing a page file, bytes.
    pub limit_bytes: u64,
    /// The most that was committed since boot, bytes.
    pub peak_bytes: u64,
}

/// One SMBIOS structure about memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SmbiosMemory {
    /// Type 17: a module or a virtual one.
    Device {
        /// Size, KiB; 0 for an empty socket, `null` if the table says unknown.
        size_kib: Option<u64>,
        /// Locator string, such as `DIMM 0`.
        locator: Option<String>,
    },
    /// Type 19: a range of addresses mapped to memory.
    MappedAddress {
        /// First address, KiB.
        start_kib: u64,
        /// Last address, KiB, included.
        end_kib: u64,
    },
}

/// The page files of the running system (`EnumPageFilesW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageFiles {
    /// One a file; none is a valid answer.
    pub page_files: Vec<PageFile>,
}

/// One page file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageFile {
    /// Path, such as `C:\pagefile.sys`.
    pub path: String,
    /// Size now, bytes.
    pub size_bytes: u64,
    /// In use, bytes.
    pub used_bytes: u64,
    /// Highest use since boot, bytes.
    pub peak_bytes: u64,
}
