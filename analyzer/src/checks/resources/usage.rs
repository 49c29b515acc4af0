//! What the checks of memory and processors have in common: what is sustained, and who uses most.

use jiff::{SignedDuration, Timestamp};

use crate::checks::check::Judge;
use crate::checks::remedy::{Remedy, Step};
use crate::checks::verdict::Confidence;
use crate::facts::Snapshot;
use crate::facts::consumers::Consumer;
use crate::facts::counters::Series;
use crate::facts::fact::Fact;
use crate::facts::pressure::{PressureEvent, PressureKind};

/// A capture of at least so many seconds says what is sustained; the collector takes 31 samples,
/// one a second.
pub(super) const CAPTURE_SECONDS: f64 = 25.0;
/// What is sustained holds in at least so many percent of the samples.
pub(super) const SUSTAINED_PERCENT: usize = 80;
/// What to collect for counters.
pub(super) const COLLECT: &str =
    "a live bundle with counters (counters.pdh or counters.native), 25 s long at least";

/// The series, where it covers enough of time to say what is sustained.
pub(super) fn whole(fact: &Fact<Series>) -> Option<&Series> {
    fact.value().filter(|series| series.covers(CAPTURE_SECONDS))
}

/// Whether the series is sustained as `holds` says; `None` where it does not tell.
pub(super) fn sustained(fact: &Fact<Series>, holds: impl Fn(f64) -> bool) -> Option<bool> {
    whole(fact)?.mostly(SUSTAINED_PERCENT, holds)
}

/// Demands a series that covers the capture before `ok`.
pub(super) fn demand(judge: &mut Judge, fact: &Fact<Series>, what: &str) {
    match fact.value() {
        Some(series) if !series.covers(CAPTURE_SECONDS) => judge.lacks(
            format!(
                "{what} was sampled for {:.0} s with {} of {} samples: too little to say what is sustained",
                series.seconds,
                series.values.len(),
                series.values.len().saturating_add(series.gaps),
            ),
            COLLECT,
        ),
        Some(_) => {}
        None => judge.lacks(
            format!(
                "{what} is not known ({})",
                fact.why_unsettled().unwrap_or_else(|| "absent".to_owned())
            ),
            COLLECT,
        ),
    }
}

/// Half a minute is a short time: confidence is medium at most, and the report says why.
pub(super) fn say_how_long(judge: &mut Judge, fact: &Fact<Series>) {
    if let Some(series) = fact.value() {
        judge.at_most(Confidence::Medium);
        judge.note(format!(
            "sampled {:.0} s, {} values: a longer trend is in the cloud's metrics",
            series.seconds,
            series.values.len()
        ));
    }
}

/// Shows the processes that use most, each with its row and the services inside.
pub(super) fn show_consumers(
    judge: &mut Judge,
    list: &Fact<Vec<Consumer>>,
    what: &str,
    words: impl Fn(f64) -> String,
) {
    let Some(list) = list.value() else {
        judge.would_help("the process table (processes.table), to name who uses it");
        return;
    };
    for consumer in list {
        let says = format!("{}: {what} {}", consumer.name(), words(consumer.amount));
        judge.exhibit_evidence(says, std::slice::from_ref(&consumer.evidence));
    }
}

/// The largest consumer in words.
pub(super) fn largest(list: &Fact<Vec<Consumer>>, words: impl Fn(f64) -> String) -> Option<String> {
    let first = list.value()?.first()?;
    Some(format!(
        "{} uses most: {}",
        first.name(),
        words(first.amount)
    ))
}

/// The newest record of a kind that is at most `hours` older than the capture.
pub(super) fn recent(
    snapshot: &Snapshot,
    kind: PressureKind,
    hours: f64,
) -> Option<&PressureEvent> {
    let from = since(snapshot.capture.time?, hours)?;
    snapshot
        .pressure
        .of(kind)
        .rev()
        .find(|event| event.time >= from)
}

/// The moment that many hours before.
pub(super) fn since(time: Timestamp, hours: f64) -> Option<Timestamp> {
    let back = SignedDuration::try_from_secs_f64(hours * 3600.0).ok()?;
    time.checked_sub(back).ok()
}

/// Looks at a process before anything is done to it; a shared svchost is never ended as a whole.
pub(super) fn examine(list: &Fact<Vec<Consumer>>, sort: &str) -> Remedy {
    let mut remedy = Remedy::new("Find out what the process does, then restart the one service or program")
        .step(Step::powershell(
            "List the processes that use most now.",
            format!(
                "Get-Process | Sort-Object {sort} -Descending | Select-Object -First 10 Name, Id, CPU, @{{n='PrivateMB';e={{[int]($_.PrivateMemorySize64/1MB)}}}}, Path"
            ),
        ));
    if let Some(first) = list.value().and_then(|list| list.first()) {
        let pid = first.pid;
        remedy = remedy.step(Step::powershell(
            format!("The services in the process that used most at capture ({}); a process id may belong to another process by now.", first.name()),
            format!("Get-CimInstance Win32_Service -Filter 'ProcessId={pid}' | Select-Object Name, DisplayName, State"),
        ));
    }
    remedy
        .step(Step::text(
            "Restart the single service or program through its own means, at a time that suits its users. Never end a svchost.exe: it may hold other services, among them those of the network.",
        ))
        .risk(
            crate::checks::remedy::Risk::Medium,
            "Restarting a program interrupts its users; the first two steps only look.",
        )
        .undo(Step::text(
            "Nothing to put back for looking; start again what was stopped.",
        ))
        .verify(Step::text(
            "Collect again after ten minutes of ordinary load: the check is ok.",
        ))
}
