//! Names, sizes and times of crash dumps, and of marks of pending work.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use snapdiag_bundle::State;
use snapdiag_bundle::records::{DumpFiles, FileFact};

use super::place::{self, Missing};
use crate::items::{Job, Outcome};

/// The item.
pub(super) const ITEM: &str = "system.dump-files";

const ENTRY: &str = "system/dump-files.json";

/// How it is got, for the manifest.
const METHOD: &str = "list";

/// The most files that are named.
const MOST: usize = 10_000;

/// How deep folders are entered: `LiveKernelReports\KIND\FILE`.
const DEPTH: usize = 2;

/// Where dumps lie.
const DUMPS: &[&[&str]] = &[
    &["Windows", "MEMORY.DMP"],
    &["Windows", "Minidump"],
    &["Windows", "LiveKernelReports"],
];

/// Where work that the next start would go on with leaves its mark.
const PENDING: &[&[&str]] = &[&["Windows", "WinSxS", "pending.xml"]];

pub(super) fn collect(root: &Path, job: &mut Job) -> Outcome {
    let mut faults = Vec::new();
    let record = DumpFiles {
        dumps: files(root, DUMPS, &mut faults),
        pending: files(root, PENDING, &mut faults),
    };
    if job.sink.json(ENTRY, &record).is_err() {
        return Outcome::stopped();
    }
    match faults.into_iter().next() {
        Some(fault) => Outcome::new(State::Truncated).by(METHOD).because(fault),
        None if record.dumps.is_empty() && record.pending.is_empty() => {
            Outcome::new(State::Empty).by(METHOD)
        }
        None => Outcome::ok(METHOD),
    }
}

fn files(root: &Path, places: &[&[&str]], faults: &mut Vec<String>) -> Vec<FileFact> {
    let mut found = Vec::new();
    for place in places {
        match place::find(root, place) {
            Ok(path) => {
                let windows_path = format!("\\{}", place.join("\\"));
                if let Err(error) = add(&path, &windows_path, DEPTH, &mut found) {
                    faults.push(format!("{}: {error}", path.display()));
                }
            }
            Err(Missing::No(..)) => {}
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Adds a file, or the files of a folder, under the path that Windows has for it. Its drive is not
/// known here.
fn add(path: &Path, windows_path: &str, depth: usize, found: &mut Vec<FileFact>) -> io::Result<()> {
    let metadata = path.symlink_metadata()?;
    if metadata.is_file() && found.len() < MOST {
        let modified = metadata.modified().ok();
        found.push(FileFact {
            path: windows_path.to_owned(),
            size_bytes: metadata.len(),
            modified_at: modified.and_then(|time| Timestamp::try_from(time).ok()),
        });
    }
    if metadata.is_dir() && depth > 0 {
        for (child, _) in place::children(path)? {
            let name = child.file_name().unwrap_or_default().to_string_lossy();
            add(&child, &format!("{windows_path}\\{name}"), depth - 1, found)?;
        }
    }
    Ok(())
}
