//! The rules, worst first.

use super::{BEFORE_SUCCESS, COVERAGE, FLOOD, RECENT, ROLLED_SHARE, remedies};
use crate::checks::check::{Context, Judge, Problem};
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::fact::Fact;
use crate::facts::logons::{Clear, Suspicion, SuspicionKind};
use jiff::Timestamp;

/// Failures below which a short log is not projected to a day: a few mistyped passwords in a
/// young log are no rate.
pub(super) const TOO_FEW_TO_PROJECT: f64 = 50.0;

/// A count or a number of minutes as the thresholds have it.
pub(super) fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

pub(super) fn minutes(count: i64) -> f64 {
    i32::try_from(count).map_or(f64::MAX, f64::from)
}

fn age_days(cx: &Context<'_>, time: Timestamp) -> Option<f64> {
    let window = cx.snapshot.logons.window?;
    Some(window.age(time).as_secs_f64() / 86_400.0)
}

fn recent(cx: &Context<'_>, time: Timestamp) -> bool {
    age_days(cx, time).is_none_or(|days| days <= cx.limit(&RECENT))
}

/// The rules on successes: verdict, rule, what was found, and whether it is recent.
const SUCCESSES: [(Verdict, &str, SuspicionKind, bool); 3] = [
    (
        Verdict::Critical,
        "success-from-attacking-source",
        SuspicionKind::SameSource,
        true,
    ),
    (
        Verdict::Warning,
        "old-success-from-attacking-source",
        SuspicionKind::SameSource,
        false,
    ),
    (
        Verdict::Warning,
        "success-of-attacked-user-from-new-source",
        SuspicionKind::NewSource,
        true,
    ),
];

/// A success after failures from the same address: critical. The same user from an address
/// without an earlier success: warning. Older than the recent days: one step less.
pub(super) fn success(judge: &mut Judge, cx: &Context<'_>, wanted: Verdict) {
    let limit = cx.limit(&BEFORE_SUCCESS);
    let logons = &cx.snapshot.logons;
    for (verdict, rule, kind, new) in SUCCESSES {
        if verdict != wanted {
            continue;
        }
        let mut tried = false;
        for fact in &logons.suspicions {
            let Some(found) = fact.value() else { continue };
            if found.kind != kind || recent(cx, found.time) != new {
                continue;
            }
            tried = true;
            let suspicious = number(found.attempts) >= limit;
            let compared = format!(
                "{} in the 24 h before the success of {} from {}; limit {limit}",
                words::count(found.attempts, "failure"),
                found.user,
                found.address
            );
            if let Some(problem) = judge.rule(verdict, rule, compared, Some(suspicious)) {
                describe_success(problem, fact, found);
                remedies::contain(problem, cx, found);
            }
        }
        if !tried {
            let seen = logons.failures.value().map(|_| false);
            let compared = format!(
                "such successes: {}; limit {limit} failures in the 24 h before one",
                seen.map_or("not known", |_| "none")
            );
            judge.rule(verdict, rule, compared, seen);
        }
    }
}

fn describe_success(problem: &mut Problem, fact: &Fact<Suspicion>, found: &Suspicion) {
    let Suspicion {
        user,
        address,
        attempts,
        time,
        ..
    } = found;
    match found.kind {
        SuspicionKind::SameSource => problem.headline(format!(
            "possible compromise: {user} logged on from {address} after {attempts} failed logons from there"
        )),
        SuspicionKind::NewSource => problem.headline(format!(
            "{user} logged on from {address}, not seen before, after {attempts} failed logons on that user from elsewhere"
        )),
    };
    problem
        .because(format!("The success is {} of {time}.", found.record))
        .because("A mistyped or corrected password of a rightful user looks the same: ask the user before anything else.")
        .evidence(
            format!("records of this kind in the minute of the success of {user}"),
            fact,
        )
        .confidence(Confidence::Medium);
    if !found.proven {
        problem
            .because("Only event 1149 tells of the success; without NLA it is written before a password is checked.")
            .confidence(Confidence::Low);
    }
}

/// More than one failure a second for ten minutes.
pub(super) fn flood(judge: &mut Judge, cx: &Context<'_>) {
    let fact = &cx.snapshot.logons.failures;
    let limit = cx.limit(&FLOOD) * 600.0;
    let burst = fact.value().map(|failures| failures.burst);
    let compared = format!(
        "failures in ten minutes without a pause: {}; limit {limit}",
        words::value(burst)
    );
    let holds = burst.map(|burst| number(burst) > limit);
    if let Some(problem) = judge.rule(Verdict::Critical, "flood", compared, holds) {
        let burst = burst.unwrap_or(0);
        problem.headline(format!(
            "brute force attack: {burst} failed logons in ten minutes, more than one a second"
        ));
        attack(problem, cx);
    }
}

/// What every attack finding carries: the counts, who and whom, and how to shut the door.
pub(super) fn attack(problem: &mut Problem, cx: &Context<'_>) {
    let logons = &cx.snapshot.logons;
    for (says, evidence) in super::notes::counted(logons) {
        problem.exhibits(says, evidence);
    }
    for reason in super::notes::portrait(logons) {
        problem.because(reason);
    }
    remedies::shut_out(problem, cx);
}

/// Failed logons themselves pushed everything older out of the Security log.
pub(super) fn rolled_over(judge: &mut Judge, cx: &Context<'_>) {
    let fact = &cx.snapshot.logons.logs.security;
    let share = fact.value().filter(|log| log.records > 0).map(|log| {
        let share = number(log.logon_failures) * 100.0 / number(log.records);
        (log, share)
    });
    let holds = share.as_ref().map(|(log, share)| {
        log.rolled
            && log
                .span_minutes
                .is_some_and(|span| minutes(span) < cx.limit(&COVERAGE) * 60.0)
            && *share >= cx.limit(&ROLLED_SHARE)
            && number(log.logon_failures) >= TOO_FEW_TO_PROJECT
    });
    let compared = match &share {
        Some((log, share)) => format!(
            "the live log spans {} minutes, rolled over: {}, {share:.0} % of it are 4625; limits {} h and {} %",
            words::value(log.span_minutes),
            words::answer(Some(log.rolled)),
            cx.limit(&COVERAGE),
            cx.limit(&ROLLED_SHARE),
        ),
        None => "the Security log was not read".to_owned(),
    };
    let rule = judge.rule(
        Verdict::Critical,
        "rolled-over-by-failures",
        compared,
        holds,
    );
    if let (Some(problem), Some((log, share))) = (rule, share) {
        problem
            .headline(format!(
                "brute force attack: failed logons filled the Security log within {} minutes",
                log.span_minutes.unwrap_or(0)
            ))
            .because(format!(
                "{} of the {} records of the live log ({share:.0} %) are failed logons; everything older is lost.",
                log.logon_failures, log.records
            ))
            .evidence("records of the Security log", fact);
        attack(problem, cx);
    }
}

/// The built-in administrator is locked out now.
pub(super) fn locked_out(judge: &mut Judge, cx: &Context<'_>) {
    let fact = &cx.snapshot.logons.administrator;
    let account = fact.value();
    let compared = account.map_or_else(
        || "locked out: not known, expected no".to_owned(),
        |account| {
            let locked = words::answer(Some(account.locked_out));
            format!("locked out: {locked}, expected no")
        },
    );
    let holds = account.map(|account| account.locked_out);
    let rule = judge.rule(
        Verdict::Critical,
        "administrator-locked-out",
        compared,
        holds,
    );
    if let (Some(problem), Some(account)) = (rule, account) {
        problem
            .headline(format!(
                "the built-in administrator ({}) is locked out by wrong passwords",
                account.name
            ))
            .because("The lockout touches network logons, Remote Desktop with NLA among them; the console still lets the account in (KB5020282).")
            .evidence_expected("bit 0x10 of the flags is set: locked out", "not set", fact)
            .remedy(remedies::unlock(&account.name))
            .remedy(remedies::security_group(cx));
    }
}

/// A log was cleared: critical when failures went before, else a weak warning. Older than the
/// recent days: one step less.
pub(super) fn cleared(judge: &mut Judge, cx: &Context<'_>, wanted: Verdict) {
    const RULE: &str = "log-cleared";
    let limit = cx.limit(&BEFORE_SUCCESS);
    let logons = &cx.snapshot.logons;
    let mut tried = false;
    for fact in &logons.clears {
        let Some(clear) = fact.value() else { continue };
        let after = number(clear.failures_before) >= limit;
        let verdict = match (after, recent(cx, clear.time)) {
            (true, true) => Verdict::Critical,
            (true, false) | (false, true) => Verdict::Warning,
            (false, false) => {
                judge.note(format!(
                    "The log {} was cleared on {}.",
                    clear.log, clear.time
                ));
                continue;
            }
        };
        if verdict != wanted {
            continue;
        }
        tried = true;
        let compared = format!(
            "{} was cleared after {} in 24 h; limit {limit}",
            clear.log,
            words::count(clear.failures_before, "failure")
        );
        if let Some(problem) = judge.rule(verdict, RULE, compared, Some(true)) {
            describe_clear(problem, fact, clear, after);
        }
    }
    if !tried {
        let logs = &logons.logs;
        let seen =
            (logs.security.value().is_some() && logs.system.value().is_some()).then_some(false);
        let compared = format!(
            "such cleared logs: {}; limit {limit} failures in the 24 h before",
            seen.map_or("not known", |_| "none")
        );
        judge.rule(wanted, RULE, compared, seen);
    }
}

fn describe_clear(problem: &mut Problem, fact: &Fact<Clear>, clear: &Clear, after: bool) {
    let by = clear.by.as_deref().unwrap_or("an unnamed account");
    let log = &clear.log;
    let headline = if after {
        format!(
            "the log {log} was cleared by {by} after {} failed logons",
            clear.failures_before
        )
    } else {
        format!("the log {log} was cleared by {by}: what happened before is not known")
    };
    problem
        .headline(headline)
        .because(
            "Intruders clear logs; so do administrators and the preparation of images (sysprep).",
        )
        .evidence(format!("{log} was cleared"), fact)
        .confidence(if after {
            Confidence::Medium
        } else {
            Confidence::Low
        })
        .remedy(remedies::who_cleared(log, by));
}
