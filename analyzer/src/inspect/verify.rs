//! Whether everything is there, whole, and what the manifest says it is.

use rayon::prelude::*;
use serde::Serialize;
use snapdiag_bundle::{ArtifactRow, Bundle, State};

use super::Source;
use super::census::{self, Counted};
use crate::facts::inventory::{Artifact, ArtifactState, Kind};
use crate::facts::sources::Sources;
use crate::facts::sources::container::Container;

/// What verifying a snapshot gave.
#[derive(Debug, Serialize)]
pub struct Verification {
    /// Version of this structure.
    pub schema_version: u32,
    /// What was verified.
    pub source: Source,
    /// Whether nothing is wrong: no hash differs, nothing is missing or damaged.
    pub sound: bool,
    /// Whether it is a bundle of the collector, with a manifest.
    pub bundle: bool,
    /// Whether the collector was interrupted, or the bundle cut off.
    pub interrupted: bool,
    /// How many files there are of each kind of result.
    pub counts: Counts,
    /// Every file, and every artifact of the manifest that is not there.
    pub artifacts: Vec<Verified>,
    /// The items that did not end as `ok`.
    pub items: Vec<ItemEnd>,
    /// What is wrong with the container, and what else is worth knowing.
    pub notes: Vec<String>,
}

/// How many files there are of each kind of result.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Files in all.
    pub files: usize,
    /// Files whose hash is that of the manifest.
    pub right: usize,
    /// Files whose hash or size is not that of the manifest.
    pub wrong: usize,
    /// Files for which the manifest has no hash, or which it does not list.
    pub without_hash: usize,
    /// Artifacts of the manifest that are not there.
    pub missing: usize,
    /// Files that are damaged or cannot be read.
    pub damaged: usize,
    /// Files that were not recognised.
    pub unrecognised: usize,
}

/// A file and what is known of it.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// Its name in the snapshot.
    pub path: String,
    /// What it was recognised as.
    pub kind: Kind,
    /// The item it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What became of it.
    pub state: ArtifactState,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// SHA-256 of its content; `null` where it cannot be read to its end.
    pub sha256: Option<String>,
    /// Against the manifest.
    pub hash: Hash,
    /// Why it is in that state, or what is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What was counted in it.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
}

/// A file against the manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hash {
    /// Size and hash are those of the manifest.
    Right,
    /// Size or hash differ.
    Wrong,
    /// The manifest lists it without a hash, and the size is right.
    NotRecorded,
    /// The manifest does not list it, or there is no manifest.
    NotListed,
    /// The manifest lists it, and it is not there.
    Missing,
    /// It cannot be read to its end.
    Unreadable,
}

/// An item that did not end as `ok`.
#[derive(Debug, Serialize)]
pub struct ItemEnd {
    /// Its id.
    pub item: String,
    /// How it ended.
    pub state: State,
    /// Why.
    pub reason: Option<String>,
}

impl Verified {
    /// Whether something is wrong with it.
    pub fn is_wrong(&self) -> bool {
        self.is_damaged() || matches!(self.hash, Hash::Wrong | Hash::Missing)
    }

    fn is_damaged(&self) -> bool {
        self.hash == Hash::Unreadable
            || matches!(
                self.state,
                ArtifactState::Damaged | ArtifactState::Unreadable
            ) && self.hash != Hash::Missing
            || self
                .counted
                .as_ref()
                .is_some_and(|counted| !counted.damage().is_empty())
    }
}

/// Verifies an opened snapshot. `deep` also decodes and counts everything in it.
pub fn verify(sources: &Sources, source: Source, deep: bool) -> Verification {
    let inventory = sources.inventory();
    let mut artifacts: Vec<Verified> = match sources.container() {
        Some(container) => inventory
            .artifacts
            .par_iter()
            .map(|artifact| verify_one(container, artifact, deep))
            .collect(),
        None => Vec::new(),
    };
    let bundle = sources.container().map(|container| &container.0);
    artifacts.extend(bundle.into_iter().flat_map(missing));
    let counts = Counts::of(&artifacts);
    let container_damage = bundle.map_or(0, |bundle| bundle.archive().damage().len());
    let interrupted = bundle.is_some_and(Bundle::is_interrupted);
    Verification {
        schema_version: 1,
        source,
        sound: !artifacts.iter().any(Verified::is_wrong) && container_damage == 0 && !interrupted,
        bundle: bundle.is_some_and(Bundle::is_bundle),
        interrupted,
        counts,
        artifacts,
        items: bundle.into_iter().flat_map(ends).collect(),
        notes: inventory.notes.clone(),
    }
}

fn verify_one(container: &Container, artifact: &Artifact, deep: bool) -> Verified {
    let bundle = &container.0;
    let name = artifact
        .path
        .strip_prefix(bundle.prefix())
        .unwrap_or(&artifact.path);
    let row = bundle
        .manifest()
        .and_then(|manifest| manifest.artifact(name))
        .map(|(_, row)| row);
    let hashed = bundle
        .archive()
        .entry(&artifact.path)
        .map(|entry| bundle.archive().sha256(entry));
    let mut notes = artifact.notes.clone();
    let (sha256, hash) = match hashed {
        None => (None, Hash::Missing),
        Some(Err(error)) => {
            notes.push(error.to_string());
            (None, Hash::Unreadable)
        }
        Some(Ok((size, sha256))) => {
            let hash = row.map_or(Hash::NotListed, |row| compare(row, size, &sha256));
            (Some(sha256), hash)
        }
    };
    Verified {
        path: artifact.path.clone(),
        kind: artifact.kind,
        item: artifact.item.clone(),
        state: artifact.state,
        size_bytes: artifact.size_bytes,
        sha256,
        hash,
        notes,
        counted: if deep {
            census::count(container, artifact)
        } else {
            None
        },
    }
}

fn compare(row: &ArtifactRow, size: u64, sha256: &str) -> Hash {
    match &row.sha256 {
        _ if row.size_bytes != size => Hash::Wrong,
        Some(expected) if !expected.eq_ignore_ascii_case(sha256) => Hash::Wrong,
        Some(_) => Hash::Right,
        None => Hash::NotRecorded,
    }
}

/// The artifacts of the manifest that are not there.
fn missing(bundle: &Bundle) -> Vec<Verified> {
    let rows = bundle
        .manifest()
        .into_iter()
        .flat_map(|manifest| &manifest.items);
    let artifacts = rows.flat_map(|row| row.artifacts.iter().map(move |artifact| (row, artifact)));
    artifacts
        .filter(|(_, artifact)| bundle.entry(&artifact.name).is_none())
        .map(|(row, artifact)| Verified {
            path: artifact.name.clone(),
            kind: Kind::Unrecognised,
            item: Some(row.item.clone()),
            state: ArtifactState::Unreadable,
            size_bytes: artifact.size_bytes,
            sha256: None,
            hash: Hash::Missing,
            notes: vec!["the manifest lists it, and it is not there".to_owned()],
            counted: None,
        })
        .collect()
}

fn ends(bundle: &Bundle) -> Vec<ItemEnd> {
    bundle
        .manifest()
        .into_iter()
        .flat_map(|manifest| &manifest.items)
        .filter(|row| row.state != State::Ok)
        .map(|row| ItemEnd {
            item: row.item.clone(),
            state: row.state,
            reason: row
                .reason
                .clone()
                .or_else(|| row.error.as_ref().map(ToString::to_string)),
        })
        .collect()
}

impl Counts {
    fn of(artifacts: &[Verified]) -> Self {
        let count = |is: &dyn Fn(&Verified) -> bool| artifacts.iter().filter(|a| is(a)).count();
        let missing = count(&|a| a.hash == Hash::Missing);
        Self {
            files: artifacts.len() - missing,
            right: count(&|a| a.hash == Hash::Right),
            wrong: count(&|a| a.hash == Hash::Wrong),
            without_hash: count(&|a| matches!(a.hash, Hash::NotRecorded | Hash::NotListed)),
            missing,
            damaged: count(&Verified::is_damaged),
            unrecognised: count(&|a| {
                a.state == ArtifactState::Unrecognised && a.hash != Hash::Missing
            }),
        }
    }
}
