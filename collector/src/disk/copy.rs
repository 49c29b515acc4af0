//! Copies hives and event logs as they lie on the disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use snapdiag_bundle::{Item, OsError, State};

use super::place::{self, Missing};
use crate::items::{Job, Outcome, Stopped};
use crate::system::os_error;

/// How it is got, for the manifest.
const METHOD: &str = "copy";

/// The least of an event log that says anything, bytes: its header and one chunk.
const LEAST_LOG: u64 = 4096 + 65_536;

/// What became of one file.
enum Copied {
    /// It is not there.
    Absent,
    /// It is there, without a byte.
    Empty,
    /// It was copied whole.
    Whole,
    /// It was not, or not as it should be.
    Faulty {
        bytes: u64,
        reason: String,
        error: Option<OsError>,
    },
}

/// A hive and its transaction logs: one thing, since the hive alone may lack what the logs hold.
pub(super) fn hive(folder: &Path, item: &Item, job: &mut Job) -> Outcome {
    let mut outcome = Outcome::ok(METHOD);
    for (index, entry) in item.entries.iter().copied().enumerate() {
        let name = entry.rsplit('/').next().unwrap_or(entry);
        let copied = match copy(folder, name, entry, job) {
            Ok(copied) => copied,
            Err(Stopped) => return Outcome::stopped(),
        };
        match copied {
            Copied::Whole => {}
            // A hive that was closed well has no logs, or empty ones.
            Copied::Absent | Copied::Empty if index > 0 => {}
            // No Windows is without its hives: one that is not there was lost or kept elsewhere.
            Copied::Absent => {
                let reason = format!("there is no {name} in {}", folder.display());
                return Outcome::new(State::Failed).by(METHOD).because(reason);
            }
            Copied::Empty => return Outcome::new(State::Empty).by(METHOD),
            Copied::Faulty { reason, error, .. } => {
                outcome = Outcome::new(State::Failed)
                    .by(METHOD)
                    .because(format!("{name}: {reason}"))
                    .after(error);
            }
        }
    }
    outcome
}

/// An event log. A part of it says something too: its chunks are read one by one.
pub(super) fn log(folder: &Path, name: &str, item: &Item, job: &mut Job) -> Outcome {
    let entry = item.entries.first().copied().unwrap_or_default();
    match copy(folder, name, entry, job) {
        Err(Stopped) => Outcome::stopped(),
        Ok(Copied::Whole) => Outcome::ok(METHOD),
        Ok(Copied::Absent) => Outcome::new(State::Absent).by(METHOD),
        Ok(Copied::Empty) => Outcome::new(State::Empty).by(METHOD),
        Ok(Copied::Faulty {
            bytes,
            reason,
            error,
        }) => {
            let state = match bytes {
                LEAST_LOG.. => State::Truncated,
                _ => State::Failed,
            };
            Outcome::new(state).by(METHOD).because(reason).after(error)
        }
    }
}

/// Copies a file of a folder into an entry.
fn copy(folder: &Path, name: &str, entry: &str, job: &mut Job) -> Result<Copied, Stopped> {
    let path = match place::find(folder, &[name]) {
        Ok(path) => path,
        Err(Missing::No(..)) => return Ok(Copied::Absent),
        Err(Missing::Error(_, error)) => return Ok(faulty(0, "cannot be found", &error)),
        Err(link @ Missing::Link(_)) => {
            return Ok(Copied::Faulty {
                bytes: 0,
                reason: format!("{link}, and links are not followed"),
                error: None,
            });
        }
    };
    let (mut file, before) = match open(&path) {
        Ok(opened) => opened,
        Err(error) => return Ok(faulty(0, "cannot be opened", &error)),
    };
    if before.len() == 0 {
        return Ok(Copied::Empty);
    }
    let streamed = job.sink.stream(entry, Some(before.len()), &mut file)?;
    if let Some(error) = streamed.source_error {
        let reason = format!(
            "unreadable after {} of {} bytes",
            streamed.bytes,
            before.len()
        );
        return Ok(faulty(streamed.bytes, &reason, &error));
    }
    let unchanged = file.metadata().is_ok_and(|after| {
        after.len() == before.len() && after.modified().ok() == before.modified().ok()
    });
    if unchanged && streamed.bytes == before.len() {
        return Ok(Copied::Whole);
    }
    Ok(Copied::Faulty {
        bytes: streamed.bytes,
        reason: "it changed while it was read: is the volume in use?".to_owned(),
        error: None,
    })
}

/// Opens a plain file: opening a pipe or a device of that name might never come back.
fn open(path: &Path) -> io::Result<(File, fs::Metadata)> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

fn faulty(bytes: u64, reason: &str, error: &io::Error) -> Copied {
    let code = error.raw_os_error();
    Copied::Faulty {
        bytes,
        reason: format!("{reason}: {error}"),
        error: code.map(|code| os_error("read", code.unsigned_abs())),
    }
}
