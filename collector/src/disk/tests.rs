//! Small trees of files in the layout of Windows.
#![allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]

use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Instant;

use jiff::Timestamp;
use snapdiag_bundle::State;
use snapdiag_bundle::items::by_id;
use snapdiag_bundle::records::DumpFiles;

use super::*;
use crate::items::{Chunk, Job, Outcome, Settings, Sink};
use crate::system::Unanswered;

/// A volume with the files of the given names; each holds its own name.
fn volume(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

const SYSTEM: &str = "Windows/System32/config/SYSTEM";

/// Collects an item: its outcome, and its artifacts by name.
fn collect(disk: &Disk, item: &str) -> (Outcome, Vec<(String, Vec<u8>)>) {
    let way = disk.way(by_id(item).unwrap()).unwrap();
    let (sender, chunks) = sync_channel(1000);
    let mut job = Job {
        system: Arc::new(Unanswered),
        sink: Sink::new(sender),
        settings: Arc::new(Settings {
            since: Timestamp::UNIX_EPOCH,
            log_bytes: None,
            samples: 2,
            scratch: PathBuf::new(),
            exports: Arc::default(),
        }),
        stop: Arc::default(),
        until: Instant::now() + LIMIT,
    };
    let outcome = (way.work)(&mut job);
    drop(job);
    (outcome, artifacts(&chunks))
}

fn artifacts(chunks: &Receiver<Chunk>) -> Vec<(String, Vec<u8>)> {
    let mut artifacts: Vec<(String, Vec<u8>)> = Vec::new();
    for chunk in chunks {
        match chunk {
            Chunk::Start { name, .. } => artifacts.push((name, Vec::new())),
            Chunk::Bytes(bytes) => artifacts.last_mut().unwrap().1.extend(bytes),
            Chunk::End(_) => {}
        }
    }
    artifacts
}

fn names(artifacts: &[(String, Vec<u8>)]) -> Vec<&str> {
    artifacts.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_hive_comes_with_its_logs() {
    let volume = volume(&[
        SYSTEM,
        "Windows/System32/config/SYSTEM.LOG1",
        "Windows/System32/config/SYSTEM.LOG2",
    ]);
    let empty = volume.path().join("Windows/System32/config/SYSTEM.LOG2");
    fs::write(empty, "").unwrap();
    let disk = Disk::find(volume.path(), None).unwrap();
    let (outcome, artifacts) = collect(&disk, "registry.system");
    assert_eq!(outcome, Outcome::ok("copy"));
    assert_eq!(
        names(&artifacts),
        ["registry/SYSTEM", "registry/SYSTEM.LOG1"]
    );
    assert_eq!(artifacts[0].1, SYSTEM.as_bytes());
}

#[test]
fn names_compare_without_case() {
    let volume = volume(&[
        "WINDOWS/system32/Config/system",
        "WINDOWS/system32/Config/system.log1",
        "WINDOWS/system32/WinEvt/logs/SYSTEM.EVTX",
        "boot/bcd",
    ]);
    let disk = Disk::find(volume.path(), None).unwrap();
    for (item, expected) in [
        (
            "registry.system",
            &["registry/SYSTEM", "registry/SYSTEM.LOG1"][..],
        ),
        ("registry.bcd", &["registry/BCD"]),
        ("eventlog.system", &["eventlog/System.evtx"]),
    ] {
        let (outcome, artifacts) = collect(&disk, item);
        assert_eq!(outcome.state, State::Ok, "{item}");
        assert_eq!(names(&artifacts), expected);
    }
}

#[test]
fn the_boot_configuration_is_on_the_boot_volume() {
    let volume_c = volume(&[SYSTEM]);
    let efi = volume(&["EFI/Microsoft/Boot/BCD", "EFI/Microsoft/Boot/BCD.LOG1"]);
    let disk = Disk::find(volume_c.path(), Some(efi.path())).unwrap();
    let (_, artifacts) = collect(&disk, "registry.bcd");
    assert_eq!(names(&artifacts), ["registry/BCD", "registry/BCD.LOG1"]);
    assert_eq!(artifacts[0].1, b"EFI/Microsoft/Boot/BCD");

    let alone = Disk::find(volume_c.path(), None).unwrap();
    let reason = alone.way(by_id("registry.bcd").unwrap()).err().unwrap();
    assert!(reason.contains("--boot"), "{reason}");
}

#[test]
fn what_is_no_windows_is_refused_and_what_was_looked_for_is_said() {
    let empty = volume(&["Users/user1/notes.txt"]);
    let without_hives = volume(&["Windows/System32/config/SAM"]);
    let good = volume(&[SYSTEM]);
    for (root, boot, words) in [
        (empty.path(), None, "Windows/System32/config"),
        (without_hives.path(), None, "SYSTEM and SOFTWARE"),
        (good.path(), Some(empty.path()), "Boot/BCD"),
        (
            Path::new("/no/such/folder"),
            None,
            "Windows/System32/config",
        ),
    ] {
        let sentence = Disk::find(root, boot).unwrap_err();
        assert!(sentence.contains(words), "{sentence}");
        assert_eq!(sentence.lines().count(), 1);
    }
}

#[test]
fn a_hive_that_is_not_there_is_a_failure_and_a_log_is_absent() {
    let volume = volume(&[SYSTEM, "Windows/System32/winevt/Logs/System.evtx"]);
    let disk = Disk::find(volume.path(), None).unwrap();
    assert_eq!(collect(&disk, "registry.software").0.state, State::Failed);
    assert_eq!(collect(&disk, "eventlog.security").0.state, State::Absent);
}

#[test]
fn empty_files_are_empty() {
    let volume = volume(&[SYSTEM, "Windows/System32/winevt/Logs/Setup.evtx"]);
    let config = volume.path().join("Windows/System32");
    fs::write(config.join("config/SYSTEM"), "").unwrap();
    fs::write(config.join("winevt/Logs/Setup.evtx"), "").unwrap();
    let disk = Disk::find(volume.path(), None).unwrap();
    for item in ["registry.system", "eventlog.setup"] {
        let (outcome, artifacts) = collect(&disk, item);
        assert_eq!(
            (outcome.state, artifacts.len()),
            (State::Empty, 0),
            "{item}"
        );
    }
}

#[test]
fn what_a_running_machine_tells_is_left_out() {
    let volume = volume(&[SYSTEM]);
    let disk = Disk::find(volume.path(), None).unwrap();
    for item in [
        "network.tcp",
        "counters.pdh",
        "registry.volatile",
        "system.memory",
    ] {
        let reason = disk.way(by_id(item).unwrap()).err().unwrap();
        assert_eq!(reason, "needs the running machine", "{item}");
    }
}

#[test]
fn dumps_are_named_not_copied() {
    let volume = volume(&[
        SYSTEM,
        "Windows/minidump/112626-1.dmp",
        "Windows/LiveKernelReports/NDIS/NDIS-1.dmp",
        "Windows/WinSxS/pending.xml",
    ]);
    let disk = Disk::find(volume.path(), None).unwrap();
    let (outcome, artifacts) = collect(&disk, "system.dump-files");
    assert_eq!(outcome, Outcome::ok("list"));
    assert_eq!(names(&artifacts), ["system/dump-files.json"]);
    let record: DumpFiles = serde_json::from_slice(&artifacts[0].1).unwrap();
    let dumps: Vec<_> = record.dumps.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        dumps,
        [
            "\\Windows\\LiveKernelReports\\NDIS\\NDIS-1.dmp",
            "\\Windows\\Minidump\\112626-1.dmp"
        ]
    );
    assert_eq!(
        record.dumps[1].size_bytes,
        "Windows/minidump/112626-1.dmp".len() as u64
    );
    assert_eq!(record.pending[0].path, "\\Windows\\WinSxS\\pending.xml");
}

#[test]
fn no_dumps_are_an_answer_too() {
    let volume = volume(&[SYSTEM]);
    let disk = Disk::find(volume.path(), None).unwrap();
    let (outcome, artifacts) = collect(&disk, "system.dump-files");
    assert_eq!((outcome.state, artifacts.len()), (State::Empty, 1));
}

#[cfg(unix)]
mod links {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_not_followed() {
        let outside = volume(&["secret.evtx", "Minidump/stolen.dmp"]);
        let inside = volume(&[SYSTEM, "Windows/System32/winevt/Logs/Setup.evtx"]);
        let logs = inside.path().join("Windows/System32/winevt/Logs");
        symlink(outside.path().join("secret.evtx"), logs.join("System.evtx")).unwrap();
        let dumps = inside.path().join("Windows/Minidump");
        symlink(outside.path().join("Minidump"), dumps).unwrap();
        let disk = Disk::find(inside.path(), None).unwrap();

        let (outcome, artifacts) = collect(&disk, "eventlog.system");
        assert_eq!((outcome.state, artifacts.len()), (State::Failed, 0));
        assert!(outcome.reason.unwrap().contains("link"));
        let (outcome, artifacts) = collect(&disk, "system.dump-files");
        assert_eq!(outcome.state, State::Truncated);
        assert!(!String::from_utf8_lossy(&artifacts[0].1).contains("stolen"));
    }

    #[test]
    fn a_link_in_place_of_the_config_folder_is_refused() {
        let outside = volume(&[SYSTEM]);
        let inside = tempfile::tempdir().unwrap();
        symlink(
            outside.path().join("Windows"),
            inside.path().join("Windows"),
        )
        .unwrap();
        let sentence = Disk::find(inside.path(), None).unwrap_err();
        assert!(sentence.ends_with("is a link"), "{sentence}");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let volume = volume(&[SYSTEM]);
        let logs = volume.path().join("Windows/System32/winevt/Logs");
        fs::create_dir_all(logs.join("System.evtx")).unwrap();
        let disk = Disk::find(volume.path(), None).unwrap();
        assert_eq!(collect(&disk, "eventlog.system").0.state, State::Failed);
    }
}
