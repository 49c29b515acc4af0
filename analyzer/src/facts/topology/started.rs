//! How many processors each start of Windows brought up (Kernel-Processor-Power 55).

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::facts::sources::Sources;
use crate::formats::evtx::{Event, Value as Field};

const SYSTEM: &str = "System";
/// How many starts are kept.
const STARTS: usize = 16;
/// How many records of processors are kept: sixteen starts of 256 processors.
const PROCESSORS: usize = 4096;
/// The largest record that is kept, in bytes of JSON; real ones have a few hundred.
const LARGEST: usize = 2048;

/// A start of Windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Started {
    /// The record of the start (Kernel-General 12).
    pub record_id: u64,
    /// When.
    pub time: Timestamp,
    /// How many processors were started.
    pub processors: u32,
    /// The record of the processor with the highest group and number.
    pub evidence: Evidence,
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    starts: Newest<(u64, Timestamp), STARTS>,
    processors: Newest<Processor, PROCESSORS>,
}

struct Processor {
    record_id: u64,
    time: Timestamp,
    place: (u64, u64),
    fields: Value,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-Kernel-General"],
            ids: &[12],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-Kernel-Processor-Power"],
            ids: &[55],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let (record_id, time) = (event.header.record_id, event.header.time);
        if event.header.event_id == 12 {
            self.starts.offer(record_id, time, || (record_id, time));
            return;
        }
        let number = |name| event.fields.get(name).and_then(Field::as_u64);
        let (Some(group), Some(index)) = (number("Group"), number("Number")) else {
            return;
        };
        let fields = Value::Object(event.fields.to_json());
        if fields.to_string().len() > LARGEST {
            return;
        }
        self.processors.offer(record_id, time, || Processor {
            record_id,
            time,
            place: (group, index),
            fields,
        });
    }

    fn merge(&mut self, later: Self) {
        self.starts.merge(later.starts);
        self.processors.merge(later.processors);
    }
}

/// The starts whose processors the log tells in full, oldest first.
pub(super) fn gather(sources: &Sources) -> Vec<Started> {
    let channel = sources.channel(SYSTEM);
    match channel.value() {
        Some(channel) => sources.events().topology.started(&channel.artifact),
        None => Vec::new(),
    }
}

impl Events {
    /// Windows writes one record a processor after the one of the start; the record ids tell the
    /// order, for the clock may be set in between.
    fn started(&self, artifact: &str) -> Vec<Started> {
        let starts: Vec<(u64, Timestamp)> = self.starts.iter().copied().collect();
        // Of a full list the oldest records may be missing, and with them a part of a start.
        let whole_from = match self.processors.iter().next() {
            Some(oldest) if self.processors.iter().count() >= PROCESSORS => oldest.record_id,
            _ => 0,
        };
        let mut started = Vec::new();
        for (index, (record_id, time)) in starts.iter().enumerate() {
            let next = starts.get(index + 1).map_or(u64::MAX, |(next, _)| *next);
            let of_this = || {
                self.processors
                    .iter()
                    .filter(|one| *record_id < one.record_id && one.record_id < next)
            };
            let places: BTreeSet<(u64, u64)> = of_this().map(|one| one.place).collect();
            let last = of_this().max_by_key(|one| (one.place, one.record_id));
            let (Some(last), Ok(processors)) = (last, u32::try_from(places.len())) else {
                continue;
            };
            if *record_id < whole_from {
                continue;
            }
            let locator = Locator::record(SYSTEM, last.record_id);
            started.push(Started {
                record_id: *record_id,
                time: *time,
                processors,
                evidence: Evidence::new(artifact, locator, last.fields.clone()).at(Some(last.time)),
            });
        }
        started
    }
}
