//! Dirty hives and their logs. What Windows recovered itself is the truth.

use std::collections::BTreeMap;
use std::path::Path;

use snapdiag::formats::hive::{HiveFile, Log, ReplayReport};
use snapdiag::formats::registry::{Quality, RegistryView, Value, WalkLimits, WalkReport};
use snapdiag_tests::captures;

/// All there is to a tree: keys with their times, values with their data.
type Content = BTreeMap<String, (Option<jiff::Timestamp>, Vec<Value>)>;

fn content(hive: &HiveFile) -> (Content, WalkReport) {
    let mut content = Content::new();
    let report = hive.walk(WalkLimits::default(), &mut |key, values| {
        content.insert(key.path.clone(), (key.last_write, values.to_vec()));
    });
    assert_eq!(hive.panics_caught(), 0);
    (content, report)
}

fn replayed(folder: &Path, hive: &str, logs: [&str; 2]) -> HiveFile {
    let read = |path: &str| std::fs::read(folder.join("hives").join(path)).expect("a capture");
    let [first, second] = logs.map(read);
    let logs = [
        Log {
            name: "LOG1",
            bytes: &first,
        },
        Log {
            name: "LOG2",
            bytes: &second,
        },
    ];
    HiveFile::open_with_logs(read(hive), &logs).expect("a hive")
}

fn stops(report: &ReplayReport) -> Vec<&str> {
    report
        .logs
        .iter()
        .map(|log| log.stopped.as_deref().unwrap_or(""))
        .collect()
}

#[test]
fn a_replayed_hive_is_what_windows_recovered() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let dirty = "msuhanov-yarp/NewDirtyHive1__NewDirtyHive";
    let logs = [format!("{dirty}.LOG1"), format!("{dirty}.LOG2")];
    let hive = replayed(&folder, dirty, [&logs[0], &logs[1]]);
    let report = hive.replay_report().expect("a report");
    assert_eq!(
        (report.from, report.to, report.entries, report.gap),
        (2, 5, 4, false)
    );
    assert_eq!(stops(report), ["", ""]);
    let truth = folder.join("hives/msuhanov-yarp/NewDirtyHive1__RecoveredHive_Windows10");
    let truth = HiveFile::open(std::fs::read(truth).expect("a capture")).expect("a hive");
    let (ours, windows) = (content(&hive), content(&truth));
    assert_eq!(ours, windows);
    assert_eq!(ours.1.keys, 5);
    assert!(!hive.header().is_dirty());
    assert_eq!(hive.header().bins_size, truth.header().bins_size);
}

#[test]
fn dirty_hives_of_real_machines_are_replayed() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let machine = "AndrewRathbun-DFIRArtifactMuseum/Registry/Win10/RathbunVM";
    // Hive, log without its number, entries applied, from, to, keys, values.
    let cases = [
        (
            "mkorman90-regipy/transactions_NTUSER.DAT",
            "mkorman90-regipy/transactions_ntuser.dat.log",
            23,
            566,
            588,
            3105,
            4695,
        ),
        ("DEFAULT", "DEFAULT.LOG", 5, 89, 110, 354, 1325),
        ("NTUSER.DAT", "ntuser.dat.LOG", 4, 194, 232, 3182, 5072),
        (
            "LocalService/NTUSER.DAT",
            "LocalService/NTUSER.DAT.LOG",
            3,
            33,
            38,
            613,
            973,
        ),
        (
            "NetworkService/NTUSER.DAT",
            "NetworkService/NTUSER.DAT.LOG",
            8,
            398,
            436,
            654,
            1005,
        ),
    ];
    for (hive, log, entries, from, to, keys, values) in cases {
        let place = |name: &str| {
            if name.starts_with("mkorman90") {
                name.to_owned()
            } else {
                format!("{machine}/{name}")
            }
        };
        let (first, second) = (place(&format!("{log}1")), place(&format!("{log}2")));
        let opened = replayed(&folder, &place(hive), [&first, &second]);
        let report = opened.replay_report().expect("a report");
        assert_eq!(
            (report.entries, report.from, report.to),
            (entries, from, to),
            "{hive}"
        );
        let (_, walked) = content(&opened);
        assert_eq!((walked.keys, walked.values), (keys, values), "{hive}");
        assert_eq!(walked.damage, [], "{hive}");
    }
}

#[test]
fn logs_that_do_not_fit_are_refused_with_the_reason() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let hive = "mkorman90-regipy/transactions_NTUSER.DAT";
    let older = "mkorman90-regipy/transactions_ntuser.dat.log2";
    let other = "msuhanov-yarp/NewDirtyHive1__NewDirtyHive.LOG1";
    let opened = replayed(&folder, hive, [older, other]);
    let report = opened.replay_report().expect("a report");
    assert!(report.was_dirty && !report.is_replayed());
    let stops = stops(report);
    assert_eq!(stops[0], "it is older (sequence 562) than the hive (566)");
    assert!(
        stops[1].starts_with("it belongs to another hive"),
        "{stops:?}"
    );
    let bad = "msuhanov-yarp/BadLogHive3__BadLogHive";
    let logs = [format!("{bad}.LOG1"), format!("{bad}.LOG2")];
    let opened = replayed(&folder, bad, [&logs[0], &logs[1]]);
    let report = opened.replay_report().expect("a report");
    assert_eq!(
        report.logs[0].stopped.as_deref(),
        Some("its base block has a wrong checksum")
    );
    assert_eq!(report.entries, 0);
}

#[test]
fn a_damaged_base_block_is_recovered_from_the_later_log() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let read = |name: &str| {
        let name = format!("hives/msuhanov-yarp/NewDirtyHive1__{name}");
        std::fs::read(folder.join(name)).expect("a capture")
    };
    let (first, second) = (read("NewDirtyHive.LOG1"), read("NewDirtyHive.LOG2"));
    let logs = [
        Log {
            name: "LOG1",
            bytes: &first,
        },
        Log {
            name: "LOG2",
            bytes: &second,
        },
    ];
    for damaged in [0, 36, 508] {
        let mut bytes = read("NewDirtyHive");
        bytes[damaged] ^= 0xFF;
        let hive = HiveFile::open_with_logs(bytes, &logs).expect("a hive");
        let report = hive.replay_report().expect("a report");
        assert!(report.header_recovered);
        assert_eq!((report.to, report.entries), (5, 3));
        assert!(hive.header().checksum_ok && !hive.header().is_dirty());
        assert_eq!(content(&hive).1.damage, []);
    }
}

/// The hive of this old log is not among the captures; one of the same origin stands in for it.
#[test]
fn a_real_old_log_is_applied() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let read = |name: &str| {
        let path = folder.join("hives/msuhanov-yarp").join(name);
        std::fs::read(path).expect("a capture")
    };
    let (mut hive, log) = (read("SlackHive"), read("OldLogWithRemnantData"));
    // The time and the name of the log's own hive, dirty, and no checksum: recovered from the log.
    hive[4096 + 20..4096 + 28].copy_from_slice(&log[12..20]);
    hive[508] ^= 1;
    let logs = [Log {
        name: "LOG1",
        bytes: &log,
    }];
    let hive = HiveFile::open_with_logs(hive, &logs).expect("a hive");
    let report = hive.replay_report().expect("a report");
    assert_eq!(
        (report.entries, report.to, report.header_recovered),
        (1, 5, true)
    );
    let before = HiveFile::open(read("SlackHive")).expect("a hive");
    let (before, after) = (content(&before), content(&hive));
    assert_eq!((after.1.keys, after.1.damage), (5003, Vec::new()));
    let changed = after
        .0
        .iter()
        .filter(|(path, key)| before.0.get(*path) != Some(key));
    let changed: Vec<&String> = changed.map(|(path, _)| path).collect();
    let parent = "key_with_many_subkeys";
    let below = ["4500", "5000", "5000\\find_me_in_log"].map(|name| format!("{parent}\\{name}"));
    assert_eq!(changed, [parent, &below[0], &below[1], &below[2]]);
}

#[test]
fn a_missing_log_is_a_gap_and_the_order_given_does_not_matter() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let dirty = "msuhanov-yarp/NewDirtyHive1__NewDirtyHive";
    let logs = [format!("{dirty}.LOG1"), format!("{dirty}.LOG2")];
    let swapped = replayed(&folder, dirty, [&logs[1], &logs[0]]);
    let ordered = replayed(&folder, dirty, [&logs[0], &logs[1]]);
    assert_eq!(content(&swapped), content(&ordered));
    assert_eq!(swapped.header(), ordered.header());
    let other = "mkorman90-regipy/transactions_ntuser.dat.log1";
    let alone = replayed(&folder, dirty, [&logs[1], other]);
    let report = alone.replay_report().expect("a report");
    assert_eq!((report.entries, report.to, report.gap), (3, 5, true));
    let quality = Quality::Replayed {
        from: 2,
        to: 5,
        entries: 3,
        gap: true,
    };
    assert_eq!(alone.quality(), [quality]);
    let alone = replayed(&folder, dirty, [&logs[0], other]);
    let report = alone.replay_report().expect("a report");
    assert_eq!((report.entries, report.to, report.gap), (1, 2, false));
}
