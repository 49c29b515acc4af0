//! Files on their way into the bundle: an export that is deleted on every way out, and the copy of
//! a file in use.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use snapdiag_bundle::{OsError, State};

use super::{Job, Outcome, Stopped, Streamed, state_of};
use crate::system::SysResult;
use crate::system::files::io_error;

/// How an item is got that was not exported: by shared reading of its file.
pub(super) const COPY: &str = "copy";

/// The one exported file, deleted when this is dropped.
pub(super) struct Exported {
    path: PathBuf,
    /// Which use of the file this is, and which is the last: an item that was given up may come back
    /// when the file is another's.
    turn: u64,
    last: Arc<AtomicU64>,
}

impl Exported {
    /// The place for an export; what an earlier one left there is deleted, because Windows exports
    /// only to a file that does not exist.
    pub(super) fn place(job: &Job) -> Self {
        let last = Arc::clone(&job.settings.exports);
        let exported = Self {
            path: job.settings.export_file(),
            turn: last.fetch_add(1, Ordering::Relaxed) + 1,
            last,
        };
        exported.delete();
        exported
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its size, bytes.
    pub(super) fn size(&self) -> SysResult<u64> {
        let metadata =
            fs::metadata(&self.path).map_err(|error| io_error("GetFileAttributesExW", &error))?;
        Ok(metadata.len())
    }

    /// Streams it into the bundle, and deletes it.
    pub(super) fn send(self, job: &mut Job, entry: &str) -> SysResult<Result<Streamed, Stopped>> {
        let size = self.size()?;
        let mut file = File::open(&self.path).map_err(|error| io_error("CreateFileW", &error))?;
        Ok(job.sink.stream(entry, Some(size), &mut file))
    }

    /// Deletes it, so that it can be exported again.
    pub(super) fn delete(&self) {
        if self.last.load(Ordering::Relaxed) != self.turn {
            return;
        }
        // A file that is not there is what is wanted; one that cannot be deleted makes the export
        // fail with its own error, and the next run deletes it.
        drop(fs::remove_file(&self.path));
    }
}

impl Drop for Exported {
    fn drop(&mut self) {
        self.delete();
    }
}

/// Copies a file into the bundle, whatever others do with it.
pub(super) fn copy(
    job: &mut Job,
    entry: &str,
    file: &Path,
) -> SysResult<Result<Streamed, Stopped>> {
    let system = job.system.clone();
    let mut file = system.files().open_shared(file)?;
    Ok(job
        .sink
        .stream(entry, Some(file.size_bytes), &mut *file.reader))
}

/// How an item ended whose bytes went into the bundle.
pub(super) fn ended(sent: Result<Streamed, Stopped>, method: &'static str) -> Outcome {
    let outcome = match sent {
        Err(Stopped) => Outcome::stopped(),
        Ok(Streamed {
            source_error: Some(error),
            bytes,
        }) => {
            let error = io_error("ReadFile", &error);
            let why = format!("{error} after {bytes} bytes");
            Outcome::new(State::Truncated)
                .after(Some(error))
                .because(why)
        }
        Ok(Streamed { bytes: 0, .. }) => Outcome::new(State::Empty).because("the file is empty"),
        Ok(_) => Outcome::new(State::Ok),
    };
    outcome.by(method)
}

/// How an item ended for which both methods failed: the first decides, the second is told. Only
/// both together say that there is none: an export also fails so when its folder is gone.
pub(super) fn both_failed(first: OsError, method: &'static str, second: &OsError) -> Outcome {
    let mut outcome = Outcome::failed(first)
        .by(method)
        .because(format!("copying its file: {second}"));
    if outcome.state == State::Absent {
        outcome.state = state_of(second);
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::Settings;
    use crate::items::testing::{run_with, settings};
    use crate::system::Unanswered;

    #[test]
    fn one_that_comes_back_late_leaves_the_file_of_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            scratch: folder.path().to_owned(),
            ..settings()
        };
        run_with(settings, Unanswered, |job| {
            let late = Exported::place(job);
            let next = Exported::place(job);
            fs::write(next.path(), "next").unwrap();
            drop(late);
            assert!(next.path().exists());
            drop(next);
            assert!(!job.settings.export_file().exists());
            Outcome::new(State::Empty)
        });
    }
}
