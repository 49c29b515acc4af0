//! A disk does not say what was running.

use std::collections::BTreeSet;

use snapdiag_bundle::items::{Content, ITEMS, Item};

use super::{Cause, Origin, View};
use crate::checks::check::{Decision, Demand};
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
        let items = live_items(view, id, decision);
        if decision.verdict == Verdict::Unknown && !items.is_empty() {
            open.push(*id);
            lacking.extend(items);
        }
    }
    // In a few words each, and no text of a program whose answer is there as a record, too.
    let added: Vec<&str> = ITEMS
        .iter()
        .filter(|item| lacking.contains(item.id) && matches!(item.content, Content::Json(_)))
        .filter_map(|item| item.about.split(',').next())
        .collect();
    let because = format!(
        "nothing on it tells what was running. A live capture would add: {}",
        added.join("; ")
    );
    let fact = Origin::Fact("the snapshot was taken from a disk".to_owned());
    Cause::of(fact, open, because)
}

/// The items that only a running machine gives, among those that a check asks for by their ids to
/// settle what is open. Where it asks for none of them and has all that it requires of a disk,
/// those that it can use.
fn live_items(view: &View<'_>, check: &str, decision: &Decision) -> Vec<&'static str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let asks_for = |text: &String, id: &str| text.split(|c| !is_part(c)).any(|word| word == id);
    let is_missing = |id: &str| !view.snapshot().inventory.items.contains_key(id);
    let live = || {
        ITEMS
            .iter()
            .filter(|item| is_live(item))
            .map(|item| item.id)
    };
    let named: Vec<&str> = live()
        .filter(|id| is_missing(id))
        .filter(|id| decision.missing.iter().any(|text| asks_for(text, id)))
        .collect();
    if !named.is_empty() {
        return named;
    }
    let inputs = table::find(check).map_or(&[][..], |check| check.inputs);
    let of_disk = |item: &str| live().all(|id| id != item);
    let lacks_disk = inputs.iter().any(|input| {
        input.demand == Demand::Required && of_disk(input.item) && is_missing(input.item)
    });
    if lacks_disk {
        return Vec::new();
    }
    let inputs = inputs.iter().map(|input| input.item);
    inputs
        .filter(|item| !of_disk(item) && is_missing(item))
        .collect()
}

/// Hives and logs stand on the disk; the rest the collector asks a running Windows for.
fn is_live(item: &Item) -> bool {
    match item.content {
        Content::Hive | Content::EventLog(_) => false,
        Content::Json(_) | Content::Text => true,
    }
}
