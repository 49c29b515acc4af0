//! Event logs that were cleared.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::{DAY, Logs};
use super::fold::{Events, Noted, minute_of};
use super::rates::total;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;

/// A log was cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Clear {
    /// The log that was cleared.
    pub log: String,
    /// When.
    pub time: Timestamp,
    /// The account that did it, where the event names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Failed attempts in the 24 hours before it that the other logs still hold.
    pub failures_before: u64,
}

/// The logs whose loss hides failed logons.
const WATCHED: [&str; 4] = ["Security", "System", "Application", "OpenSSH/Operational"];

pub(super) fn clears(events: &Events, logs: &Logs) -> Vec<Fact<Clear>> {
    events
        .clears
        .entries()
        .iter()
        .rev()
        .filter_map(|((time, channel, record), noted)| {
            let log = cleared(noted)?;
            let minute = minute_of(*time);
            let clear = Clear {
                log,
                time: *time,
                by: text(noted, "SubjectUserName"),
                failures_before: total(events.minutes.entries(), minute - DAY..minute + 1),
            };
            let evidence = Evidence::new(
                logs.artifact(channel)?,
                Locator::record(channel.as_str(), *record),
                noted.fields.clone(),
            );
            Some(Fact::known(clear, [evidence.at(Some(*time))]))
        })
        .collect()
}

/// The log that the event says was cleared: 1102 is about Security, 104 names it. `None` for
/// logs that say nothing about logons.
fn cleared(noted: &Noted) -> Option<String> {
    if noted.id == 1102 {
        return Some("Security".to_owned());
    }
    let log = text(noted, "Channel")?;
    let remote = [
        "RdpCoreTS",
        "RemoteConnectionManager",
        "LocalSessionManager",
    ];
    let watched = WATCHED.iter().any(|name| name.eq_ignore_ascii_case(&log))
        || remote.iter().any(|part| log.contains(part));
    watched.then_some(log)
}

pub(super) fn text(noted: &Noted, name: &str) -> Option<String> {
    let text = noted.fields.get(name)?.as_str()?;
    (!text.is_empty() && text != "-").then(|| text.chars().take(128).collect())
}
