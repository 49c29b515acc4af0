//! Where a value that refuses came from: a refresh of group policies, servicing, or neither.

use jiff::{SignedDuration, Timestamp};

use super::REFRESH_WINDOW;
use crate::checks::check::Context;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::remote_desktop::{Kind, RdpEvent, RemoteDesktop, written};
use crate::facts::servicing::Window;
use crate::facts::sources::registry::Number;

/// `GroupPolicy`: new settings were found and applied. 1500 says that there were none.
const APPLIED: u32 = 1502;
/// How many packages and updates are named.
const NAMED: usize = 3;

/// When a key was written, and what was going on then.
pub(in crate::checks) struct Written<'a> {
    /// When, UTC.
    pub at: Timestamp,
    /// What it came with.
    pub with: Occasion<'a>,
    /// The value, with the time its key was written.
    pub value: &'a [Evidence],
}

/// What a key was written with.
pub(in crate::checks) enum Occasion<'a> {
    /// A refresh of the machine's group policies.
    Refresh(&'a RdpEvent),
    /// Packages or updates that were put in or taken out.
    Servicing(Window<'a>),
}

/// What the policy's key was written with: only policies write there, so that any refresh will do.
pub(in crate::checks) fn of_policy<'a>(cx: &Context<'a>) -> Option<Written<'a>> {
    let policy = &cx.snapshot.remote_desktop.deny.policy;
    find(cx, policy, |_| true)
}

/// What the key of the machine's own value was written with. Of the refreshes, which come every
/// two hours, only one that applied something can have written it (a preference, a script).
pub(in crate::checks) fn of_local<'a>(cx: &Context<'a>) -> Option<Written<'a>> {
    let local = &cx.snapshot.remote_desktop.deny.local;
    find(cx, local, |refresh| refresh.event_id == APPLIED)
}

fn find<'a>(
    cx: &Context<'a>,
    value: &'a Fact<Number>,
    can_write: impl Fn(&RdpEvent) -> bool,
) -> Option<Written<'a>> {
    let at = written(value)?;
    let slack = SignedDuration::try_from_secs_f64(cx.limit(&REFRESH_WINDOW) * 60.0).ok()?;
    let mut refreshes = cx.snapshot.remote_desktop.logged.of(Kind::MachinePolicies);
    let near = |event: &&RdpEvent| can_write(event) && event.time.duration_since(at).abs() <= slack;
    let refresh = refreshes.find(near).map(Occasion::Refresh);
    let servicing = || {
        let window = cx.snapshot.servicing.around(at, slack);
        window.map(Occasion::Servicing)
    };
    Some(Written {
        at,
        with: refresh.or_else(servicing)?,
        value: &value.evidence,
    })
}

impl Written<'_> {
    /// What it came with, in a sentence.
    pub(super) fn reason(&self) -> String {
        format!(
            "the key was written at {}, with {}: the value came from there",
            self.at,
            self.with.describe()
        )
    }
}

impl Occasion<'_> {
    /// What it was, and when.
    pub(in crate::checks) fn describe(&self) -> String {
        match self {
            Self::Refresh(event) => {
                format!(
                    "the refresh of the machine's group policies at {}",
                    event.time
                )
            }
            Self::Servicing(window) => {
                let subjects = window.subjects();
                let named = subjects.get(..NAMED).unwrap_or(&subjects).join(", ");
                let named = match subjects.len().saturating_sub(NAMED) {
                    _ if subjects.is_empty() => String::new(),
                    0 => format!(" ({named})"),
                    more => format!(" ({named} and {more} more)"),
                };
                format!(
                    "the servicing of Windows from {} to {}{named}",
                    window.from, window.to
                )
            }
        }
    }

    /// The records of it: of a window the first and the last.
    pub(in crate::checks) fn evidence(&self) -> Vec<&Evidence> {
        match self {
            Self::Refresh(event) => vec![&event.evidence],
            Self::Servicing(window) => {
                let mut ends: Vec<_> = window.records.first().into_iter().collect();
                ends.extend(window.records.get(1..).and_then(<[_]>::last));
                ends.into_iter().map(|record| &record.evidence).collect()
            }
        }
    }
}

/// The group policy objects that may hold the setting.
pub(super) fn policy_sources(rdp: &RemoteDesktop) -> Option<String> {
    let objects = rdp.policy_objects.value().filter(|list| !list.is_empty())?;
    let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    Some(format!(
        "applied group policy objects with registry settings: {}",
        names.join(", ")
    ))
}

/// A policy refresh that fails, and with no success since.
pub(super) fn refresh_fails(rdp: &RemoteDesktop) -> Option<String> {
    let failed = rdp.logged.newest(Kind::PoliciesFailed)?;
    let refreshed = rdp.logged.newest(Kind::MachinePolicies);
    refreshed
        .is_none_or(|refreshed| refreshed.record_id < failed.record_id)
        .then(|| {
            format!(
                "policy refresh fails (GroupPolicy {} at {}): a change of the policy will not arrive",
                failed.event_id, failed.time
            )
        })
}
