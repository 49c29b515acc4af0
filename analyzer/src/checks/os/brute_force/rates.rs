//! The rules on how often logons fail, and the one cause that is no attack.

use super::rules::{TOO_FEW_TO_PROJECT, attack, minutes, number};
use super::{BURST, PER_DAY, REFUSED_PER_DAY, SOURCE_PER_DAY, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::logons::{Failures, Source, Tried};

/// A day in minutes.
const DAY: f64 = 1440.0;

/// The failures of a day: as counted where the log covers the day, else projected from what it
/// covers.
fn per_day(count: u64, failures: &Failures) -> f64 {
    let (count, covered) = (number(count), minutes(failures.covered_minutes));
    if !(1.0..DAY).contains(&covered) || count < TOO_FEW_TO_PROJECT {
        count
    } else {
        (count * DAY / covered).round()
    }
}

/// One source that repeats one user at a regular interval, slower than any guessing. Several
/// public addresses that repeat the same user are an attack that takes its time.
fn is_stale(cx: &Context<'_>, source: &Source) -> bool {
    let sources = cx.snapshot.logons.sources.value();
    let shared = sources.is_some_and(|table| {
        table
            .top
            .iter()
            .any(|other| other.address != source.address && other.tried == source.tried)
    });
    matches!(source.tried, Tried::One(_))
        && source.every_minutes.is_some()
        && number(source.sustained) <= cx.limit(&BURST)
        && (source.private || !shared)
}

/// Rates of a day, of one source, of refused Remote Desktop logons, and bursts of one source.
pub(super) fn rates(judge: &mut Judge, cx: &Context<'_>) {
    let logons = &cx.snapshot.logons;
    let sources = logons.sources.value().map_or(&[][..], |table| &table.top);
    let (stale, hostile): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| is_stale(cx, source));
    let steady: u64 = stale.iter().map(|source| source.attempts).sum();
    of_all(judge, cx, steady);
    of_one(judge, cx, &hostile);
    bursts(judge, cx, &hostile);
}

/// All failures, and the refused Remote Desktop logons among them, without the `steady` ones.
fn of_all(judge: &mut Judge, cx: &Context<'_>, steady: u64) {
    let failures = cx.snapshot.logons.failures.value();
    let hostile = failures.map(|failures| failures.total.saturating_sub(steady));
    let day = failures
        .zip(hostile)
        .map(|(failures, hostile)| per_day(hostile, failures));
    let refused = failures
        .zip(hostile)
        .map(|(failures, hostile)| per_day(failures.refused.min(hostile), failures));
    for (rule, value, threshold, what) in [
        ("failures-per-day", day, &PER_DAY, "failed logons"),
        (
            "rdp-refused-per-day",
            refused,
            &REFUSED_PER_DAY,
            "refused Remote Desktop logons",
        ),
    ] {
        let limit = cx.limit(threshold);
        let measured = format!("{what} a day, regular repetitions left out");
        let compared = compare(&measured, value, limit);
        let holds = value.map(|value| value > limit);
        if let Some(problem) = judge.rule(Verdict::Warning, rule, compared, holds) {
            problem.headline(format!("{} {what} a day", value.unwrap_or(0.0)));
            attack(problem, cx);
        }
    }
}

/// The source with the most failures.
fn of_one(judge: &mut Judge, cx: &Context<'_>, hostile: &[&Source]) {
    let worst = hostile.first();
    let day = cx
        .snapshot
        .logons
        .failures
        .value()
        .map(|failures| worst.map_or(0.0, |worst| per_day(worst.attempts, failures)));
    let limit = cx.limit(&SOURCE_PER_DAY);
    let compared = compare("failures a day of one source", day, limit);
    let holds = day.map(|day| day > limit);
    let rule = judge.rule(Verdict::Warning, "one-source-per-day", compared, holds);
    if let (Some(problem), Some(worst)) = (rule, worst) {
        problem.headline(format!(
            "{} failed logons a day from {}",
            day.unwrap_or(0.0),
            worst.address
        ));
        attack(problem, cx);
    }
}

/// The source that kept up the highest rate for ten minutes.
fn bursts(judge: &mut Judge, cx: &Context<'_>, hostile: &[&Source]) {
    let fastest = hostile.iter().max_by_key(|source| source.sustained);
    let failures = cx.snapshot.logons.failures.value();
    let rate = failures.map(|_| fastest.map_or(0.0, |source| number(source.sustained)));
    let limit = cx.limit(&BURST);
    let compared = compare("failures in each of ten minutes of one source", rate, limit);
    let holds = rate.map(|rate| rate > limit);
    let rule = judge.rule(Verdict::Warning, "burst", compared, holds);
    if let (Some(problem), Some(fastest)) = (rule, fastest) {
        problem.headline(format!(
            "{} failed at least {} times a minute for ten minutes",
            fastest.address, fastest.sustained
        ));
        attack(problem, cx);
    }
}

fn compare(what: &str, value: Option<f64>, limit: f64) -> String {
    match value {
        Some(value) => format!("{value} {what}; limit {limit}"),
        None => format!("{what}: not known; limit {limit}"),
    }
}

/// One source, one user, a regular interval: a client with an old password.
pub(super) fn stale_credential(judge: &mut Judge, cx: &Context<'_>) {
    const RULE: &str = "stale-credential";
    let logons = &cx.snapshot.logons;
    let known = logons.failures.value().zip(logons.sources.value());
    let any = known.is_some_and(|(_, table)| table.top.iter().any(|source| is_stale(cx, source)));
    let Some((failures, table)) = known.filter(|_| any) else {
        let compared = format!(
            "sources that repeat one user at a regular interval: {}; limit {} failures a day",
            known.map_or("not known", |_| "none"),
            cx.limit(&SOURCE_PER_DAY)
        );
        judge.rule(Verdict::Warning, RULE, compared, known.map(|_| false));
        return;
    };
    for source in table.top.iter().filter(|source| is_stale(cx, source)) {
        let (Tried::One(user), Some(every)) = (&source.tried, source.every_minutes) else {
            continue;
        };
        let day = per_day(source.attempts, failures);
        let limit = cx.limit(&SOURCE_PER_DAY);
        let compared = compare(
            "regular failures a day of one source on one user",
            Some(day),
            limit,
        );
        let rule = judge.rule(Verdict::Warning, RULE, compared, Some(day > limit));
        let Some(problem) = rule else { continue };
        let address = source.address;
        problem
            .headline(format!(
                "misconfigured client: {address} repeats {user} with a wrong password every {every} min (stale credential)"
            ))
            .because(format!(
                "{} failures, one user, a regular interval: a service, task or mapped drive with an old password, not an attack.",
                source.attempts
            ))
            .confidence(Confidence::Medium)
            .remedy(remedies::stale_credential(address, user));
        for (says, evidence) in super::notes::counted(logons) {
            problem.exhibits(says, evidence);
        }
        if !source.private {
            problem.because("The address is a public one: make sure that the client is yours; if it is not, shut it out.");
        }
    }
}
