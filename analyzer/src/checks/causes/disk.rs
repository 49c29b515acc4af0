//! A disk does not say what was running.

use std::collections::BTreeSet;

use snapdiag_bundle::items::{Content, ITEMS, Item};

use super::{Cause, Origin, View};
use crate::checks::table;
use crate::checks::verdict::Verdict;
use crate::facts::capture::CaptureKind;

/// Names what a live capture would add, where checks stay open for want of it.
pub(super) fn nothing_was_running(view: &View<'_>) -> Option<Cause> {
    if view.snapshot().capture.kind != CaptureKind::DiskOnly {
        return None;
    }
    let mut open = Vec::new();
    let mut lacking = BTreeSet::new();
    for (id, decision) in view.decisions {
        let items = live_items(view, id);
        if decision.verdict == Verdict::Unknown && !items.is_empty() {
            open.push(*id);
            lacking.extend(items);
        }
    }
    let added: Vec<&str> = ITEMS
        .iter()
        .filter(|item| lacking.contains(item.id))
        .map(|item| item.about)
        .collect();
    let because = format!(
        "nothing on it tells what was running. A live capture would add: {}",
        added.join("; ")
    );
    let fact = Origin::Fact("the snapshot was taken from a disk".to_owned());
    Cause::of(fact, open, because)
}

/// The items that a check can use, that only a running machine gives and that are missing.
fn live_items(view: &View<'_>, check: &str) -> Vec<&'static str> {
    let inventory = &view.snapshot().inventory;
    let inputs = table::find(check).map_or(&[][..], |check| check.inputs);
    inputs
        .iter()
        .map(|input| input.item)
        .filter(|id| !inventory.items.contains_key(*id))
        .filter(|id| ITEMS.iter().any(|item| item.id == *id && is_live(item)))
        .collect()
}

/// Hives and logs stand on the disk; the rest the collector asks a running Windows for.
fn is_live(item: &Item) -> bool {
    match item.content {
        Content::Hive | Content::EventLog(_) => false,
        Content::Json(_) | Content::Text => true,
    }
}
