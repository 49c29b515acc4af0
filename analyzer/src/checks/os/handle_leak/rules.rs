//! The rules on the process table.

use super::{
    GROWING, GROWTH_PER_HOUR, GROWTH_PER_MINUTE, PROCESS, PROCESS_CRITICAL, PROCESS_LARGE, TOTAL,
    TOTAL_CRITICAL, WATCHED_MINUTES, WATCHED_SECONDS, remedies,
};
use crate::checks::check::{Context, Judge};
use crate::checks::figures::real;
use crate::checks::verdict::Verdict;
use crate::facts::processes::{Process, Table};

/// How many processes one rule names.
const NAMED: usize = 5;
/// So many services in one svchost hold many handles between them.
const MANY_SERVICES: usize = 5;
/// The kernel's process.
const KERNEL: u32 = 4;

/// Images that hold many handles in health (databases, mail stores, directory, DNS, Hyper-V,
/// search).
const LARGE: [&str; 7] = [
    "lsass.exe",
    "sqlservr.exe",
    "store.exe",
    "microsoft.exchange.store.worker.exe",
    "dns.exe",
    "vmms.exe",
    "searchindexer.exe",
];

/// Whether many handles are normal for an image.
pub(super) fn is_large(image: &str) -> bool {
    LARGE.iter().any(|name| image.eq_ignore_ascii_case(name))
}

fn may_hold_many(process: &Process) -> bool {
    process.pid == KERNEL
        || is_large(&process.image)
        || (process.image.eq_ignore_ascii_case("svchost.exe")
            && process.services.len() >= MANY_SERVICES)
}

/// Growth in the unit whose length is given, where the looks lie far enough apart.
fn growth(process: &Process, table: &Table, unit_ms: f64, watched_ms: f64) -> Option<f64> {
    let interval = real(table.interval_ms);
    if interval <= 0.0 || interval < watched_ms {
        return None;
    }
    Some(real(process.handles_grown()?) * unit_ms / interval)
}

pub(super) fn processes(judge: &mut Judge, cx: &Context<'_>, table: &Table) {
    let handles = |process: &Process| process.handles.map(real);
    let per_minute = |process: &Process| {
        growth(
            process,
            table,
            60_000.0,
            cx.limit(&WATCHED_SECONDS) * 1000.0,
        )
    };
    let per_hour = |process: &Process| {
        growth(
            process,
            table,
            3_600_000.0,
            cx.limit(&WATCHED_MINUTES) * 60_000.0,
        )
    };
    let limit = cx.limit(&PROCESS_CRITICAL);
    rule(
        judge,
        table,
        Verdict::Critical,
        "huge-process",
        &format!("a process holds more than {limit} handles"),
        |process| handles(process).map(|held| held > limit),
    );
    let (many, fast) = (cx.limit(&GROWING), cx.limit(&GROWTH_PER_MINUTE));
    rule(
        judge,
        table,
        Verdict::Critical,
        "growing-process",
        &format!("a process holds more than {many} handles and gets more than {fast} a minute"),
        |process| Some(handles(process)? > many && per_minute(process)? > fast),
    );
    let (usual, large) = (cx.limit(&PROCESS), cx.limit(&PROCESS_LARGE));
    rule(
        judge,
        table,
        Verdict::Warning,
        "large-process",
        &format!(
            "a process holds more than {usual} handles ({large} for those known to hold many)"
        ),
        |process| {
            let limit = if may_hold_many(process) { large } else { usual };
            handles(process).map(|held| held > limit)
        },
    );
    let slow = cx.limit(&GROWTH_PER_HOUR);
    rule(
        judge,
        table,
        Verdict::Warning,
        "slow-growth",
        &format!(
            "a process gets more than {slow} handles an hour, watched for {} minutes",
            cx.limit(&WATCHED_MINUTES)
        ),
        |process| per_hour(process).map(|rate| rate > slow),
    );
}

/// One rule over all processes that are known; the largest first.
fn rule(
    judge: &mut Judge,
    table: &Table,
    verdict: Verdict,
    name: &'static str,
    compared: &str,
    holds: impl Fn(&Process) -> Option<bool>,
) {
    let mut list: Vec<&Process> = table.top.iter().collect();
    list.sort_by_key(|process| (std::cmp::Reverse(process.handles), process.pid));
    let told: Vec<bool> = list.iter().filter_map(|process| holds(process)).collect();
    list.retain(|process| holds(process) == Some(true));
    let any = (!told.is_empty()).then_some(!list.is_empty());
    let Some(problem) = judge.rule(verdict, name, compared, any) else {
        return;
    };
    let words = |process: &Process| {
        let grown = match process.handles_grown() {
            Some(grown) if grown > 0 => {
                format!(", {grown} more than {} s before", table.interval_ms / 1000)
            }
            _ => String::new(),
        };
        format!(
            "{} holds {} handles{grown}",
            process.label(),
            process.handles.unwrap_or(0)
        )
    };
    if let Some(worst) = list.first() {
        problem.headline(words(worst)).remedy(remedies::find(worst));
        if let Some(remedy) = remedies::restart(worst) {
            problem.remedy(remedy);
        }
    }
    for process in list.iter().take(NAMED) {
        problem.because(words(process));
        problem.exhibits(words(process), &process.evidence);
    }
}

pub(super) fn totals(judge: &mut Judge, cx: &Context<'_>, total: u64, table: &Table) {
    for (verdict, name, limit) in [
        (Verdict::Critical, "huge-total", cx.limit(&TOTAL_CRITICAL)),
        (Verdict::Warning, "large-total", cx.limit(&TOTAL)),
    ] {
        let compared = format!("{total} handles of all processes > {limit}");
        // What did not tell could make the sum larger, never smaller.
        let holds = match real(total) > limit {
            true => Some(true),
            false if table.untold == 0 => Some(false),
            false => cx.snapshot.processes.total_handles.value().map(|_| false),
        };
        let Some(problem) = judge.rule(verdict, name, compared, holds) else {
            continue;
        };
        problem
            .headline(format!(
                "{} processes hold {total} handles together",
                table.processes
            ))
            .because("a large server may hold so many in health: a leak is growth, not level")
            .evidence(
                "handles of all processes",
                &cx.snapshot.processes.total_handles,
            );
        for process in table.by_handles().into_iter().take(NAMED) {
            let row = process.evidence.get(..1).unwrap_or_default();
            let words = format!(
                "{} holds {} handles",
                process.label(),
                process.handles.unwrap_or(0)
            );
            problem.exhibits(words, row);
        }
        if let Some(largest) = table.by_handles().first() {
            problem.remedy(remedies::find(largest));
        }
    }
}
