//! What the builders make is read with the same values and counts by readers that are not ours.
//!
//! A reader that is not installed is said to be missing and its test passes, unless the
//! environment variable `SNAPDIAG_REQUIRE_PEERS` is 1. Where a reader differs from what Windows
//! shows, the difference is named at the place that allows for it.
#![forbid(unsafe_code)]

#[cfg(test)]
#[path = "foreign_readers/evtx_crate.rs"]
mod evtx_crate;
#[cfg(test)]
#[path = "foreign_readers/hives.rs"]
mod hives;
#[cfg(test)]
#[path = "foreign_readers/logs.rs"]
mod logs;
#[cfg(test)]
#[path = "foreign_readers/nt_hive.rs"]
mod nt_hive_crate;

#[cfg(test)]
mod readers {
    use std::path::{Path, PathBuf};

    use serde_json::Value;
    use snapdiag_tests::foreign::{Reader, missing};

    /// The capture time that relative times of the fixtures count from.
    pub(crate) fn base() -> jiff::Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    /// What a reader sees in files of these bytes; `None`, and a word about it, without the reader.
    pub(crate) fn read(reader: Reader, files: &[&[u8]]) -> Option<Value> {
        match missing(&[reader]) {
            Ok(missing) if missing.is_empty() => {}
            other => {
                eprintln!("skipped, reader not installed: {other:?}");
                return None;
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |(index, bytes): (usize, &&[u8])| {
            let path = folder.path().join(format!("file{index}"));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let paths: Vec<PathBuf> = files.iter().enumerate().map(write).collect();
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        Some(reader.read(&paths).unwrap())
    }
}
