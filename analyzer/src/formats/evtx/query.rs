//! General readers: the records that match a filter, and counts by channel and event id.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::{Event, Fold, Header, Need};

/// Which records are wanted. An empty filter matches all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// The channel, compared without case.
    pub channel: Option<String>,
    /// The provider's name or event source name, compared without case.
    pub provider: Option<String>,
    /// Event ids; none means any.
    pub event_ids: Vec<u32>,
    /// The record with this id only.
    pub record_id: Option<u64>,
    /// Events at or after this time.
    pub after: Option<Timestamp>,
    /// Events at or before this time.
    pub before: Option<Timestamp>,
}

impl Filter {
    /// Whether a record with this header is wanted.
    pub fn matches(&self, header: &Header<'_>) -> bool {
        self.record_id.is_none_or(|id| id == header.record_id)
            && (self.event_ids.is_empty() || self.event_ids.contains(&header.event_id))
            && self.after.is_none_or(|after| header.time >= after)
            && self.before.is_none_or(|before| header.time <= before)
            && self
                .channel
                .as_deref()
                .is_none_or(|channel| header.channel.eq_ignore_ascii_case(channel))
            && self
                .provider
                .as_deref()
                .is_none_or(|provider| header.is_from(provider))
    }
}

/// A record with all its fields, ready to be written as a line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The record's id.
    pub record_id: u64,
    /// When the event happened, UTC.
    pub time: Timestamp,
    /// Its channel.
    pub channel: String,
    /// Its provider.
    pub provider: String,
    /// Its event id.
    pub event_id: u32,
    /// What the event says ([`super::Fields::to_json`]).
    pub fields: serde_json::Map<String, serde_json::Value>,
}

/// Collects the records that match a filter, the newest ones if there are too many.
#[derive(Debug, Clone)]
pub struct Select<'a> {
    filter: &'a Filter,
    limit: usize,
    rows: VecDeque<Row>,
    matched: u64,
}

impl<'a> Select<'a> {
    /// Selects what matches `filter`, at most the `limit` records with the highest ids.
    pub fn new(filter: &'a Filter, limit: usize) -> Self {
        Self {
            filter,
            limit,
            rows: VecDeque::new(),
            matched: 0,
        }
    }

    /// How many records matched, whether they were kept or not.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// The records, in the order of their ids.
    pub fn into_rows(self) -> impl Iterator<Item = Row> {
        self.rows.into_iter()
    }

    fn trim(&mut self) {
        let excess = self.rows.len().saturating_sub(self.limit);
        self.rows.drain(..excess);
    }
}

impl Fold for Select<'_> {
    fn glance(&mut self, header: &Header<'_>) -> Need {
        if !self.filter.matches(header) {
            return Need::Skip;
        }
        self.matched += 1;
        if self.limit == 0 {
            Need::Skip
        } else {
            Need::Fields
        }
    }

    fn event(&mut self, event: &Event<'_>) {
        let header = &event.header;
        self.rows.push_back(Row {
            record_id: header.record_id,
            time: header.time,
            channel: header.channel.to_owned(),
            provider: header.provider.to_owned(),
            event_id: header.event_id,
            fields: event.fields.to_json(),
        });
        self.trim();
    }

    fn fork(&self) -> Self {
        Self::new(self.filter, self.limit)
    }

    fn merge(&mut self, later: Self) {
        self.matched += later.matched;
        self.rows.extend(later.rows);
        self.trim();
    }
}

/// Counts records by channel and event id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Census {
    counts: BTreeMap<String, BTreeMap<u32, u64>>,
    kinds: usize,
    left_out: u64,
    decode: bool,
}

impl Census {
    /// How many pairs of channel and event id are told apart.
    pub const MAX_KINDS: usize = 100_000;

    /// Counts without decoding anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts and decodes every record, so that what cannot be decoded shows as failed.
    pub fn decoding() -> Self {
        Self {
            decode: true,
            ..Self::default()
        }
    }

    /// The counts, by channel and then by event id.
    pub fn counts(&self) -> &BTreeMap<String, BTreeMap<u32, u64>> {
        &self.counts
    }

    /// Records of pairs beyond [`Census::MAX_KINDS`].
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    fn add(&mut self, channel: &str, event_id: u32, count: u64) {
        if let Some(known) = self
            .counts
            .get_mut(channel)
            .and_then(|ids| ids.get_mut(&event_id))
        {
            *known += count;
        } else if self.kinds < Self::MAX_KINDS {
            self.kinds += 1;
            self.counts
                .entry(channel.to_owned())
                .or_default()
                .insert(event_id, count);
        } else {
            self.left_out += count;
        }
    }
}

impl Fold for Census {
    fn glance(&mut self, header: &Header<'_>) -> Need {
        self.add(header.channel, header.event_id, 1);
        if self.decode {
            Need::Fields
        } else {
            Need::Skip
        }
    }

    fn event(&mut self, _: &Event<'_>) {}

    fn fork(&self) -> Self {
        Self {
            decode: self.decode,
            ..Self::default()
        }
    }

    fn merge(&mut self, later: Self) {
        self.left_out += later.left_out;
        for (channel, ids) in later.counts {
            for (event_id, count) in ids {
                self.add(&channel, event_id, count);
            }
        }
    }
}
