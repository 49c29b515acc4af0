//! Artifacts that turn out to be unreadable when a fact asks for them: records and texts are read
//! then, not when the snapshot is opened.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::facts::inventory::{ArtifactState, Inventory};

/// Why artifacts could not be read, by their names.
#[derive(Default)]
pub(super) struct Unreadable(Mutex<BTreeMap<String, String>>);

impl Unreadable {
    /// Remembers why an artifact could not be read.
    pub(super) fn note(&self, artifact: &str, why: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(artifact.to_owned(), why.to_owned());
    }

    /// Tells the inventory what was remembered.
    pub(super) fn tell(&self, inventory: &mut Inventory) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for artifact in &mut inventory.artifacts {
            if let Some(why) = known.get(&artifact.path) {
                artifact.state = ArtifactState::Unreadable;
                if !artifact.notes.contains(why) {
                    artifact.notes.push(why.clone());
                }
            }
        }
    }
}
