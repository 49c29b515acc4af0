//! A run from the first byte of the bundle to the last.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use snapdiag_bundle::manifest::{FORMAT, FORMAT_VERSION};
use snapdiag_bundle::{
    Bounds, BundleWriter, Capture, CaptureMode, Compression, ItemRow, Plan, State,
};

use crate::cli::Cli;
use crate::engine::{self, Run};
use crate::items::Settings;
use crate::output::{self, Output};
use crate::plan::RunPlan;
use crate::program::Failure;
use crate::progress::{self, note, size};
use crate::scratch::{self, Scratch};
use crate::system::System;
use crate::{machine, stop};

/// Where free space is judged when the bundle's size cannot be known before: a mounted disk.
const LEAST_ROOM: u64 = 64_000_000;

/// What a run starts from.
pub struct Asked<'a> {
    /// What was typed.
    pub cli: &'a Cli,
    /// The machine and the moment.
    pub capture: Capture,
    /// How long the run may take; `None`: as long as it takes.
    pub time: Option<Duration>,
    /// The same moment, as a clock that nobody sets.
    pub started: Instant,
    /// The system under the program.
    pub system: Arc<dyn System>,
}

/// A bundle that is complete.
pub struct Collected {
    /// Where it is.
    pub path: PathBuf,
    /// Its hash, in hex digits.
    pub sha256: String,
    /// Whether every item ended as it should.
    pub whole: bool,
}

/// Collects what is planned into a new bundle.
///
/// # Errors
/// Why there is no bundle.
pub fn collect(asked: Asked<'_>, plan: RunPlan) -> Result<Collected, Failure> {
    let Asked {
        cli,
        capture,
        time: deadline,
        started,
        system,
    } = asked;
    let live = capture.mode == CaptureMode::Live;
    check_room(cli, &*system, live)?;
    match scratch::clean(&cli.out) {
        Ok(false) => {}
        Ok(true) => note("removed what a killed run had left"),
        Err(error) => note(&format!("{} stays: {error}", scratch::FOLDER)),
    }
    // A priority that cannot be lowered is no reason to collect nothing.
    drop(system.host().lower_priority());
    let interrupted = stop::on_request();
    let host = if cli.anonymous_name {
        output::anonymous()
    } else {
        capture.host.clone()
    };
    let (file, path) = Output::create(&cli.out, &host, capture.started_at)
        .map_err(|error| no_bundle(&cli.out, &error))?;
    note(&heading(&capture, cli, deadline, &path));
    let scratch = scratch_folder(cli, &*system, &capture);
    // Below a file nothing can be created: without the folder every export fails.
    let exports = scratch.as_ref().map_or(path.as_path(), Scratch::path);
    let settings = Settings {
        since: cli.since.before(capture.started_at),
        log_bytes: live.then(|| cli.profile.log_bytes()),
        samples: cli.profile.samples(),
        scratch: exports.to_owned(),
        exports: Arc::default(),
    };
    let run = Run {
        system: Arc::clone(&system),
        settings: Arc::new(settings),
        started,
        deadline: deadline.map(|time| started + time),
        interrupted,
        most_bytes: live.then(|| cli.profile.most_bytes()),
        room: file.room(),
    };
    let asked_for = written_plan(cli, capture, deadline, &run.settings, plan.ids());
    let ended = write(&run, file, asked_for, plan);
    drop(scratch);
    let (rows, whole) = ended.map_err(|error| no_bundle(&path, &error))?;
    if let Some(fault) = run.room.fault() {
        return cut_off(&path, &fault, &rows);
    }
    let sha256 = output::sha256(&path).map_err(|error| no_bundle(&path, &error))?;
    Ok(Collected {
        path,
        sha256,
        whole,
    })
}

/// Writes the whole bundle; its rows, and whether every item ended as it should.
fn write(
    run: &Run,
    file: Output,
    asked_for: Plan,
    plan: RunPlan,
) -> Result<(Vec<ItemRow>, bool), snapdiag_bundle::WriteError> {
    let mut writer = BundleWriter::zip(file, Compression::Deflate, asked_for)?;
    let (tasks, left_out) = plan.split();
    for (item, reason) in left_out {
        let row = ItemRow::new(item, State::Skipped);
        writer.end_item(ItemRow {
            reason: Some(reason),
            ..row
        })?;
    }
    let (mut done, all) = (0, tasks.len());
    let mut bytes = 0;
    let whole = engine::run(run, tasks, &mut writer, &mut |row| {
        done += 1;
        bytes += row
            .artifacts
            .iter()
            .map(|artifact| artifact.size_bytes)
            .sum::<u64>();
        note(&progress::line(row, done, all));
    })?;
    let cost = machine::cost(&*run.system, run.started, bytes);
    let (manifest, _) = writer.finish(Timestamp::now(), Some(cost))?;
    Ok((manifest.items, whole))
}

/// The disk took no more: what became of the bundle.
fn cut_off(path: &Path, fault: &str, rows: &[ItemRow]) -> Result<Collected, Failure> {
    let got = rows.iter().filter(|row| row.state.has_content()).count();
    if got == 0 {
        // Nothing that anybody could use: it would only keep the disk full.
        drop(fs::remove_file(path));
        return Err(Failure::NoBundle(format!(
            "the disk took nothing of {}: {fault}. Name another with --out",
            path.display()
        )));
    }
    note(&format!(
        "the disk took no more ({fault}): the bundle holds {got} of {} items",
        rows.len()
    ));
    let sha256 = output::sha256(path).map_err(|error| no_bundle(path, &error))?;
    Ok(Collected {
        path: path.to_owned(),
        sha256,
        whole: false,
    })
}

/// Refuses to start where the bundle has no room.
fn check_room(cli: &Cli, system: &dyn System, live: bool) -> Result<(), Failure> {
    let needed = if live {
        cli.profile.room_bytes()
    } else {
        LEAST_ROOM
    };
    if !cli.out.is_dir() {
        let what = format!(
            "there is no folder {}: name one with --out",
            cli.out.display()
        );
        return Err(Failure::NoBundle(what));
    }
    match system.host().free_bytes(&cli.out) {
        Ok(free) if free < needed => Err(Failure::NoBundle(format!(
            "{} has {} free, and {} may be needed: name another folder with --out{}",
            cli.out.display(),
            size(free),
            size(needed),
            if live {
                ", or take --profile minimal"
            } else {
                ""
            },
        ))),
        // What the system does not say does not keep from trying.
        _ => Ok(()),
    }
}

/// The folder for exports, which only a running machine needs.
fn scratch_folder(cli: &Cli, system: &dyn System, capture: &Capture) -> Option<Scratch> {
    if capture.mode == CaptureMode::DiskOnly {
        return None;
    }
    let elevated = capture.elevated != Some(false);
    match Scratch::create(&cli.out, system.host(), elevated) {
        Ok(scratch) => Some(scratch),
        Err(error) => {
            note(&format!(
                "no folder for exports ({error}): hives and logs are copied instead"
            ));
            None
        }
    }
}

fn heading(capture: &Capture, cli: &Cli, deadline: Option<Duration>, path: &Path) -> String {
    let time = deadline.map_or("as long as it takes".to_owned(), |time| {
        format!("at most {} s", time.as_secs())
    });
    format!(
        "collecting {}, profile {}, {time}, into {}",
        capture.host,
        cli.profile.name(),
        path.display()
    )
}

fn written_plan(
    cli: &Cli,
    capture: Capture,
    deadline: Option<Duration>,
    settings: &Settings,
    items: Vec<String>,
) -> Plan {
    let since = settings.since;
    Plan {
        format: FORMAT.to_owned(),
        format_version: FORMAT_VERSION,
        collector: machine::collector(),
        profile: Some(cli.profile.name().to_owned()),
        bounds: Bounds {
            deadline_ms: deadline.and_then(|time| u64::try_from(time.as_millis()).ok()),
            artifact_bytes: settings.log_bytes,
            events_since: (capture.mode == CaptureMode::Live).then_some(since),
            ..Bounds::default()
        },
        capture,
        items,
    }
}

fn no_bundle(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::NoBundle(format!("cannot write {}: {error}", path.display()))
}
