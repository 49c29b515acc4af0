//! Everything that is in an artifact, decoded and counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use snapdiag_bundle::{Content, items};

use super::LARGEST;
use crate::facts::inventory::{Artifact, Kind};
use crate::facts::sources::container::Container;
use crate::facts::sources::{hives, logs};
use crate::formats::evtx::Census;
use crate::formats::registry::{Quality, RegistryView, WalkLimits};

/// What was counted in an artifact.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Counted {
    /// A hive.
    Hive(HiveCount),
    /// An event log.
    Log(LogCount),
    /// Anything else that has a form.
    Other(Form),
}

/// What a hive holds.
#[derive(Debug, Default, Serialize)]
pub struct HiveCount {
    /// Whether it was being written.
    pub dirty: bool,
    /// Whether its transaction logs were replayed.
    pub replayed: bool,
    /// Keys, the root among them.
    pub keys: u64,
    /// Values.
    pub values: u64,
    /// What could not be read.
    pub damage: Vec<String>,
}

/// What an event log holds.
#[derive(Debug, Default, Serialize)]
pub struct LogCount {
    /// Records that were read.
    pub records: u64,
    /// Records that could not be decoded.
    pub failed: u64,
    /// The earliest time of a record, UTC.
    pub first: Option<Timestamp>,
    /// The latest time of a record, UTC.
    pub last: Option<Timestamp>,
    /// The lowest record id.
    pub first_record: Option<u64>,
    /// The highest record id.
    pub last_record: Option<u64>,
    /// Whether it was being written.
    pub dirty: bool,
    /// How many records there are of each `channel|event ID`; `?` for a record that names none.
    pub events: BTreeMap<String, u64>,
    /// What could not be read.
    pub damage: Vec<String>,
}

/// Whether a document has the form that it should have.
#[derive(Debug, Default, Serialize)]
pub struct Form {
    /// What is wrong with it.
    pub damage: Vec<String>,
}

impl Counted {
    /// What could not be read.
    pub fn damage(&self) -> &[String] {
        match self {
            Self::Hive(hive) => &hive.damage,
            Self::Log(log) => &log.damage,
            Self::Other(form) => &form.damage,
        }
    }
}

/// Decodes and counts everything in an artifact. `None` where there is nothing to decode.
pub fn count(container: &Container, artifact: &Artifact) -> Option<Counted> {
    let name = artifact.path.as_str();
    match artifact.kind {
        Kind::Hive => Some(Counted::Hive(count_hive(container, name))),
        Kind::EventLog => Some(Counted::Log(count_log(container, name))),
        Kind::Json => Some(Counted::Other(check_json(container, artifact))),
        Kind::Manifest
        | Kind::HiveLog
        | Kind::RegText
        | Kind::Text
        | Kind::CounterLog
        | Kind::Unrecognised => None,
    }
}

fn count_hive(container: &Container, name: &str) -> HiveCount {
    let candidate = match hives::open(container, name) {
        Ok(candidate) => candidate,
        Err(why) => {
            return HiveCount {
                damage: vec![why],
                ..HiveCount::default()
            };
        }
    };
    let mut count = HiveCount::default();
    for quality in candidate.file.quality() {
        match quality {
            Quality::DirtyNotReplayed { .. } => count.dirty = true,
            Quality::Replayed { .. } => (count.dirty, count.replayed) = (true, true),
            Quality::Damage(error) => count.damage.push(error.to_string()),
        }
    }
    let walk = candidate.file.walk(WalkLimits::default(), &mut |_, _| {});
    (count.keys, count.values) = (walk.keys, walk.values);
    count
        .damage
        .extend(walk.damage.iter().map(ToString::to_string));
    let more = walk.damage_count.saturating_sub(walk.damage.len() as u64);
    if more > 0 {
        count.damage.push(format!("{more} more places"));
    }
    if walk.limited {
        count
            .damage
            .push("not walked to its end: it is too large or too deep".to_owned());
    }
    count
}

fn count_log(container: &Container, name: &str) -> LogCount {
    let (outcome, torn) = match logs::fold(container, name, Census::decoding) {
        Ok(read) => read,
        Err(why) => {
            return LogCount {
                damage: vec![why],
                ..LogCount::default()
            };
        }
    };
    let (first, last) = (outcome.horizon.first, outcome.horizon.last);
    let mut damage: Vec<String> = outcome
        .damage
        .iter()
        .map(|damage| format!("offset {:#x}: {}", damage.offset, damage.what))
        .collect();
    if outcome.damage_left_out > 0 {
        damage.push(format!("{} more places", outcome.damage_left_out));
    }
    damage.extend(torn);
    LogCount {
        records: outcome.records,
        failed: outcome.failed,
        first: outcome.horizon.earliest,
        last: outcome.horizon.latest,
        first_record: first.map(|mark| mark.record_id),
        last_record: last.map(|mark| mark.record_id),
        dirty: outcome.dirty,
        events: outcome
            .fold
            .counts()
            .iter()
            .flat_map(|(channel, ids)| {
                let channel = if channel.is_empty() { "?" } else { channel };
                ids.iter()
                    .map(move |(id, count)| (format!("{channel}|{id}"), *count))
            })
            .collect(),
        damage,
    }
}

/// Whether a structured item fits its type.
fn check_json(container: &Container, artifact: &Artifact) -> Form {
    let content = artifact
        .item
        .as_deref()
        .and_then(items::by_id)
        .map(|item| item.content);
    let Some(Content::Json(record)) = content else {
        return Form::default();
    };
    let checked = container
        .read(&artifact.path, LARGEST)
        .map_err(|problem| problem.why)
        .and_then(|bytes| record.check(&bytes).map_err(|error| error.to_string()));
    Form {
        damage: checked.err().into_iter().collect(),
    }
}
