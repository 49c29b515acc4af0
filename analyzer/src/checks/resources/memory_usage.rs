//! `memory-usage`: whether physical memory is nearly used up.

mod remedies;

use super::usage;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::counters::Series;
use crate::facts::fact::Fact;
use crate::facts::pressure::PressureKind;
use crate::facts::units::{MIB, bytes, float};

const GUIDE: &str = "Microsoft, \"Scenario guide: Troubleshoot performance problems in Windows\"";

const WARNING_PERCENT: Threshold = Threshold {
    key: "memory-usage.warning-percent",
    default: 10.0,
    unit: "percent of visible memory",
    meaning: "less available, and less than warning-mib, is a warning",
    source: GUIDE,
};
const WARNING_MIB: Threshold = Threshold {
    key: "memory-usage.warning-mib",
    default: 4096.0,
    unit: "MiB",
    meaning: "this much available is healthy whatever its share",
    source: GUIDE,
};
const CRITICAL_PERCENT: Threshold = Threshold {
    key: "memory-usage.critical-percent",
    default: 5.0,
    unit: "percent of visible memory",
    meaning: "less available, and less than critical-mib, is critical",
    source: "PAL, SystemOverview",
};
const CRITICAL_MIB: Threshold = Threshold {
    key: "memory-usage.critical-mib",
    default: 1024.0,
    unit: "MiB",
    meaning: "less available, and less than critical-percent, is critical",
    source: "ours: a large machine with gigabytes free is not in danger",
};
const FLOOR_MIB: Threshold = Threshold {
    key: "memory-usage.floor-mib",
    default: 500.0,
    unit: "MiB",
    meaning: "less available, and less than warning-percent, is critical",
    source: GUIDE,
};
const POOL_WARNING: Threshold = Threshold {
    key: "memory-usage.nonpaged-warning",
    default: 60.0,
    unit: "percent of the nonpaged pool's limit",
    meaning: "more is a warning",
    source: GUIDE,
};
const POOL_CRITICAL: Threshold = Threshold {
    key: "memory-usage.nonpaged-critical",
    default: 80.0,
    unit: "percent of the nonpaged pool's limit",
    meaning: "more is critical",
    source: GUIDE,
};
const PAGING: Threshold = Threshold {
    key: "memory-usage.pages-input",
    default: 1000.0,
    unit: "pages a second",
    meaning: "a median of more confirms the pressure",
    source: "PAL, SystemOverview",
};
const EVENT_HOURS: Threshold = Threshold {
    key: "memory-usage.event-hours",
    default: 24.0,
    unit: "hours before capture",
    meaning: "an event of that age or less counts where no counter tells",
    source: "ours",
};

/// The nonpaged pool may grow to this part of memory on 64-bit Windows (Microsoft, "Memory and
/// address space limits").
const POOL_SHARE: f64 = 0.75;
/// Memory that no process accounts for is mentioned from this part of all on.
const UNEXPLAINED_SHARE: f64 = 0.25;
/// Programs that use all memory by design and give it back when asked.
const BY_DESIGN: [&str; 2] = ["sqlservr.exe", "Microsoft.Exchange.Store.Worker.exe"];

/// The check.
pub const CHECK: Check = Check {
    id: "memory-usage",
    category: Category::Resources,
    title: "Memory usage",
    page: include_str!("memory_usage.md"),
    inputs: &[
        Input::helpful("counters.pdh"),
        Input::helpful("counters.native"),
        Input::required("system.memory"),
        Input::helpful("processes.table"),
        Input::helpful("eventlog.system"),
    ],
    thresholds: &[
        WARNING_PERCENT,
        WARNING_MIB,
        CRITICAL_PERCENT,
        CRITICAL_MIB,
        FLOOR_MIB,
        POOL_WARNING,
        POOL_CRITICAL,
        PAGING,
        EVENT_HOURS,
    ],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    let mut judge = Judge::new();
    let memory = &cx.snapshot.counters.memory;
    let visible = cx.snapshot.counters.visible_bytes.value().copied();
    let visible_mib = visible
        .map(|visible| float(visible) / MIB)
        .filter(|mib| *mib > 0.0);
    available(&mut judge, cx, visible_mib);
    pool(&mut judge, cx, visible_mib);
    logged(&mut judge, cx);
    usage::demand(&mut judge, &memory.available_mib, "available memory");
    if visible_mib.is_none() {
        judge.lacks(
            "how much memory Windows can use is not known",
            "a live bundle with system.memory",
        );
    }
    show(&mut judge, cx, visible_mib);
    usage::say_how_long(&mut judge, &memory.available_mib);
    let state = state(&memory.available_mib, visible_mib);
    judge.finish(
        format!("enough memory is available: {state}"),
        known(&state),
    )
}

fn known(state: &str) -> String {
    if state.is_empty() {
        String::new()
    } else {
        format!("available: {state}")
    }
}

/// `300 MiB of 8.0 GiB (3.7 %)`, by the median.
fn state(available: &Fact<Series>, visible_mib: Option<f64>) -> String {
    let Some(median) = available.value().and_then(Series::median) else {
        return String::new();
    };
    match visible_mib {
        Some(visible) => format!(
            "{} of {} ({:.1} %)",
            bytes(median * MIB),
            bytes(visible * MIB),
            median * 100.0 / visible
        ),
        None => bytes(median * MIB),
    }
}

fn available(judge: &mut Judge, cx: &Context<'_>, visible_mib: Option<f64>) {
    let memory = &cx.snapshot.counters.memory;
    let limit = |threshold: &Threshold| cx.limit(threshold);
    let below = |mib: f64, percent: &Threshold| {
        visible_mib.map(|visible| mib * 100.0 < limit(percent) * visible)
    };
    let critical = |mib: f64| {
        let share = mib < limit(&CRITICAL_MIB);
        let floor = mib < limit(&FLOOR_MIB);
        (share && below(mib, &CRITICAL_PERCENT) == Some(true))
            || (floor && below(mib, &WARNING_PERCENT) == Some(true))
    };
    let warning =
        |mib: f64| mib < limit(&WARNING_MIB) && below(mib, &WARNING_PERCENT) == Some(true);
    // Without the total only an amount that is healthy whatever its share can be judged.
    let judged = |holds: &dyn Fn(f64) -> bool| match visible_mib {
        Some(_) => usage::sustained(&memory.available_mib, holds),
        None => usage::sustained(&memory.available_mib, |mib| mib < limit(&WARNING_MIB))
            .filter(|below| !below),
    };
    let expected = by_design(cx, visible_mib);
    let words = state(&memory.available_mib, visible_mib);
    let compared = format!(
        "available {words}: sustained below {} % and {} MiB, or below {} MiB and {} %",
        limit(&CRITICAL_PERCENT),
        limit(&CRITICAL_MIB),
        limit(&FLOOR_MIB),
        limit(&WARNING_PERCENT)
    );
    let is_critical = judged(&critical).map(|holds| holds && expected.is_none());
    let is_warning = judged(&warning);
    let compared_warning = format!(
        "available {words}: sustained below {} % and {} MiB",
        limit(&WARNING_PERCENT),
        limit(&WARNING_MIB)
    );
    let rules = [
        (
            Verdict::Critical,
            "nearly-used-up",
            compared,
            is_critical,
            "memory is nearly used up",
        ),
        (
            Verdict::Warning,
            "low",
            compared_warning,
            is_warning.map(|holds| holds && is_critical != Some(true)),
            "memory is low",
        ),
    ];
    for (verdict, rule, compared, holds, headline) in rules {
        let Some(problem) = judge.rule(verdict, rule, compared, holds) else {
            continue;
        };
        problem
            .headline(format!("{headline}: {words} available"))
            .evidence(format!("available: {words}"), &memory.available_mib)
            .evidence(
                "memory that Windows can use",
                &cx.snapshot.counters.visible_bytes,
            );
        remedies::low(problem, cx.snapshot, expected.as_deref());
        if let Some(largest) = usage::largest(&cx.snapshot.consumers.memory, bytes) {
            problem.because(largest);
        }
        if let Some(name) = &expected {
            problem.because(format!(
                "{name} uses memory by design and returns it under pressure: expected behaviour, cap it"
            ));
        }
        if let Some(median) = memory.pages_input.value().and_then(Series::median)
            && median > limit(&PAGING)
        {
            problem
                .because(format!(
                    "{median:.0} pages a second are read from disk: programs wait for memory"
                ))
                .evidence("pages read a second", &memory.pages_input);
        }
    }
    spike(judge, &memory.available_mib, &warning, is_warning);
}

/// Some samples below the limit and not most of them.
fn spike(
    judge: &mut Judge,
    available: &Fact<Series>,
    warning: &dyn Fn(f64) -> bool,
    sustained: Option<bool>,
) {
    let Some(series) = available.value().filter(|_| sustained == Some(false)) else {
        return;
    };
    let count = series.values.iter().filter(|mib| warning(**mib)).count();
    if count > 0 {
        judge.note(format!(
            "{count} of {} samples were below the limit: a spike, not sustained",
            series.values.len()
        ));
    }
}

/// The largest process, where it uses memory by design and enough is left.
fn by_design(cx: &Context<'_>, visible_mib: Option<f64>) -> Option<String> {
    let first = cx.snapshot.consumers.memory.value()?.first()?;
    let median = cx
        .snapshot
        .counters
        .memory
        .available_mib
        .value()?
        .median()?;
    let enough = median * 100.0 >= cx.limit(&CRITICAL_PERCENT) * visible_mib?;
    (first.is_any(&BY_DESIGN) && enough).then(|| first.image.clone())
}

fn pool(judge: &mut Judge, cx: &Context<'_>, visible_mib: Option<f64>) {
    let pool = &cx.snapshot.counters.memory.nonpaged_bytes;
    let limit = visible_mib.map(|visible| visible * MIB * POOL_SHARE);
    let over = |threshold: &Threshold| {
        let percent = cx.limit(threshold);
        let limit = limit?;
        usage::sustained(pool, |used| used * 100.0 > percent * limit)
    };
    let used = pool.value().and_then(Series::median).unwrap_or(0.0);
    let share = limit.map_or(0.0, |limit| used * 100.0 / limit);
    let critical = over(&POOL_CRITICAL);
    let warning = over(&POOL_WARNING).map(|holds| holds && critical != Some(true));
    for (verdict, rule, threshold, holds) in [
        (
            Verdict::Critical,
            "nonpaged-pool-nearly-empty",
            &POOL_CRITICAL,
            critical,
        ),
        (
            Verdict::Warning,
            "nonpaged-pool-large",
            &POOL_WARNING,
            warning,
        ),
    ] {
        let compared = format!(
            "nonpaged pool {} ({share:.0} % of its limit), more than {} %",
            bytes(used),
            cx.limit(threshold)
        );
        if let Some(problem) = judge.rule(verdict, rule, compared, holds) {
            problem
                .headline(format!(
                    "drivers hold {} of nonpaged pool, {share:.0} % of its limit: a driver leaks",
                    bytes(used)
                ))
                .evidence(format!("nonpaged pool {}", bytes(used)), pool)
                .remedy(remedies::pool());
        }
    }
    usage::demand(judge, pool, "the nonpaged pool");
}

/// Without counters the logs can only warn.
fn logged(judge: &mut Judge, cx: &Context<'_>) {
    let hours = cx.limit(&EVENT_HOURS);
    let counted = usage::whole(&cx.snapshot.counters.memory.available_mib).is_some();
    for (kind, rule, what) in [
        (
            PressureKind::CommitExhausted,
            "exhaustion-logged",
            "Windows ran short of virtual memory (Resource-Exhaustion-Detector 2004)",
        ),
        (
            PressureKind::PoolExhausted,
            "pool-exhaustion-logged",
            "a kernel pool was empty (Srv 2017, 2019 or 2020)",
        ),
    ] {
        let event = usage::recent(cx.snapshot, kind, hours);
        let compared = format!(
            "no counters, and an event within {hours} h: {}",
            event.is_some()
        );
        let Some(problem) = judge.rule(
            Verdict::Warning,
            rule,
            compared,
            Some(!counted && event.is_some()),
        ) else {
            if let Some(event) = event {
                judge.note(format!("{what} at {}", event.time));
                judge.exhibit_evidence(what, std::slice::from_ref(&event.evidence));
            }
            continue;
        };
        let Some(event) = event else { continue };
        problem
            .headline(format!(
                "{what} at {}; what is available now is not known",
                event.time
            ))
            .confidence(Confidence::Medium)
            .exhibits(what, std::slice::from_ref(&event.evidence))
            .remedy(remedies::pool_or_process(kind, cx.snapshot));
        for process in &event.processes {
            let size = process.bytes.map(|size| bytes(float(size)));
            problem.because(format!(
                "{} had committed {}",
                process.image,
                size.unwrap_or_else(|| "an unknown amount".to_owned())
            ));
        }
    }
    if let Some(event) = usage::recent(cx.snapshot, PressureKind::Popup, hours) {
        judge.note(format!(
            "Windows showed a message at {} (Application Popup 26)",
            event.time
        ));
    }
}

/// Evidence that is shown whatever the verdict.
fn show(judge: &mut Judge, cx: &Context<'_>, visible_mib: Option<f64>) {
    let memory = &cx.snapshot.counters.memory;
    let consumers = &cx.snapshot.consumers;
    judge.exhibit(
        format!("available: {}", state(&memory.available_mib, visible_mib)),
        &memory.available_mib,
    );
    usage::show_consumers(judge, &consumers.memory, "private working set", bytes);
    let middle = |fact: &Fact<Series>| fact.value().and_then(Series::median);
    let parts = [
        middle(&memory.available_mib).map(|mib| mib * MIB),
        middle(&memory.nonpaged_bytes),
        middle(&memory.paged_bytes),
        middle(&memory.cache_bytes),
        consumers.memory_total.value().copied().map(float),
    ];
    let (Some(visible), Some(parts)) =
        (visible_mib, parts.into_iter().collect::<Option<Vec<f64>>>())
    else {
        return;
    };
    let unexplained = visible * MIB - parts.iter().sum::<f64>();
    if unexplained > visible * MIB * UNEXPLAINED_SHARE {
        judge.note(format!(
            "{} belong to no process, pool or cache: a balloon driver, locked pages (SQL Server) or a driver holds them",
            bytes(unexplained)
        ));
    }
}

#[cfg(test)]
mod tests;
