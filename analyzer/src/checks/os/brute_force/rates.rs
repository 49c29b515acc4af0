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

/// One source that repeats one user at a regular interval, slower than any guessing.
fn is_stale(cx: &Context<'_>, source: &Source) -> bool {
    matches!(source.tried, Tried::One(_))
        && source.every_minutes.is_some()
        && number(source.sustained) <= cx.limit(&BURST)
}

/// Rates of a day, of one source, of refused Remote Desktop logons, and bursts of one source.
pub(super) fn rates(judge: &mut Judge, cx: &Context<'_>) {
    let logons = &cx.snapshot.logons;
    let failures = logons.failures.value();
    let sources = logons.sources.value().map_or(&[][..], |table| &table.top);
    let (stale, hostile): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| is_stale(cx, source));
    let steady: u64 = stale.iter().map(|source| source.attempts).sum();

    let day = failures.map(|failures| per_day(failures.total.saturating_sub(steady), failures));
    let compared = compare(
        "failures a day, regular repetitions left out",
        day,
        cx.limit(&PER_DAY),
    );
    let holds = day.map(|day| day > cx.limit(&PER_DAY));
    if let Some(problem) = judge.rule(Verdict::Warning, "failures-per-day", compared, holds) {
        problem.headline(format!("{} failed logons a day", day.unwrap_or(0.0)));
        attack(problem, cx);
    }

    let worst = hostile.first();
    let of_source = failures
        .zip(worst)
        .map(|(failures, worst)| per_day(worst.attempts, failures));
    let of_source = of_source.or(failures.map(|_| 0.0));
    let compared = compare(
        "failures a day of one source",
        of_source,
        cx.limit(&SOURCE_PER_DAY),
    );
    let holds = of_source.map(|day| day > cx.limit(&SOURCE_PER_DAY));
    let rule = judge.rule(Verdict::Warning, "one-source-per-day", compared, holds);
    if let (Some(problem), Some(worst)) = (rule, worst) {
        problem.headline(format!(
            "{} failed logons a day from {}",
            of_source.unwrap_or(0.0),
            worst.address
        ));
        attack(problem, cx);
    }

    let refused =
        failures.map(|failures| per_day(failures.refused.saturating_sub(steady), failures));
    let compared = compare(
        "Remote Desktop logons refused a day",
        refused,
        cx.limit(&REFUSED_PER_DAY),
    );
    let holds = refused.map(|day| day > cx.limit(&REFUSED_PER_DAY));
    if let Some(problem) = judge.rule(Verdict::Warning, "rdp-refused-per-day", compared, holds) {
        problem.headline(format!(
            "{} refused Remote Desktop logons a day",
            refused.unwrap_or(0.0)
        ));
        attack(problem, cx);
    }

    let fastest = hostile.iter().max_by_key(|source| source.sustained);
    let sustained = failures.map(|_| fastest.map_or(0.0, |source| number(source.sustained)));
    let compared = compare(
        "failures in each of ten minutes of one source",
        sustained,
        cx.limit(&BURST),
    );
    let holds = sustained.map(|rate| rate > cx.limit(&BURST));
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
    let logons = &cx.snapshot.logons;
    let Some((failures, table)) = logons.failures.value().zip(logons.sources.value()) else {
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
        let rule = judge.rule(
            Verdict::Warning,
            "stale-credential",
            compared,
            Some(day > limit),
        );
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
            .evidence("records of the 24 hours before the capture", &logons.failures)
            .confidence(Confidence::Medium)
            .remedy(remedies::stale_credential(address, user));
        if !source.private {
            problem.because("The address is a public one: make sure that the client is yours; if it is not, shut it out.");
        }
    }
}
