//! Processors as the machine has them and as Windows uses them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::{CpuTopology, SmbiosProcessor};

use crate::facts::document;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Below;

/// Logical processors that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Present {
    /// How many.
    pub count: u32,
    /// Whether the firmware counts them (SMBIOS type 4). Else Windows says how many it could
    /// use, which counts processors that can still be added.
    pub by_firmware: bool,
}

pub(super) struct Processors {
    pub(super) active: Fact<u32>,
    pub(super) present: Fact<Present>,
    pub(super) sockets: Fact<u32>,
}

impl Processors {
    pub(super) fn gather(sources: &Sources, environment: &Below<'_>) -> Self {
        let record: Fact<Value> = sources.record("system.cpu");
        let cpu: Fact<CpuTopology> = document::typed(&record);
        let reader = Reader {
            record: &record,
            cpu: &cpu,
        };
        let active = reader.number("/active_logical", |cpu| cpu.active_logical);
        let active = if active.value().is_some() {
            active
        } else {
            environment
                .text("", "NUMBER_OF_PROCESSORS")
                .and_then(|text| parse(&text.text))
        };
        Self {
            active,
            present: reader.present(),
            sockets: reader.sockets(),
        }
    }
}

fn parse(text: &str) -> Result<u32, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("'{text}' is no number"))
}

struct Reader<'a> {
    record: &'a Fact<Value>,
    cpu: &'a Fact<CpuTopology>,
}

impl Reader<'_> {
    /// A number of the record with its place; not collected where the record does not tell it.
    fn number<T>(&self, pointer: &str, read: impl Fn(&CpuTopology) -> Option<T>) -> Fact<T> {
        if let Some(missing) = self.cpu.carry() {
            return missing;
        }
        let Some(value) = self.cpu.value().and_then(read) else {
            let why = format!("Windows did not give {}", pointer.trim_start_matches('/'));
            return Fact::not_collected(why);
        };
        let raw = self.record.value().and_then(|json| json.pointer(pointer));
        let raw = raw.cloned().unwrap_or_default();
        let place = self.record.evidence.first();
        let evidence = place.map(|place| document::at(place, pointer.to_owned(), raw));
        Fact::known(value, evidence)
    }

    /// By the firmware, else by Windows. Firmware that counts fewer than are in use is wrong.
    fn present(&self) -> Fact<Present> {
        let firmware = self.number("/smbios", |cpu| {
            let count = threads(&cpu.smbios)?;
            (count >= cpu.active_logical.unwrap_or(0)).then_some(count)
        });
        if firmware.value().is_some() {
            return firmware.map(|count| Present {
                count,
                by_firmware: true,
            });
        }
        let maximum = self.number("/maximum_logical", |cpu| {
            Some(cpu.maximum_logical?.max(cpu.active_logical.unwrap_or(0)))
        });
        maximum.map(|count| Present {
            count,
            by_firmware: false,
        })
    }

    /// Populated sockets by the firmware, else the packages that Windows sees.
    fn sockets(&self) -> Fact<u32> {
        let firmware = self.number("/smbios", |cpu| {
            let populated = populated(&cpu.smbios).count();
            u32::try_from(populated).ok().filter(|count| *count > 0)
        });
        if firmware.value().is_some() {
            firmware
        } else {
            self.number("/sockets", |cpu| cpu.sockets)
        }
    }
}

fn populated(smbios: &[SmbiosProcessor]) -> impl Iterator<Item = &SmbiosProcessor> {
    smbios.iter().filter(|processor| processor.populated)
}

/// The threads of the populated sockets; `None` where one does not tell.
fn threads(smbios: &[SmbiosProcessor]) -> Option<u32> {
    let mut sum = 0_u32;
    for processor in populated(smbios) {
        sum = sum.checked_add(processor.threads.filter(|threads| *threads > 0)?)?;
    }
    (sum > 0).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(json: &Value) -> (Option<Present>, Option<u32>) {
        let record = Fact::known(json.clone(), []);
        let cpu = document::typed(&record);
        let reader = Reader {
            record: &record,
            cpu: &cpu,
        };
        let present = reader.present().value().copied();
        (present, reader.sockets().value().copied())
    }

    fn socket(populated: bool, threads: Option<u32>) -> Value {
        json!({"populated": populated, "status": 1, "threads": threads})
    }

    fn present(count: u32, by_firmware: bool) -> Option<Present> {
        let present = Present { count, by_firmware };
        (count > 0).then_some(present)
    }

    #[test]
    fn the_firmware_counts_populated_sockets() {
        let cpu = |smbios: &[Value]| json!({"active_logical": 4, "maximum_logical": 64, "sockets": 1, "smbios": smbios});
        let four = socket(true, Some(4));
        assert_eq!(
            read(&cpu(&[four.clone(), socket(false, None)])),
            (present(4, true), Some(1))
        );
        assert_eq!(
            read(&cpu(&[four.clone(), four.clone()])),
            (present(8, true), Some(2))
        );
        // One that does not tell, and fewer than are in use: Windows is asked.
        assert_eq!(
            read(&cpu(&[four, socket(true, None)])).0,
            present(64, false)
        );
        assert_eq!(read(&cpu(&[socket(true, Some(2))])).0, present(64, false));
        assert_eq!(read(&cpu(&[])), (present(64, false), Some(1)));
        let nothing = json!({"active_logical": 4});
        assert_eq!(read(&nothing), (None, None));
    }
}
