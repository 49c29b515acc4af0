//! `cpu-usage`: whether all processors together are busy.

mod remedies;

use super::usage;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::counters::Series;
use crate::facts::fact::Fact;
use crate::facts::pressure::PressureKind;

const WARNING: Threshold = Threshold {
    key: "cpu-usage.warning",
    default: 80.0,
    unit: "percent, median",
    meaning: "more is a warning",
    source: "ours, between Microsoft's performance guide (80) and Alibaba Cloud's diagnosis (85)",
};
const WARNING_P90: Threshold = Threshold {
    key: "cpu-usage.warning-p90",
    default: 90.0,
    unit: "percent, 90th percentile",
    meaning: "more is a warning",
    source: "ours",
};
const CRITICAL: Threshold = Threshold {
    key: "cpu-usage.critical",
    default: 95.0,
    unit: "percent, median",
    meaning: "more is critical",
    source: "ours: less than 5 % are left",
};
const CRITICAL_QUEUED: Threshold = Threshold {
    key: "cpu-usage.critical-queued",
    default: 90.0,
    unit: "percent, median",
    meaning: "more is critical when more threads than queue wait, too",
    source: "ours",
};
const QUEUE: Threshold = Threshold {
    key: "cpu-usage.queue",
    default: 10.0,
    unit: "waiting threads a processor, median",
    meaning: "more, with critical-queued, is critical",
    source: "PAL, SystemOverview",
};
const KERNEL: Threshold = Threshold {
    key: "cpu-usage.kernel-share",
    default: 50.0,
    unit: "percent of the busy time",
    meaning: "with more in the kernel, drivers are looked at first",
    source: "Microsoft, \"Scenario guide: Troubleshoot performance problems in Windows\"",
};
const INTERRUPTS: Threshold = Threshold {
    key: "cpu-usage.interrupts",
    default: 20.0,
    unit: "percent, medians of interrupt and DPC time together",
    meaning: "more is a note",
    source: "PAL, SystemOverview",
};
const SETTLING: Threshold = Threshold {
    key: "cpu-usage.settling",
    default: 15.0,
    unit: "minutes since start",
    meaning: "with less, confidence is low",
    source: "ours: services start, updates finish",
};

/// Programs of Windows that are busy for a while and then done.
const MAINTENANCE: [&str; 8] = [
    "MsMpEng.exe",
    "TiWorker.exe",
    "TrustedInstaller.exe",
    "mscorsvw.exe",
    "ngen.exe",
    "wuauclt.exe",
    "CompatTelRunner.exe",
    "SearchIndexer.exe",
];
/// The power plan that saves energy.
const SAVER: &str = "a1841308-3541-4fab-bc81-f71556f20b4a";
/// Maintenance that began at most so many hours before capture may still be under way.
const UNDER_WAY_HOURS: f64 = 2.0;

/// The check.
pub const CHECK: Check = Check {
    id: "cpu-usage",
    category: Category::Resources,
    title: "CPU usage",
    page: include_str!("cpu_usage.md"),
    inputs: &[
        Input::helpful("counters.pdh"),
        Input::helpful("counters.native"),
        Input::helpful("system.cpu"),
        Input::helpful("system.machine"),
        Input::helpful("processes.table"),
        Input::helpful("registry.system"),
        Input::helpful("eventlog.system"),
        Input::helpful("eventlog.defender"),
        Input::helpful("eventlog.wmi-activity"),
    ],
    thresholds: &[
        WARNING,
        WARNING_P90,
        CRITICAL,
        CRITICAL_QUEUED,
        QUEUE,
        KERNEL,
        INTERRUPTS,
        SETTLING,
    ],
    decide,
};

/// What the rules compare.
struct View {
    median: Option<f64>,
    p90: Option<f64>,
    /// Waiting threads a processor.
    queue: Option<f64>,
}

fn decide(cx: &Context<'_>) -> Decision {
    let counters = &cx.snapshot.counters;
    let processor = &counters.processor;
    let mut judge = Judge::new();
    let busy = usage::whole(&processor.busy);
    let count = counters.logical_processors.value().copied().map(f64::from);
    let view = View {
        median: busy.and_then(Series::median),
        p90: busy.and_then(Series::p90),
        queue: middle(&processor.queue)
            .zip(count.filter(|count| *count > 0.0))
            .map(|(queue, count)| queue / count),
    };
    rules(&mut judge, cx, &view);
    usage::demand(&mut judge, &processor.busy, "processor time");
    show(&mut judge, cx);
    usage::say_how_long(&mut judge, &processor.busy);
    if is_settling(cx) {
        judge.at_most(Confidence::Low);
        judge
            .note("Windows started a few minutes before: what is busy now may be the start itself");
    }
    let state = middle(&processor.busy).map_or_else(String::new, |median| {
        format!("{median:.0} % busy by the median")
    });
    judge.finish(
        format!("the processors have time left: {state}"),
        state.clone(),
    )
}

fn middle(fact: &Fact<Series>) -> Option<f64> {
    fact.value().and_then(Series::median)
}

fn rules(judge: &mut Judge, cx: &Context<'_>, view: &View) {
    let over =
        |value: Option<f64>, threshold: &Threshold| value.map(|value| value > cx.limit(threshold));
    let shown = |value: Option<f64>| {
        value.map_or_else(|| "not known".to_owned(), |value| format!("{value:.1}"))
    };
    let queued = match (
        over(view.median, &CRITICAL_QUEUED),
        over(view.queue, &QUEUE),
    ) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let (median, p90, queue) = (shown(view.median), shown(view.p90), shown(view.queue));
    let saturated = over(view.median, &CRITICAL);
    let critical = saturated == Some(true) || queued == Some(true);
    let high = over(view.median, &WARNING);
    let peaks = over(view.p90, &WARNING_P90).map(|holds| holds && high != Some(true));
    for (verdict, rule, compared, holds, headline) in [
        (
            Verdict::Critical,
            "saturated",
            format!("median {median} %, more than {} %", cx.limit(&CRITICAL)),
            saturated,
            format!("the processors are saturated: {median} % busy by the median"),
        ),
        (
            Verdict::Critical,
            "busy-with-queue",
            format!(
                "median {median} %, more than {} %, and {queue} threads wait a processor, more than {}",
                cx.limit(&CRITICAL_QUEUED),
                cx.limit(&QUEUE)
            ),
            queued.map(|holds| holds && saturated != Some(true)),
            format!(
                "the processors are {median} % busy by the median, and {queue} threads wait for each"
            ),
        ),
        (
            Verdict::Warning,
            "busy",
            format!("median {median} %, more than {} %", cx.limit(&WARNING)),
            high.map(|holds| holds && !critical),
            format!("the processors are {median} % busy by the median"),
        ),
        (
            Verdict::Warning,
            "peaks",
            format!(
                "90th percentile {p90} %, more than {} %",
                cx.limit(&WARNING_P90)
            ),
            peaks,
            format!(
                "the processors were more than {} % busy for a tenth of the time (90th percentile {p90} %)",
                cx.limit(&WARNING_P90)
            ),
        ),
    ] {
        let Some(problem) = judge.rule(verdict, rule, compared, holds) else {
            continue;
        };
        let processor = &cx.snapshot.counters.processor;
        problem
            .headline(headline)
            .evidence(
                format!("busy {median} % by the median, 90th percentile {p90} %"),
                &processor.busy,
            )
            .remedy(usage::examine(&cx.snapshot.consumers.processor, "CPU"))
            .remedy(remedies::trace());
        if view.queue.is_some() {
            problem.evidence(
                format!("{queue} threads wait a processor"),
                &processor.queue,
            );
        }
        for reason in reasons(cx) {
            problem.because(reason);
        }
        if is_saver(cx.snapshot) {
            problem.remedy(remedies::power_plan(&processor.power_plan));
        }
    }
}

/// Where the time goes, and what explains it.
fn reasons(cx: &Context<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let snapshot = cx.snapshot;
    let processor = &snapshot.counters.processor;
    reasons.extend(usage::largest(
        &snapshot.consumers.processor,
        share(snapshot),
    ));
    if let (Some(busy), Some(privileged)) = (middle(&processor.busy), middle(&processor.privileged))
        && busy > 0.0
        && privileged * 100.0 > cx.limit(&KERNEL) * busy
    {
        reasons.push(format!(
            "{privileged:.0} of {busy:.0} % are spent in the kernel: filter drivers, antivirus or the network come first"
        ));
    }
    for consumer in snapshot.consumers.processor.value().into_iter().flatten() {
        if consumer.is_any(&MAINTENANCE) && consumer.amount > 10.0 {
            reasons.push(format!(
                "{} is maintenance of Windows and ends by itself",
                consumer.name()
            ));
        }
    }
    for (kind, what) in [
        (PressureKind::Update, "Windows Update was at work"),
        (PressureKind::Scan, "Windows Defender scanned"),
    ] {
        if let Some(event) = usage::recent(snapshot, kind, UNDER_WAY_HOURS) {
            reasons.push(format!("{what} at {}", event.time));
        }
    }
    if let Some(event) = usage::recent(snapshot, PressureKind::Wmi, UNDER_WAY_HOURS) {
        reasons.push(format!(
            "a WMI query failed at {}: its client (ClientProcessId of WMI-Activity 5858) may poll without pause",
            event.time
        ));
    }
    reasons
}

/// A process's time in percent of all processors.
fn share(snapshot: &Snapshot) -> impl Fn(f64) -> String {
    let count = snapshot.counters.logical_processors.value().copied();
    move |percent| match count.filter(|count| *count > 0) {
        Some(count) => format!("{:.1} % of all processors", percent / f64::from(count)),
        None => format!("{percent:.1} % of one processor"),
    }
}

fn is_settling(cx: &Context<'_>) -> bool {
    let uptime = cx.snapshot.machine.uptime_seconds.value();
    uptime.is_some_and(|seconds| crate::facts::units::float(*seconds) < cx.limit(&SETTLING) * 60.0)
}

fn is_saver(snapshot: &Snapshot) -> bool {
    let plan = snapshot.counters.processor.power_plan.value();
    plan.is_some_and(|plan| {
        plan.text
            .trim_matches(['{', '}'])
            .eq_ignore_ascii_case(SAVER)
    })
}

/// Evidence and notes that are shown whatever the verdict.
fn show(judge: &mut Judge, cx: &Context<'_>) {
    let snapshot = cx.snapshot;
    let processor = &snapshot.counters.processor;
    judge.exhibit("busy, all processors", &processor.busy);
    usage::show_consumers(
        judge,
        &snapshot.consumers.processor,
        "processor time",
        share(snapshot),
    );
    let interrupts = middle(&processor.interrupt).zip(middle(&processor.dpc));
    if let Some((interrupt, dpc)) = interrupts
        && interrupt + dpc > cx.limit(&INTERRUPTS)
    {
        judge.note(format!(
            "interrupts take {interrupt:.0} % and DPCs {dpc:.0} %: a driver or a device, see single-cpu-usage"
        ));
        judge.exhibit("DPC time", &processor.dpc);
        judge.exhibit("interrupt time", &processor.interrupt);
    }
    if let Some(utility) = middle(&processor.utility)
        && utility > 100.0
    {
        judge.note(format!(
            "processor utility is {utility:.0} %: above its nominal frequency"
        ));
    }
    if is_saver(snapshot) {
        judge.note("the power plan saves energy: the processors may be slowed down");
        judge.exhibit("ActivePowerScheme: power saver", &processor.power_plan);
    }
    if snapshot.counters.processor.busy.value().is_some() {
        judge.note(
            "a burstable instance without credits shows full processors at little work, and time stolen by the host does not show at all: look at the cloud's metrics",
        );
    }
}

#[cfg(test)]
mod tests;
