//! Crash dumps and marks of pending work: names, sizes, times.

use std::path::{Path, PathBuf};
use std::time::Duration;

use snapdiag_bundle::records::{DumpFiles, FileFact};

use super::expand::whole;
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::SysResult;
use crate::system::files::Found;
use crate::system::registry::{Root, Value};

const METHOD: &str = "FindFirstFileW";
const CRASH_CONTROL: &str = "SYSTEM\\CurrentControlSet\\Control\\CrashControl";
/// Files of servicing that wait for the next start.
const PENDING: [&str; 3] = ["pending.xml", "reboot.xml", "cleanup.xml"];
/// Most dumps that are named; Windows keeps 50 of its own.
const MOST: usize = 2000;

/// The crash dumps.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "system.dump-files",
    phase: Phase::Quick,
    limit: Duration::from_secs(10),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    let root = match job.system.files().system_root() {
        Ok(root) => root,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut search = Search {
        job,
        parts: Parts::default(),
        dumps: Vec::new(),
    };
    let (dump, folder) = configured(search.job, &root);
    search.file(&dump);
    search.folder(&folder, 0);
    search.folder(&root.join("LiveKernelReports"), 1);
    let mut parts = search.parts;
    let mut dumps = search.dumps;
    let pending = PENDING.iter().filter_map(|name| {
        let path = root.join("WinSxS").join(name);
        let found = parts.take(there(job.system.files().look_up(&path)))??;
        Some(fact(&path, &found))
    });
    let mut pending: Vec<FileFact> = pending.collect();
    dumps.sort_by(|a, b| a.path.cmp(&b.path));
    pending.sort_by(|a, b| a.path.cmp(&b.path));
    let record = DumpFiles { dumps, pending };
    parts.finish(job, "system/dump-files.json", &record, METHOD)
}

/// The dump and the folder of small dumps as `CrashControl` has them, else where Windows puts them.
fn configured(job: &Job, root: &Path) -> (PathBuf, PathBuf) {
    let control = job.system.registry().key(Root::LocalMachine, CRASH_CONTROL);
    let control = control.unwrap_or_default();
    let path = |name: &str, usual: &str| {
        let text = control.value(name).and_then(Value::as_text);
        text.and_then(|text| whole(&text, root))
            .unwrap_or_else(|| root.join(usual))
    };
    (
        path("DumpFile", "MEMORY.DMP"),
        path("MinidumpDir", "Minidump"),
    )
}

/// A file that is not there is an answer.
fn there<T>(answer: SysResult<T>) -> SysResult<Option<T>> {
    match answer {
        Err(error) if matches!(error.code, 2 | 3) => Ok(None),
        answer => answer.map(Some),
    }
}

fn fact(path: &Path, found: &Found) -> FileFact {
    FileFact {
        path: path.to_string_lossy().into_owned(),
        size_bytes: found.size_bytes,
        modified_at: found.modified_at,
    }
}

struct Search<'a> {
    job: &'a Job,
    parts: Parts,
    dumps: Vec<FileFact>,
}

impl Search<'_> {
    fn file(&mut self, path: &Path) {
        let found = self.job.system.files().look_up(path);
        if let Some(Some(found)) = self.parts.take(there(found)) {
            self.dumps.push(fact(path, &found));
        }
    }

    /// The dumps in a folder, and in folders so many levels below.
    fn folder(&mut self, folder: &Path, below: u32) {
        let list = self.job.system.files().list(folder);
        let Some(Some(list)) = self.parts.take(there(list)) else {
            return;
        };
        for found in list {
            if self.dumps.len() >= MOST || self.job.is_over() {
                self.parts
                    .cut(format!("only {} dumps are named", self.dumps.len()));
                return;
            }
            let Some(found) = self.parts.take(found) else {
                return;
            };
            let path = folder.join(&found.name);
            if !found.directory {
                self.dumps.push(fact(&path, &found));
            } else if below > 0 {
                self.folder(&path, below - 1);
            }
        }
    }
}

#[cfg(test)]
mod tests;
