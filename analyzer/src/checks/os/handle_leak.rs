//! `handle-leak`: whether a process holds more handles than it should, and more all the time.

mod events;
mod remedies;
mod rules;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::figures::real;
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence};
use crate::facts::Snapshot;
use crate::facts::processes::Table;

const PROCESS_CRITICAL: Threshold = Threshold {
    key: "handle-leak.process-critical",
    default: 100_000.0,
    unit: "handles",
    meaning: "more in one process is critical",
    source: "ours",
};
const TOTAL_CRITICAL: Threshold = Threshold {
    key: "handle-leak.total-critical",
    default: 500_000.0,
    unit: "handles",
    meaning: "more in all processes together is critical",
    source: "ours",
};
const GROWING: Threshold = Threshold {
    key: "handle-leak.growing",
    default: 65_536.0,
    unit: "handles",
    meaning: "more in one process, together with its growth, is critical",
    source: "ours",
};
const GROWTH_PER_MINUTE: Threshold = Threshold {
    key: "handle-leak.growth-per-minute",
    default: 1000.0,
    unit: "handles a minute",
    meaning: "more, in a process that holds many already, is critical",
    source: "ours",
};
const PROCESS: Threshold = Threshold {
    key: "handle-leak.process",
    default: 16_384.0,
    unit: "handles",
    meaning: "more in one process is a warning",
    source: "PAL, SystemOverview",
};
const PROCESS_LARGE: Threshold = Threshold {
    key: "handle-leak.process-large",
    default: 50_000.0,
    unit: "handles",
    meaning: "more is a warning in a process that is known to hold many",
    source: "ours",
};
const TOTAL: Threshold = Threshold {
    key: "handle-leak.total",
    default: 100_000.0,
    unit: "handles",
    meaning: "more in all processes together is a warning",
    source: "Alibaba Cloud's diagnostics",
};
const GROWTH_PER_HOUR: Threshold = Threshold {
    key: "handle-leak.growth-per-hour",
    default: 100.0,
    unit: "handles an hour",
    meaning: "more, watched for long enough, is a warning",
    source: "PAL, trend of Handle Count",
};
const WATCHED_MINUTES: Threshold = Threshold {
    key: "handle-leak.watched-minutes",
    default: 10.0,
    unit: "minutes",
    meaning: "growth an hour is judged when the looks lie at least this far apart",
    source: "ours",
};
const WATCHED_SECONDS: Threshold = Threshold {
    key: "handle-leak.watched-seconds",
    default: 20.0,
    unit: "seconds",
    meaning: "growth a minute is judged when the looks lie at least this far apart",
    source: "ours: the collector's two looks",
};
const FRESH_HOURS: Threshold = Threshold {
    key: "handle-leak.fresh-hours",
    default: 1.0,
    unit: "hours",
    meaning: "with less uptime the counts are still low and confidence is low",
    source: "ours",
};
const RECENT_DAYS: Threshold = Threshold {
    key: "handle-leak.recent-days",
    default: 7.0,
    unit: "days",
    meaning: "an event at most this old before the capture counts; an older one is a note",
    source: "ours",
};

const DEAD_IDS: Threshold = Threshold {
    key: "handle-leak.dead-ids",
    default: 20_000.0,
    unit: "process and thread ids",
    meaning: "more below the highest that nothing living has are a sign of processes that ended and are still held; a note",
    source: "ours",
};

/// The check.
pub const CHECK: Check = Check {
    id: "handle-leak",
    category: Category::Os,
    title: "Handle leak",
    page: include_str!("handle_leak.md"),
    inputs: &[
        Input::required("processes.table"),
        Input::helpful("counters.native"),
        Input::required("eventlog.system"),
        Input::helpful("eventlog.application"),
        Input::helpful("system.machine"),
    ],
    thresholds: &[
        PROCESS_CRITICAL,
        TOTAL_CRITICAL,
        GROWING,
        GROWTH_PER_MINUTE,
        PROCESS,
        PROCESS_LARGE,
        TOTAL,
        GROWTH_PER_HOUR,
        WATCHED_MINUTES,
        WATCHED_SECONDS,
        FRESH_HOURS,
        RECENT_DAYS,
        DEAD_IDS,
    ],
    decide,
};

/// How many of the largest processes are shown.
const SHOWN: usize = 5;
/// GDI and USER objects of one process near its quota of 10,000 each (Microsoft, "GDI Objects",
/// "User Objects").
const NEAR_QUOTA: u32 = 9_000;

fn decide(cx: &Context<'_>) -> Decision {
    let processes = &cx.snapshot.processes;
    let mut judge = Judge::new();
    if let Some(table) = processes.table.value() {
        rules::processes(&mut judge, cx, table);
        rules::totals(&mut judge, cx, total(cx.snapshot, table), table);
        if table.untold > 0 && processes.total_handles.value().is_none() {
            judge.lacks(
                format!(
                    "{} processes did not tell how many handles they hold",
                    table.untold
                ),
                "a live capture by an administrator (processes.table)",
            );
        }
        show(&mut judge, table);
        dead(&mut judge, cx, table);
    }
    events::judge(&mut judge, cx);
    judge.require(
        &processes.table,
        "how many handles the processes hold",
        "a live capture (processes.table)",
    );
    system_log(&mut judge, cx.snapshot);
    if processes.table.is_absent() {
        judge.lacks(
            "there is no process table",
            "a live capture (processes.table)",
        );
    }
    if uptime_hours(cx.snapshot).is_some_and(|hours| hours < cx.limit(&FRESH_HOURS)) {
        judge.at_most(Confidence::Low);
        judge.note("Windows started less than an hour ago: a leak has had little time to show");
    }
    let healthy = match processes.table.value() {
        Some(table) => format!(
            "{} processes hold {} handles together, none of them too many",
            table.processes,
            total(cx.snapshot, table)
        ),
        None => String::new(),
    };
    judge.finish(healthy, "")
}

/// A process that ended keeps its number while something holds a handle to it. It is in no table
/// of processes; the handles stand with whoever holds them, the kernel among them.
fn dead(judge: &mut Judge, cx: &Context<'_>, table: &Table) {
    let Some(ids) = &table.ids else {
        return;
    };
    if real(ids.unused()) <= cx.limit(&DEAD_IDS) {
        return;
    }
    judge.note(format!(
        "process ids go up to {} and only {} processes and threads live: processes that ended may still be held by a handle, of an agent for instance, and raise the kernel's own count",
        ids.highest, ids.living
    ));
    judge.exhibit_evidence(
        format!("the highest process id is {}", ids.highest),
        std::slice::from_ref(&ids.evidence),
    );
}

/// Handles of all processes: as Windows adds them up, where the table does not tell all.
fn total(snapshot: &Snapshot, table: &Table) -> u64 {
    let told = snapshot.processes.total_handles.value().copied();
    match table.untold {
        0 => table.handles,
        _ => table.handles.max(told.unwrap_or(0)),
    }
}

/// Shortages and empty pools stand in the System log.
fn system_log(judge: &mut Judge, snapshot: &Snapshot) {
    let log = &snapshot.processes.system_log;
    let collect = "the System log (eventlog.system)";
    judge.require(log, "what the System log says of shortages", collect);
    match log.value() {
        Some(channel) if !channel.damage.is_empty() => {
            judge.lacks(
                "the System log is damaged: shortages may be missing from it",
                collect,
            );
        }
        None if log.is_absent() => judge.lacks("there is no System log", collect),
        _ => {}
    }
}

fn uptime_hours(snapshot: &Snapshot) -> Option<f64> {
    let seconds = snapshot.machine.uptime_seconds.value()?;
    Some(real(*seconds) / 3600.0)
}

/// The largest processes, whatever the verdict.
fn show(judge: &mut Judge, table: &Table) {
    for process in table.by_handles().into_iter().take(SHOWN) {
        let handles = process.handles.unwrap_or(0);
        let row = process.evidence.get(..1).unwrap_or_default();
        judge.exhibit_evidence(format!("{} holds {handles} handles", process.label()), row);
    }
    for process in &table.top {
        let objects = [process.gdi_objects, process.user_objects];
        if objects
            .into_iter()
            .flatten()
            .any(|count| count >= NEAR_QUOTA)
        {
            judge.note(format!(
                "{} holds {} GDI and {} USER objects; the quota is 10000 of each",
                process.label(),
                process.gdi_objects.unwrap_or(0),
                process.user_objects.unwrap_or(0)
            ));
        }
    }
    if table.interval_ms == 0 {
        judge.note("the process table was taken once: growth is not known");
    }
}

#[cfg(test)]
mod tests;
