//! Starts of Windows in the System log (Kernel-Boot 27).

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
const KEPT: usize = 16;
/// The longest options that are believed, in bytes; real ones have below a hundred.
const LONGEST: usize = 4096;

/// A start of Windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Start {
    /// The record's id.
    pub record_id: u64,
    /// When.
    pub time: Timestamp,
    /// `LoadOptions`: what the kernel was given.
    pub options: String,
    /// The record.
    pub evidence: Evidence,
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    starts: Newest<Kept, KEPT>,
}

struct Kept {
    record_id: u64,
    time: Timestamp,
    options: String,
    fields: Value,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[Want {
        channel: SYSTEM,
        providers: &["Microsoft-Windows-Kernel-Boot"],
        ids: &[27],
    }];

    fn event(&mut self, event: &Event<'_>) {
        let options = event.fields.get("LoadOptions").and_then(Field::as_str);
        let Some(options) = options.filter(|options| options.len() <= LONGEST) else {
            return;
        };
        let (record_id, time) = (event.header.record_id, event.header.time);
        self.starts.offer(record_id, time, || Kept {
            record_id,
            time,
            options: options.to_owned(),
            fields: Value::Object(event.fields.to_json()),
        });
    }

    fn merge(&mut self, later: Self) {
        self.starts.merge(later.starts);
    }
}

/// The starts with the artifact that they were read from, oldest first.
pub(super) fn gather(sources: &Sources) -> Vec<Start> {
    let channel = sources.channel(SYSTEM);
    let Some(channel) = channel.value() else {
        return Vec::new();
    };
    let starts = &sources.events().boot_options.starts;
    let start = |kept: &Kept| Start {
        record_id: kept.record_id,
        time: kept.time,
        options: kept.options.clone(),
        evidence: Evidence::new(
            channel.artifact.as_str(),
            Locator::record(SYSTEM, kept.record_id),
            kept.fields.clone(),
        )
        .at(Some(kept.time)),
    };
    starts.iter().map(start).collect()
}
