//! How far the logs reach, and the 24 hours that are counted.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::channel;

use super::fold::minute_of;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::sources::Sources;

/// Minutes of a day.
pub(super) const DAY: i64 = 24 * 60;
/// Minutes after the capture that still count: the collector reads the logs while it runs.
const GRACE: i64 = 15;

/// The 24 hours before the capture, in whole minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// Begin, included.
    pub from: Timestamp,
    /// End, not included: a quarter of an hour after the capture.
    pub to: Timestamp,
    /// The moment that ages are relative to: the capture, or the newest record.
    pub end: Timestamp,
    /// Whether that is the time of capture.
    pub by_capture: bool,
}

/// The time at which a minute begins.
pub(super) fn time_of(minute: i64) -> Option<Timestamp> {
    Timestamp::from_second(minute.checked_mul(60)?).ok()
}

impl Window {
    /// The window before the capture, or before the newest record of the logs of logons.
    pub(super) fn of(sources: &Sources) -> Option<Self> {
        let capture = sources.capture().time;
        let newest = || {
            CHANNELS
                .iter()
                .filter_map(|name| sources.inventory().channel(name)?.newest)
                .map(|mark| mark.time)
                .max()
        };
        Self::before(capture.or_else(newest)?, capture.is_some())
    }

    pub(super) fn before(end: Timestamp, by_capture: bool) -> Option<Self> {
        let minute = minute_of(end);
        Some(Self {
            from: time_of(minute - DAY)?,
            to: time_of(minute + GRACE)?,
            end,
            by_capture,
        })
    }

    /// Its minutes.
    pub(super) fn minutes(&self) -> std::ops::Range<i64> {
        minute_of(self.from)..minute_of(self.to)
    }

    /// How long before the end `time` was; negative for a time after it.
    pub fn age(&self, time: Timestamp) -> SignedDuration {
        self.end.duration_since(time)
    }
}

const CHANNELS: [&str; 7] = [
    "Security",
    channel::RDPCORETS_OPERATIONAL,
    channel::RCM_OPERATIONAL,
    channel::LSM_OPERATIONAL,
    "System",
    "Application",
    channel::OPENSSH,
];

/// The logs that tell of logons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Logs {
    /// Security.
    pub security: Fact<Log>,
    /// RdpCoreTS/Operational.
    pub transport: Fact<Log>,
    /// RemoteConnectionManager/Operational.
    pub connections: Fact<Log>,
    /// LocalSessionManager/Operational.
    pub sessions: Fact<Log>,
    /// System.
    pub system: Fact<Log>,
    /// Application.
    pub application: Fact<Log>,
    /// OpenSSH/Operational.
    pub ssh: Fact<Log>,
}

/// How far one log reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Log {
    /// The artifact that was read.
    pub artifact: String,
    /// The channel's name.
    pub channel: String,
    /// Records of the live log.
    pub records: u64,
    /// Minutes from the oldest to the newest record of the live log.
    pub span_minutes: Option<i64>,
    /// Minutes from the oldest record that was read to the end of the window.
    pub covered_minutes: Option<i64>,
    /// Whether older records were overwritten: the oldest one is not the first, or the log is at
    /// nine tenths of its maximum size.
    pub rolled: bool,
    /// Failed logons (4625) in all that was read. Security only.
    pub logon_failures: u64,
    /// Why counts from it are lower bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

impl Logs {
    pub(super) fn gather(sources: &Sources, window: Option<Window>, logon_failures: u64) -> Self {
        let log = |name: &str| {
            let failures = if name == "Security" {
                logon_failures
            } else {
                0
            };
            sources
                .channel(name)
                .map(|channel| Log::of(&channel, window, failures))
        };
        Self {
            security: log("Security"),
            transport: log(channel::RDPCORETS_OPERATIONAL),
            connections: log(channel::RCM_OPERATIONAL),
            sessions: log(channel::LSM_OPERATIONAL),
            system: log("System"),
            application: log("Application"),
            ssh: log(channel::OPENSSH),
        }
    }

    /// The artifact of a channel that was read.
    pub(super) fn artifact(&self, name: &str) -> Option<&str> {
        [
            &self.security,
            &self.transport,
            &self.connections,
            &self.sessions,
            &self.system,
            &self.application,
            &self.ssh,
        ]
        .into_iter()
        .filter_map(Fact::value)
        .find(|log| log.channel.eq_ignore_ascii_case(name))
        .map(|log| log.artifact.as_str())
    }
}

impl Log {
    fn of(channel: &Channel, window: Option<Window>, logon_failures: u64) -> Self {
        let minutes = |from: Timestamp, to: Timestamp| to.duration_since(from).as_mins();
        let read_from = channel.held_from.or(channel.oldest);
        let full = match (channel.live_size_bytes, channel.live_max_bytes) {
            (Some(size), Some(max)) => size >= max / 10 * 9,
            _ => false,
        };
        let unread = (channel.failed > 0)
            .then(|| format!("{} records could not be decoded", channel.failed));
        Self {
            artifact: channel.artifact.clone(),
            channel: channel.name.clone(),
            records: channel.live_records.unwrap_or(channel.records),
            span_minutes: channel
                .oldest
                .zip(channel.newest)
                .map(|(oldest, newest)| minutes(oldest.time, newest.time)),
            covered_minutes: window
                .zip(read_from)
                .map(|(window, from)| minutes(from.time, window.end)),
            rolled: full || channel.oldest.is_some_and(|oldest| oldest.record_id > 1),
            logon_failures,
            damage: channel.damage.first().cloned().or(unread),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::inventory::Mark;

    fn mark(record_id: u64, time: &str) -> Mark {
        let time = time.parse().unwrap();
        Mark { record_id, time }
    }

    fn channel() -> Channel {
        Channel {
            computer: String::new(),
            name: "Security".to_owned(),
            artifact: "eventlog/Security.evtx".to_owned(),
            records: 500,
            failed: 0,
            oldest: Some(mark(1, "2026-03-01T11:00:00Z")),
            newest: Some(mark(1000, "2026-03-01T11:25:00Z")),
            live_records: Some(1000),
            live_size_bytes: None,
            live_max_bytes: None,
            filtered: false,
            held_from: None,
            damage: Vec::new(),
        }
    }

    fn log(change: impl FnOnce(&mut Channel)) -> Log {
        let mut channel = channel();
        change(&mut channel);
        let window = Window::before("2026-03-01T12:00:30Z".parse().unwrap(), true);
        Log::of(&channel, window, 7)
    }

    #[test]
    fn a_log_is_judged_by_what_the_live_log_held() {
        let plain = log(|_| {});
        assert_eq!((plain.records, plain.logon_failures), (1000, 7));
        assert_eq!(
            (plain.span_minutes, plain.covered_minutes),
            (Some(25), Some(60))
        );
        assert!(!plain.rolled);
        // A capped export: the live log's span stays, what can be counted is less.
        let capped = log(|channel| channel.held_from = Some(mark(500, "2026-03-01T11:20:00Z")));
        assert_eq!(
            (capped.span_minutes, capped.covered_minutes),
            (Some(25), Some(40))
        );
        assert_eq!(log(|channel| channel.live_records = None).records, 500);
    }

    #[test]
    fn a_log_has_rolled_over_when_its_first_record_is_gone_or_it_is_full() {
        assert!(log(|channel| channel.oldest = Some(mark(2, "2026-03-01T11:00:00Z"))).rolled);
        let size = |size| {
            log(move |channel| {
                channel.live_size_bytes = Some(size);
                channel.live_max_bytes = Some(1000);
            })
        };
        assert!(!size(899).rolled);
        assert!(size(900).rolled);
    }

    #[test]
    fn damage_of_the_log_is_carried_on() {
        assert_eq!(log(|_| {}).damage, None);
        assert!(log(|channel| channel.failed = 3).damage.is_some());
        let torn = log(|channel| channel.damage.push("chunk 3 is torn".to_owned()));
        assert_eq!(torn.damage.as_deref(), Some("chunk 3 is torn"));
    }

    #[test]
    fn the_window_is_in_whole_minutes() {
        let window = Window::before("2026-03-02T12:00:59Z".parse().unwrap(), true).unwrap();
        assert_eq!(window.from.to_string(), "2026-03-01T12:00:00Z");
        assert_eq!(window.to.to_string(), "2026-03-02T12:15:00Z");
    }
}
