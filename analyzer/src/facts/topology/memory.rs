//! Memory as the firmware has it and as Windows uses it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::{MemoryTopology, SmbiosMemory};

use crate::facts::document;
use crate::facts::fact::Fact;
use crate::facts::machine::Firmware;
use crate::facts::processes::shortages;
use crate::facts::sources::Sources;

/// Physical memory that an event tells of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedMemory {
    /// Bytes.
    pub bytes: u64,
    /// The record's id in the System log.
    pub record_id: u64,
}

pub(super) struct Memory {
    pub(super) installed: Fact<u64>,
    pub(super) visible: Fact<u64>,
    pub(super) logged: Fact<LoggedMemory>,
}

impl Memory {
    pub(super) fn gather(sources: &Sources) -> Self {
        let record: Fact<Value> = sources.record("system.memory");
        let memory: Fact<MemoryTopology> = document::typed(&record);
        Self {
            installed: installed(&record, &memory),
            visible: number(&record, &memory, "/visible_bytes", |m| m.visible_bytes),
            logged: logged(sources),
        }
    }
}

/// A number of the record; absent where Windows did not give it.
fn number(
    record: &Fact<Value>,
    memory: &Fact<MemoryTopology>,
    pointer: &str,
    read: impl Fn(&MemoryTopology) -> Option<u64>,
) -> Fact<u64> {
    if let Some(missing) = memory.carry() {
        return missing;
    }
    let Some(number) = memory.value().and_then(read) else {
        let why = format!("Windows did not give {}", pointer.trim_start_matches('/'));
        return Fact::not_collected(why);
    };
    let place = record.evidence.first();
    let raw = record.value().and_then(|json| json.pointer(pointer));
    let evidence = place
        .map(|place| document::at(place, pointer.to_owned(), raw.cloned().unwrap_or_default()));
    Fact::known(number, evidence)
}

/// What `GetPhysicallyInstalledSystemMemory` says; it fails on odd SMBIOS tables, which are then
/// added up here.
fn installed(record: &Fact<Value>, memory: &Fact<MemoryTopology>) -> Fact<u64> {
    let told = number(record, memory, "/installed_kib", |m| {
        m.installed_kib.filter(|kib| *kib > 0)?.checked_mul(1024)
    });
    if told.value().is_some() {
        return told;
    }
    let summed = number(record, memory, "/smbios", |m| {
        devices(&m.smbios)
            .or_else(|| ranges(&m.smbios))?
            .checked_mul(1024)
    });
    if summed.value().is_some() {
        summed
    } else {
        told
    }
}

/// The sum of the memory devices, KiB; `None` where one does not tell its size.
fn devices(smbios: &[SmbiosMemory]) -> Option<u64> {
    let sizes = smbios.iter().filter_map(|structure| match structure {
        SmbiosMemory::Device { size_kib, .. } => Some(*size_kib),
        SmbiosMemory::MappedAddress { .. } => None,
    });
    add(sizes)
}

/// The sum of the mapped ranges, KiB.
fn ranges(smbios: &[SmbiosMemory]) -> Option<u64> {
    let sizes = smbios.iter().filter_map(|structure| match structure {
        SmbiosMemory::MappedAddress { start_kib, end_kib } => Some(
            end_kib
                .checked_sub(*start_kib)
                .and_then(|kib| kib.checked_add(1)),
        ),
        SmbiosMemory::Device { .. } => None,
    });
    add(sizes)
}

fn add(sizes: impl Iterator<Item = Option<u64>>) -> Option<u64> {
    let mut sum = 0_u64;
    for size in sizes {
        sum = sum.checked_add(size?)?;
    }
    (sum > 0).then_some(sum)
}

/// The largest physical memory that a shortage in the log tells of.
fn logged(sources: &Sources) -> Fact<LoggedMemory> {
    let channel = sources.channel("System");
    let largest = shortages(sources)
        .into_iter()
        .filter_map(|shortage| Some((shortage.physical_bytes?, shortage)))
        .max_by_key(|(bytes, shortage)| (*bytes, shortage.record_id));
    match largest {
        Some((bytes, shortage)) => {
            let memory = LoggedMemory {
                bytes,
                record_id: shortage.record_id,
            };
            Fact::known(memory, [shortage.evidence])
        }
        None => channel.carry().unwrap_or_else(|| Fact::absent([])),
    }
}

/// Services of drivers that take memory from Windows: of KVM, `VMware` and Xen. `dmvsc` of Hyper-V
/// is apart: every Windows has it (seen on a `VMware` machine), and only guests of Hyper-V use it.
const BALLOONS: [&str; 5] = [
    "balloon",
    "BalloonService",
    "BLNSVR",
    "vmmemctl",
    "xenballoon",
];
const HYPER_V: &str = "dmvsc";
/// `Start` of a service that never starts.
const DISABLED: u64 = 4;

/// A balloon driver that is installed and not disabled.
pub(super) fn dynamic(sources: &Sources, firmware: &Fact<Firmware>) -> Fact<String> {
    let control_set = sources.system().control_set();
    let is_hyper_v = firmware
        .value()
        .is_some_and(|firmware| firmware.manufacturer.starts_with("Microsoft"));
    for name in BALLOONS.into_iter().chain(is_hyper_v.then_some(HYPER_V)) {
        let start = control_set.number(&format!("Services\\{name}"), "Start");
        let enabled = start
            .value()
            .and_then(|start| start.value)
            .is_some_and(|start| start < DISABLED);
        if enabled {
            return start.map(|_| name.to_owned());
        }
    }
    let services = control_set.key("Services");
    services
        .carry()
        .unwrap_or_else(|| Fact::absent(services.evidence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn installed_kib(json: &Value) -> Option<u64> {
        let record = Fact::known(json.clone(), []);
        let bytes = installed(&record, &document::typed(&record));
        bytes.value().map(|bytes| bytes / 1024)
    }

    fn device(size_kib: Option<u64>) -> Value {
        json!({"type": "device", "size_kib": size_kib, "locator": null})
    }

    #[test]
    fn the_firmware_tables_fill_in_for_a_number_that_is_missing() {
        let of = |installed: Option<u64>, smbios: Vec<Value>| {
            installed_kib(&json!({"installed_kib": installed, "smbios": smbios}))
        };
        assert_eq!(of(Some(8), vec![device(Some(4))]), Some(8));
        assert_eq!(of(Some(0), vec![device(Some(4)), device(Some(0))]), Some(4));
        let range = json!({"type": "mapped-address", "start_kib": 0, "end_kib": 1023});
        assert_eq!(of(None, vec![device(None), range.clone()]), Some(1024));
        assert_eq!(of(None, vec![range.clone(), range]), Some(2048));
        assert_eq!(of(None, vec![device(None)]), None);
        assert_eq!(of(None, vec![]), None);
        let upside_down = json!({"type": "mapped-address", "start_kib": 9, "end_kib": 1});
        assert_eq!(of(None, vec![upside_down]), None);
        assert_eq!(
            of(None, vec![device(Some(u64::MAX)), device(Some(2))]),
            None
        );
        assert_eq!(of(Some(u64::MAX), vec![]), None);
    }
}
