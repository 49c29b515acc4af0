//! Page files: what is configured, what the running system opened, and whether a crash dump can
//! be written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use snapdiag_bundle::records;

use super::document;
use super::evidence::Evidence;
use super::fact::Fact;
use super::sources::Sources;
use super::sources::registry::{Number, Text};

/// The key of the memory manager, below the control set.
const MEMORY_MANAGEMENT: &str = "Control\\Session Manager\\Memory Management";
const CRASH_CONTROL: &str = "Control\\CrashControl";

/// Page files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageFiles {
    /// `PagingFiles` as it stands: a line a file, `path minimum maximum` in MB.
    pub configured: Fact<Vec<String>>,
    /// `ExistingPageFiles`: what the running system opened at its start (`\??\C:\pagefile.sys`).
    pub opened: Fact<Vec<String>>,
    /// `TempPageFile`: 1 where none of those configured could be made.
    pub temporary: Fact<Number>,
    /// `CrashDumpEnabled`: 0 none, 1 complete, 2 kernel, 3 small, 7 automatic.
    pub crash_dump: Fact<Number>,
    /// `DedicatedDumpFile`: a file for dumps that needs no page file.
    pub dedicated_dump: Fact<Text>,
    /// The page files at capture.
    pub in_use: Fact<Vec<PageFile>>,
}

/// A page file at capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageFile {
    /// Path.
    pub path: String,
    /// Size now, bytes.
    pub size_bytes: u64,
    /// In use, bytes.
    pub used_bytes: u64,
    /// Highest use since boot, bytes.
    pub peak_bytes: u64,
    /// Its row.
    pub evidence: Evidence,
}

/// A line of `PagingFiles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The drive letter, upper case; `None` for `?:`, any drive.
    pub letter: Option<char>,
    /// Smallest and largest size in MB; `None` or 0 where Windows chooses.
    pub maximum_mb: Option<u64>,
    /// Windows chooses the size.
    pub managed: bool,
}

impl PageFiles {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control_set = sources.system().control_set();
        let texts = |name| control_set.texts(MEMORY_MANAGEMENT, name);
        Self {
            configured: texts("PagingFiles"),
            opened: texts("ExistingPageFiles"),
            temporary: control_set.number(MEMORY_MANAGEMENT, "TempPageFile"),
            crash_dump: control_set.number(CRASH_CONTROL, "CrashDumpEnabled"),
            dedicated_dump: control_set.text(CRASH_CONTROL, "DedicatedDumpFile"),
            in_use: in_use(sources),
        }
    }

    /// The lines of `PagingFiles` that say something; `None` where the value was not read.
    pub fn settings(&self) -> Option<Vec<Setting>> {
        let lines = self.configured.value()?;
        Some(lines.iter().filter_map(|line| setting(line)).collect())
    }
}

/// `C:\pagefile.sys 4096 16384`; a path may hold blanks, sizes may be missing.
fn setting(line: &str) -> Option<Setting> {
    let line = line.trim();
    let mut words = line.rsplit(' ');
    let maximum = words.next().and_then(|word| word.parse::<u64>().ok());
    let minimum = words.next().and_then(|word| word.parse::<u64>().ok());
    let first = line.chars().next()?.to_ascii_uppercase();
    let maximum_mb = minimum.and(maximum);
    Some(Setting {
        letter: first.is_ascii_alphabetic().then_some(first),
        maximum_mb,
        managed: maximum_mb.is_none_or(|maximum| maximum == 0),
    })
}

fn in_use(sources: &Sources) -> Fact<Vec<PageFile>> {
    let record: Fact<Json> = sources.record("system.page-files");
    let typed = document::typed::<records::PageFiles>(&record);
    let (Some(files), Some(document), Some(place)) =
        (typed.value(), record.value(), record.evidence.first())
    else {
        return typed
            .carry()
            .unwrap_or_else(|| Fact::not_collected("no list of page files"));
    };
    let row = |(number, file): (usize, &records::PageFile)| {
        let pointer = format!("/page_files/{number}");
        let raw = document.pointer(&pointer).cloned().unwrap_or_default();
        PageFile {
            path: file.path.clone(),
            size_bytes: file.size_bytes,
            used_bytes: file.used_bytes,
            peak_bytes: file.peak_bytes,
            evidence: document::at(place, pointer, raw),
        }
    };
    let list = files.page_files.iter().enumerate().map(row).collect();
    let whole = document.pointer("/page_files").cloned().unwrap_or_default();
    Fact::known(list, [document::at(place, "/page_files".to_owned(), whole)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_paging_files_are_read_as_windows_reads_them() {
        let any = setting("?:\\pagefile.sys").unwrap();
        assert_eq!((any.letter, any.managed), (None, true));
        let managed = setting("c:\\pagefile.sys 0 0").unwrap();
        assert_eq!((managed.letter, managed.managed), (Some('C'), true));
        let fixed = setting("D:\\my files\\pagefile.sys 512 1024").unwrap();
        assert_eq!(
            (fixed.letter, fixed.maximum_mb, fixed.managed),
            (Some('D'), Some(1024), false)
        );
        assert_eq!(setting("  "), None);
    }
}
