use std::path::{Path, PathBuf};

use super::events::SYSTEM;
use super::*;
use crate::facts::Snapshot;
use crate::facts::events::EventFamily;
use crate::facts::sources::Options;
use crate::formats::evtx::{Event, Field, Fields, Header, Value};

fn record(id: u32, record_id: u64, provider: &str, fields: Fields) -> Events {
    let channel = if provider.contains("Wininit") {
        "Application"
    } else {
        SYSTEM
    };
    let event = Event {
        header: Header {
            sequence: record_id,
            record_id,
            time: at(record_id),
            provider,
            source: None,
            event_id: id,
            channel,
            computer: "HOST-A",
            stale: false,
        },
        system: Fields::default(),
        fields,
    };
    let wanted = Events::WANTS.iter().any(|want| want.matches(&event.header));
    assert!(wanted, "{provider} {id} is not wanted");
    let mut events = Events::default();
    events.event(&event);
    events
}

/// One minute a record.
fn at(record_id: u64) -> Timestamp {
    let minutes = i64::try_from(record_id).unwrap() * 60;
    Timestamp::from_second(1_790_000_000 + minutes).unwrap()
}

fn named(list: &[(&str, Value)]) -> Fields {
    let field = |(name, value): &(&str, Value)| Field {
        name: Some((*name).to_owned()),
        value: value.clone(),
    };
    list.iter().map(field).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn mark(id: u32, record_id: u64) -> Events {
    let provider = match id {
        12 | 13 => "Microsoft-Windows-Kernel-General",
        41 | 109 => "Microsoft-Windows-Kernel-Power",
        1001 => "Microsoft-Windows-WER-SystemErrorReporting",
        _ => "EventLog",
    };
    record(id, record_id, provider, Fields::default())
}

fn log(marks: &[(u32, u64)]) -> Events {
    let mut events = Events::default();
    for (id, record_id) in marks {
        events.merge(mark(*id, *record_id));
    }
    events
}

fn assemble(events: &Events) -> (Vec<Session>, Vec<Incident>) {
    sessions::assemble(events, "System.evtx")
}

fn starts(sessions: &[Session]) -> Vec<u64> {
    sessions
        .iter()
        .map(|session| session.first_record)
        .collect()
}

#[test]
fn the_kernel_and_the_log_service_start_one_session_in_either_order() {
    let orderly = log(&[(12, 1), (6009, 2), (6005, 3), (6006, 9)]);
    let (sessions, incidents) = assemble(&orderly);
    assert_eq!((starts(&sessions), incidents.len()), (vec![1], 0));
    assert!(sessions[0].stopped);
    assert_eq!(sessions[0].started, at(3));

    let late = log(&[
        (6009, 1),
        (6005, 2),
        (12, 5),
        (6006, 8),
        (6009, 9),
        (6005, 10),
        (13, 12),
        (12, 13),
    ]);
    assert_eq!(starts(&assemble(&late).0), [1, 9]);
}

#[test]
fn records_of_one_start_are_one_incident() {
    let events = log(&[
        (12, 1),
        (6005, 3),
        (12, 10),
        (41, 11),
        (6008, 12),
        (6009, 13),
        (6005, 14),
        (1001, 20),
        (12, 30),
        (41, 31),
    ]);
    let (sessions, incidents) = assemble(&events);
    assert_eq!(starts(&sessions), [1, 10, 30]);
    assert_eq!(incidents.len(), 2);
    assert_eq!(incidents[0].class, IncidentClass::Bugcheck);
    assert_eq!(incidents[0].evidence.len(), 3);
    assert_eq!(incidents[0].time, at(12));
    assert_eq!(incidents[1].class, IncidentClass::PowerLoss);
    assert_eq!(incidents[1].time, at(31));
}

#[test]
fn the_log_service_that_starts_first_opens_the_session_of_its_6008() {
    let events = log(&[
        (6009, 1),
        (6005, 2),
        (12, 3),
        (6008, 10),
        (6009, 11),
        (6005, 12),
        (12, 15),
        (41, 16),
    ]);
    let (sessions, incidents) = assemble(&events);
    assert_eq!(starts(&sessions), [1, 10]);
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0].evidence.len(), 2);
}

#[test]
fn a_stop_code_comes_from_41_or_1001() {
    let power = |code: u64, button: u64| {
        let fields = named(&[
            ("BugcheckCode", Value::Unsigned(code)),
            ("BugcheckParameter1", Value::Hex(0x28)),
            ("SleepInProgress", Value::Bool(false)),
            ("PowerButtonTimestamp", Value::Unsigned(button)),
        ]);
        record(41, 5, "Microsoft-Windows-Kernel-Power", fields)
    };
    let (_, incidents) = assemble(&power(209, 0));
    let stop = incidents[0].bugcheck.clone().unwrap();
    assert_eq!((stop.code, stop.parameters), (0xd1, vec![0x28]));
    assert_eq!(incidents[0].class, IncidentClass::Bugcheck);

    let (_, incidents) = assemble(&power(0, 130_849_833_260_468_750));
    assert_eq!(incidents[0].class, IncidentClass::PowerLoss);
    assert!(incidents[0].power_button);

    let mut events = power(0, 0);
    let fields = named(&[
        ("param1", text("0x000000ef (0x1, 0x2, 0x3, 0x4)")),
        ("param2", text("C:\\Windows\\MEMORY.DMP")),
    ]);
    events.merge(record(1001, 9, "BugCheck", fields));
    let (_, incidents) = assemble(&events);
    let stop = incidents[0].bugcheck.clone().unwrap();
    assert_eq!((incidents.len(), stop.code), (1, 0xef));
    assert_eq!(stop.dump.as_deref(), Some("C:\\Windows\\MEMORY.DMP"));
}

#[test]
fn what_is_kept_does_not_depend_on_the_grouping() {
    let make = |record_id: u64| {
        let volume = format!("\\Device\\HarddiskVolumeShadowCopy{}", record_id % 300);
        let fields = named(&[("DriveName", text(&volume))]);
        let mut events = record(55, record_id, "Ntfs", fields);
        events.merge(mark(41, record_id + 10_000));
        events
    };
    let fold = |range: std::ops::Range<u64>| {
        range.fold(Events::default(), |mut all, record_id| {
            all.merge(make(record_id));
            all
        })
    };
    let whole = fold(0..900);
    let kept = |events: &Events| -> Vec<(String, u64)> {
        let volumes = events.of_volumes();
        let mut list: Vec<_> = volumes
            .map(|(volume, kept)| (volume.to_owned(), kept.record_id))
            .collect();
        list.extend(
            events
                .of(SYSTEM, 41)
                .map(|kept| (String::new(), kept.record_id)),
        );
        list
    };
    assert_eq!(kept(&whole).len(), 128 * 3 + 256);
    for split in [1, 299, 300, 600, 899] {
        let mut parts = fold(0..split);
        parts.merge(fold(split..900));
        assert_eq!(kept(&parts), kept(&whole), "split at {split}");
    }
}

#[test]
fn an_event_of_absurd_size_is_not_kept() {
    let fields = named(&[("DriveName", text(&"x".repeat(17 * 1024)))]);
    assert_eq!(record(55, 1, "Ntfs", fields).of_volumes().count(), 0);
}

#[test]
fn a_driver_is_told_from_a_service_by_its_file() {
    let installed = |path: &str| {
        let fields = named(&[("ServiceName", text("x")), ("ImagePath", text(path))]);
        let events = record(7045, 1, "Service Control Manager", fields);
        logged::changes(&events, "System.evtx").len()
    };
    assert_eq!(installed("\\SystemRoot\\System32\\drivers\\netkvm.sys"), 1);
    assert_eq!(installed("C:\\Program Files\\agent\\agent.exe"), 0);
}

#[test]
fn windows_7_names_the_volume_by_position() {
    let positional = |value: &str| Field {
        name: None,
        value: text(value),
    };
    let fields: Fields = ["", "C:", "x"].map(positional).into_iter().collect();
    let list = logged::file_systems(&record(55, 1, "Ntfs", fields), "System.evtx");
    assert_eq!(list[0].subject, "C:");
}

/// The facts of a capture; `None` where the captures are absent.
fn capture(path: &str) -> Option<Snapshot> {
    let Some(folder) = snapdiag_tests::captures() else {
        eprintln!("skipped: no captures");
        return None;
    };
    let path: PathBuf = folder.join(Path::new(path));
    let opened = crate::analyze::open(&path, &Options::default()).unwrap();
    Some(opened.snapshot())
}

fn count(events: &[LoggedEvent], id: u32) -> usize {
    events.iter().filter(|event| event.id == id).count()
}

/// python-evtx, evtxexport and `expected.json` agree: 41 twice (records 325 and 1046), 6008 once
/// (1041), 6005 eight times, no 1001, nine 1074, seven 109; the two 46 are not volmgr's.
#[test]
fn a_real_log_with_two_power_losses() {
    let Some(snapshot) = capture("eventlogs/log2timeline-plaso/evtx__System.evtx") else {
        return;
    };
    let boot = snapshot.boot;
    let ids: Vec<Vec<String>> = boot
        .incidents
        .iter()
        .map(|incident| {
            let places = incident.evidence.iter();
            places.map(|place| place.locator.to_string()).collect()
        })
        .collect();
    assert_eq!(
        ids,
        [
            vec!["evt:System?record=325".to_owned()],
            vec![
                "evt:System?record=1046".to_owned(),
                "evt:System?record=1041".to_owned()
            ],
        ]
    );
    let [first, second] = boot.incidents.as_slice() else {
        panic!("two incidents")
    };
    assert_eq!(first.class, IncidentClass::PowerLoss);
    assert!(!first.power_button && second.power_button);
    // This machine kept UTC: both times of Binary are the same.
    assert_eq!(
        second.last_alive.map(|time| time.to_string()).as_deref(),
        Some("2015-08-25T13:34:44.796Z")
    );
    // 1076 is record 3433, and no start lies between.
    assert_eq!(second.reason.as_deref(), Some("Other (Unplanned)"));
    assert_eq!(
        (count(&boot.shutdowns, 1074), count(&boot.shutdowns, 109)),
        (9, 7)
    );
    assert!(
        boot.dump_failures.is_empty(),
        "both 46 are of another provider"
    );
    assert_eq!(boot.sessions.len(), 8);
    assert!(boot.sessions.last().unwrap().first_record >= 1038);
}

/// `expected.json`: 12, 6005 and 6009 four times, 13 and 6006 twice, no 41; 98 seven times, 1074
/// and 109 twice.
#[test]
fn a_real_log_without_incident() {
    let path = "eventlogs/AndrewRathbun-DFIRArtifactMuseum/Win10/RathbunVM";
    let Some(snapshot) = capture(path) else {
        return;
    };
    let boot = snapshot.boot;
    assert_eq!(starts(&boot.sessions), [1, 113, 208, 877]);
    assert!(boot.incidents.is_empty());
    assert_eq!(boot.last_boot_good.value(), Some(&true));
    assert_eq!(
        (count(&boot.shutdowns, 1074), count(&boot.shutdowns, 109)),
        (2, 2)
    );
    assert_eq!(count(&boot.file_systems, 98), 7);
    assert!(boot.file_systems.iter().all(|event| event.detail == "0"));
    assert!(boot.disks.is_empty(), "disk 153 is Kernel-Boot's here");
}

/// `expected.json` by python-registry: `CrashDumpEnabled`, `Select` and `ShutdownTime`.
#[test]
fn real_hives() {
    let number = |fact: &Fact<crate::facts::sources::registry::Number>| {
        fact.value().and_then(|number| number.value)
    };
    for (path, dumps, known_good, shutdown) in [
        ("hives/fox-it-dissect-regf/SYSTEM", 7, 1, "2022-06-22T"),
        (
            "hives/log2timeline-dfwinreg/sdist20180712_SYSTEM",
            3,
            3,
            "2012-10-24T",
        ),
    ] {
        let Some(snapshot) = capture(path) else {
            return;
        };
        let boot = snapshot.boot;
        assert_eq!(number(&boot.crash_control.enabled), Some(dumps), "{path}");
        assert_eq!(number(&boot.control_sets.last_known_good), Some(known_good));
        assert_eq!(number(&boot.control_sets.failed), Some(0));
        assert_eq!(number(&boot.setup.in_progress), Some(0));
        let execute = boot.boot_execute.value().unwrap();
        assert_eq!(execute, &["autocheck autochk *"]);
        let time = boot.shutdown_time.value().unwrap().to_string();
        assert!(time.starts_with(shutdown), "{path}: {time}");
        assert!(
            !boot.setup.image_state.is_settled(),
            "SOFTWARE is not there"
        );
        assert_eq!(snapshot.drives.is_fixed('C'), Some(true), "{path}");
        assert_eq!(snapshot.drives.is_fixed('D'), Some(false), "{path}");
    }
}
