//! Performance counters over half a minute: processor and memory.
//!
//! The performance library's series by English path come first; where it is broken or silent, the
//! collector's native figures stand in for it, counter by counter.

mod library;
mod native;
mod pdh;
mod series;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::records::{CpuTopology, MemoryTopology};

pub use self::library::{Library, library};
use self::native::Native;
use self::pdh::{Kind, Pdh};
pub use self::series::Series;
use super::fact::Fact;
use super::sources::Sources;
use super::sources::registry::Text;

/// Performance counters over half a minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Counters {
    /// Memory that Windows can use, bytes.
    pub visible_bytes: Fact<u64>,
    /// Logical processors in use.
    pub logical_processors: Fact<u32>,
    /// Memory.
    pub memory: Memory,
    /// Processors.
    pub processor: Processor,
}

/// Counters of memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    /// `\Memory\Available MBytes`: free, zeroed and standby, MiB.
    pub available_mib: Fact<Series>,
    /// `\Memory\Pool Nonpaged Bytes`.
    pub nonpaged_bytes: Fact<Series>,
    /// `\Memory\Pool Paged Bytes`.
    pub paged_bytes: Fact<Series>,
    /// `\Memory\Cache Bytes`: the system's working set.
    pub cache_bytes: Fact<Series>,
    /// `\Memory\System Cache Resident Bytes`: the file cache, metafiles included.
    pub system_cache_bytes: Fact<Series>,
    /// `\Memory\Modified Page List Bytes`.
    pub modified_bytes: Fact<Series>,
    /// `\Memory\Pages Input/sec`.
    pub pages_input: Fact<Series>,
    /// `\Memory\Committed Bytes`.
    pub committed_bytes: Fact<Series>,
    /// `\Memory\Commit Limit`, bytes.
    pub commit_limit_bytes: Fact<Series>,
    /// `\Memory\% Committed Bytes In Use`.
    pub commit_percent: Fact<Series>,
    /// `\Paging File(_Total)\% Usage`.
    pub page_file_percent: Fact<Series>,
}

/// Counters of processors; percentages are of all processors together unless said otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Processor {
    /// `% Processor Time`.
    pub busy: Fact<Series>,
    /// `% Privileged Time`: in the kernel, interrupts and DPCs included.
    pub privileged: Fact<Series>,
    /// `% Interrupt Time`.
    pub interrupt: Fact<Series>,
    /// `% DPC Time`.
    pub dpc: Fact<Series>,
    /// `% Processor Utility`: work done against the nominal frequency; over 100 with turbo.
    pub utility: Fact<Series>,
    /// `\System\Processor Queue Length`: threads that wait, of all processors.
    pub queue: Fact<Series>,
    /// The power plan in force, a GUID: `ActivePowerScheme`.
    pub power_plan: Fact<Text>,
    /// Each logical processor, by group and number.
    pub cores: Fact<Vec<Core>>,
    /// The busiest processes, in percent of one processor; at most 8, busiest first.
    pub processes: Fact<Vec<ProcessSeries>>,
}

/// One logical processor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Core {
    /// Group and number in it, as the counters call it: `0,3`.
    pub name: String,
    /// `% Processor Time`.
    pub busy: Fact<Series>,
    /// `% DPC Time`.
    pub dpc: Fact<Series>,
    /// `% Interrupt Time`.
    pub interrupt: Fact<Series>,
    /// `Parking Status`: 1 while parked.
    pub parked: Fact<Series>,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessSeries {
    /// The instance as the counters call it: `worker`, `svchost#12`, `worker:4711`.
    pub instance: String,
    /// `% Processor Time`, of one processor.
    pub busy: Fact<Series>,
}

impl Counters {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let pdh = Pdh::new(library(sources));
        let native = Native::new(sources.record("counters.native"));
        Self {
            visible_bytes: sources
                .record::<MemoryTopology>("system.memory")
                .map(|memory| memory.visible_bytes)
                .optional()
                .at_pointer("/visible_bytes", |bytes| (*bytes).into()),
            logical_processors: sources
                .record::<CpuTopology>("system.cpu")
                .map(|cpu| cpu.active_logical)
                .optional()
                .at_pointer("/active_logical", |number| (*number).into()),
            memory: memory(&pdh, &native),
            processor: processor(sources, &pdh, &native),
        }
    }
}

fn memory(pdh: &Pdh, native: &Native) -> Memory {
    let gauge = |name: &str| pdh.series(&format!("\\Memory\\{name}"), Kind::Gauge);
    Memory {
        available_mib: either(gauge("Available MBytes"), || native.available_mib()),
        nonpaged_bytes: either(gauge("Pool Nonpaged Bytes"), || native.nonpaged_bytes()),
        paged_bytes: either(gauge("Pool Paged Bytes"), || native.paged_bytes()),
        cache_bytes: gauge("Cache Bytes"),
        system_cache_bytes: gauge("System Cache Resident Bytes"),
        modified_bytes: gauge("Modified Page List Bytes"),
        pages_input: pdh.series("\\Memory\\Pages Input/sec", Kind::Rate),
        committed_bytes: either(gauge("Committed Bytes"), || native.committed_bytes()),
        commit_limit_bytes: either(gauge("Commit Limit"), || native.commit_limit_bytes()),
        commit_percent: either(gauge("% Committed Bytes In Use"), || {
            native.commit_percent()
        }),
        page_file_percent: pdh.series("\\Paging File(_Total)\\% Usage", Kind::Gauge),
    }
}

fn processor(sources: &Sources, pdh: &Pdh, native: &Native) -> Processor {
    let total = |name: &str| {
        let path = format!("\\Processor Information(_Total)\\{name}");
        pdh.series(&path, Kind::Rate)
    };
    Processor {
        busy: either(total("% Processor Time"), || native.busy()),
        privileged: either(total("% Privileged Time"), || native.privileged()),
        interrupt: either(total("% Interrupt Time"), || native.interrupt()),
        dpc: either(total("% DPC Time"), || native.dpc()),
        utility: total("% Processor Utility"),
        queue: pdh.series("\\System\\Processor Queue Length", Kind::Gauge),
        power_plan: sources
            .system()
            .control_set()
            .text("Control\\Power\\User\\PowerSchemes", "ActivePowerScheme"),
        cores: either(pdh.cores(), || native.cores()),
        processes: pdh.processes(),
    }
}

/// The performance library's answer, or the native one where it gave none. With neither, the
/// performance library's reason stays.
fn either<T>(pdh: Fact<T>, native: impl FnOnce() -> Fact<T>) -> Fact<T> {
    if pdh.value().is_some() {
        return pdh;
    }
    let native = native();
    if native.value().is_some() {
        native
    } else {
        pdh
    }
}

#[cfg(test)]
mod tests;
