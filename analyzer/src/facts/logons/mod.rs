//! Logons: failed attempts by source and time, successes, lockouts, cleared logs.

mod classify;
mod clears;
mod coverage;
mod entry;
mod fold;
mod newest;
mod origin;
mod rates;
mod signs;
mod sources;
mod success;
mod tally;
#[cfg(test)]
mod tests;
mod users;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::sources::Sources;

pub use clears::Clear;
pub use coverage::{Log, Logs, Window};
pub use entry::{Administrator, Entry, HalfOpen, LockoutPolicy, RuleScope};
pub use fold::Events;
pub use rates::{Failures, Reasons};
pub use signs::Signs;
pub use sources::{Source, SourceTable, Tried};
pub use success::{Kind as SuspicionKind, Suspicion};
pub use users::{UserCount, UserTable};

/// Logons, failed and successful, of the 24 hours before the capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Logons {
    /// How far each log that tells of logons reaches.
    pub logs: Logs,
    /// The 24 hours that are counted; `None` when nothing tells a time.
    pub window: Option<Window>,
    /// Failed logons in the window. The evidence are the queries that count them.
    pub failures: Fact<Failures>,
    /// Who failed, in the window.
    pub sources: Fact<SourceTable>,
    /// Whose names were tried, in the window.
    pub users: Fact<UserTable>,
    /// Successes after failures, in the whole of the logs; most attempts first.
    pub suspicions: Vec<Fact<Suspicion>>,
    /// Since when all successes could be kept, where there were too many: an earlier one may be
    /// missing from the suspicions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successes_from: Option<Timestamp>,
    /// Event logs that were cleared; newest first.
    pub clears: Vec<Fact<Clear>>,
    /// What supports or explains the rest; no verdict rests on it.
    pub signs: Signs,
    /// The built-in administrator account.
    pub administrator: Fact<Administrator>,
    /// The account lockout policy.
    pub lockout_policy: Fact<LockoutPolicy>,
    /// How the machine can be reached by Remote Desktop: what the remedies change.
    pub entry: Entry,
    /// Half-open connections on the Remote Desktop port.
    pub half_open: Fact<HalfOpen>,
}

impl Logons {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let events = &sources.events().logons;
        let window = Window::of(sources);
        let logs = Logs::gather(sources, window, events.logon_failures);
        let entry = Entry::gather(sources);
        let accounts = entry::accounts(sources);
        let failures = rates::failures(events, &logs, window);
        Self {
            window,
            sources: sources::table(events, &failures, window),
            users: users::users(events, &failures, window),
            suspicions: success::suspicions(events, &logs),
            successes_from: success::complete_from(events),
            clears: clears::clears(events, &logs),
            signs: Signs::gather(events, window),
            administrator: entry::administrator(&accounts),
            lockout_policy: entry::lockout_policy(&accounts),
            half_open: entry::half_open(sources, &entry),
            failures,
            entry,
            logs,
        }
    }
}
