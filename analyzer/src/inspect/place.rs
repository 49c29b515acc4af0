//! Places in JSON and text artifacts, counters, rows of the manifest.

use serde::Serialize;
use serde_json::Value;
use snapdiag_bundle::manifest::MANIFEST_NAME;

use super::show::{ShowError, Shown};
use super::{LARGEST, entry_name};
use crate::facts::counters::library;
use crate::facts::sources::Sources;
use crate::facts::sources::container::Container;

/// A place in a JSON artifact.
pub(super) fn json(sources: &Sources, entry: &str, pointer: &str) -> Result<Shown, ShowError> {
    let document = document(sources, entry)?;
    match document.pointer(pointer) {
        Some(value) => Ok(Shown::Json(value.clone())),
        None => Err(ShowError::NotFound(nearest(&document, entry, pointer))),
    }
}

/// A manifest that was rebuilt from the journal is no entry and can be shown all the same.
fn document(sources: &Sources, entry: &str) -> Result<Value, ShowError> {
    let rebuilt = sources
        .container()
        .is_some_and(|container| container.0.is_interrupted());
    if let Some(manifest) = sources
        .manifest()
        .filter(|_| rebuilt && entry == MANIFEST_NAME)
    {
        return to_json(manifest);
    }
    let bytes = read(sources, entry)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ShowError::Unreadable(format!("{entry} is no JSON: {error}")))
}

fn to_json(value: &impl Serialize) -> Result<Value, ShowError> {
    serde_json::to_value(value).map_err(|error| ShowError::Unreadable(error.to_string()))
}

fn read(sources: &Sources, entry: &str) -> Result<Vec<u8>, ShowError> {
    let Some((container, name)) = find(sources, entry) else {
        let names: Vec<&str> = sources
            .inventory()
            .artifacts
            .iter()
            .map(|artifact| artifact.path.as_str())
            .filter(|path| path.rsplit('/').next() == entry.rsplit('/').next())
            .collect();
        let hint = match names.as_slice() {
            [] => "`snapdiag verify` lists the files".to_owned(),
            names => format!("there is {}", names.join(", ")),
        };
        return Err(ShowError::NotFound(format!("no file {entry}; {hint}")));
    };
    container
        .read(name, LARGEST)
        .map_err(|problem| ShowError::Unreadable(format!("{entry}: {problem}")))
}

fn find<'a>(sources: &'a Sources, entry: &str) -> Option<(&'a Container, &'a str)> {
    let container = sources.container()?;
    Some((container, entry_name(container, entry)?))
}

/// How far the pointer goes, and what is there.
fn nearest(document: &Value, entry: &str, pointer: &str) -> String {
    let mut parent = pointer;
    let value = loop {
        parent = parent.rsplit_once('/').map_or("", |(parent, _)| parent);
        match document.pointer(parent) {
            Some(value) => break value,
            None if parent.is_empty() => break document,
            None => {}
        }
    };
    let holds = match value {
        Value::Object(map) => {
            let names: Vec<&str> = map.keys().map(String::as_str).take(20).collect();
            format!("an object with {}", names.join(", "))
        }
        Value::Array(list) => format!("a list of {}", list.len()),
        _ => "a single value".to_owned(),
    };
    format!("nothing at {pointer}; the nearest is json:{entry}#{parent}, {holds}")
}

/// A text, or one line of it.
pub(super) fn text(sources: &Sources, entry: &str, line: Option<u32>) -> Result<Shown, ShowError> {
    let text = sources.decode(entry, &read(sources, entry)?);
    let Some(line) = line else {
        return Ok(Shown::Text(text));
    };
    let index = usize::try_from(line)
        .ok()
        .and_then(|line| line.checked_sub(1));
    match index.and_then(|index| text.lines().nth(index)) {
        Some(found) => Ok(Shown::Line(found.to_owned())),
        None => Err(ShowError::NotFound(format!(
            "no line {line} in {entry}, which has {}",
            text.lines().count()
        ))),
    }
}

/// A counter's series, by its path without regard to case.
pub(super) fn counter(sources: &Sources, path: &str) -> Result<Shown, ShowError> {
    let fact = library(sources);
    let Some(counters) = fact.value() else {
        let why = fact
            .why_unsettled()
            .unwrap_or_else(|| "there are none".to_owned());
        return Err(ShowError::NotFound(format!("no counters: {why}")));
    };
    let lower = path.to_lowercase();
    if let Some(series) = counters
        .series
        .iter()
        .find(|series| series.path.to_lowercase() == lower)
    {
        return to_json(series).map(Shown::Json);
    }
    let object = lower
        .split(['(', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    let near: Vec<&str> = counters
        .series
        .iter()
        .map(|series| series.path.as_str())
        .filter(|known| known.to_lowercase().contains(object))
        .take(12)
        .collect();
    let near = match near.as_slice() {
        [] => format!("{} others were collected", counters.series.len()),
        near => format!("there is {}", near.join(", ")),
    };
    Err(ShowError::NotFound(format!("no counter {path}; {near}")))
}

/// A row of the manifest.
pub(super) fn manifest_row(sources: &Sources, item: &str) -> Result<Shown, ShowError> {
    let Some(manifest) = sources.manifest() else {
        return Err(ShowError::NotFound(
            "there is no manifest: this is no bundle of the collector".to_owned(),
        ));
    };
    if let Some(row) = manifest.row(item) {
        return to_json(row).map(Shown::Json);
    }
    let items: Vec<&str> = manifest.items.iter().map(|row| row.item.as_str()).collect();
    Err(ShowError::NotFound(format!(
        "no item {item}; the manifest has {}",
        items.join(", ")
    )))
}
