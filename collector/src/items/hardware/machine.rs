//! `system.machine`: uptime, firmware, hypervisor, domain, safe mode.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use snapdiag_bundle::records::MachineFacts;

use super::firmware_table;
use super::smbios::Smbios;
use crate::items::filetime::timestamp;
use crate::items::licensing::WMI;
use crate::items::parts::Parts;
use crate::items::patience::within;
use crate::items::{Job, Outcome};
use crate::system::services::RUNNING;
use crate::system::{Hardware, System};

/// How long WMI may take to tell a word that says little.
const WMI_PATIENCE: Duration = Duration::from_secs(5);
/// CPUID leaf 1, ECX: a hypervisor runs beneath.
const HYPERVISOR_PRESENT: u32 = 1 << 31;
/// CPUID leaf that tells the hypervisor's vendor in EBX, ECX, EDX.
const HYPERVISOR_VENDOR: u32 = 0x4000_0000;

pub(super) fn collect(job: &mut Job) -> Outcome {
    const METHOD: &str = "GetSystemFirmwareTable";
    let system = Arc::clone(&job.system);
    let hardware = system.hardware();
    let mut parts = Parts::default();
    let Some(uptime_ms) = parts.take(hardware.uptime_ms()) else {
        return parts.failed("GetTickCount64");
    };
    let table = parts.take(firmware_table(hardware));
    let join = parts.take(hardware.join());
    let facts = MachineFacts {
        taken_at: Timestamp::now(),
        uptime_ms,
        boot_time: parts.take(hardware.boot_filetime()).and_then(timestamp),
        firmware: table.map(|table| Smbios::read(&table).firmware()),
        firmware_type: parts.take_newer(hardware.firmware_type()),
        hypervisor: hypervisor(hardware),
        join_status: join.as_ref().map(|join| join.status),
        domain: join
            .and_then(|join| join.name)
            .filter(|name| !name.is_empty()),
        clean_boot: parts.take(hardware.clean_boot()),
        wmi_status: wmi_status(&system),
    };
    parts.finish(job, "system/machine.json", &facts, METHOD)
}

/// The vendor by which a hypervisor calls itself; `None` on bare metal.
fn hypervisor(hardware: &dyn Hardware) -> Option<String> {
    let [_, _, features, _] = hardware.cpuid(1).ok()?;
    if features & HYPERVISOR_PRESENT == 0 {
        return None;
    }
    let [_, b, c, d] = hardware.cpuid(HYPERVISOR_VENDOR).ok()?;
    let vendor = [b, c, d].map(u32::to_le_bytes).concat();
    let vendor = String::from_utf8_lossy(&vendor);
    let vendor = vendor.trim_matches(['\0', ' ']);
    (!vendor.is_empty()).then(|| vendor.to_owned())
}

/// What WMI calls the state of Windows. WMI hangs on sick machines; its silence is no fault of this item.
/// Where its service does not run, asking would start it.
fn wmi_status(system: &Arc<dyn System>) -> Option<String> {
    if system.services().state(WMI) != Ok(RUNNING) {
        return None;
    }
    let system = Arc::clone(system);
    within(WMI_PATIENCE, move || {
        system.licensing().operating_system_status()
    })?
    .ok()
}

#[cfg(test)]
mod tests {
    use snapdiag_bundle::State;

    use super::super::smbios::tests::{body, raw, structure};
    use super::*;
    use crate::items::testing::{Ran, run};
    use crate::system::hardware::Join;
    use crate::system::{Licensing, Services, SysResult, os_error};

    /// A guest of KVM; `sick`: firmware and domain do not answer.
    struct Machine {
        sick: bool,
    }

    impl System for Machine {
        fn hardware(&self) -> &dyn Hardware {
            self
        }
        fn licensing(&self) -> &dyn Licensing {
            self
        }
        fn services(&self) -> &dyn Services {
            self
        }
    }

    impl Services for Machine {
        fn state(&self, name: &str) -> SysResult<u32> {
            assert_eq!(name, "Winmgmt");
            Ok(if self.sick { 1 } else { RUNNING })
        }
    }

    impl Licensing for Machine {
        fn operating_system_status(&self) -> SysResult<String> {
            assert!(!self.sick, "asking starts the service");
            Ok("OK".to_owned())
        }
    }

    impl Hardware for Machine {
        fn uptime_ms(&self) -> SysResult<u64> {
            Ok(90_000)
        }
        fn boot_filetime(&self) -> SysResult<u64> {
            Ok(133_444_736_000_000_000)
        }
        fn firmware_table(&self) -> SysResult<Vec<u8>> {
            if self.sick {
                return Ok(vec![0; 8]);
            }
            Ok(raw(&[structure(1, &body(0x17, &[(4, &[1])]), &["Maker"])]))
        }
        fn cpuid(&self, leaf: u32) -> SysResult<[u32; 4]> {
            let [b, c, d] = [*b"KVMK", *b"VMKV", *b"M\0\0\0"].map(u32::from_le_bytes);
            match leaf {
                1 => Ok([0, 0, HYPERVISOR_PRESENT, 0]),
                _ => Ok([0, b, c, d]),
            }
        }
        fn join(&self) -> SysResult<Join> {
            if self.sick {
                return Err(os_error("NetGetJoinInformation", 1722));
            }
            Ok(Join {
                status: 2,
                name: Some("WORKGROUP".to_owned()),
            })
        }
        fn clean_boot(&self) -> SysResult<u32> {
            Ok(0)
        }
    }

    #[test]
    fn a_healthy_machine_tells_everything() {
        let ran = run(Machine { sick: false }, collect);
        assert_eq!(ran.outcome.state, State::Ok, "{:?}", ran.outcome);
        let facts: MachineFacts = ran.record("system/machine.json");
        assert_eq!(facts.uptime_ms, 90_000);
        assert_eq!(facts.hypervisor.as_deref(), Some("KVMKVMKVM"));
        assert_eq!(facts.boot_time.unwrap().as_second(), 1_700_000_000);
        assert_eq!(facts.domain.as_deref(), Some("WORKGROUP"));
        assert_eq!(facts.wmi_status.as_deref(), Some("OK"));
        // Windows 7 has no GetFirmwareType, which is no fault.
        assert_eq!(facts.firmware_type, None);
        let maker = facts.firmware.unwrap().system_manufacturer;
        assert_eq!(maker.as_deref(), Some("Maker"));
    }

    #[test]
    fn what_does_not_answer_costs_only_its_part() {
        let ran = run(Machine { sick: true }, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        let reason =
            "GetSystemFirmwareTable failed with 13; NetGetJoinInformation failed with 1722";
        assert_eq!(ran.outcome.reason.as_deref(), Some(reason));
        assert_eq!(ran.outcome.error.as_ref().unwrap().code, 13);
        let facts: MachineFacts = ran.record("system/machine.json");
        assert_eq!((facts.firmware, facts.join_status), (None, None));
        assert_eq!(facts.clean_boot, Some(0));
    }

    #[test]
    fn without_uptime_there_is_no_record() {
        let ran: Ran = run(crate::system::Unanswered, collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert!(ran.artifacts.is_empty());
    }
}
