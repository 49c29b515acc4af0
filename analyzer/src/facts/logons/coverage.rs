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
