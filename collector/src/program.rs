//! The whole program in one screen: what was typed, what is planned, the run, how it ended.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use clap::Parser;
use jiff::Timestamp;
use snapdiag_bundle::Capture;

use crate::cli::Cli;
use crate::collection::{self, Asked};
use crate::disk::Disk;
use crate::plan::{Live, RunPlan, Source};
use crate::system::System;
use crate::upload::{Target, upload};
use crate::{listing, machine, progress, scratch};

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Status 2.
    #[error("{0}")]
    Usage(String),
    /// Status 3.
    #[error("{0}")]
    NoBundle(String),
    /// Status 4.
    #[error(
        "not elevated: hives and most logs need an administrator. Start it as one, or add \
         --allow-unelevated to collect the rest"
    )]
    NotElevated,
}

impl Failure {
    fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::NoBundle(_) => 3,
            Self::NotElevated => 4,
        }
    }
}

/// What opens hives, and the processes of others, to an administrator.
const PRIVILEGES: &[&str] = &["SeBackupPrivilege", "SeDebugPrivilege"];

/// The whole program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    match run(&cli) {
        Ok(status) => status,
        Err(failure) => {
            progress::note(&format!("snapdiag-collector: {failure}"));
            ExitCode::from(failure.status())
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode, Failure> {
    if cli.list {
        return printed(listing::list());
    }
    if cli.cleanup {
        return clean_up(cli);
    }
    if let Some([bundle, url]) = cli.upload_file.as_deref() {
        return Ok(send(Path::new(bundle), url));
    }
    if let Some(url) = &cli.upload {
        // A wrong URL is better known before the collection than after it.
        Target::parse(url).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let disk = match &cli.disk {
        Some(path) => Some(Disk::find(path, cli.boot.as_deref()).map_err(Failure::Usage)?),
        None => None,
    };
    let source: &dyn Source = match &disk {
        Some(disk) => disk,
        None => &Live,
    };
    // Nobody waits for a machine that does not run: a disk is copied as long as it takes.
    let profile_time = disk.is_none().then(|| cli.profile.deadline());
    let time = cli.deadline.or(profile_time);
    let plan = RunPlan::new(source, cli.profile, &cli.only, time);
    if cli.dry_run {
        return printed(listing::dry_run(&plan));
    }
    let system = machine::this();
    let now = Timestamp::now();
    let started = Instant::now();
    let capture = match &disk {
        Some(disk) => {
            let host = cli.host.clone().unwrap_or_else(|| disk.name());
            machine::disk(host, now)
        }
        None => live(cli, &*system, now)?,
    };
    let asked = Asked {
        cli,
        capture,
        time,
        started,
        system: Arc::clone(&system),
    };
    let collected = collection::collect(asked, plan)?;
    let sent = match &cli.upload {
        Some(url) => send(&collected.path, url),
        None => ExitCode::SUCCESS,
    };
    // The bundle is there, whether anybody reads this or not.
    drop(progress::last(&collected.sha256, &collected.path));
    if collected.whole {
        Ok(sent)
    } else {
        Ok(ExitCode::from(1))
    }
}

fn send(bundle: &Path, url: &str) -> ExitCode {
    match upload(bundle, url, &mut progress::note) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(error.exit_status()),
    }
}

/// The running machine, if this is Windows and the collector may do its work on it.
fn live(cli: &Cli, system: &dyn System, now: Timestamp) -> Result<Capture, Failure> {
    if !cfg!(windows) {
        let what = "this is not Windows: name a mounted Windows disk with --disk PATH";
        return Err(Failure::Usage(what.to_owned()));
    }
    let facts = system.host().facts();
    if facts.elevated == Some(false) && !cli.allow_unelevated {
        return Err(Failure::NotElevated);
    }
    let privileges = system.host().enable_privileges(PRIVILEGES);
    Ok(machine::live(facts, privileges.unwrap_or_default(), now))
}

/// The end of what only prints. A reader that has seen enough is no failure.
fn printed(outcome: io::Result<()>) -> Result<ExitCode, Failure> {
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::NoBundle(error.to_string()))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn clean_up(cli: &Cli) -> Result<ExitCode, Failure> {
    let found = scratch::clean(&cli.out).map_err(|error| {
        Failure::NoBundle(format!("cannot remove {}: {error}", scratch::FOLDER))
    })?;
    progress::note(if found {
        "removed what a killed run had left"
    } else {
        "nothing to remove"
    });
    Ok(ExitCode::SUCCESS)
}
