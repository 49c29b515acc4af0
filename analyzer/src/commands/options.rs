//! What several commands take: a snapshot, thresholds, what is known better.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use snapdiag::analyze::{self, Opened};
use snapdiag::checks::table::threshold_keys;
use snapdiag::checks::thresholds::{Profile, Thresholds};
use snapdiag::facts::machine::Cloud;
use snapdiag::facts::sources::Options;
use snapdiag::report::Suppressions;

use super::progress::Progress;
use super::status::Failure;

/// What decides about a decision, besides the snapshot.
#[derive(clap::Args)]
pub(super) struct Decision {
    /// Thresholds that come with the program instead of the defaults: `strict`, the lower limits
    /// of published guides
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// Thresholds to use instead of the defaults and over the profile, as TOML; `profile =
    /// "strict"` at its top builds on that profile
    #[arg(long, value_name = "FILE")]
    thresholds: Option<PathBuf>,
    /// Findings that are accepted, as TOML: `[[suppress]]` with `check`, `reason` and perhaps
    /// `until` (a date, compared with the time of capture). They are shown as such, and do not
    /// count for the exit status
    #[arg(long, value_name = "FILE")]
    suppress: Option<PathBuf>,
    #[command(flatten)]
    given: Given,
}

/// What is known better than the snapshot tells it.
#[derive(clap::Args)]
pub(super) struct Given {
    /// The time of capture, where you know better than the snapshot (2026-11-20T10:22:07Z)
    #[arg(long, value_name = "TIME")]
    captured_at: Option<Timestamp>,
    /// The cloud, where you know better than firmware and agents tell it: tencent, aws, azure,
    /// google, alibaba
    #[arg(long, value_name = "CLOUD")]
    cloud: Option<Cloud>,
}

impl Given {
    /// How snapshots are opened.
    pub(super) fn options(&self) -> Options {
        Options {
            captured_at: self.captured_at,
            cloud: self.cloud,
        }
    }
}

impl Decision {
    /// How snapshots are opened.
    pub(super) fn options(&self) -> Options {
        self.given.options()
    }

    /// What is accepted.
    pub(super) fn suppressions(&self) -> Result<Suppressions, Failure> {
        let Some(path) = &self.suppress else {
            return Ok(Suppressions::default());
        };
        Suppressions::from_toml(&read(path)?).map_err(|error| refused(path, &error))
    }

    /// The thresholds in force: the defaults, over them the profile, over that the file.
    pub(super) fn thresholds(&self) -> Result<Thresholds, Failure> {
        let known = threshold_keys();
        let profile = match self.profile {
            Some(profile) => Thresholds::of_profile(profile, &known)
                .map_err(|error| Failure::Usage(error.to_string()))?,
            None => Thresholds::default(),
        };
        let Some(path) = &self.thresholds else {
            return Ok(profile);
        };
        let text = read(path)?;
        let name = path.file_name().unwrap_or(path.as_os_str());
        profile
            .with_file(&name.to_string_lossy(), &text, &known)
            .map_err(|error| refused(path, &error))
    }
}

/// The text of a configuration file.
pub(super) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| refused(path, &error))
}

/// A configuration file that cannot be used.
pub(super) fn refused(path: &Path, error: &impl Display) -> Failure {
    Failure::Usage(format!("{}: {error}", path.display()))
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
