//! What the logs say of leaks.

use jiff::Timestamp;

use super::{PROCESS, PROCESS_LARGE, RECENT_DAYS, rules};
use crate::checks::check::{Context, Judge};
use crate::checks::figures::real;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::processes::{Kind, Shortage, ShortageProcess, Sign};

/// Whether an event lies in the recent days before the capture; with the time of capture not
/// known, every event does.
fn is_recent(cx: &Context<'_>, time: Timestamp) -> bool {
    let Some(captured) = cx.snapshot.capture.time else {
        return true;
    };
    captured.duration_since(time).as_secs_f64() <= cx.limit(&RECENT_DAYS) * 86_400.0
}

/// The process of a shortage that held most handles beyond the limit.
fn largest<'a>(cx: &Context<'_>, shortage: &'a Shortage) -> Option<&'a ShortageProcess> {
    shortage
        .processes
        .iter()
        .filter(|process| {
            let limit = if rules::is_large(&process.image) {
                cx.limit(&PROCESS_LARGE)
            } else {
                cx.limit(&PROCESS)
            };
            process.handles.is_some_and(|handles| real(handles) > limit)
        })
        .max_by_key(|process| process.handles)
}

pub(super) fn judge(judge: &mut Judge, cx: &Context<'_>) {
    shortages(judge, cx);
    pools(judge, cx);
    notes(judge, cx);
}

fn shortages(judge: &mut Judge, cx: &Context<'_>) {
    let processes = &cx.snapshot.processes;
    let found: Vec<(&Shortage, &ShortageProcess)> = processes
        .shortages
        .iter()
        .rev()
        .filter_map(|shortage| Some((shortage, largest(cx, shortage)?)))
        .collect();
    let words = |(shortage, process): &(&Shortage, &ShortageProcess)| {
        format!(
            "{} held {} handles when Windows ran short of memory at {}",
            process.image,
            process.handles.unwrap_or(0),
            shortage.time
        )
    };
    let (recent, old): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(shortage, _)| is_recent(cx, shortage.time));
    for one in old.iter().take(1) {
        judge.note(format!("{}; that is too long ago to count", words(one)));
    }
    let compared = format!(
        "{} recent shortages (Resource-Exhaustion-Detector 2004) name a process with many handles",
        recent.len()
    );
    let seen = processes.system_log.value().map(|_| !recent.is_empty());
    let holds = if recent.is_empty() { seen } else { Some(true) };
    if let Some(problem) = judge.rule(Verdict::Warning, "shortage-with-handles", compared, holds) {
        for one in &recent {
            problem.because(words(one));
            problem.exhibits(words(one), std::slice::from_ref(&one.0.evidence));
        }
        if let Some(newest) = recent.first() {
            problem
                .headline(words(newest))
                .confidence(Confidence::Medium)
                .remedy(super::remedies::look());
        }
    }
}

fn describe(sign: &Sign) -> String {
    match sign.kind {
        Kind::NonpagedPool => format!(
            "the nonpaged pool ran out at {} (Srv {})",
            sign.time, sign.event_id
        ),
        Kind::PagedPool => format!(
            "the paged pool ran out at {} (Srv {})",
            sign.time, sign.event_id
        ),
        Kind::MemoryLeak => format!(
            "Windows saw the memory of {} grow at {} (RADAR_PRE_LEAK)",
            image(sign),
            sign.time
        ),
        Kind::DesktopHeap => format!("the desktop heap ran out at {}", sign.time),
        Kind::Quota => format!("{} ran into a quota at {}", image(sign), sign.time),
    }
}

fn image(sign: &Sign) -> &str {
    sign.image.as_deref().unwrap_or("a process")
}

/// A pool that runs out is what leaked handles lead to.
fn pools(judge: &mut Judge, cx: &Context<'_>) {
    let processes = &cx.snapshot.processes;
    let recent: Vec<&Sign> = processes
        .signs
        .iter()
        .filter(|sign| matches!(sign.kind, Kind::NonpagedPool | Kind::PagedPool))
        .filter(|sign| is_recent(cx, sign.time))
        .collect();
    let compared = format!("{} recent Srv 2017, 2019, 2020", recent.len());
    let seen = processes.system_log.value().map(|_| false);
    let holds = if recent.is_empty() { seen } else { Some(true) };
    if let Some(problem) = judge.rule(Verdict::Warning, "pool-exhausted", compared, holds) {
        for sign in &recent {
            problem.because(describe(sign));
            problem.exhibits(describe(sign), std::slice::from_ref(&sign.evidence));
        }
        if let Some(newest) = recent.iter().max_by_key(|sign| sign.record_id) {
            problem
                .headline(format!("{}: leaked handles lead there", describe(newest)))
                .confidence(Confidence::Medium)
                .remedy(super::remedies::pool());
        }
    }
}

/// The newest of each other kind, and pools that ran out long ago.
fn notes(judge: &mut Judge, cx: &Context<'_>) {
    for kind in [
        Kind::NonpagedPool,
        Kind::PagedPool,
        Kind::MemoryLeak,
        Kind::DesktopHeap,
        Kind::Quota,
    ] {
        let is_pool = matches!(kind, Kind::NonpagedPool | Kind::PagedPool);
        let newest = cx
            .snapshot
            .processes
            .signs
            .iter()
            .filter(|sign| sign.kind == kind)
            .max_by_key(|sign| sign.record_id);
        if let Some(sign) = newest.filter(|sign| !(is_pool && is_recent(cx, sign.time))) {
            judge.note(describe(sign));
            judge.exhibit_evidence(describe(sign), std::slice::from_ref(&sign.evidence));
        }
    }
}
