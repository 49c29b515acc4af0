//! Compares a bundle with its manifest.

use std::collections::BTreeSet;

use super::bundle::Bundle;
use super::error::ReadError;
use crate::manifest::{ArtifactRow, JOURNAL_FOLDER, MANIFEST_NAME, PLAN_NAME};
use crate::name::folded;

/// An artifact against its row.
#[derive(Debug)]
pub enum HashState {
    /// Size and hash are those of the manifest.
    Right,
    /// Size or hash differ.
    Wrong {
        /// Bytes found.
        size_bytes: u64,
        /// SHA-256 found, lower-case hex.
        sha256: String,
    },
    /// The manifest has no hash; the size is right.
    NotRecorded,
    /// The bundle has no such entry.
    Missing,
    /// The entry cannot be read whole.
    Unreadable(ReadError),
}

/// One artifact of one row.
#[derive(Debug)]
pub struct ArtifactCheck {
    /// Item id.
    pub item: String,
    /// Entry name as the manifest has it.
    pub name: String,
    /// What came of the comparison.
    pub state: HashState,
}

/// A bundle against its manifest.
#[derive(Debug, Default)]
pub struct Verification {
    /// Every artifact of every row, in the order of the manifest.
    pub artifacts: Vec<ArtifactCheck>,
    /// Entries that no row has, sorted. In an interrupted bundle these belong to the item at which
    /// it stopped.
    pub unlisted: Vec<String>,
}

impl Verification {
    /// Whether every artifact is there and nothing is known to be wrong with it.
    pub fn is_sound(&self) -> bool {
        self.artifacts
            .iter()
            .all(|a| matches!(a.state, HashState::Right | HashState::NotRecorded))
    }
}

impl Bundle {
    /// Hashes an artifact and compares it with its row.
    pub fn verify_artifact(&self, row: &ArtifactRow) -> HashState {
        let Some(entry) = self.entry(&row.name) else {
            return HashState::Missing;
        };
        match self.archive().sha256(entry) {
            Err(error) => HashState::Unreadable(error),
            Ok((size_bytes, sha256)) => {
                let same = |expected: &String| expected.eq_ignore_ascii_case(&sha256);
                if size_bytes != row.size_bytes || !row.sha256.as_ref().is_none_or(same) {
                    HashState::Wrong { size_bytes, sha256 }
                } else if row.sha256.is_none() {
                    HashState::NotRecorded
                } else {
                    HashState::Right
                }
            }
        }
    }

    /// Compares everything with the manifest. Without one every entry is unlisted.
    pub fn verify(&self) -> Verification {
        let mut verification = Verification::default();
        let mut listed = BTreeSet::new();
        for row in self.manifest().into_iter().flat_map(|m| &m.items) {
            for artifact in &row.artifacts {
                listed.insert(folded(&artifact.name));
                verification.artifacts.push(ArtifactCheck {
                    item: row.item.clone(),
                    name: artifact.name.clone(),
                    state: self.verify_artifact(artifact),
                });
            }
        }
        for entry in self.archive().entries() {
            let name = entry
                .name()
                .strip_prefix(self.prefix())
                .unwrap_or(entry.name());
            let own = self.is_bundle()
                && (name == PLAN_NAME || name == MANIFEST_NAME || name.starts_with(JOURNAL_FOLDER));
            if !own && !listed.contains(&folded(name)) {
                verification.unlisted.push(entry.name().to_owned());
            }
        }
        verification
    }
}
