//! Is somebody guessing passwords, and did they get in?

mod notes;
mod rates;
mod remedies;
mod rules;
#[cfg(test)]
mod tests;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::checks::words;
use crate::facts::capture::CaptureKind;
use crate::facts::fact::{Fact, State};
use crate::facts::log_end::{self, LogEnd};
use crate::facts::logons::{Log, Logons};

/// Brute force attack.
pub const CHECK: Check = Check {
    id: "brute-force",
    category: Category::Os,
    title: "Brute force attack",
    page: include_str!("brute_force.md"),
    inputs: &[
        Input::required("eventlog.security"),
        Input::required("eventlog.rdpcorets-operational"),
        Input::required("eventlog.rcm-operational"),
        Input::required("eventlog.lsm-operational"),
        Input::required("eventlog.system"),
        Input::required("eventlog.application"),
        Input::required("system.accounts"),
        Input::helpful("eventlog.rcm-admin"),
        Input::helpful("eventlog.openssh"),
        Input::helpful("network.tcp"),
        Input::helpful("registry.system"),
    ],
    thresholds: &[
        PER_DAY,
        SOURCE_PER_DAY,
        REFUSED_PER_DAY,
        NOTED_PER_DAY,
        BURST,
        FLOOD,
        BEFORE_SUCCESS,
        ROLLED_SHARE,
        COVERAGE,
        RECENT,
    ],
    decide,
};

const OURS: &str = "ours: no external source";

const PER_DAY: Threshold = Threshold {
    key: "brute-force.failures-per-day",
    default: 500.0,
    unit: "failed logons in 24 h",
    meaning: "more is a warning",
    source: OURS,
};
const SOURCE_PER_DAY: Threshold = Threshold {
    key: "brute-force.source-failures-per-day",
    default: 100.0,
    unit: "failed logons of one source in 24 h",
    meaning: "more is a warning",
    source: OURS,
};
const REFUSED_PER_DAY: Threshold = Threshold {
    key: "brute-force.rdp-refused-per-day",
    default: 100.0,
    unit: "RdpCoreTS events 140 in 24 h",
    meaning: "more is a warning",
    source: OURS,
};
const NOTED_PER_DAY: Threshold = Threshold {
    key: "brute-force.noted-failures-per-day",
    default: 50.0,
    unit: "failed logons in 24 h",
    meaning: "this many or more are noted, without a warning",
    source: OURS,
};
const BURST: Threshold = Threshold {
    key: "brute-force.burst-per-minute",
    default: 10.0,
    unit: "failed logons of one source a minute",
    meaning: "more in each of ten minutes in a row is a warning",
    source: OURS,
};
const FLOOD: Threshold = Threshold {
    key: "brute-force.flood-per-second",
    default: 1.0,
    unit: "failed logons a second, mean of ten minutes without a pause",
    meaning: "more is critical",
    source: "Microsoft, \"Cannot RDP to an Azure VM because of a brute force attack\": 4625 almost every second",
};
const BEFORE_SUCCESS: Threshold = Threshold {
    key: "brute-force.failures-before-success",
    default: 20.0,
    unit: "failed logons in the 24 h before a success",
    meaning: "this many or more make a success suspicious",
    source: OURS,
};
const ROLLED_SHARE: Threshold = Threshold {
    key: "brute-force.rolled-share",
    default: 50.0,
    unit: "% of the live Security log that are event 4625",
    meaning: "this much or more, in a log that rolled over within the coverage limit, is critical",
    source: OURS,
};
const COVERAGE: Threshold = Threshold {
    key: "brute-force.coverage",
    default: 1.0,
    unit: "hours of the Security log before the capture",
    meaning: "less cannot be judged",
    source: OURS,
};
const RECENT: Threshold = Threshold {
    key: "brute-force.recent",
    default: 7.0,
    unit: "days before the capture",
    meaning: "older successes and cleared logs count one step less",
    source: OURS,
};

fn decide(cx: &Context<'_>) -> Decision {
    let logons = &cx.snapshot.logons;
    let mut judge = Judge::new();
    rules::success(&mut judge, cx, Verdict::Critical);
    rules::flood(&mut judge, cx);
    rules::rolled_over(&mut judge, cx);
    rules::locked_out(&mut judge, cx);
    rules::cleared(&mut judge, cx, Verdict::Critical);
    rules::success(&mut judge, cx, Verdict::Warning);
    rules::cleared(&mut judge, cx, Verdict::Warning);
    rates::rates(&mut judge, cx);
    rates::stale_credential(&mut judge, cx);
    notes::add(&mut judge, cx);
    require(&mut judge, cx);
    if logons.window.is_some_and(|window| !window.by_capture) {
        judge.note("The capture time is unknown: ages are relative to the newest record.");
        judge.at_most(Confidence::Low);
    }
    let counted = counted(cx);
    judge.finish(
        format!("no brute force attack: {counted}"),
        format!("as far as it was seen, {counted}"),
    )
}

/// What is known of the rate, in words.
fn counted(cx: &Context<'_>) -> String {
    match cx.snapshot.logons.failures.value() {
        Some(failures) => format!(
            "{} in the 24 hours before the capture",
            words::count(failures.total, "failed logon")
        ),
        None => "failed logons could not be counted".to_owned(),
    }
}

/// What must have been seen before `ok`: every log whose events can raise a finding, undamaged
/// and reaching back far enough, and on a live machine the accounts.
fn require(judge: &mut Judge, cx: &Context<'_>) {
    let logs = &cx.snapshot.logons.logs;
    for (log, name) in [
        (&logs.security, "Security"),
        (&logs.transport, "RdpCoreTS/Operational"),
        (&logs.connections, "RemoteConnectionManager/Operational"),
        (&logs.sessions, "LocalSessionManager/Operational"),
        (&logs.system, "System"),
        (&logs.application, "Application"),
    ] {
        require_log(judge, log, name);
    }
    judge.require(
        &cx.snapshot.logons.failures,
        "how many logons failed",
        "the event log Security, complete and undamaged",
    );
    if uses_ssh(cx) {
        require_log(judge, &logs.ssh, "OpenSSH/Operational");
    }
    require_coverage(judge, cx);
    require_end(judge, cx);
    let Logons { administrator, .. } = &cx.snapshot.logons;
    if cx.snapshot.capture.kind == CaptureKind::Live {
        judge.require(
            administrator,
            "whether the built-in administrator is locked out",
            "system.accounts (run the collector as administrator)",
        );
    } else if administrator.why_unsettled().is_some() {
        judge.would_help(
            "a live capture (system.accounts): it tells whether an account is locked out now",
        );
    }
}

/// Whether the SSH server's log has to be seen: it is there, the server starts with Windows, or it
/// caused a failed logon.
fn uses_ssh(cx: &Context<'_>) -> bool {
    let logons = &cx.snapshot.logons;
    let there = !matches!(
        logons.logs.ssh.state,
        State::NotCollected(_) | State::Absent
    );
    let starts = logons.entry.ssh_server.value() == Some(&true);
    let failures = logons.failures.value();
    there || starts || failures.is_some_and(|failures| failures.ssh_server > 0)
}

fn require_log(judge: &mut Judge, log: &Fact<Log>, name: &str) {
    let collect = format!("the event log {name}, complete and undamaged");
    judge.require(log, &format!("what the log {name} says"), &collect);
    if let Some(damage) = log.value().and_then(|log| log.damage.as_ref()) {
        judge.lacks(
            format!("the log {name} is damaged ({damage}): counts from it are lower bounds"),
            &collect,
        );
    }
}

fn require_coverage(judge: &mut Judge, cx: &Context<'_>) {
    let Some(log) = cx.snapshot.logons.logs.security.value() else {
        return;
    };
    let collect = "an unfiltered Security log that reaches further back";
    match log.covered_minutes {
        Some(minutes) if rules::minutes(minutes) >= cx.limit(&COVERAGE) * 60.0 => {}
        Some(minutes) => judge.lacks(
            format!(
                "the Security log covers only the last {}",
                words::count(minutes, "minute")
            ),
            collect,
        ),
        None => judge.lacks("the Security log holds no record", collect),
    }
}

/// Some log must reach near the capture: only then does silence mean that nobody failed.
fn require_end(judge: &mut Judge, cx: &Context<'_>) {
    let snapshot = cx.snapshot;
    match LogEnd::of_logs(snapshot) {
        LogEnd::Early(gap) => judge.lacks(
            format!(
                "the logs end {} before the capture (System): what came after is not known",
                log_end::words(gap)
            ),
            "the event logs up to the capture",
        ),
        LogEnd::Unknown if snapshot.capture.time.is_some() => judge.lacks(
            "where the logs end is not known",
            "the event logs up to the capture",
        ),
        LogEnd::ShutDown => judge
            .note("The logs end with a shutdown before the capture: the machine was off since."),
        LogEnd::Late(gap) => judge.note(format!(
            "The logs end {} after the capture: a clock or the time of capture is wrong.",
            log_end::words(gap)
        )),
        LogEnd::Reached | LogEnd::Unknown => {}
    }
}
