//! What several commands take: a snapshot, thresholds, a capture time.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use snapdiag::analyze::{self, Opened};
use snapdiag::checks::table::TABLE;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::facts::sources::Options;

use super::progress::Progress;
use super::status::Failure;

/// What decides about a decision, besides the snapshot.
#[derive(clap::Args)]
pub(super) struct Decision {
    /// Thresholds to use instead of the defaults, as TOML
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,
    /// The time of capture, where you know better than the snapshot (2026-11-20T10:22:07Z)
    #[arg(long, value_name = "TIME")]
    captured_at: Option<Timestamp>,
}

impl Decision {
    /// How snapshots are opened.
    pub(super) fn options(&self) -> Options {
        Options {
            captured_at: self.captured_at,
        }
    }

    /// The thresholds in force.
    pub(super) fn thresholds(&self) -> Result<Thresholds, Failure> {
        let Some(path) = &self.thresholds else {
            return Ok(Thresholds::default());
        };
        let refused = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let known = TABLE.iter().flat_map(|check| check.thresholds);
        Thresholds::from_toml(&text, known).map_err(|error| refused(error.to_string()))
    }
}

/// Opens a snapshot.
pub(super) fn open(path: &Path, options: &Options) -> Result<Opened, Failure> {
    let _progress = Progress::begin(&format!("reading {}", path.display()));
    analyze::open(path, options).map_err(|error| {
        let (path, why) = (path.display().to_string(), error.to_string());
        Failure::Undecided(if why.contains(&path) {
            why
        } else {
            format!("{path}: {why}")
        })
    })
}
