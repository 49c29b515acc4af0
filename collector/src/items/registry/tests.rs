use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use snapdiag_bundle::items::{Content, ITEMS};

use super::*;
use crate::items::Settings;
use crate::items::testing::{given_up, run_with, settings};
use crate::system::files::{Files, SharedFile};
use crate::system::registry::{Key, Registry, Value};
use crate::system::{System, not_implemented};

/// A machine that answers a save with bytes or an error, and holds files.
struct Machine {
    saved: SysResult<&'static [u8]>,
    listed: Option<&'static str>,
    files: BTreeMap<String, SysResult<&'static [u8]>>,
}

impl System for Machine {
    fn registry(&self) -> &dyn Registry {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Registry for Machine {
    fn save_hive(&self, _key: &str, file: &Path) -> SysResult<()> {
        assert!(!file.exists(), "Windows exports to a new file only");
        // Windows leaves a part behind when it fails half-way.
        fs::write(file, self.saved.clone().unwrap_or(b"a part")).unwrap();
        self.saved.clone().map(drop)
    }

    fn key(&self, _root: Root, path: &str) -> SysResult<Key> {
        assert_eq!(path, HIVE_LIST);
        let Some(file) = self.listed else {
            return not_implemented("RegOpenKeyExW");
        };
        let value = Value {
            name: "\\REGISTRY\\MACHINE\\SYSTEM".to_owned(),
            value_type: 1,
            data: file.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        };
        Ok(Key {
            last_write: 0,
            values: vec![value],
        })
    }
}

impl Files for Machine {
    fn system_root(&self) -> SysResult<PathBuf> {
        Ok("root".into())
    }

    fn open_shared(&self, path: &Path) -> SysResult<SharedFile> {
        let path = path.to_string_lossy().replace('\\', "/");
        let missing = Err(os_error("CreateFileW", NOT_FOUND));
        let bytes = self.files.get(&path).cloned().unwrap_or(missing)?;
        Ok(SharedFile {
            reader: Box::new(Cursor::new(bytes)),
            size_bytes: bytes.len() as u64,
        })
    }
}

fn machine(saved: SysResult<&'static [u8]>) -> Machine {
    Machine {
        saved,
        listed: None,
        files: BTreeMap::new(),
    }
}

fn with_files(saved: u32, files: &[(&str, SysResult<&'static [u8]>)]) -> Machine {
    let named = files
        .iter()
        .map(|(path, file)| ((*path).to_owned(), file.clone()));
    Machine {
        files: named.collect(),
        ..machine(Err(os_error(SAVE, saved)))
    }
}

fn scratch() -> (tempfile::TempDir, Settings) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        scratch: folder.path().to_owned(),
        ..settings()
    };
    (folder, settings)
}

fn is_empty(folder: &tempfile::TempDir) -> bool {
    fs::read_dir(folder.path()).unwrap().next().is_none()
}

fn system(job: &mut Job) -> Outcome {
    collect(job, &SYSTEM)
}

#[test]
fn every_hive_of_the_table_is_collected_and_no_other() {
    let hives = ITEMS.iter().filter(|item| item.content == Content::Hive);
    let hives: Vec<&str> = hives.map(|item| item.id).collect();
    let collected: Vec<&str> = COLLECTORS.iter().map(|one| one.item).collect();
    assert_eq!(collected, hives);
    for (hive, item) in [&SYSTEM, &SOFTWARE, &BCD].iter().zip(hives) {
        let item = snapdiag_bundle::items::by_id(item).unwrap();
        assert_eq!(item.entries, hive.entries);
        assert!(!["SAM", "SECURITY"].contains(&hive.key));
    }
}

#[test]
fn a_saved_hive_is_taken_as_it_is_and_deleted() {
    let (folder, settings) = scratch();
    fs::write(settings.export_file(), "left by a killed run").unwrap();
    let ran = run_with(settings, machine(Ok(b"WINE REGISTRY Version 2")), system);
    assert_eq!(ran.outcome, Outcome::ok(SAVE));
    assert_eq!(ran.artifacts["registry/SYSTEM"], b"WINE REGISTRY Version 2");
    assert_eq!(ran.artifacts.len(), 1);
    assert!(is_empty(&folder));
}

#[test]
fn a_hive_that_cannot_be_saved_is_copied_with_its_logs() {
    let (folder, settings) = scratch();
    let machine = with_files(
        1314,
        &[
            ("root/System32/config/SYSTEM", Ok(b"regf")),
            ("root/System32/config/SYSTEM.LOG1", Ok(b"log")),
        ],
    );
    let ran = run_with(settings, machine, system);
    let first = os_error(SAVE, 1314);
    assert_eq!(ran.outcome, Outcome::ok(COPY).after(Some(first)));
    let names: Vec<&String> = ran.artifacts.keys().collect();
    assert_eq!(names, ["registry/SYSTEM", "registry/SYSTEM.LOG1"]);
    assert!(is_empty(&folder), "the part that the save left is deleted");
}

#[test]
fn the_file_is_where_the_kernel_says() {
    let (_folder, settings) = scratch();
    let file = "//?/GLOBALROOT/Device/HarddiskVolume2/Windows/System32/config/SYSTEM";
    let machine = Machine {
        listed: Some("\\Device\\HarddiskVolume2\\Windows\\System32\\config\\SYSTEM"),
        ..with_files(5, &[(file, Ok(b"regf"))])
    };
    let ran = run_with(settings, machine, system);
    assert_eq!(ran.outcome.state, State::Ok);
    assert_eq!(ran.artifacts["registry/SYSTEM"], b"regf");
}

#[test]
fn when_both_methods_fail_the_first_decides_and_the_second_is_told() {
    let locked = Err(os_error("CreateFileW", 32));
    for (code, state) in [
        (1314, State::Denied),
        (5, State::Denied),
        (112, State::Failed),
    ] {
        let (folder, settings) = scratch();
        let machine = with_files(code, &[("root/System32/config/SYSTEM", locked.clone())]);
        let ran = run_with(settings, machine, system);
        let expected = Outcome::failed(os_error(SAVE, code))
            .by(SAVE)
            .because("copying its file: CreateFileW failed with 32");
        assert_eq!(ran.outcome, expected);
        assert_eq!(ran.outcome.state, state);
        assert!(ran.artifacts.is_empty());
        assert!(is_empty(&folder));
    }
}

#[test]
fn a_hive_whose_file_is_there_is_not_absent() {
    let locked = Err(os_error("CreateFileW", 32));
    // The folder for exports is gone: ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND.
    for code in [2, 3] {
        let (_folder, settings) = scratch();
        let files = [("root/System32/config/SYSTEM", locked.clone())];
        let outcome = run_with(settings, with_files(code, &files), system).outcome;
        assert_eq!(outcome.state, State::Locked);
        assert_eq!(outcome.error, Some(os_error(SAVE, code)));
    }
}

#[test]
fn a_machine_without_a_boot_store_lacks_it() {
    let (_folder, settings) = scratch();
    let ran = run_with(settings, with_files(2, &[]), |job| collect(job, &BCD));
    assert_eq!(ran.outcome.state, State::Absent);
}

#[test]
fn a_log_that_is_locked_makes_the_copy_a_part() {
    let (_folder, settings) = scratch();
    let locked = Err(os_error("CreateFileW", 32));
    let machine = with_files(
        120,
        &[
            ("root/System32/config/SYSTEM", Ok(b"regf")),
            ("root/System32/config/SYSTEM.LOG1", locked),
        ],
    );
    let ran = run_with(settings, machine, system);
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error(SAVE, 120)));
    let reason = ran.outcome.reason.unwrap();
    assert_eq!(reason, "its log .LOG1: CreateFileW failed with 32");
}

#[test]
fn an_item_that_was_given_up_leaves_no_file() {
    let (folder, settings) = scratch();
    let outcome = given_up(settings, machine(Ok(b"regf")), system);
    assert_eq!(outcome.state, State::Timeout);
    assert!(is_empty(&folder));
}

#[test]
fn a_hive_without_a_byte_is_empty() {
    let (_folder, settings) = scratch();
    let ran = run_with(settings, machine(Ok(b"")), system);
    assert_eq!(ran.outcome.state, State::Empty);
}
