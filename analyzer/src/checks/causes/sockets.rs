//! Sockets that a program never closes are handles that it leaks.

use std::collections::BTreeMap;

use super::{Cause, Origin, View};
use crate::facts::processes::Process;

/// `MIB_TCP_STATE`.
const CLOSE_WAIT: u32 = 8;
/// A socket is one handle, and mostly an event and a wait stand beside it: when one handle in
/// four is a socket in `CLOSE_WAIT`, sockets are what leaks. Ours.
const SHARE: u64 = 4;

pub(super) fn leak(view: &View<'_>) -> Option<Cause> {
    let waits = view.holds("tcp-wait-states", &["sockets-not-closed", "close-wait"]);
    let grows = [
        "huge-process",
        "growing-process",
        "large-process",
        "slow-growth",
    ];
    if !waits || !view.holds("handle-leak", &grows) {
        return None;
    }
    let (process, count) = holder(view)?;
    let because = format!(
        "every socket is a handle: {} holds {count} connections in CLOSE_WAIT, so that what leaks are the sockets it does not close",
        process.label()
    );
    let cause = Origin::check("tcp-wait-states");
    let mut cause = Cause::of(cause, vec!["handle-leak"], because)?;
    if let Some(row) = process.evidence.first() {
        let held = process.handles.unwrap_or_default();
        let says = format!("{} holds {held} handles", process.label());
        cause = cause.resting_on(says, row);
    }
    Some(cause)
}

/// The process with most connections in `CLOSE_WAIT`, where `handle-leak` names it and sockets
/// make up enough of its handles.
fn holder<'a>(view: &View<'a>) -> Option<(&'a Process, u64)> {
    let snapshot = view.snapshot();
    let sample = snapshot.sockets.tcp.value()?.samples.last()?;
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for row in &sample.rows {
        if let (Some(CLOSE_WAIT), Some(pid)) = (row.state, row.pid) {
            *counts.entry(pid).or_default() += 1;
        }
    }
    // Of equal ones the lowest process id.
    let (pid, count) = counts
        .into_iter()
        .max_by_key(|(pid, count)| (*count, std::cmp::Reverse(*pid)))?;
    let processes = &snapshot.processes.table.value()?.top;
    let process = processes.iter().find(|process| process.pid == pid)?;
    let leak = view.decision("handle-leak")?;
    // Its evidence shows processes that leak nothing, too: what it says of one begins with it.
    let label = process.label();
    let mut said = std::iter::once(&leak.headline).chain(&leak.reasons);
    let named = said.any(|text| text.starts_with(&label));
    (named && count.saturating_mul(SHARE) >= process.handles?).then_some((process, count))
}
