//! Crashes, power losses and hard resets.

use jiff::Timestamp;

use super::remedies;
use super::view::{View, count, stamp};
use crate::checks::check::{Judge, Problem};
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::boot::{Bugcheck, Incident, IncidentClass, LoggedEvent};

/// How many pieces of evidence are shown of one kind.
const SHOWN: usize = 5;

pub(super) fn critical(judge: &mut Judge, view: &View<'_>) {
    let recent = within(view, view.critical_days);
    let crashes = of_class(&recent, IncidentClass::Bugcheck);
    let days = view.critical_days;
    let rule = judge.rule(
        Verdict::Critical,
        "crash-recent",
        format!(
            "{} in {days} days, critical from 1",
            count(crashes.len(), "crash record")
        ),
        view.found(!crashes.is_empty()),
    );
    if let Some(problem) = rule {
        describe_crashes(problem, view, &crashes, days);
    }
    let repeated = count_of(&recent) >= view.repeated;
    let rule = judge.rule(
        Verdict::Critical,
        "incidents-repeated",
        format!(
            "{} in {days} days, critical from {}",
            count(recent.len(), "incident"),
            view.repeated
        ),
        view.found(repeated),
    );
    if let Some(problem) = rule {
        problem.headline(format!(
            "Windows went down unexpectedly {} times in {days} days",
            recent.len()
        ));
        describe(problem, view, &recent);
    }
}

pub(super) fn warning(judge: &mut Judge, view: &View<'_>) {
    let recent = within(view, view.warning_days);
    let days = view.warning_days;
    let crashes: Vec<&Incident> = of_class(&recent, IncidentClass::Bugcheck)
        .into_iter()
        .filter(|incident| !view.within(incident.time, view.critical_days))
        .collect();
    let rule = judge.rule(
        Verdict::Warning,
        "crash-older",
        format!(
            "{} between {} and {days} days before capture",
            count(crashes.len(), "crash record"),
            view.critical_days
        ),
        view.found(!crashes.is_empty()),
    );
    if let Some(problem) = rule {
        describe_crashes(problem, view, &crashes, days);
    }
    let losses = of_class(&recent, IncidentClass::PowerLoss);
    let rule = judge.rule(
        Verdict::Warning,
        "power-loss",
        format!(
            "{} in {days} days, warning from 1",
            count(losses.len(), "restart without shutdown or stop code")
        ),
        view.found(!losses.is_empty()),
    );
    if let Some(problem) = rule {
        let last = losses
            .last()
            .map_or_else(String::new, |last| stamp(last.time));
        problem
            .headline(format!(
                "Windows started again without having been shut down {} in {days} days, last on {last}",
                times(losses.len())
            ))
            .because(
                "no stop code: power loss, a forced stop or reset from the console, or a failure \
                 or migration of the host; the cause may lie outside the operating system",
            )
            .confidence(Confidence::Medium);
        describe(problem, view, &losses);
    }
}

fn within<'a>(view: &View<'a>, days: f64) -> Vec<&'a Incident> {
    let incidents = view.boot.incidents.iter();
    incidents
        .filter(|incident| view.within(incident.time, days))
        .collect()
}

fn of_class<'a>(incidents: &[&'a Incident], class: IncidentClass) -> Vec<&'a Incident> {
    incidents
        .iter()
        .filter(|incident| incident.class == class)
        .copied()
        .collect()
}

fn count_of(incidents: &[&Incident]) -> f64 {
    u32::try_from(incidents.len()).map_or(f64::MAX, f64::from)
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{number} times"),
    }
}

fn describe_crashes(problem: &mut Problem, view: &View<'_>, crashes: &[&Incident], days: f64) {
    let Some(last) = crashes.last() else { return };
    let code = last
        .bugcheck
        .as_ref()
        .map_or_else(|| "an unreadable stop code".to_owned(), Bugcheck::words);
    problem.headline(format!(
        "Windows crashed {} in {days} days, last with {code}, found on {}",
        times(crashes.len()),
        stamp(last.time)
    ));
    if let Some(suspect) = last.bugcheck.as_ref().and_then(Bugcheck::suspect) {
        problem.because(format!("{code} points to {suspect} first"));
    }
    describe(problem, view, crashes);
    problem.remedy(remedies::system_files());
}

/// What is the same for all incidents: evidence of the newest, what changed before, the dump.
fn describe(problem: &mut Problem, view: &View<'_>, incidents: &[&Incident]) {
    for incident in incidents.iter().rev().take(SHOWN) {
        problem.exhibits(words(incident), &incident.evidence);
        if incident.power_button {
            problem.because(format!(
                "the power button was pressed before the start on {}: by somebody, or by the console",
                stamp(incident.time)
            ));
        }
        if let Some(reason) = &incident.reason {
            problem.because(format!("an administrator gave as reason: {reason}"));
        }
    }
    let before = incidents
        .first()
        .map(|first| first.last_alive.unwrap_or(first.time));
    if let Some(before) = before {
        for change in changes(view, before).into_iter().rev().take(SHOWN) {
            problem.because(change_words(change, view.change_hours));
            problem.exhibits(
                "changed shortly before the first incident",
                std::slice::from_ref(&change.evidence),
            );
        }
        let crashed = |incident: &&Incident| incident.class == IncidentClass::Bugcheck;
        if incidents.iter().any(crashed) {
            problem.remedy(remedies::keep_dumps(view));
        }
        let losses = of_class(incidents, IncidentClass::PowerLoss);
        if let Some(last) = losses.last() {
            problem.remedy(remedies::host_events(last));
        }
        // A machine without a stop code may still hold dumps of another day.
        if !incidents.iter().any(crashed) && remedies::has_dumps(view) {
            problem.remedy(remedies::keep_dumps(view));
        }
        problem.remedy(remedies::correlate(before, view.change_hours));
    }
    let lost = view.events(&view.boot.dump_failures, &[161], view.warning_days);
    if let Some(lost) = lost.last() {
        problem.because("a crash dump could not be written (volmgr 161)");
        problem.exhibits(
            "the dump was not written",
            std::slice::from_ref(&lost.evidence),
        );
    }
}

fn words(incident: &Incident) -> String {
    let alive = incident
        .last_alive
        .map(|alive| format!(", last alive on {}", stamp(alive)))
        .unwrap_or_default();
    let what = match (incident.class, &incident.bugcheck) {
        (IncidentClass::Bugcheck, Some(stop)) => format!("crash {}", stop.words()),
        (IncidentClass::Bugcheck, None) => "crash with an unreadable stop code".to_owned(),
        (IncidentClass::PowerLoss, _) if incident.sleeping => {
            "no shutdown before this start, on the way into sleep".to_owned()
        }
        (IncidentClass::PowerLoss, _) => "no shutdown before this start".to_owned(),
    };
    format!("{what}{alive}")
}

/// New drivers and updates in the hours before the first incident.
fn changes<'a>(view: &View<'a>, before: Timestamp) -> Vec<&'a LoggedEvent> {
    let changes = view.boot.changes.iter();
    changes
        .filter(|change| {
            let seconds = before.duration_since(change.time).as_secs_f64();
            (0.0..=view.change_hours * 3600.0).contains(&seconds)
        })
        .filter(|change| !is_definitions(change))
        .collect()
}

/// Whether an update brings definitions for Defender alone: several a day, and none of them
/// replaces a file of Windows. The number is in the title in every language.
fn is_definitions(change: &LoggedEvent) -> bool {
    let title = change.subject.to_ascii_lowercase();
    change.id == 19
        && (title.contains("kb2267602") || title.contains("security intelligence update"))
}

fn change_words(change: &LoggedEvent, hours: f64) -> String {
    let what = if change.id == 7045 {
        "driver"
    } else {
        "update"
    };
    format!(
        "{what} {} was installed on {}, within {hours} hours before the first incident",
        change.subject,
        stamp(change.time)
    )
}
