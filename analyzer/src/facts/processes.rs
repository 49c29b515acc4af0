//! Processes: what they hold and how that grew between two looks, and what the logs say of
//! leaks and shortages.

mod events;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::NativeCounters;

pub use self::events::{Events, Kind, Shortage, ShortageProcess, Sign};
pub use self::table::{Ids, Process, Table};
use super::document;
use super::fact::Fact;
use super::inventory::Channel;
use super::sources::Sources;

/// Processes, and what the logs say of leaks and shortages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Processes {
    /// The process table, taken twice.
    pub table: Fact<Table>,
    /// Handles of all processes (`GetPerformanceInfo`), in the newest sample.
    pub total_handles: Fact<u64>,
    /// Shortages of memory that Windows diagnosed (Resource-Exhaustion-Detector 2004), oldest
    /// first; the newest sixteen.
    pub shortages: Vec<Shortage>,
    /// Other signs of leaks in the logs, oldest first; the newest eight of each kind.
    pub signs: Vec<Sign>,
    /// How far System reaches.
    pub system_log: Fact<Channel>,
    /// How far Application reaches.
    pub application_log: Fact<Channel>,
}

impl Processes {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        Self {
            table: table::gather(sources),
            total_handles: total_handles(sources),
            shortages: shortages(sources),
            signs: events::signs(sources),
            system_log: sources.channel(events::SYSTEM),
            application_log: sources.channel(events::APPLICATION),
        }
    }
}

/// The shortages of memory in the log, for the fact families that take figures from them.
pub(super) fn shortages(sources: &Sources) -> Vec<Shortage> {
    events::shortages(sources)
}

fn total_handles(sources: &Sources) -> Fact<u64> {
    let record: Fact<Value> = sources.record("counters.native");
    let counters: Fact<NativeCounters> = document::typed(&record);
    if let Some(missing) = counters.carry() {
        return missing;
    }
    let newest = counters.value().and_then(|counters| {
        let mut samples = counters.samples.iter().enumerate().rev();
        samples.find_map(|(index, sample)| Some((index, sample.handles?)))
    });
    let Some((index, handles)) = newest else {
        return Fact::not_collected("Windows did not give the number of handles");
    };
    let pointer = format!("/samples/{index}/handles");
    let place = record.evidence.first();
    let evidence = place.map(|place| document::at(place, pointer, handles));
    Fact::known(handles, evidence)
}

#[cfg(test)]
mod tests;
