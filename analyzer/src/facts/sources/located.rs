//! Where each item of the bundle's table is, or why it is not there.

use std::collections::BTreeMap;

use snapdiag_bundle::{Content, Item, ItemRow, State, items};

use super::counter_log;
use super::intake::Intake;
use super::registry::Missing;
use crate::facts::inventory::Kind;

/// Where each item is: by the manifest in a bundle, by what was recognised elsewhere.
pub(super) fn items_of(intake: &Intake) -> BTreeMap<&'static str, Result<String, Missing>> {
    let bundle = &intake.container.0;
    let Some(manifest) = bundle.manifest() else {
        let mut found = BTreeMap::new();
        for file in intake.files.iter().filter(|file| file.aside.is_none()) {
            if let Some(item) = file.item {
                found.entry(item).or_insert_with(|| Ok(file.name.clone()));
            }
        }
        return found;
    };
    let mut found = BTreeMap::new();
    for item in items::ITEMS {
        let source = match manifest.row(item.id) {
            Some(row) => resolve(row, item).and_then(|name| entry(intake, &name)),
            None => Err(Missing::NotCollected(format!(
                "the manifest has no row for {}",
                item.id
            ))),
        };
        found.insert(item.id, source);
    }
    found
}

fn entry(intake: &Intake, name: &str) -> Result<String, Missing> {
    match intake.container.0.entry(name) {
        Some(entry) => Ok(entry.name().to_owned()),
        None => Err(Missing::Unreadable(format!(
            "the manifest lists {name}, and it is not in the bundle"
        ))),
    }
}

/// Where a bundle has no record of counters, a counter log that was put into it takes its place.
pub(super) fn stand_in(
    intake: &Intake,
    items: &mut BTreeMap<&'static str, Result<String, Missing>>,
) {
    let log = intake
        .files
        .iter()
        .find(|file| file.kind == Kind::CounterLog && file.aside.is_none());
    if let (Some(log), Some(Err(_))) = (log, items.get(counter_log::ITEM)) {
        items.insert(counter_log::ITEM, Ok(log.name.clone()));
    }
}

/// What follows from a row of the manifest: the artifact to read, or why there is none.
fn resolve(row: &ItemRow, item: &Item) -> Result<String, Missing> {
    let because = || {
        let why = match (&row.error, &row.reason) {
            (Some(error), _) => format!(" ({error})"),
            (None, Some(reason)) => format!(" ({reason})"),
            (None, None) => String::new(),
        };
        format!("{}{why}", row.state)
    };
    match (row.state, row.artifacts.first()) {
        (State::Ok | State::Truncated, Some(artifact)) => Ok(artifact.name.clone()),
        (State::Empty, Some(artifact)) if item.may_be_empty => Ok(artifact.name.clone()),
        (State::Empty, None) if item.may_be_empty => Err(Missing::Absent),
        (State::Ok | State::Truncated, None) => Err(Missing::Unreadable(
            "the manifest says it was collected and names no artifact".to_owned(),
        )),
        (State::Empty, _) => Err(Missing::Unreadable("it came out empty".to_owned())),
        // Every Windows has its hives: without one, nothing is known of any value in it.
        (State::Absent, _) if item.content != Content::Hive => Err(Missing::Absent),
        _ => Err(Missing::NotCollected(because())),
    }
}
