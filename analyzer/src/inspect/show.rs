//! What stands at a locator.

use serde_json::Value;

use super::events::{self, Selected};
use super::place;
use super::registry::{self, KeyShown, ValueShown};
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;

/// What stands at a locator.
#[derive(Debug)]
pub enum Shown {
    /// A registry key with its values and the names of its subkeys.
    Key(KeyShown),
    /// A registry value.
    Value(ValueShown),
    /// Event records.
    Events(Selected),
    /// A JSON value: part of a structured item, a counter's series, a row of the manifest.
    Json(Value),
    /// One line of a text.
    Line(String),
    /// A whole text.
    Text(String),
}

/// Why nothing is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// Nothing stands there; the text says what comes nearest.
    #[error("{0}")]
    NotFound(String),
    /// What stands there cannot be read.
    #[error("{0}")]
    Unreadable(String),
}

/// Looks a locator up.
///
/// # Errors
/// When nothing stands there, or it cannot be read.
pub fn show(sources: &Sources, locator: &Locator) -> Result<Shown, ShowError> {
    match locator {
        Locator::Registry(place) => registry::look_up(sources, place),
        Locator::Events(query) => events::select(sources, query).map(Shown::Events),
        Locator::Json { entry, pointer } => place::json(sources, entry, pointer),
        Locator::Text { entry, line } => place::text(sources, entry, *line),
        Locator::Counter(path) => place::counter(sources, path),
        Locator::Manifest(item) => place::manifest_row(sources, item),
        Locator::Option(name) => Err(ShowError::NotFound(format!(
            "{name} was given on the command line; it stands nowhere in the snapshot"
        ))),
    }
}
