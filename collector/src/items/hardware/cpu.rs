//! `system.cpu`: processors that there are and processors in use.

use std::sync::Arc;

use snapdiag_bundle::records::CpuTopology;

use super::firmware_table;
use super::smbios::Smbios;
use crate::items::parts::Parts;
use crate::items::{Job, Outcome};
use crate::system::Hardware;

/// `LOGICAL_PROCESSOR_RELATIONSHIP`.
const CORE: u32 = 0;
const NUMA_NODE: u32 = 1;
const PACKAGE: u32 = 3;
/// CPUID leaf that tells the last of the extended leaves.
const LAST_EXTENDED: u32 = 0x8000_0000;
/// CPUID leaves that hold the brand string, 16 bytes each.
const BRAND: std::ops::RangeInclusive<u32> = 0x8000_0002..=0x8000_0004;

pub(super) fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let hardware = system.hardware();
    let mut parts = Parts::default();
    let table = parts.take(firmware_table(hardware));
    let counts = parts.take(hardware.processor_counts());
    let relations = parts.take(hardware.processor_relations());
    let count = |kind: u32| {
        let found = relations.as_ref()?.iter().filter(|one| **one == kind);
        u32::try_from(found.count()).ok().filter(|count| *count > 0)
    };
    let topology = CpuTopology {
        active_logical: counts.map(|counts| counts.active),
        maximum_logical: counts.and_then(|counts| counts.maximum),
        sockets: count(PACKAGE),
        cores: count(CORE),
        groups: counts.and_then(|counts| counts.groups),
        numa_nodes: count(NUMA_NODE),
        brand: brand(hardware),
        smbios: table
            .map(|table| Smbios::read(&table).processors())
            .unwrap_or_default(),
    };
    let method = "GetLogicalProcessorInformationEx";
    parts.finish(job, "system/cpu.json", &topology, method)
}

/// The brand string of the processor that runs this thread.
fn brand(hardware: &dyn Hardware) -> Option<String> {
    let [last, ..] = hardware.cpuid(LAST_EXTENDED).ok()?;
    if last < *BRAND.end() {
        return None;
    }
    let mut bytes = Vec::with_capacity(48);
    for leaf in BRAND {
        let registers = hardware.cpuid(leaf).ok()?;
        bytes.extend(registers.into_iter().flat_map(u32::to_le_bytes));
    }
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_matches(['\0', ' ']);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use snapdiag_bundle::State;

    use super::super::smbios::tests::{body, raw, structure};
    use super::*;
    use crate::items::testing::run;
    use crate::system::hardware::ProcessorCounts;
    use crate::system::{SysResult, System, Unanswered, not_implemented};

    struct Machine {
        relations: Option<Vec<u32>>,
    }

    impl System for Machine {
        fn hardware(&self) -> &dyn Hardware {
            self
        }
    }

    impl Hardware for Machine {
        fn processor_counts(&self) -> SysResult<ProcessorCounts> {
            Ok(ProcessorCounts {
                active: 4,
                maximum: None,
                groups: Some(1),
            })
        }
        fn processor_relations(&self) -> SysResult<Vec<u32>> {
            let call = "GetLogicalProcessorInformationEx";
            self.relations
                .clone()
                .map_or_else(|| not_implemented(call), Ok)
        }
        fn cpuid(&self, leaf: u32) -> SysResult<[u32; 4]> {
            let text = |text: &[u8; 4]| u32::from_le_bytes(*text);
            Ok(match leaf {
                LAST_EXTENDED => [0x8000_0008, 0, 0, 0],
                0x8000_0002 => [
                    text(b"  Ex"),
                    text(b"ampl"),
                    text(b"e CP"),
                    text(b"U\0\0\0"),
                ],
                _ => [0; 4],
            })
        }
        fn firmware_table(&self) -> SysResult<Vec<u8>> {
            let socket = body(0x2C, &[(0x18, &[0x41]), (0x23, &[2, 2, 4])]);
            Ok(raw(&[structure(4, &socket, &[])]))
        }
    }

    #[test]
    fn structures_are_counted_by_kind() {
        let relations = Some(vec![0, 0, 2, 2, 3, 1, 4]);
        let ran = run(Machine { relations }, collect);
        assert_eq!(ran.outcome.state, State::Ok);
        let cpu: CpuTopology = ran.record("system/cpu.json");
        assert_eq!((cpu.active_logical, cpu.maximum_logical), (Some(4), None));
        assert_eq!(
            (cpu.cores, cpu.sockets, cpu.numa_nodes),
            (Some(2), Some(1), Some(1))
        );
        assert_eq!(cpu.brand.as_deref(), Some("Example CPU"));
        assert_eq!(cpu.smbios[0].threads, Some(4));
    }

    #[test]
    fn one_silent_call_truncates_and_all_silent_ones_fail() {
        let ran = run(Machine { relations: None }, collect);
        assert_eq!(ran.outcome.state, State::Truncated);
        let cpu: CpuTopology = ran.record("system/cpu.json");
        assert_eq!((cpu.active_logical, cpu.cores), (Some(4), None));
        let nothing = run(Unanswered, collect);
        assert_eq!(nothing.outcome.state, State::Failed);
        assert_eq!(
            nothing.outcome.error.unwrap().call,
            "GetSystemFirmwareTable"
        );
        assert!(nothing.artifacts.is_empty());
    }
}
