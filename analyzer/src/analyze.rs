//! The whole way in one screen: open, gather facts, run checks, report.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::facts::Snapshot;
use crate::facts::sources::{OpenError, Options, Sources};

/// The largest facts file that is read, in bytes.
const LARGEST_FACTS: u64 = 512 << 20;

/// A snapshot as it was given.
pub enum Opened {
    /// Artifacts: facts can be gathered from them, and every place can be read back.
    Sources(Box<Sources>),
    /// A facts file: the facts themselves.
    Facts(Box<Snapshot>),
}

/// Why a path cannot be analyzed.
#[derive(Debug, thiserror::Error)]
pub enum AnalyzeError {
    /// Neither artifacts nor facts.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It looks like a facts file and cannot be read as one.
    #[error("not a facts file of version {version}: {why}", version = Snapshot::VERSION)]
    Facts {
        /// What is wrong, with line and column.
        why: String,
    },
}

/// Opens a bundle, a folder or zip of artifacts, a single artifact, or a facts file.
///
/// # Errors
/// When the path is none of these.
pub fn open(path: &Path, options: &Options) -> Result<Opened, AnalyzeError> {
    if path.is_file() && looks_like_json(path) {
        let mut facts = read_facts(path)?;
        if let Some(cloud) = options.cloud {
            facts.machine = facts.machine.with_cloud(cloud);
        }
        return Ok(Opened::Facts(Box::new(facts)));
    }
    Ok(Opened::Sources(Box::new(Sources::open(path, options)?)))
}

impl Opened {
    /// All facts.
    pub fn snapshot(&self) -> Snapshot {
        match self {
            Self::Sources(sources) => Snapshot::gather(sources),
            Self::Facts(snapshot) => (**snapshot).clone(),
        }
    }

    /// The opened artifacts, where it is not a facts file.
    pub fn sources(&self) -> Option<&Sources> {
        match self {
            Self::Sources(sources) => Some(sources),
            Self::Facts(_) => None,
        }
    }
}

fn looks_like_json(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    read.is_ok() && head.trim_ascii_start().starts_with(b"{")
}

/// What every version of a facts file has.
#[derive(serde::Deserialize)]
struct Head {
    facts_version: u32,
}

fn read_facts(path: &Path) -> Result<Snapshot, AnalyzeError> {
    let facts = |why: String| AnalyzeError::Facts { why };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FACTS).read_to_end(&mut bytes))
        .map_err(|error| facts(error.to_string()))?;
    let head: Head = serde_json::from_slice(&bytes).map_err(|error| facts(error.to_string()))?;
    if head.facts_version > Snapshot::VERSION {
        let why = format!("it has version {}: use a newer program", head.facts_version);
        return Err(facts(why));
    }
    serde_json::from_slice(&bytes).map_err(|error| facts(error.to_string()))
}
