//! What is worth knowing beside the verdict.

use super::rules::number;
use super::{NOTED_PER_DAY, PER_DAY};
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Confidence;
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::logons::{Failures, Logons, Signs, SourceTable, Tried, UserTable};

/// How many sources, users and changes are named.
const NAMED: usize = 5;

/// Who attacks whom: the reasons of an attack finding.
pub(super) fn portrait(logons: &Logons) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(failures) = logons.failures.value() {
        lines.push(breakdown(failures));
    }
    if let Some(table) = logons.sources.value() {
        lines.extend(sources(table));
    }
    if let Some(table) = logons.users.value() {
        lines.extend(users(table));
    }
    lines
}

fn breakdown(failures: &Failures) -> String {
    let Failures {
        total,
        logon,
        refused,
        ssh,
        sql,
        kerberos,
        unattributed,
        ..
    } = failures;
    format!(
        "{total} failed logons in 24 h, each counted once: {logon} in Security 4625 ({unattributed} without an address), {refused} in RdpCoreTS 140, {ssh} by SSH, {sql} by SQL Server, {kerberos} by Kerberos."
    )
}

fn sources(table: &SourceTable) -> Vec<String> {
    let mut lines = vec![format!(
        "{} sources; {} attempts from public addresses, {} from private ones, {} without an address.",
        table.distinct, table.public, table.private, table.unattributed
    )];
    if let Some(from) = table.complete_from {
        lines.push(format!(
            "Too many sources to keep them all: who was active before {from} is counted short."
        ));
    }
    lines.extend(table.top.iter().take(NAMED).map(|source| {
        let tried = match &source.tried {
            Tried::Unknown => String::new(),
            Tried::One(user) => format!(", always as {user}"),
            Tried::Several => ", as several users".to_owned(),
        };
        format!(
            "{}: {} attempts from {} to {}{tried}.",
            source.address, source.attempts, source.first, source.last
        )
    }));
    lines
}

/// The names that were tried, and what that says: many names with few attempts each are a
/// spray, few names with many attempts a dictionary of passwords.
fn users(table: &UserTable) -> Vec<String> {
    if table.attempts == 0 {
        return Vec::new();
    }
    let names: Vec<String> = table
        .top
        .iter()
        .take(NAMED)
        .map(|user| format!("{} ({})", user.user, user.attempts))
        .collect();
    let each = table.attempts / table.distinct.max(1);
    let kind = if table.distinct >= 10 && each < 10 {
        "many names, few attempts each: a spray"
    } else if each >= 10 {
        "many attempts on few names: a dictionary of passwords"
    } else {
        "few attempts on few names"
    };
    let least = if table.complete { "" } else { "at least " };
    vec![format!(
        "{least}{} user names, {kind}; most tried: {}.",
        table.distinct,
        names.join(", ")
    )]
}

/// The records that were counted, each kind by its channel and event IDs.
pub(super) fn counted(logons: &Logons) -> impl Iterator<Item = (String, &[Evidence])> {
    logons.failures.evidence.iter().map(|evidence| {
        let what = match &evidence.locator {
            Locator::Events(query) => {
                let channel = query.channel.rsplit('-').next().unwrap_or_default();
                let ids: Vec<String> = query.ids.iter().map(u32::to_string).collect();
                format!("{channel} {}", ids.join(", "))
            }
            other => other.to_string(),
        };
        let says = format!("{what}, records of the 24 hours before the capture");
        (says, std::slice::from_ref(evidence))
    })
}

pub(super) fn add(judge: &mut Judge, cx: &Context<'_>) {
    let logons = &cx.snapshot.logons;
    if let Some(failures) = logons.failures.value() {
        rate(judge, cx, failures);
        for (says, evidence) in counted(logons) {
            judge.exhibit_evidence(says, evidence);
        }
    }
    if let Some(from) = logons.successes_from {
        judge.note(format!(
            "Too many logons to keep them all: successes before {from} were compared in part."
        ));
    }
    signs(judge, &logons.signs);
    if let Some(open) = logons.half_open.value().filter(|open| open.connections > 0) {
        judge.note(format!(
            "{} half-open connections (SYN_RECEIVED) from {} addresses on port {}.",
            open.connections, open.peers, open.port
        ));
    }
    if let Some(policy) = logons
        .lockout_policy
        .value()
        .filter(|policy| policy.threshold == 0)
    {
        judge.note(format!(
            "Accounts are never locked out (lockout threshold {}).",
            policy.threshold
        ));
    }
}

fn rate(judge: &mut Judge, cx: &Context<'_>, failures: &Failures) {
    let total = number(failures.total);
    if total >= cx.limit(&NOTED_PER_DAY) && total <= cx.limit(&PER_DAY) {
        judge.note(format!(
            "{} failed logons in 24 h: less than an attack, more than mistyped passwords.",
            failures.total
        ));
        for line in portrait(&cx.snapshot.logons) {
            judge.note(line);
        }
    }
    if failures.covered_minutes < 1440 && total > 0.0 {
        judge.note(format!(
            "The log covers only {} of the 24 hours.",
            hours(failures.covered_minutes)
        ));
    }
    if failures.excluded > 0 {
        judge.note(format!(
            "{} events 4625 are not counted: from the machine itself, local logon types, machine accounts.",
            failures.excluded
        ));
    }
    if let Some((begin, count)) = failures
        .earlier
        .filter(|(_, count)| *count > failures.total)
    {
        judge.note(format!(
            "It was worse before: {count} failed logons in the 24 hours from {begin}."
        ));
    }
    if failures.later > 0 {
        judge.note(format!(
            "{} failed logons are dated after the capture: the clock was wrong once.",
            failures.later
        ));
        judge.at_most(Confidence::Medium);
    }
}

fn hours(minutes: i64) -> String {
    format!("{} h {} min", minutes / 60, minutes % 60)
}

fn signs(judge: &mut Judge, signs: &Signs) {
    for (count, what) in [
        (signs.lockouts, "account lockouts (4740)"),
        (signs.ntlm, "failed NTLM validations (4776)"),
        (
            signs.incomplete,
            "warnings of many incomplete connections (RemoteConnectionManager 1006)",
        ),
        (
            signs.refused_by_security_layer,
            "connections refused by the security layer (RdpCoreTS 139)",
        ),
        (
            signs.term_dd,
            "broken Remote Desktop connections (TermDD 50, 56), as scanners and probes cause them",
        ),
        (
            signs.schannel,
            "broken TLS handshakes (Schannel 36874, 36888)",
        ),
    ] {
        if count > 0 {
            judge.note(format!("In the same 24 hours: {count} {what}."));
        }
    }
    for change in signs.changes.iter().take(NAMED) {
        judge.note(format!("{}: {}.", change.time, change.what));
    }
    if signs.dropped > 0 {
        judge.note(format!(
            "Audit events were dropped {} times (1101): counts are lower bounds.",
            signs.dropped
        ));
        judge.at_most(Confidence::Medium);
    }
    if signs.log_stopped > signs.started {
        judge.note(
            "The event log service was stopped without a restart of Windows (1100): there is a gap.",
        );
    }
    if signs.clock_jumps > 0 {
        judge.note(format!(
            "The clock jumped {} times (4616): rates may be off.",
            signs.clock_jumps
        ));
        judge.at_most(Confidence::Medium);
    }
}
