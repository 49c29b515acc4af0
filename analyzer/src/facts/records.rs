//! The newest records of each kind, as evidence: what most fact families keep of the logs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::events::Want;
use super::evidence::Evidence;
use super::locator::Locator;
use super::newest::Newest;
use super::sources::Sources;
use crate::formats::evtx::{Event, Header};

/// How many records of each kind and channel are kept.
const KEPT: usize = 8;

/// A record that a family keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record<K> {
    /// What it says.
    pub kind: K,
    /// The channel that it stands in.
    pub channel: String,
    /// Event ID.
    pub event_id: u32,
    /// Record id in its log.
    pub record_id: u64,
    /// When it was written.
    pub time: Timestamp,
    /// What it is about, where the family takes that from its fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The record.
    pub evidence: Evidence,
}

/// The newest records of each kind and channel, while the logs are read.
pub(super) struct Records<K> {
    newest: BTreeMap<(K, &'static str), Newest<Kept, KEPT>>,
}

struct Kept {
    event_id: u32,
    record_id: u64,
    time: Timestamp,
    subject: Option<String>,
    fields: Value,
}

impl<K> Default for Records<K> {
    fn default() -> Self {
        Self {
            newest: BTreeMap::new(),
        }
    }
}

impl<K: Copy + Ord> Records<K> {
    /// Takes a record of that kind.
    pub(super) fn offer(
        &mut self,
        kind: K,
        channel: &'static str,
        event: &Event<'_>,
        subject: Option<String>,
    ) {
        let header = &event.header;
        let make = || Kept {
            event_id: header.event_id,
            record_id: header.record_id,
            time: header.time,
            subject,
            fields: Value::Object(event.fields.to_json()),
        };
        self.newest
            .entry((kind, channel))
            .or_default()
            .offer(header.record_id, header.time, make);
    }

    /// Takes in what was kept of later records.
    pub(super) fn merge(&mut self, later: Self) {
        for (key, list) in later.newest {
            self.newest.entry(key).or_default().merge(list);
        }
    }

    /// The records by kind, channel and record id, oldest first; at most eight of each.
    pub(super) fn gather(&self, sources: &Sources) -> Vec<Record<K>> {
        let record = |kind: K, channel: &'static str, artifact: &str, kept: &Kept| {
            let locator = Locator::record(channel, kept.record_id);
            let evidence = Evidence::new(artifact, locator, kept.fields.clone());
            Record {
                kind,
                channel: channel.to_owned(),
                event_id: kept.event_id,
                record_id: kept.record_id,
                time: kept.time,
                subject: kept.subject.clone(),
                evidence: evidence.at(Some(kept.time)),
            }
        };
        let mut records = Vec::new();
        for ((kind, channel), list) in &self.newest {
            let log = sources.inventory().channel(channel);
            let artifact = log.map(|log| log.artifact.clone()).unwrap_or_default();
            let list = list.iter();
            records.extend(list.map(|kept| record(*kind, channel, &artifact, kept)));
        }
        records
    }
}

/// The channel, spelled as in `wants`, of a record that is wanted.
pub(super) fn channel(wants: &'static [Want], header: &Header<'_>) -> Option<&'static str> {
    wants
        .iter()
        .find(|want| want.matches(header))
        .map(|want| want.channel)
}

/// The newest record, by its time, of those that `accept` takes.
pub fn newest<K>(records: &[Record<K>], accept: impl Fn(&Record<K>) -> bool) -> Option<&Record<K>> {
    records
        .iter()
        .filter(|record| accept(record))
        .max_by_key(|record| record.time)
}
