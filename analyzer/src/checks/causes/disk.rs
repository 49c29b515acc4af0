//! A disk does not say what was running.

use std::collections::BTreeSet;

use snapdiag_bundle::items::{Content, ITEMS, Item};

use super::{Cause, Origin, View};
use crate::checks::check::Decision;
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
        let items = live_items(view, decision);
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

/// The items that only a running machine gives, among those that a check asks for by their ids to
/// settle what is open.
fn live_items(view: &View<'_>, decision: &Decision) -> Vec<&'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let words = |text: &'_ String, id: &str| text.split(|c| !is_part(c)).any(|word| word == id);
    let inventory = &view.snapshot().inventory;
    ITEMS
        .iter()
        .filter(|item| is_live(item) && !inventory.items.contains_key(item.id))
        .map(|item| item.id)
        .filter(|id| decision.missing.iter().any(|text| words(text, id)))
        .collect()
}

/// Hives and logs stand on the disk; the rest the collector asks a running Windows for.
fn is_live(item: &Item) -> bool {
    match item.content {
        Content::Hive | Content::EventLog(_) => false,
        Content::Json(_) | Content::Text => true,
    }
}
