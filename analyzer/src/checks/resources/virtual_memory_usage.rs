//! `virtual-memory-usage`: whether commit is nearly used up, and whether the page files fit.

mod config;
mod remedies;

use super::usage;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::counters::Series;
use crate::facts::fact::Fact;
use crate::facts::pressure::PressureKind;
use crate::facts::units::{bytes, float};

const PAL: &str = "PAL, SystemOverview; Microsoft's guide is stricter (60 and 80)";
const PAGE_FILE: &str =
    "Microsoft, \"How to determine the appropriate page file size for 64-bit versions of Windows\"";

const WARNING: Threshold = Threshold {
    key: "virtual-memory-usage.warning",
    default: 80.0,
    unit: "percent of the commit limit",
    meaning: "that much or more, sustained, is a warning",
    source: PAL,
};
const CRITICAL: Threshold = Threshold {
    key: "virtual-memory-usage.critical",
    default: 90.0,
    unit: "percent of the commit limit",
    meaning: "that much or more, sustained, is critical",
    source: PAL,
};
const EVENT_HOURS: Threshold = Threshold {
    key: "virtual-memory-usage.event-hours",
    default: 24.0,
    unit: "hours before capture",
    meaning: "exhaustion logged at that age or less is critical",
    source: "ours",
};
const SMALL_MACHINE: Threshold = Threshold {
    key: "virtual-memory-usage.small-machine",
    default: 32.0,
    unit: "GiB of visible memory",
    meaning: "with less, no page file is a warning",
    source: "ours",
};
const SMALL_FILE: Threshold = Threshold {
    key: "virtual-memory-usage.small-file",
    default: 1024.0,
    unit: "MB, all page files together",
    meaning: "a fixed maximum of less is a warning",
    source: "ours",
};
const FREE_PERCENT: Threshold = Threshold {
    key: "virtual-memory-usage.free-percent",
    default: 10.0,
    unit: "percent of the volume",
    meaning: "less free, and less than free-gib, keeps a page file from growing",
    source: "PAL, disk space",
};
const FREE_GIB: Threshold = Threshold {
    key: "virtual-memory-usage.free-gib",
    default: 4.0,
    unit: "GiB",
    meaning: "less free, and less than free-percent, keeps a page file from growing",
    source: PAGE_FILE,
};

/// The check.
pub const CHECK: Check = Check {
    id: "virtual-memory-usage",
    category: Category::Resources,
    title: "Virtual memory usage",
    page: include_str!("virtual_memory_usage.md"),
    inputs: &[
        Input::helpful("counters.pdh"),
        Input::helpful("counters.native"),
        Input::required("registry.system"),
        Input::required("eventlog.system"),
        Input::required("volumes.volumes"),
        Input::helpful("system.memory"),
        Input::helpful("system.page-files"),
        Input::helpful("processes.table"),
    ],
    thresholds: &[
        WARNING,
        CRITICAL,
        EVENT_HOURS,
        SMALL_MACHINE,
        SMALL_FILE,
        FREE_PERCENT,
        FREE_GIB,
    ],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let mut judge = Judge::new();
    let memory = &cx.snapshot.counters.memory;
    used_up(&mut judge, cx);
    exhausted(&mut judge, cx);
    config::judge(&mut judge, cx);
    usage::demand(&mut judge, &memory.commit_percent, "commit");
    demand_log(&mut judge, cx);
    show(&mut judge, cx);
    usage::say_how_long(&mut judge, &memory.commit_percent);
    let state = state(cx);
    let known = if state.is_empty() {
        String::new()
    } else {
        format!("{state} committed")
    };
    judge.finish(
        format!("enough virtual memory is left: {state} committed"),
        known,
    )
}

/// `41 % of 12.0 GiB`, by the median.
fn state(cx: &Context<'_>) -> String {
    let memory = &cx.snapshot.counters.memory;
    let middle = |fact: &Fact<Series>| fact.value().and_then(Series::median);
    match (
        middle(&memory.commit_percent),
        middle(&memory.commit_limit_bytes),
    ) {
        (Some(percent), Some(limit)) => format!("{percent:.1} % of {}", bytes(limit)),
        (Some(percent), None) => format!("{percent:.1} % of the limit"),
        _ => String::new(),
    }
}

fn used_up(judge: &mut Judge, cx: &Context<'_>) {
    let memory = &cx.snapshot.counters.memory;
    let state = state(cx);
    let over = |threshold: &Threshold| {
        let limit = cx.limit(threshold);
        usage::sustained(&memory.commit_percent, |percent| percent >= limit)
    };
    let critical = over(&CRITICAL);
    let warning = over(&WARNING).map(|holds| holds && critical != Some(true));
    for (verdict, rule, threshold, holds, words) in [
        (
            Verdict::Critical,
            "commit-nearly-used-up",
            &CRITICAL,
            critical,
            "nearly used up",
        ),
        (
            Verdict::Warning,
            "commit-high",
            &WARNING,
            warning,
            "running low",
        ),
    ] {
        let compared = format!(
            "commit {state}, sustained {} % or more",
            cx.limit(threshold)
        );
        let Some(problem) = judge.rule(verdict, rule, compared, holds) else {
            continue;
        };
        problem
            .headline(format!("virtual memory is {words}: {state} committed"))
            .evidence(format!("commit: {state}"), &memory.commit_percent)
            .evidence("commit limit", &memory.commit_limit_bytes)
            .remedy(usage::examine(
                &cx.snapshot.consumers.commit,
                "PrivateMemorySize64",
            ))
            .remedy(remedies::automatic(&cx.snapshot.page_files));
        if let Some(fixed) = remedies::fixed(cx.snapshot) {
            problem.remedy(fixed);
        }
        if let Some(largest) = usage::largest(&cx.snapshot.consumers.commit, bytes) {
            problem.because(largest);
        }
        if config::without_page_file(&cx.snapshot.page_files) == Some(true) {
            problem.because("there is no page file: memory alone is the limit");
        } else if config::is_managed(&cx.snapshot.page_files) == Some(true) {
            problem.because("Windows manages the page file and may be growing it right now");
        }
        if let Some(available) = memory.available_mib.value().and_then(Series::median)
            && available > 4096.0
        {
            problem.because(format!(
                "{available:.0} MiB of memory are available all the same: committed and not used, so nothing is slow until an allocation fails"
            ));
        }
    }
}

/// Resource-Exhaustion-Detector 2004: commit was nearly exhausted, with the largest committers.
fn exhausted(judge: &mut Judge, cx: &Context<'_>) {
    let hours = cx.limit(&EVENT_HOURS);
    let newest = cx
        .snapshot
        .pressure
        .of(PressureKind::CommitExhausted)
        .next_back();
    let from = cx
        .snapshot
        .capture
        .time
        .and_then(|time| usage::since(time, hours));
    let holds = match (newest, from) {
        (None, _) => cx.snapshot.pressure.log.value().map(|_| false),
        (Some(_), None) => None,
        (Some(event), Some(from)) => Some(event.time >= from),
    };
    let compared = format!("Resource-Exhaustion-Detector 2004 within {hours} h before capture");
    let problem = judge.rule(Verdict::Critical, "exhaustion-logged", compared, holds);
    let (Some(problem), Some(event)) = (problem, newest) else {
        if let Some(event) = newest {
            judge.note(format!(
                "virtual memory was nearly exhausted on {}",
                event.time
            ));
            judge.exhibit_evidence(
                "virtual memory was nearly exhausted",
                std::slice::from_ref(&event.evidence),
            );
        }
        return;
    };
    let first = event.processes.first();
    let names = first.map(|first| format!("; {} had committed most", first.image));
    problem
        .headline(format!(
            "virtual memory was nearly exhausted at {}{}",
            event.time,
            names.unwrap_or_default()
        ))
        .confidence(Confidence::Medium)
        .exhibits(
            "Resource-Exhaustion-Detector 2004",
            std::slice::from_ref(&event.evidence),
        )
        .remedy(usage::examine(
            &cx.snapshot.consumers.commit,
            "PrivateMemorySize64",
        ))
        .remedy(remedies::automatic(&cx.snapshot.page_files));
    for process in &event.processes {
        let size = process.bytes.map(|size| bytes(float(size)));
        problem.because(format!(
            "{} had committed {}",
            process.image,
            size.unwrap_or_else(|| "an unknown amount".to_owned())
        ));
    }
}

/// Exhaustion is logged in System: before `ok` the log must reach back as far as it would count.
fn demand_log(judge: &mut Judge, cx: &Context<'_>) {
    const COLLECT: &str = "the System log (eventlog.system) of the last 24 hours";
    let log = &cx.snapshot.pressure.log;
    judge.require(log, "whether memory ran out lately", COLLECT);
    let hours = cx.limit(&EVENT_HOURS);
    let from = cx
        .snapshot
        .capture
        .time
        .and_then(|time| usage::since(time, hours));
    let Some(channel) = log.value() else { return };
    let Some(from) = from else {
        judge.lacks(
            "when the snapshot was taken is not known",
            "the time of capture (--captured-at)",
        );
        return;
    };
    // The live log may begin later than what the export holds in full, and the other way round.
    let held = channel.oldest.map(|oldest| {
        channel
            .held_from
            .map_or(oldest.time, |from| from.time.max(oldest.time))
    });
    let installed_later = cx
        .snapshot
        .machine
        .installed
        .value()
        .is_some_and(|installed| *installed > from);
    if held.is_none_or(|held| held > from) && !installed_later {
        judge.lacks(
            format!("the System log does not reach back {hours} h: whether memory ran out before is not known"),
            COLLECT,
        );
    }
    if !channel.damage.is_empty() {
        judge.lacks(
            "the System log is damaged: whether memory ran out is not certain",
            COLLECT,
        );
    }
}

/// Evidence that is shown whatever the verdict.
fn show(judge: &mut Judge, cx: &Context<'_>) {
    let memory = &cx.snapshot.counters.memory;
    judge.exhibit(format!("commit: {}", state(cx)), &memory.commit_percent);
    usage::show_consumers(
        judge,
        &cx.snapshot.consumers.commit,
        "private commit",
        bytes,
    );
    let files = &cx.snapshot.page_files;
    judge.exhibit("PagingFiles", &files.configured);
    for file in files.in_use.value().into_iter().flatten() {
        let says = format!(
            "{}: {} of {} in use, at most {} since boot",
            file.path,
            bytes(float(file.used_bytes)),
            bytes(float(file.size_bytes)),
            bytes(float(file.peak_bytes))
        );
        judge.exhibit_evidence(says, std::slice::from_ref(&file.evidence));
    }
    if let Some(percent) = memory.page_file_percent.value().and_then(Series::median)
        && percent > 70.0
    {
        judge.note(format!(
            "the page files are used to {percent:.0} %: no fault as long as commit is below its limit"
        ));
    }
    let hours = cx.limit(&EVENT_HOURS);
    if let Some(event) = usage::recent(cx.snapshot, PressureKind::NoCrashDump, hours) {
        judge.note(format!(
            "Windows could not prepare for a crash dump at {} (volmgr 46)",
            event.time
        ));
        judge.exhibit_evidence("volmgr 46", std::slice::from_ref(&event.evidence));
    }
    if let Some(event) = usage::recent(cx.snapshot, PressureKind::Popup, hours) {
        judge.note(format!(
            "Windows showed a message at {} (Application Popup 26)",
            event.time
        ));
        judge.exhibit_evidence(
            "Application Popup 26",
            std::slice::from_ref(&event.evidence),
        );
    }
}

#[cfg(test)]
mod tests;
