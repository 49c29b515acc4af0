use std::collections::BTreeMap;

use super::*;
use crate::items::testing::run;
use crate::system::files::{Files, Listing};
use crate::system::registry::{Key, Registry};
use crate::system::{System, os_error};

/// A machine with files by path, with folders known by the files in them.
struct Machine {
    files: BTreeMap<&'static str, u64>,
    control: Vec<(&'static str, &'static str)>,
    denied: &'static str,
}

impl System for Machine {
    fn files(&self) -> &dyn Files {
        self
    }

    fn registry(&self) -> &dyn Registry {
        self
    }
}

impl Registry for Machine {
    fn key(&self, _root: Root, path: &str) -> SysResult<Key> {
        assert_eq!(path, CRASH_CONTROL);
        let values = self.control.iter().map(|(name, text)| Value {
            name: (*name).to_owned(),
            value_type: 2,
            data: text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        });
        Ok(Key {
            last_write: 0,
            values: values.collect(),
        })
    }
}

fn found(name: &str, directory: bool, size_bytes: u64) -> Found {
    Found {
        name: name.to_owned(),
        directory,
        size_bytes,
        modified_at: "2026-03-01T11:00:00Z".parse().ok(),
    }
}

fn plain(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

impl Files for Machine {
    fn system_root(&self) -> SysResult<PathBuf> {
        Ok("C:/Windows".into())
    }

    fn look_up(&self, path: &Path) -> SysResult<Found> {
        let path = plain(path);
        let size = self.files.get(path.as_str());
        size.map(|size| found("", false, *size))
            .ok_or_else(|| os_error("CreateFileW", 2))
    }

    fn list(&self, folder: &Path) -> SysResult<Listing> {
        let folder = format!("{}/", plain(folder));
        if folder == self.denied {
            return Err(os_error("FindFirstFileW", 5));
        }
        let below = self.files.iter().filter_map(|(path, size)| {
            let rest = path.strip_prefix(folder.as_str())?;
            Some(match rest.split_once('/') {
                Some((name, _)) => found(name, true, 0),
                None => found(rest, false, *size),
            })
        });
        let mut list: Vec<Found> = below.collect();
        list.dedup();
        if list.is_empty() {
            return Err(os_error("FindFirstFileW", 3));
        }
        Ok(Box::new(list.into_iter().map(Ok)))
    }
}

const FILES: [(&str, u64); 7] = [
    ("C:/Windows/MEMORY.DMP", 1000),
    ("C:/Windows/Minidump/030126-1.dmp", 10),
    ("C:/Windows/LiveKernelReports/WATCHDOG/w.dmp", 20),
    ("C:/Windows/LiveKernelReports/WATCHDOG/deep/no.dmp", 20),
    ("C:/Windows/LiveKernelReports/l.dmp", 30),
    ("C:/Windows/WinSxS/pending.xml", 5),
    ("D:/dumps/full.dmp", 2000),
];

fn machine() -> Machine {
    Machine {
        files: FILES.into(),
        control: Vec::new(),
        denied: "",
    }
}

fn paths(list: &[FileFact]) -> Vec<String> {
    list.iter()
        .map(|file| plain(Path::new(&file.path)))
        .collect()
}

#[test]
fn dumps_and_pending_work_are_named_where_windows_puts_them() {
    let ran = run(machine(), collect);
    let record: DumpFiles = ran.record("system/dump-files.json");
    assert_eq!(
        paths(&record.dumps),
        [
            "C:/Windows/LiveKernelReports/WATCHDOG/w.dmp",
            "C:/Windows/LiveKernelReports/l.dmp",
            "C:/Windows/MEMORY.DMP",
            "C:/Windows/Minidump/030126-1.dmp",
        ]
    );
    assert_eq!(record.dumps[2].size_bytes, 1000);
    assert!(record.dumps[2].modified_at.is_some());
    assert_eq!(paths(&record.pending), ["C:/Windows/WinSxS/pending.xml"]);
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
}

#[test]
fn dumps_are_looked_for_where_the_machine_is_told_to_put_them() {
    let machine = Machine {
        control: vec![
            ("DumpFile", "D:/dumps/full.dmp"),
            ("MinidumpDir", "%SystemRoot%/Other"),
        ],
        ..machine()
    };
    let ran = run(machine, collect);
    let record: DumpFiles = ran.record("system/dump-files.json");
    let dumps = paths(&record.dumps);
    assert!(dumps.contains(&"D:/dumps/full.dmp".to_owned()));
    assert!(!dumps.iter().any(|path| path.contains("Minidump")));
}

#[test]
fn no_dump_at_all_is_an_answer() {
    let nothing = Machine {
        files: BTreeMap::new(),
        ..machine()
    };
    let ran = run(nothing, collect);
    let record: DumpFiles = ran.record("system/dump-files.json");
    assert!(record.dumps.is_empty() && record.pending.is_empty());
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
}

#[test]
fn a_folder_that_is_refused_costs_its_dumps_only() {
    let ran = run(
        Machine {
            denied: "C:/Windows/Minidump/",
            ..machine()
        },
        collect,
    );
    let record: DumpFiles = ran.record("system/dump-files.json");
    assert_eq!(record.dumps.len(), 3);
    assert_eq!(ran.outcome.state, snapdiag_bundle::State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("FindFirstFileW", 5)));
}
