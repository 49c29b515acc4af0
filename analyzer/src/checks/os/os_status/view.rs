//! The facts and limits of this check, and ages relative to the capture.

use jiff::{SignedDuration, Timestamp};

use super::{
    CHANGE_HOURS, CRITICAL_DAYS, REPEATED, SETUP_HOURS, SLACK_HOURS, UPTIME_DAYS, WARNING_DAYS,
};
use crate::checks::check::Context;
use crate::facts::Snapshot;
use crate::facts::boot::{Boot, LoggedEvent};

const HOURS_A_DAY: f64 = 24.0;

/// What the rules look at.
pub(super) struct View<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) boot: &'a Boot,
    /// The capture time.
    pub(super) now: Option<Timestamp>,
    /// When the running Windows was started: by the uptime at capture, else by the log.
    pub(super) started: Option<Timestamp>,
    pub(super) critical_days: f64,
    pub(super) warning_days: f64,
    pub(super) repeated: f64,
    pub(super) uptime_days: f64,
    pub(super) setup_hours: f64,
    pub(super) change_hours: f64,
    pub(super) slack_days: f64,
}

impl<'a> View<'a> {
    pub(super) fn new(cx: &Context<'a>) -> Self {
        let snapshot = cx.snapshot;
        let now = snapshot.capture.time;
        let uptime = snapshot.machine.uptime_seconds.value();
        let by_uptime = uptime
            .and_then(|seconds| i64::try_from(*seconds).ok())
            .zip(now)
            .and_then(|(seconds, now)| now.checked_sub(SignedDuration::from_secs(seconds)).ok());
        Self {
            snapshot,
            boot: &snapshot.boot,
            now,
            started: by_uptime.or(snapshot.boot.started.value().copied()),
            critical_days: cx.limit(&CRITICAL_DAYS),
            warning_days: cx.limit(&WARNING_DAYS),
            repeated: cx.limit(&REPEATED),
            uptime_days: cx.limit(&UPTIME_DAYS),
            setup_hours: cx.limit(&SETUP_HOURS),
            change_hours: cx.limit(&CHANGE_HOURS),
            slack_days: cx.limit(&SLACK_HOURS) / HOURS_A_DAY,
        }
    }

    /// How long before the capture, in days; negative for a time after it.
    pub(super) fn age(&self, time: Timestamp) -> Option<f64> {
        Some(self.now?.duration_since(time).as_secs_f64() / 3600.0 / HOURS_A_DAY)
    }

    /// Whether it happened at most so many days before the capture. What a wrong clock dates
    /// after the capture counts.
    pub(super) fn within(&self, time: Timestamp, days: f64) -> bool {
        self.age(time).is_some_and(|age| age <= days)
    }

    /// For how many hours Windows had been running.
    pub(super) fn hours_up(&self) -> Option<f64> {
        Some(self.age(self.started?)? * HOURS_A_DAY)
    }

    /// Whether anything can be said of events: the log was read and the capture time is known.
    pub(super) fn sees_events(&self) -> bool {
        self.boot.log.value().is_some() && self.now.is_some()
    }

    /// The answer of a rule about events: nothing found means nothing where nothing was read.
    pub(super) fn found(&self, found: bool) -> Option<bool> {
        (found || self.sees_events()).then_some(found)
    }

    /// The events of these ids within so many days.
    pub(super) fn events<'e>(
        &self,
        list: &'e [LoggedEvent],
        ids: &[u32],
        days: f64,
    ) -> Vec<&'e LoggedEvent> {
        list.iter()
            .filter(|event| ids.contains(&event.id) && self.within(event.time, days))
            .collect()
    }
}

pub(super) use crate::checks::words::time as stamp;

/// `1 incident`, `2 incidents`.
pub(super) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    }
}
