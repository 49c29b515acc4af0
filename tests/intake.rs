//! Any layout of Windows artifacts is taken in: a mounted disk, a zip of one, loose files.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::io::Write;
use std::path::Path;

use jiff::Timestamp;
use snapdiag::facts::Snapshot;
use snapdiag::facts::capture::{CaptureKind, TimeSource};
use snapdiag::facts::fact::State;
use snapdiag::facts::inventory::{Artifact, ArtifactState, Kind};
use snapdiag::facts::sources::{OpenError, Options, Sources};
use snapdiag_fixtures::evtx::{Events, LogOptions, build_log};
use snapdiag_fixtures::hive::{HiveBuilder, Tree};

const CAPTURED: &str = "2026-11-20T10:00:00Z";

const SYSTEM: &str = r#"
[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\MountedDevices]
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="HOST-A"
"#;

const SOFTWARE: &str = r#"
[HKEY_LOCAL_MACHINE\SOFTWARE\Classes]
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]
"CurrentBuild"="20348"
"ProductName"="Windows Server 2022 Datacenter"
"#;

fn captured() -> Timestamp {
    CAPTURED.parse().unwrap()
}

fn hive(text: &str) -> Vec<u8> {
    let tree = Tree::parse(text, captured()).unwrap();
    HiveBuilder::new(&tree)
        .last_written(captured())
        .build()
        .unwrap()
}

fn log(channel: &str, computer: &str, records: u32) -> Vec<u8> {
    let line = format!(
        r#"{{"channel":"{channel}","provider":"EventLog","id":6013,"time":"-5h","computer":"{computer}","repeat":{{"count":{records},"every":"1m"}},"data":["1"]}}"#
    );
    let events = Events::parse(&line, captured()).unwrap();
    build_log(&events, None, LogOptions::default()).unwrap()
}

/// The files of a system volume, by their paths.
fn disk() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("Windows/System32/config/SYSTEM", hive(SYSTEM)),
        ("Windows/System32/config/SOFTWARE", hive(SOFTWARE)),
        ("Windows/System32/config/RegBack/SYSTEM", hive(SYSTEM)),
        (
            "Windows/System32/winevt/Logs/System.evtx",
            log("System", "HOST-A", 20),
        ),
        ("Windows.old/Windows/System32/config/SYSTEM", hive(SYSTEM)),
        (
            "Users/user1/NTUSER.DAT",
            hive("[Software]\n[Environment]\n"),
        ),
        ("pagefile.sys", b"not for us".to_vec()),
    ]
}

fn lay_out(root: &Path, files: &[(&str, Vec<u8>)]) {
    for (name, bytes) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn zip_of(path: &Path, prefix: &str, files: &[(&str, Vec<u8>)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{prefix}{name}"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn open(path: &Path) -> Sources {
    Sources::open(path, &Options::default()).unwrap()
}

fn artifact<'a>(snapshot: &'a Snapshot, path: &str) -> &'a Artifact {
    let artifacts = &snapshot.inventory.artifacts;
    artifacts
        .iter()
        .find(|artifact| artifact.path == path)
        .unwrap_or_else(|| panic!("{path} is not listed: {artifacts:?}"))
}

fn is_host_a(snapshot: &Snapshot) {
    assert_eq!(snapshot.machine.host.value().unwrap(), "HOST-A");
    assert_eq!(snapshot.machine.build.value(), Some(&20348));
    assert_eq!(snapshot.capture.kind, CaptureKind::DiskOnly);
    assert_eq!(snapshot.inventory.channels.len(), 1);
    assert_eq!(snapshot.inventory.channels[0].records, 20);
    // The last record is 19 minutes after -5h, and the hives' root keys confirm it.
    assert_eq!(snapshot.capture.source, TimeSource::EventLog);
    let last: Timestamp = "2026-11-20T05:19:00Z".parse().unwrap();
    assert_eq!(snapshot.capture.time, Some(last));
}

#[test]
fn a_mounted_disk_works_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), &disk());
    let snapshot = Snapshot::gather(&open(root.path()));
    is_host_a(&snapshot);
    let notes = snapshot.inventory.notes.join("\n");
    for aside in ["RegBack", "Windows.old", "Users"] {
        assert!(notes.contains(aside), "{aside} is not mentioned in {notes}");
    }
}

#[test]
fn the_windows_folder_alone_works_too() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), &disk());
    is_host_a(&Snapshot::gather(&open(&root.path().join("Windows"))));
}

#[test]
fn a_zip_of_a_disk_works_and_says_what_it_does_not_use() {
    let root = tempfile::tempdir().unwrap();
    for prefix in ["", "C/", "evidence/host-a/C/"] {
        let path = root.path().join("disk.zip");
        zip_of(&path, prefix, &disk());
        let snapshot = Snapshot::gather(&open(&path));
        is_host_a(&snapshot);
        let backup = format!("{prefix}Windows/System32/config/RegBack/SYSTEM");
        assert_eq!(artifact(&snapshot, &backup).state, ArtifactState::NotUsed);
        let other = artifact(&snapshot, &format!("{prefix}pagefile.sys")).clone();
        assert_eq!(
            (other.kind, other.state),
            (Kind::Unrecognised, ArtifactState::Unrecognised)
        );
    }
}

#[test]
fn loose_files_are_told_by_their_content() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("first.bin", hive(SYSTEM)),
        ("deep/er/second.bin", hive(SOFTWARE)),
        ("third.dat", log("System", "host-a.example.com", 20)),
        ("readme.txt", b"hello".to_vec()),
    ];
    lay_out(root.path(), &files);
    is_host_a(&Snapshot::gather(&open(root.path())));
    is_host_a_in_parts(root.path());
}

/// Every file on its own.
fn is_host_a_in_parts(root: &Path) {
    let system = Snapshot::gather(&open(&root.join("first.bin")));
    assert_eq!(system.machine.host.value().unwrap(), "HOST-A");
    assert!(matches!(system.machine.build.state, State::NotCollected(_)));
    let log = Snapshot::gather(&open(&root.join("third.dat")));
    assert_eq!(log.inventory.channels[0].name, "System");
    assert_eq!(log.machine.host.value().unwrap(), "host-a.example.com");
    let refused = Sources::open(&root.join("readme.txt"), &Options::default());
    assert!(matches!(refused, Err(OpenError::NotRecognised(_))));
}

#[test]
fn a_folder_without_artifacts_is_refused_with_a_reason() {
    let root = tempfile::tempdir().unwrap();
    lay_out(
        root.path(),
        &[("a.txt", b"x".to_vec()), ("b.txt", b"y".to_vec())],
    );
    let refused = Sources::open(root.path(), &Options::default());
    assert!(matches!(
        refused,
        Err(OpenError::NothingRecognised { files: 2, .. })
    ));
    let missing = Sources::open(&root.path().join("nowhere"), &Options::default());
    assert!(matches!(missing, Err(OpenError::Io { .. })));
}

#[test]
fn logs_of_another_machine_are_set_aside() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("SYSTEM", hive(SYSTEM)),
        ("ours.evtx", log("System", "HOST-A", 5)),
        ("theirs.evtx", log("System", "HOST-B", 50)),
        ("theirs2.evtx", log("Security", "HOST-B", 50)),
    ];
    lay_out(root.path(), &files);
    let snapshot = Snapshot::gather(&open(root.path()));
    let channels = &snapshot.inventory.channels;
    assert_eq!(channels.len(), 1, "the hives say which computer it is");
    assert_eq!(channels[0].artifact, "ours.evtx");
    assert_eq!(
        artifact(&snapshot, "theirs.evtx").state,
        ArtifactState::NotUsed
    );
    assert!(
        snapshot
            .inventory
            .notes
            .iter()
            .any(|note| note.contains("2 computers"))
    );

    fs::remove_file(root.path().join("SYSTEM")).unwrap();
    let snapshot = Snapshot::gather(&open(root.path()));
    let channels: Vec<&str> = snapshot
        .inventory
        .channels
        .iter()
        .map(|channel| channel.artifact.as_str())
        .collect();
    assert_eq!(
        channels,
        ["theirs2.evtx", "theirs.evtx"],
        "most records, by channel name"
    );
}

#[test]
fn hives_of_one_machine_and_logs_of_another_are_not_one() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("SYSTEM", hive(SYSTEM)),
        ("theirs.evtx", log("System", "HOST-B", 50)),
    ];
    lay_out(root.path(), &files);
    let snapshot = Snapshot::gather(&open(root.path()));
    assert!(snapshot.inventory.channels.is_empty());
    assert_eq!(
        artifact(&snapshot, "theirs.evtx").state,
        ArtifactState::NotUsed
    );
    let notes = snapshot.inventory.notes.join("\n");
    assert!(
        notes.contains("HOST-A") && notes.contains("HOST-B"),
        "{notes}"
    );
}

#[test]
fn without_a_hive_the_last_record_names_the_computer() {
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), &[("a.evtx", log("System", "HOST-B", 3))]);
    let snapshot = Snapshot::gather(&open(root.path()));
    assert_eq!(snapshot.machine.host.value().unwrap(), "HOST-B");
}

#[cfg(unix)]
#[test]
fn a_device_is_refused_and_a_link_is_listed() {
    let refused = Sources::open(Path::new("/dev/null"), &Options::default());
    assert!(matches!(refused, Err(OpenError::NotAFile(_))));
    let root = tempfile::tempdir().unwrap();
    lay_out(root.path(), &[("SYSTEM", hive(SYSTEM))]);
    std::os::unix::fs::symlink("/dev/zero", root.path().join("SOFTWARE")).unwrap();
    let notes = open(root.path()).inventory().notes.join("\n");
    assert!(notes.contains("SOFTWARE"), "{notes}");
}

#[test]
fn of_two_hives_the_one_written_last_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let older = Tree::parse(&SYSTEM.replace("HOST-A", "HOST-OLD"), captured()).unwrap();
    let older_time = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut bytes = Tree::parse(
        &format!(
            ";@last-write=2026-01-01T00:00:00Z\n{}",
            SYSTEM.replace("HOST-A", "HOST-OLD")
        ),
        older_time,
    )
    .map(|tree| {
        HiveBuilder::new(&tree)
            .last_written(older_time)
            .build()
            .unwrap()
    })
    .unwrap();
    assert_ne!(bytes, HiveBuilder::new(&older).build().unwrap());
    lay_out(
        root.path(),
        &[("a", std::mem::take(&mut bytes)), ("b", hive(SYSTEM))],
    );
    let snapshot = Snapshot::gather(&open(root.path()));
    assert_eq!(snapshot.machine.host.value().unwrap(), "HOST-A");
    let other = artifact(&snapshot, "a");
    assert_eq!(other.state, ArtifactState::NotUsed);
    assert!(
        other
            .notes
            .iter()
            .any(|note| note.contains("b was written later"))
    );
}

#[test]
fn a_control_set_that_is_not_there_is_unreadable_not_absent() {
    let root = tempfile::tempdir().unwrap();
    let broken = SYSTEM.replace("dword:00000001", "dword:00000002");
    lay_out(root.path(), &[("SYSTEM", hive(&broken))]);
    let host = Snapshot::gather(&open(root.path())).machine.host;
    let State::Unreadable(why) = host.state else {
        panic!("expected unreadable, found {:?}", host.state)
    };
    assert!(why.contains("ControlSet002"), "{why}");
}

#[test]
fn registry_text_is_a_second_source_of_the_same_facts() {
    let root = tempfile::tempdir().unwrap();
    let text = "Windows Registry Editor Version 5.00\r\n\r\n\
        [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\ComputerName\\ComputerName]\r\n\
        \"ComputerName\"=\"HOST-A\"\r\n";
    let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    lay_out(root.path(), &[("export.reg", utf16)]);
    let snapshot = Snapshot::gather(&open(&root.path().join("export.reg")));
    assert_eq!(snapshot.machine.host.value().unwrap(), "HOST-A");
    let place = snapshot.machine.host.evidence[0].locator.to_string();
    assert!(place.contains("CurrentControlSet"), "{place}");
}

#[test]
fn of_two_netstat_outputs_the_choice_is_said() {
    let root = tempfile::tempdir().unwrap();
    let rows = "  TCP    0.0.0.0:3389    0.0.0.0:0    LISTENING    900\n".repeat(3);
    let files = [
        ("a.txt", rows.clone().into_bytes()),
        ("b.txt", rows.into_bytes()),
    ];
    lay_out(root.path(), &files);
    let snapshot = Snapshot::gather(&open(root.path()));
    assert_eq!(artifact(&snapshot, "a.txt").state, ArtifactState::Used);
    let other = artifact(&snapshot, "b.txt");
    assert_eq!(other.state, ArtifactState::NotUsed);
    assert!(
        other.notes.iter().any(|note| note.contains("a.txt")),
        "{:?}",
        other.notes
    );
}

#[test]
fn the_machine_of_the_captures_is_taken_as_a_whole() {
    let Some(captures) = snapdiag_tests::captures() else {
        println!("no captures: skipped");
        return;
    };
    let machine = "eventlogs/AndrewRathbun-DFIRArtifactMuseum/Win10/RathbunVM";
    let snapshot = Snapshot::gather(&open(&captures.join(machine)));
    let expected = snapdiag_tests::expected(&captures);
    for channel in &snapshot.inventory.channels {
        let said = &expected[&format!("{machine}/{}", channel.artifact)]["evtx"];
        assert_eq!(said["records"], channel.records, "{}", channel.name);
    }
    assert_eq!(snapshot.inventory.channels.len(), 16);
    assert!(
        snapshot
            .inventory
            .artifacts
            .iter()
            .all(|a| a.state == ArtifactState::Used)
    );
}

#[test]
fn a_folder_of_many_machines_is_not_taken_for_one() {
    let Some(captures) = snapdiag_tests::captures() else {
        println!("no captures: skipped");
        return;
    };
    let snapshot = Snapshot::gather(&open(&captures.join("eventlogs")));
    let used: Vec<&str> = snapshot
        .inventory
        .channels
        .iter()
        .map(|channel| channel.artifact.as_str())
        .collect();
    assert!(
        used.iter().all(|name| name.contains("RathbunVM")),
        "{used:?}"
    );
    assert!(
        snapshot
            .inventory
            .notes
            .iter()
            .any(|note| note.contains("computers"))
    );
}
