//! Places in JSON documents, as evidence.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::evidence::Evidence;
use super::fact::{Fact, State};
use super::locator::Locator;

/// The record read as its type. The untyped one is kept for evidence, which must be what stands
/// in the artifact, fields of later versions included.
pub(super) fn typed<T: DeserializeOwned>(record: &Fact<Value>) -> Fact<T> {
    let state = match record.carry() {
        Some(missing) => return missing,
        None => match record.value().map(T::deserialize) {
            Some(Ok(value)) => State::Known(value),
            Some(Err(error)) => State::Unreadable(error.to_string()),
            None => State::Absent,
        },
    };
    Fact::new(state, record.evidence.clone())
}

/// Evidence for a place in a document.
pub(super) fn at(document: &Evidence, pointer: String, raw: impl Into<Value>) -> Evidence {
    let mut evidence = document.clone();
    if let Locator::Json { pointer: place, .. } = &mut evidence.locator {
        *place = pointer;
    }
    evidence.raw = raw.into();
    evidence
}

/// The same fact without evidence where it is known: a table as one raw value helps nobody, and
/// its rows have evidence of their own.
pub(super) fn bare<T>(mut fact: Fact<T>) -> Fact<T> {
    if fact.value().is_some() {
        fact.evidence.clear();
    }
    fact
}

/// A value read from a record, with the place in the document that it stands at as its evidence.
pub(super) fn placed<T>(record: &Fact<Value>, pointer: &str, fact: Fact<T>) -> Fact<T> {
    let raw = record
        .value()
        .and_then(|document| document.pointer(pointer));
    let evidence = record.evidence.iter().map(|document| {
        at(
            document,
            pointer.to_owned(),
            raw.cloned().unwrap_or_default(),
        )
    });
    Fact::new(fact.state, evidence)
}
