//! Event records by their locator.

use rayon::prelude::*;

use super::show::ShowError;
use super::used;
use crate::facts::inventory::Kind;
use crate::facts::locator::EventQuery;
use crate::facts::sources::Sources;
use crate::facts::sources::container::Container;
use crate::facts::sources::logs;
use crate::formats::evtx::{Filter, Row, Select};

/// The most records that are rendered in one answer; the newest ones.
pub const MOST: usize = 1_000_000;

/// The records of an answer.
#[derive(Debug, Default)]
pub struct Selected {
    /// The records, by channel and record id.
    pub rows: Vec<Row>,
    /// How many there are; more than `rows` when only a count was asked for, or [`MOST`] was
    /// reached.
    pub count: u64,
}

/// Selects records from the logs that facts come from.
///
/// # Errors
/// When no record matches; the message says which channels there are.
pub fn select(sources: &Sources, query: &EventQuery) -> Result<Selected, ShowError> {
    let limit = query.last.map_or(MOST, |last| {
        usize::try_from(last).map_or(MOST, |last| last.min(MOST))
    });
    selected(sources, query, limit)
}

/// As [`select`], without rendering a record: none at all is a count, too, where the channel was
/// read.
///
/// # Errors
/// When there is no such channel, or a log cannot be read.
pub fn count(sources: &Sources, query: &EventQuery) -> Result<u64, ShowError> {
    match selected(sources, query, 0) {
        Ok(selected) => Ok(selected.count),
        Err(ShowError::NotFound(_)) if sources.inventory().channel(&query.channel).is_some() => {
            Ok(0)
        }
        Err(error) => Err(error),
    }
}

fn selected(sources: &Sources, query: &EventQuery, limit: usize) -> Result<Selected, ShowError> {
    let filter = filter(query);
    let logs: Vec<&str> = used(sources, Kind::EventLog).collect();
    let Some(container) = sources.container().filter(|_| !logs.is_empty()) else {
        return Err(ShowError::NotFound(
            "no event log is in the snapshot".to_owned(),
        ));
    };
    let outcomes: Vec<Result<Selected, String>> = logs
        .par_iter()
        .map(|log| select_in(container, log, &filter, limit))
        .collect();
    let mut all = Selected::default();
    let mut unreadable = Vec::new();
    for (log, outcome) in logs.iter().zip(outcomes) {
        match outcome {
            Ok(selected) => {
                all.count += selected.count;
                all.rows.extend(selected.rows);
            }
            Err(why) => unreadable.push(format!("{log}: {why}")),
        }
    }
    if all.count == 0 {
        return Err(nothing(sources, query, &unreadable));
    }
    keep_newest(&mut all.rows, limit);
    all.rows
        .sort_by(|a, b| (&a.channel, a.record_id).cmp(&(&b.channel, b.record_id)));
    all.count = query.last.map_or(all.count, |last| all.count.min(last));
    Ok(all)
}

/// Each log gave its newest records: of all of them, the newest by time.
fn keep_newest(rows: &mut Vec<Row>, limit: usize) {
    let excess = rows.len().saturating_sub(limit);
    if excess > 0 {
        rows.sort_by(|a, b| {
            (a.time, &a.channel, a.record_id).cmp(&(b.time, &b.channel, b.record_id))
        });
        rows.drain(..excess);
    }
}

fn select_in(
    container: &Container,
    name: &str,
    filter: &Filter,
    limit: usize,
) -> Result<Selected, String> {
    let (outcome, _) = logs::fold(container, name, || Select::new(filter, limit))?;
    Ok(Selected {
        count: outcome.fold.matched(),
        rows: outcome.fold.into_rows().collect(),
    })
}

/// A locator's `before` excludes its time, the filter's includes it; times have 100 ns.
fn filter(query: &EventQuery) -> Filter {
    Filter {
        channel: (query.channel != "*").then(|| query.channel.clone()),
        provider: query.provider.clone(),
        event_ids: query.ids.clone(),
        record_id: query.record,
        after: query.after,
        before: query
            .before
            .and_then(|before| before.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()),
    }
}

fn nothing(sources: &Sources, query: &EventQuery, unreadable: &[String]) -> ShowError {
    if !unreadable.is_empty() {
        return ShowError::Unreadable(unreadable.join("; "));
    }
    let inventory = sources.inventory();
    if let Some(channel) = inventory.channel(&query.channel) {
        return ShowError::NotFound(format!(
            "none of the {} records of {} matches",
            channel.records, channel.name
        ));
    }
    let aside = inventory
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == Kind::EventLog);
    let aside = aside.count().saturating_sub(inventory.channels.len());
    let aside = match aside {
        0 => String::new(),
        aside => format!("; {aside} event logs are set aside: open one by its own path"),
    };
    let names: Vec<&str> = inventory
        .channels
        .iter()
        .map(|channel| channel.name.as_str())
        .collect();
    ShowError::NotFound(format!(
        "no record matches {query}; there are the channels {}{aside}",
        names.join(", ")
    ))
}
