//! How many logons failed in the window, and how fast.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::channel;

use super::coverage::{Logs, Window, time_of};
use super::fold::{AUDITING, Events, RDPCORETS};
use super::tally::{Minute, Tally};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::{EventQuery, Locator};

/// Minutes of a sustained burst.
const BURST: usize = 10;

/// Failed logons in the window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failures {
    /// Failed attempts from outside, each counted once: minute by minute the larger of 4625 and
    /// what the Remote Desktop and SSH logs saw, and the Kerberos and SQL Server failures.
    pub total: u64,
    /// Security 4625 that are attempts from outside.
    pub logon: u64,
    /// Those of them that carry no address.
    pub unattributed: u64,
    /// Security 4625 that are not: from the machine itself, local logon types, machine accounts.
    pub excluded: u64,
    /// RdpCoreTS 140.
    pub refused: u64,
    /// OpenSSH passwords refused.
    pub ssh: u64,
    /// 4625 that the SSH server caused: they carry no address, its own log does.
    pub ssh_server: u64,
    /// SQL Server 18456.
    pub sql: u64,
    /// Kerberos 4771.
    pub kerberos: u64,
    /// Why the 4625 failed.
    pub reasons: Reasons,
    /// The most failures in ten clock minutes in a row, none of them without a failure.
    pub burst: u64,
    /// When those ten minutes began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst_from: Option<Timestamp>,
    /// Minutes of the window that Security, or failing that RdpCoreTS, covers.
    pub covered_minutes: i64,
    /// The most failures in 24 hours before the window, and when those began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<(Timestamp, u64)>,
    /// Failures dated after the window: the clock was wrong once.
    pub later: u64,
}

/// Why logons failed, by `SubStatus`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reasons {
    /// 0xC0000064.
    pub no_such_user: u64,
    /// 0xC000006A.
    pub bad_password: u64,
    /// 0xC0000234.
    pub locked_out: u64,
    /// Disabled, expired or restricted accounts.
    pub barred: u64,
}

/// A query over one provider's events in a span of minutes, with the count that it gives.
pub(super) fn counted(
    artifact: &str,
    channel: &str,
    provider: &str,
    ids: &[u32],
    span: [Timestamp; 2],
    count: u64,
) -> Evidence {
    let [after, before] = span;
    let query = EventQuery {
        channel: channel.to_owned(),
        ids: ids.to_vec(),
        provider: Some(provider.to_owned()),
        after: Some(after),
        before: Some(before),
        ..EventQuery::default()
    };
    Evidence::new(artifact, Locator::Events(query), count)
}

pub(super) fn failures(events: &Events, logs: &Logs, window: Option<Window>) -> Fact<Failures> {
    let readable = [&logs.security, &logs.transport];
    if readable.iter().all(|log| log.value().is_none()) {
        return logs
            .security
            .carry()
            .unwrap_or_else(|| Fact::not_collected("no log of logons is in the snapshot"));
    }
    let Some(window) = window else {
        return Fact::unreadable("the logs hold no record, so nothing tells a time", []);
    };
    let dropped = events.minutes.dropped_before();
    if dropped.is_some_and(|minute| *minute >= window.minutes().start) {
        return Fact::unreadable(
            "so many events are dated after the capture that those before it could not be kept",
            [],
        );
    }
    let covered = readable
        .iter()
        .find_map(|log| log.value()?.covered_minutes)
        .unwrap_or(0);
    Fact::known(
        count(events, window, covered),
        evidence(events, logs, window),
    )
}

/// The count of one kind in the window.
pub(super) fn sum(events: &Events, window: Window, tally: Tally) -> u64 {
    events
        .minutes
        .entries()
        .range(window.minutes())
        .map(|(_, minute)| minute.get(tally))
        .sum()
}

fn count(events: &Events, window: Window, covered: i64) -> Failures {
    let minutes = events.minutes.entries();
    let sum = |tally| sum(events, window, tally);
    let (burst_from, burst) = burst(
        minutes
            .range(window.minutes())
            .map(|(minute, counts)| (*minute, counts.failures())),
    );
    Failures {
        total: total(minutes, window.minutes()),
        logon: sum(Tally::Attempts),
        unattributed: sum(Tally::Unattributed),
        excluded: sum(Tally::Logon4625).saturating_sub(sum(Tally::Attempts)),
        refused: sum(Tally::Rdp140),
        ssh: sum(Tally::SshRefused),
        ssh_server: sum(Tally::SshServer),
        sql: sum(Tally::Sql),
        kerberos: sum(Tally::Kerberos4771),
        reasons: Reasons {
            no_such_user: sum(Tally::NoSuchUser),
            bad_password: sum(Tally::BadPassword),
            locked_out: sum(Tally::LockedOut),
            barred: sum(Tally::Barred),
        },
        burst,
        burst_from: time_of(burst_from),
        covered_minutes: covered.clamp(0, super::coverage::DAY),
        earlier: earlier(minutes, window.minutes().start),
        later: total(minutes, window.minutes().end..i64::MAX),
    }
}

/// The queries that count the same records as the tallies.
fn evidence(events: &Events, logs: &Logs, window: Window) -> Vec<Evidence> {
    let span = [window.from, window.to];
    let transport = channel::RDPCORETS_OPERATIONAL;
    [
        ("Security", AUDITING, 4625, Tally::Logon4625),
        ("Security", AUDITING, 4771, Tally::Kerberos4771),
        (transport, RDPCORETS, 140, Tally::Rdp140),
        (transport, RDPCORETS, 139, Tally::Rdp139),
        (transport, RDPCORETS, 131, Tally::Rdp131),
    ]
    .into_iter()
    .filter_map(|(name, provider, id, tally)| {
        let count = sum(events, window, tally);
        let always = matches!(tally, Tally::Logon4625 | Tally::Rdp140);
        let artifact = logs.artifact(name).filter(|_| always || count > 0)?;
        Some(counted(artifact, name, provider, &[id], span, count))
    })
    .collect()
}

/// All failures of a span of minutes.
pub(super) fn total(minutes: &BTreeMap<i64, Minute>, span: std::ops::Range<i64>) -> u64 {
    if span.is_empty() {
        return 0;
    }
    minutes
        .range(span)
        .map(|(_, minute)| minute.failures())
        .sum()
}

/// The ten minutes in a row with the most failures, none of them without one: their begin and
/// their sum. (0, 0) where there are none.
pub(super) fn burst(series: impl Iterator<Item = (i64, u64)>) -> (i64, u64) {
    runs(series)
        .map(|(begin, counts)| (begin, counts.iter().sum()))
        .fold(
            (0, 0),
            |best: (i64, u64), run| if run.1 > best.1 { run } else { best },
        )
}

/// The largest number that each of ten minutes in a row reaches.
pub(super) fn sustained(series: impl Iterator<Item = (i64, u64)>) -> u64 {
    runs(series)
        .filter_map(|(_, counts)| counts.into_iter().min())
        .max()
        .unwrap_or(0)
}

/// Every ten minutes in a row that all have a count.
fn runs(series: impl Iterator<Item = (i64, u64)>) -> impl Iterator<Item = (i64, Vec<u64>)> {
    let mut run: Vec<(i64, u64)> = Vec::new();
    series
        .filter(|(_, count)| *count > 0)
        .filter_map(move |next| {
            if run.last().is_some_and(|(minute, _)| minute + 1 != next.0) {
                run.clear();
            }
            run.push(next);
            if run.len() > BURST {
                run.remove(0);
            }
            let (begin, _) = *run.first()?;
            (run.len() == BURST).then(|| (begin, run.iter().map(|(_, count)| *count).collect()))
        })
}

/// The 24 hours before `end` with the most failures: their begin and their sum.
fn earlier(minutes: &BTreeMap<i64, Minute>, end: i64) -> Option<(Timestamp, u64)> {
    let mut days: BTreeMap<i64, u64> = BTreeMap::new();
    for (minute, counts) in minutes.range(..end) {
        let day = (end - 1 - minute).div_euclid(super::coverage::DAY);
        *days.entry(day).or_default() += counts.failures();
    }
    let (day, count) = days
        .into_iter()
        .max_by_key(|(day, count)| (*count, -*day))?;
    let begin = time_of(end - (day + 1) * super::coverage::DAY)?;
    (count > 0).then_some((begin, count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_ten_minutes_without_a_pause() {
        let steady = |n: i64, count: u64| (0..n).map(move |minute| (minute, count));
        assert_eq!(burst(steady(9, 1000)), (0, 0));
        assert_eq!(burst(steady(10, 60)), (0, 600));
        assert_eq!(burst(steady(11, 60)), (0, 600), "the first of equal ones");
        assert_eq!(sustained(steady(10, 60)), 60);
        // A pause in the middle, or a minute with a record and no failure, breaks it.
        assert_eq!(
            burst(steady(19, 60).filter(|(minute, _)| *minute != 9)),
            (0, 0)
        );
        assert_eq!(
            sustained(steady(19, 60).map(|(m, c)| (m, if m == 9 { 0 } else { c }))),
            0
        );
        // The best ten of a longer run.
        let rising = (100..120).map(|minute| (minute, u64::try_from(minute).unwrap()));
        assert_eq!(burst(rising.clone()), (110, (110..120).sum()));
        assert_eq!(sustained(rising), 110);
    }
}
