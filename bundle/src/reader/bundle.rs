//! An archive in the layout of a bundle.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::archive::{Archive, Entry};
use super::error::{OpenError, ReadError};
use super::limits::Limits;
use crate::items;
use crate::manifest::{
    FORMAT, FORMAT_VERSION, FormatVersion, ItemRow, JOURNAL_FOLDER, MANIFEST_NAME, Manifest,
    PLAN_NAME, Plan, State,
};
use crate::writer::skip_the_rest;

/// Largest JSON record that is parsed, bytes: a full TCP table has about 10 MB.
const RECORD_BYTES: u64 = 256 * 1024 * 1024;

/// Largest plan, manifest or journal row that is parsed, bytes.
const ROW_BYTES: u64 = 8 * 1024 * 1024;

/// An archive with its plan and manifest, if it has them: any zip or folder of Windows artifacts
/// may be opened so.
#[derive(Debug)]
pub struct Bundle {
    archive: Archive,
    prefix: String,
    plan: Option<Plan>,
    manifest: Option<Manifest>,
    interrupted: bool,
    notes: Vec<String>,
}

/// A JSON record that cannot be had.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The bundle has no such entry.
    #[error("{0} is not in the bundle")]
    Missing(String),
    /// It cannot be read whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not what it should be.
    #[error("{name}: {error}")]
    Json {
        /// Entry name.
        name: String,
        /// What serde says, with line and column.
        error: serde_json::Error,
    },
}

/// What every version of plan and manifest has.
#[derive(Deserialize)]
struct Head {
    format: String,
    format_version: FormatVersion,
}

impl Bundle {
    /// Opens a zip or a folder.
    ///
    /// # Errors
    /// If it cannot be read, is neither, or is a bundle of a newer major version.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, OpenError> {
        Self::from_archive(Archive::open(path, limits)?)
    }

    /// Looks for plan, manifest and journal in an archive. Without a whole manifest it is rebuilt
    /// from plan and journal.
    ///
    /// # Errors
    /// If it is a bundle of a newer major version.
    pub fn from_archive(archive: Archive) -> Result<Self, OpenError> {
        let mut bundle = Self {
            prefix: prefix(&archive),
            archive,
            plan: None,
            manifest: None,
            interrupted: false,
            notes: Vec::new(),
        };
        bundle.plan = bundle.load(PLAN_NAME)?;
        bundle.manifest = bundle.load(MANIFEST_NAME)?;
        if bundle.manifest.is_none() {
            bundle.manifest = bundle.rebuild();
            bundle.interrupted = bundle.manifest.is_some();
        }
        Ok(bundle)
    }

    /// The archive below.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Whether it is a bundle, and not just any archive.
    pub fn is_bundle(&self) -> bool {
        self.manifest.is_some()
    }

    /// What was asked for.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// What came of it, as written or as rebuilt.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// The collector was interrupted, or the bundle was cut off: the manifest is rebuilt.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Plans, manifests and journal rows that could not be read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The folder inside the archive that is the bundle, with a slash at its end; mostly empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The entry with a name from the manifest or the item table.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        if self.prefix.is_empty() {
            self.archive.entry(name)
        } else {
            self.archive.entry(&format!("{}{name}", self.prefix))
        }
    }

    /// The manifest row of an item.
    pub fn row(&self, item: &str) -> Option<&ItemRow> {
        self.manifest.as_ref()?.row(item)
    }

    /// Reads a JSON entry.
    ///
    /// # Errors
    /// If it is missing, damaged or not a record of this type.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, RecordError> {
        self.json_up_to(name, RECORD_BYTES)
    }

    fn json_up_to<T: DeserializeOwned>(&self, name: &str, limit: u64) -> Result<T, RecordError> {
        let entry = self
            .entry(name)
            .ok_or_else(|| RecordError::Missing(name.to_owned()))?;
        let bytes = self.archive.read_up_to(entry, limit)?;
        serde_json::from_slice(&bytes).map_err(|error| RecordError::Json {
            name: name.to_owned(),
            error,
        })
    }

    /// Loads the plan or the manifest, if this is one of ours.
    fn load<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, OpenError> {
        if self.entry(name).is_none() {
            return Ok(None);
        }
        let head: Head = match self.json_up_to(name, ROW_BYTES) {
            Ok(head) => head,
            Err(error) => {
                self.notes.push(error.to_string());
                return Ok(None);
            }
        };
        if head.format != FORMAT {
            self.notes.push(format!("{name}: not of format {FORMAT}"));
            return Ok(None);
        }
        if head.format_version.major > FORMAT_VERSION.major {
            return Err(OpenError::NewerFormat {
                found: head.format_version,
                supported: FORMAT_VERSION,
            });
        }
        match self.json_up_to(name, ROW_BYTES) {
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                self.notes.push(error.to_string());
                Ok(None)
            }
        }
    }

    /// The manifest from plan and journal. Without a plan nothing is known of the machine.
    fn rebuild(&mut self) -> Option<Manifest> {
        let plan = self.plan.as_ref()?;
        let mut manifest = Manifest {
            format: plan.format.clone(),
            format_version: plan.format_version,
            collector: plan.collector.clone(),
            capture: plan.capture.clone(),
            items: Vec::new(),
            cost: None,
        };
        let folder = format!("{}{JOURNAL_FOLDER}", self.prefix);
        let mut notes = Vec::new();
        for entry in self.archive.entries() {
            let Some(rest) = entry.name().strip_prefix(&folder) else {
                continue;
            };
            let name = format!("{JOURNAL_FOLDER}{rest}");
            match self.json_up_to::<ItemRow>(&name, ROW_BYTES) {
                Ok(row) if manifest.row(&row.item).is_some() => {
                    notes.push(format!("{name}: second row of item {}", row.item));
                }
                Ok(row) => manifest.items.push(row),
                Err(error) => notes.push(error.to_string()),
            }
        }
        self.add_torn_item(plan, &mut manifest);
        skip_the_rest(plan, &mut manifest, INTERRUPTED);
        self.notes.append(&mut notes);
        Some(manifest)
    }

    /// Artifacts without a row are of the item at which the collection stopped: it is skipped, and
    /// the reason says that something of it is there.
    fn add_torn_item(&self, plan: &Plan, manifest: &mut Manifest) {
        for item in plan.items.iter().filter_map(|id| items::by_id(id)) {
            let there = item.entries.iter().any(|name| self.entry(name).is_some());
            if there && manifest.row(item.id).is_none() {
                let mut row = ItemRow::new(item.id, State::Skipped);
                row.reason = Some(format!("{INTERRUPTED} in the middle of this item"));
                manifest.items.push(row);
            }
        }
    }
}

/// Reason of the items without an end.
const INTERRUPTED: &str = "interrupted";

/// Where in the archive the bundle is: at the top, or in the one folder at the top, as after
/// unpacking and packing again.
fn prefix(archive: &Archive) -> String {
    let marks = [PLAN_NAME, MANIFEST_NAME];
    if marks.iter().any(|mark| archive.entry(mark).is_some()) {
        return String::new();
    }
    let Some(top) = archive
        .entries()
        .first()
        .and_then(|entry| entry.name().split_once('/'))
        .map(|(top, _)| format!("{top}/"))
    else {
        return String::new();
    };
    let all = archive
        .entries()
        .iter()
        .all(|entry| entry.name().starts_with(&top));
    let marked = marks
        .iter()
        .any(|mark| archive.entry(&format!("{top}{mark}")).is_some());
    if all && marked { top } else { String::new() }
}
