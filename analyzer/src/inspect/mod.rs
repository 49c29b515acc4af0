//! Looking at an opened snapshot without judging it: single places by their locator, and whether
//! everything is there and whole.

pub mod census;
pub mod events;
pub mod place;
pub mod registry;
pub mod show;
mod source;
pub mod verify;

pub use source::Source;

use crate::facts::inventory::{ArtifactState, Kind};
use crate::facts::sources::Sources;
use crate::facts::sources::container::Container;

/// The largest JSON or text artifact that is read at once, in bytes.
const LARGEST: u64 = 256 << 20;

/// The names of the artifacts of a kind that facts come from.
fn used(sources: &Sources, kind: Kind) -> impl Iterator<Item = &str> {
    sources
        .inventory()
        .artifacts
        .iter()
        .filter(move |artifact| {
            artifact.kind == kind
                && matches!(artifact.state, ArtifactState::Used | ArtifactState::Damaged)
        })
        .map(|artifact| artifact.path.as_str())
}

/// The entry that a locator names, as spelled: below the bundle's own folder, or as it stands.
fn entry_name<'a>(container: &'a Container, name: &str) -> Option<&'a str> {
    container
        .0
        .entry(name)
        .map(snapdiag_bundle::Entry::name)
        .or_else(|| container.find(name))
}
