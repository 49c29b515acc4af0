//! Successes after failures.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::channel;

use super::coverage::{DAY, Logs, time_of};
use super::fold::{AUDITING, By, Events, LSM, RCM, Success, minute_of};
use super::rates::counted;
use super::sources::BySource;
use super::tally::Tally;
use crate::facts::fact::Fact;

/// How many suspicions are kept.
const KEPT: usize = 32;

/// A success after failures, on a machine where somebody guesses passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suspicion {
    /// What makes it one.
    pub kind: Kind,
    /// The address that the success came from.
    pub address: IpAddr,
    /// The user, in lower case, without domain.
    pub user: String,
    /// When it succeeded.
    pub time: Timestamp,
    /// Failed attempts in the 24 hours before, to the minute: of the address, or on the user from
    /// elsewhere (those to the hour).
    pub attempts: u64,
    /// Whether more than event 1149 tells of it, which without NLA is written before a password
    /// is checked.
    pub proven: bool,
    /// The record that tells of it, as `snapdiag show` takes it.
    pub record: String,
}

/// What makes a success suspicious.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The failures came from the same address.
    SameSource,
    /// The failures were on the same user, and the address had no success before.
    NewSource,
}

pub(super) fn suspicions(events: &Events, logs: &Logs) -> Vec<Fact<Suspicion>> {
    let attempts = BySource::of(events, i64::MIN..i64::MAX);
    let mut best: BTreeMap<(Kind, IpAddr, &str), (Suspicion, Success)> = BTreeMap::new();
    let first = first_success(events);
    for ((_, address, user), successes) in events.successes.entries() {
        let Some(ends) = successes.0 else { continue };
        let proven = successes.1.is_some_and(|by| by > By::Rcm1149);
        for success in ends {
            let minute = minute_of(success.time);
            let own = attempts.count(*address, minute - DAY, minute);
            let earlier = first
                .get(address)
                .is_some_and(|first| *first < success.time);
            let (kind, count) = if own > 0 || earlier {
                (Kind::SameSource, own)
            } else {
                (Kind::NewSource, on_user(events, user, success.time))
            };
            let suspicion = Suspicion {
                kind,
                address: *address,
                user: user.to_string(),
                time: success.time,
                attempts: count,
                proven,
                record: record(success),
            };
            let known = best.get(&(kind, *address, &**user));
            if count > 0 && known.is_none_or(|(known, _)| count > known.attempts) {
                best.insert((kind, *address, user), (suspicion, success));
            }
        }
    }
    let mut all: Vec<(Suspicion, Success)> = best.into_values().collect();
    all.sort_by(|(a, _), (b, _)| (a.kind, b.attempts).cmp(&(b.kind, a.attempts)));
    all.truncate(KEPT);
    all.into_iter()
        .map(|(suspicion, success)| {
            let evidence = minute_of_success(events, logs, success);
            Fact::known(suspicion, evidence)
        })
        .collect()
}

/// The first success of each address.
fn first_success(events: &Events) -> BTreeMap<IpAddr, Timestamp> {
    let mut all: BTreeMap<IpAddr, Timestamp> = BTreeMap::new();
    for ((_, address, _), successes) in events.successes.entries() {
        if let Some([first, _]) = successes.0 {
            let known = all.entry(*address).or_insert(first.time);
            *known = (*known).min(first.time);
        }
    }
    all
}

/// The hour after the oldest one whose successes were kept, where older ones were dropped; or the
/// minute after the oldest one whose sources were kept, when that is later.
pub(super) fn complete_from(events: &Events) -> Option<Timestamp> {
    let successes = events.successes.dropped_before();
    let successes = successes.and_then(|(hour, ..)| time_of((hour + 1) * 60));
    let attempts = events.pairs.dropped_before();
    let attempts = attempts.and_then(|(minute, _)| time_of(minute + 1 + DAY));
    successes.max(attempts)
}

/// Attempts on `user` in the hour of `time` and the 24 before it.
fn on_user(events: &Events, user: &str, time: Timestamp) -> u64 {
    let hour = minute_of(time).div_euclid(60);
    (hour - 24..=hour)
        .filter_map(|hour| events.users.entries().get(&(hour, user.into())))
        .sum()
}

/// Where the event of a success stands: channel, provider, IDs, and how they are tallied.
fn place(by: By) -> (&'static str, &'static str, &'static [u32], Tally) {
    match by {
        By::Logon4624 => ("Security", AUDITING, &[4624], Tally::Logon4624),
        By::Lsm => (channel::LSM_OPERATIONAL, LSM, &[21, 25], Tally::Lsm),
        By::Rcm1149 => (channel::RCM_OPERATIONAL, RCM, &[1149], Tally::Rcm1149),
        By::Ssh => (channel::OPENSSH, "OpenSSH", &[4], Tally::Ssh),
    }
}

fn record(success: Success) -> String {
    let (channel, ..) = place(success.by);
    crate::facts::locator::Locator::record(channel, success.record).to_string()
}

/// The records of the success's kind in its minute: it is one of them.
fn minute_of_success(
    events: &Events,
    logs: &Logs,
    success: Success,
) -> Option<crate::facts::evidence::Evidence> {
    let (channel, provider, ids, tally) = place(success.by);
    let minute = minute_of(success.time);
    let count = events.minutes.entries().get(&minute)?.get(tally);
    let span = [time_of(minute)?, time_of(minute + 1)?];
    let artifact = logs.artifact(channel)?;
    Some(counted(artifact, channel, provider, ids, span, count).at(Some(success.time)))
}
