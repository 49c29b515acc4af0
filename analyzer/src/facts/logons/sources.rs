//! Who failed, and whose names were tried.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::{Window, time_of};
use super::fold::{Attempts, Events};
use super::newest::{Join, One};
use super::origin;
use super::rates::{Failures, sustained};
use super::tally::Tally;
use crate::facts::fact::Fact;

/// How many sources and users are listed.
pub(super) const LISTED: usize = 20;

/// The sources of failed attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceTable {
    /// How many addresses failed.
    pub distinct: u64,
    /// Attempts from public addresses.
    pub public: u64,
    /// Attempts from private, shared and link-local addresses.
    pub private: u64,
    /// Attempts without an address that no connection explains.
    pub unattributed: u64,
    /// Since when the table is complete, where there were too many sources: counts of sources
    /// that were active before are lower bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete_from: Option<Timestamp>,
    /// The sources with the most attempts, at most 20.
    pub top: Vec<Source>,
}

/// One source of failed attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Its address.
    pub address: IpAddr,
    /// Whether the address is a private one.
    pub private: bool,
    /// Failed attempts.
    pub attempts: u64,
    /// The minute of the first one.
    pub first: Timestamp,
    /// The minute of the last one.
    pub last: Timestamp,
    /// The number that each of ten minutes in a row reached.
    pub sustained: u64,
    /// The users that it tried.
    pub tried: Tried,
    /// The minutes between its attempts, where they are regular.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<i64>,
}

/// The users that a source tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Tried {
    /// The events of this source name none.
    Unknown,
    /// One and the same.
    One(String),
    /// More than one.
    Several,
}

/// Failed attempts by source and minute, in a span of minutes.
///
/// What is counted for one source in one minute: the larger of its 4625 and its 140, its SSH, SQL
/// Server and Kerberos failures, or, where none of these name it, its accepted connections (131)
/// as far as failures without an address in the same hour can be theirs.
pub(super) struct BySource {
    pub(super) minutes: BTreeMap<IpAddr, BTreeMap<i64, u64>>,
    pub(super) users: BTreeMap<IpAddr, One>,
}

impl BySource {
    pub(super) fn of(events: &Events, span: std::ops::Range<i64>) -> Self {
        let mut open = unattributed_by_hour(events, &span);
        let mut all = Self {
            minutes: BTreeMap::new(),
            users: BTreeMap::new(),
        };
        for ((minute, source), attempts) in events.pairs.entries().range((span.start, None)..) {
            if *minute >= span.end {
                break;
            }
            let Some(source) = source else { continue };
            let count = named(attempts).max(explained(attempts, *minute, &mut open));
            if count == 0 {
                continue;
            }
            *all.minutes
                .entry(*source)
                .or_default()
                .entry(*minute)
                .or_default() += count;
            all.users
                .entry(*source)
                .or_default()
                .join(attempts.user.clone());
        }
        all
    }

    /// The attempts of `source` from `first` to `last`, both included.
    pub(super) fn count(&self, source: IpAddr, first: i64, last: i64) -> u64 {
        let minutes = self.minutes.get(&source);
        minutes.map_or(0, |minutes| {
            minutes.range(first..=last).map(|(_, n)| n).sum()
        })
    }
}

/// Failures of a source that name it.
fn named(attempts: &Attempts) -> u64 {
    attempts.logon.max(attempts.refused) + attempts.other
}

/// Connections of a source that failures without an address can explain; takes them from what is
/// left in that hour.
fn explained(attempts: &Attempts, minute: i64, open: &mut BTreeMap<i64, u64>) -> u64 {
    let Some(left) = open.get_mut(&minute.div_euclid(60)) else {
        return 0;
    };
    let count = attempts.connected.min(*left);
    *left -= count;
    count
}

/// Failures of each hour that name no source: 4625 without an address, or 139.
fn unattributed_by_hour(events: &Events, span: &std::ops::Range<i64>) -> BTreeMap<i64, u64> {
    let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
    for (minute, counts) in events.minutes.entries().range(span.clone()) {
        let open = counts
            .get(Tally::Unattributed)
            .max(counts.get(Tally::Rdp139));
        *hours.entry(minute.div_euclid(60)).or_default() += open;
    }
    hours
}

pub(super) fn table(
    events: &Events,
    failures: &Fact<Failures>,
    window: Option<Window>,
) -> Fact<SourceTable> {
    let (Some(counted), Some(window)) = (failures.value(), window) else {
        return failures
            .carry()
            .unwrap_or_else(|| Fact::not_collected("nothing tells a time"));
    };
    let span = window.minutes();
    let all = BySource::of(events, span.clone());
    let (mut public, mut private) = (0_u64, 0_u64);
    let mut top: Vec<Source> = all
        .minutes
        .iter()
        .filter_map(|(address, minutes)| source(*address, minutes, all.users.get(address)))
        .collect();
    for source in &top {
        let side = if source.private {
            &mut private
        } else {
            &mut public
        };
        *side += source.attempts;
    }
    // A stable sort over addresses in order.
    top.sort_by_key(|source| std::cmp::Reverse(source.attempts));
    let distinct = top.len() as u64;
    top.truncate(LISTED);
    let dropped = events.pairs.dropped_before().map(|(minute, _)| minute + 1);
    let table = SourceTable {
        distinct,
        public,
        private,
        unattributed: counted.total.saturating_sub(public + private),
        complete_from: dropped
            .filter(|minute| span.contains(minute))
            .and_then(time_of),
        top,
    };
    Fact::known(table, failures.evidence.iter().cloned())
}

fn source(address: IpAddr, minutes: &BTreeMap<i64, u64>, user: Option<&One>) -> Option<Source> {
    let (first, _) = minutes.first_key_value()?;
    let (last, _) = minutes.last_key_value()?;
    Some(Source {
        address,
        private: origin::is_private(address),
        attempts: minutes.values().sum(),
        first: time_of(*first)?,
        last: time_of(*last)?,
        sustained: sustained(minutes.iter().map(|(minute, count)| (*minute, *count))),
        tried: match user {
            Some(One::Only(name)) => Tried::One(name.to_string()),
            Some(One::Several) => Tried::Several,
            Some(One::None) | None => Tried::Unknown,
        },
        every_minutes: regular(minutes),
    })
}

/// The interval in minutes, where nine of ten intervals are the usual one (to a minute, because
/// minutes are all that is kept) and no minute has twice the usual number of attempts. Needs
/// twelve minutes with attempts.
fn regular(minutes: &BTreeMap<i64, u64>) -> Option<i64> {
    const ENOUGH: usize = 12;
    if minutes.len() < ENOUGH {
        return None;
    }
    let keys: Vec<i64> = minutes.keys().copied().collect();
    let mut gaps: Vec<i64> = keys
        .windows(2)
        .filter_map(|pair| Some(pair.get(1)? - pair.first()?))
        .collect();
    gaps.sort_unstable();
    let usual = *gaps.get(gaps.len() / 2)?;
    let slack = i64::from(usual > 1);
    let fitting = gaps
        .iter()
        .filter(|gap| (**gap - usual).abs() <= slack)
        .count();
    let mut counts: Vec<u64> = minutes.values().copied().collect();
    counts.sort_unstable();
    let (median, most) = (*counts.get(counts.len() / 2)?, *counts.last()?);
    (fitting * 10 >= gaps.len() * 9 && most <= median * 2).then_some(usual)
}

#[cfg(test)]
mod unit {
    use super::*;

    fn every(step: i64, times: i64, count: u64) -> BTreeMap<i64, u64> {
        (0..times).map(|n| (n * step, count)).collect()
    }

    #[test]
    fn a_regular_interval_is_seen_and_a_dictionary_run_is_not() {
        assert_eq!(regular(&every(5, 12, 1)), Some(5));
        assert_eq!(regular(&every(5, 11, 1)), None);
        assert_eq!(regular(&every(1, 60, 6)), Some(1));
        let mut jitter = every(30, 48, 1);
        jitter.remove(&300);
        jitter.insert(301, 1);
        assert_eq!(regular(&jitter), Some(30));
        // Two short gaps of many, and one to a minute more or less.
        let mut short = every(30, 48, 1);
        short.extend([(-1, 1), (-2, 1)]);
        assert_eq!(regular(&short), Some(30));
        let uneven = (0..40_i64)
            .map(|n| (n * 5 + i64::from(n % 3 == 0), 1))
            .collect();
        assert_eq!(regular(&uneven), Some(5));
        // Minutes are all that is kept: one in two is no interval of a minute.
        let halting = (0..40_i64).map(|n| (n * 3 / 2, 1)).collect();
        assert_eq!(regular(&halting), None);
        // One gap in five is another.
        let holes = (0..60_i64)
            .filter(|n| n % 5 != 0)
            .map(|n| (n * 5, 1))
            .collect();
        assert_eq!(regular(&holes), None);
        // Twice the usual number of attempts, and more.
        let busiest = |count: u64| {
            let mut busy = every(5, 40, 2);
            busy.extend([(0, 1), (5, 1), (50, count)]);
            regular(&busy)
        };
        assert_eq!(busiest(4), Some(5));
        assert_eq!(busiest(5), None);
        let mut triple = every(5, 40, 1);
        triple.insert(50, 3);
        assert_eq!(regular(&triple), None);
        // One minute with a flood in it.
        let mut flood = every(5, 40, 1);
        flood.insert(50, 40);
        assert_eq!(regular(&flood), None);
        // Gaps of 1, 2, 3, …
        let growing = (0..30_i64).map(|n| (n * (n + 1) / 2, 1)).collect();
        assert_eq!(regular(&growing), None);
    }
}
