//! `system.machine`, `system.memory`, `system.cpu`, `system.page-files`: the machine as firmware,
//! processor and Windows describe it.

mod cpu;
mod machine;
mod memory;
mod smbios;

use std::time::Duration;

use super::{Collector, Phase};
use crate::system::{Hardware, SysResult, os_error};
use smbios::Smbios;

/// The items of this family.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "system.machine",
        phase: Phase::Quick,
        limit: Duration::from_secs(20),
        collect: machine::collect,
    },
    Collector {
        item: "system.memory",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: memory::collect,
    },
    Collector {
        item: "system.cpu",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: cpu::collect,
    },
    Collector {
        item: "system.page-files",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: memory::collect_page_files,
    },
];

/// `ERROR_INVALID_DATA`.
const INVALID_DATA: u32 = 13;

/// The firmware's tables; an error where they hold no structure.
fn firmware_table(hardware: &dyn Hardware) -> SysResult<Vec<u8>> {
    let table = hardware.firmware_table()?;
    if Smbios::read(&table).is_empty() {
        return Err(os_error("GetSystemFirmwareTable", INVALID_DATA));
    }
    Ok(table)
}
