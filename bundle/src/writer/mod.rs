//! Writes a bundle as a stream: the plan first, each item's artifacts followed by its row, the
//! manifest last. However early it is cut, what was written can be read.

mod entry;
mod target;

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use crate::manifest::{
    ArtifactRow, Cost, FORMAT, FORMAT_VERSION, ItemRow, JOURNAL_FOLDER, MANIFEST_NAME, Manifest,
    PLAN_NAME, Plan, State,
};
use crate::name;
use entry::EntryWriter;
pub use target::{Compression, FolderTarget, Target, ZipTarget};

/// Bytes moved at once from a source into an entry.
const COPY_BYTES: usize = 64 * 1024;

/// Why a bundle could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The target failed; what was written before stays readable.
    #[error("cannot write the bundle: {0}")]
    Target(#[from] io::Error),
    /// A record could not be turned into JSON.
    #[error("cannot write {name} as JSON: {error}")]
    Json {
        /// Entry name.
        name: String,
        /// What serde says.
        error: serde_json::Error,
    },
    /// An entry name that no reader would accept.
    #[error("bad entry name {name:?}: {reason}")]
    Name {
        /// The name.
        name: String,
        /// The rule that it breaks.
        reason: String,
    },
    /// A second row for an item.
    #[error("item {0} has ended already")]
    ItemTwice(String),
}

/// What became of a source that was copied into the bundle.
#[derive(Debug)]
pub struct Copied {
    /// The artifact as it stands in the bundle.
    pub row: ArtifactRow,
    /// The error that ended the source early. The artifact then holds what came before it.
    pub source_error: Option<io::Error>,
}

/// Writes a bundle.
pub struct BundleWriter<T: Target> {
    target: T,
    plan: Plan,
    names: BTreeSet<String>,
    rows: Vec<ItemRow>,
    artifacts: Vec<ArtifactRow>,
}

impl<W: Write + Seek> BundleWriter<ZipTarget<W>> {
    /// Starts a zip with the plan.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn zip(inner: W, compression: Compression, plan: Plan) -> Result<Self, WriteError> {
        Self::new(ZipTarget::new(inner, compression), plan)
    }

    /// Takes the item that ended last out of the bundle again, its artifacts and its row: for a
    /// disk that turned out to be too full for it. What is written next takes its place.
    ///
    /// # Errors
    /// If the target cannot go back.
    pub fn take_back_item(&mut self) -> Result<Option<ItemRow>, WriteError> {
        let Some(row) = self.rows.pop() else {
            return Ok(None);
        };
        let journal = journal_name(self.rows.len());
        let artifacts = row.artifacts.iter().rev().map(|artifact| &artifact.name);
        for name in std::iter::once(&journal).chain(artifacts) {
            self.target.take_back()?;
            self.names.remove(&name::folded(name));
        }
        Ok(Some(row))
    }
}

impl BundleWriter<FolderTarget> {
    /// Starts a folder with the plan.
    ///
    /// # Errors
    /// If the folder is not empty or cannot be written.
    pub fn folder(root: &Path, plan: Plan) -> Result<Self, WriteError> {
        Self::new(FolderTarget::new(root)?, plan)
    }
}

impl<T: Target> BundleWriter<T> {
    /// Starts a bundle with the plan, whose format fields are set here.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn new(target: T, plan: Plan) -> Result<Self, WriteError> {
        let plan = Plan {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            ..plan
        };
        let mut writer = Self {
            target,
            plan: plan.clone(),
            names: BTreeSet::new(),
            rows: Vec::new(),
            artifacts: Vec::new(),
        };
        writer.pretty(PLAN_NAME, &plan)?;
        Ok(writer)
    }

    /// Copies a source into an artifact of the item at hand. Memory use does not depend on its
    /// size. `expected_bytes` is its size if known.
    ///
    /// # Errors
    /// If the name is bad or the target cannot be written. An error of the source is not one: it is
    /// in the answer.
    pub fn artifact(
        &mut self,
        name: &str,
        expected_bytes: Option<u64>,
        source: &mut dyn Read,
    ) -> Result<Copied, WriteError> {
        let mut entry = self.start(name, expected_bytes)?;
        let mut buffer = vec![0; COPY_BYTES];
        let source_error = loop {
            match source.read(&mut buffer) {
                Ok(0) => break None,
                Ok(n) => entry.write_all(buffer.get(..n).unwrap_or_default())?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        let row = entry.finish();
        self.artifacts.push(row.clone());
        Ok(Copied { row, source_error })
    }

    /// Writes bytes at hand as an artifact.
    ///
    /// # Errors
    /// If the name is bad or the target cannot be written.
    pub fn artifact_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<ArtifactRow, WriteError> {
        let mut entry = self.start(name, u64::try_from(bytes.len()).ok())?;
        entry.write_all(bytes)?;
        let row = entry.finish();
        self.artifacts.push(row.clone());
        Ok(row)
    }

    /// Writes a record as a JSON artifact, on one line.
    ///
    /// # Errors
    /// If the name is bad, the record is no JSON or the target cannot be written.
    pub fn artifact_json<R: Serialize>(
        &mut self,
        name: &str,
        record: &R,
    ) -> Result<ArtifactRow, WriteError> {
        // Its size is not known before it is written, but no record comes near 4 GiB.
        let mut entry = self.start(name, Some(0))?;
        let mut buffer = BufWriter::with_capacity(COPY_BYTES, &mut entry);
        serde_json::to_writer(&mut buffer, record).map_err(|error| json_error(name, error))?;
        buffer.write_all(b"\n")?;
        buffer.flush()?;
        drop(buffer);
        let row = entry.finish();
        self.artifacts.push(row.clone());
        Ok(row)
    }

    /// Ends an item: its artifacts are those written since the last one ended, whatever
    /// `row.artifacts` says. The row goes into the journal at once, and is handed back.
    ///
    /// # Errors
    /// If the item has a row already or the target cannot be written.
    pub fn end_item(&mut self, row: ItemRow) -> Result<ItemRow, WriteError> {
        if self.rows.iter().any(|known| known.item == row.item) {
            return Err(WriteError::ItemTwice(row.item));
        }
        let row = ItemRow {
            artifacts: std::mem::take(&mut self.artifacts),
            ..row
        };
        let name = journal_name(self.rows.len());
        self.pretty(&name, &row)?;
        self.rows.push(row.clone());
        Ok(row)
    }

    /// Ends the bundle with the manifest. Planned items without a row become `skipped`.
    ///
    /// # Errors
    /// If the target cannot be written.
    pub fn finish(
        mut self,
        ended_at: Timestamp,
        cost: Option<Cost>,
    ) -> Result<(Manifest, T::Output), WriteError> {
        let mut manifest = Manifest {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION,
            collector: self.plan.collector.clone(),
            capture: self.plan.capture.clone(),
            items: std::mem::take(&mut self.rows),
            cost,
        };
        manifest.capture.ended_at = Some(ended_at);
        skip_the_rest(&self.plan, &mut manifest, "not reached");
        self.pretty(MANIFEST_NAME, &manifest)?;
        Ok((manifest, self.target.close()?))
    }

    /// What the writer was asked to collect.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    fn pretty<R: Serialize>(&mut self, name: &str, record: &R) -> Result<(), WriteError> {
        let mut text =
            serde_json::to_vec_pretty(record).map_err(|error| json_error(name, error))?;
        text.push(b'\n');
        self.take_name(name)?;
        Ok(self.target.whole(name, &text)?)
    }

    fn start<'a>(
        &'a mut self,
        name: &'a str,
        expected_bytes: Option<u64>,
    ) -> Result<EntryWriter<'a, T>, WriteError> {
        self.take_name(name)?;
        self.target.start(name, expected_bytes)?;
        Ok(EntryWriter::new(&mut self.target, name))
    }

    /// Accepts the name of a new entry.
    fn take_name(&mut self, name: &str) -> Result<(), WriteError> {
        let bad = |reason: String| WriteError::Name {
            name: name.to_owned(),
            reason,
        };
        let clean = name::clean(name).map_err(|fault| bad(fault.to_string()))?;
        if clean != name {
            return Err(bad("not in its plain form".to_owned()));
        }
        if !self.names.insert(name::folded(name)) {
            return Err(bad("in the bundle already".to_owned()));
        }
        Ok(())
    }
}

fn journal_name(index: usize) -> String {
    format!("{JOURNAL_FOLDER}{index:04}.json")
}

/// Gives each planned item without a row the state `skipped`.
pub(crate) fn skip_the_rest(plan: &Plan, manifest: &mut Manifest, reason: &str) {
    for item in &plan.items {
        if manifest.row(item).is_none() {
            let mut row = ItemRow::new(item.clone(), State::Skipped);
            row.reason = Some(reason.to_owned());
            manifest.items.push(row);
        }
    }
}

fn json_error(name: &str, error: serde_json::Error) -> WriteError {
    WriteError::Json {
        name: name.to_owned(),
        error,
    }
}
