//! Real hives, compared with what other readers and Windows itself say of them.
//!
//! These tests need the captures (see `snapdiag_tests::captures`) and pass without them, saying so.
#![cfg(test)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value as Json, json};
use snapdiag::formats::hive::{Header, HiveFile, Log, ReplayReport, silence_guarded_panics};
use snapdiag::formats::registry::{Key, Listing, RegistryView, Value, WalkLimits, WalkReport};
use snapdiag_tests::{captures, expected};

/// How many captures there are to compare: fewer is a failure.
const FILES: usize = 66;

/// Captures whose tree the other readers give no figures for, and why.
const NO_FIGURES: [(&str, &str); 4] = [
    (
        "hives/forensicmatt-r-winreg/.testdata__NTUSER_0_4096_BASE_BLOCK.DAT",
        "a base block alone",
    ),
    (
        "hives/libyal-libregf/tests__data__file_header.1",
        "the first sector of a base block alone",
    ),
    (
        "hives/log2timeline-plaso/regf__corrupt_sub_key_list.hiv",
        "the other readers stop at its damaged subkey list; we read the other 100 keys",
    ),
    (
        "hives/mkorman90-regipy/corrupted_system_hive",
        "the other readers stop at its first damaged key",
    ),
];

#[derive(Default)]
struct Tally {
    files: usize,
    trees: usize,
    logs: usize,
    keys: u64,
    values: u64,
    facts: usize,
    skipped: Vec<String>,
}

#[test]
fn hives_agree_with_other_readers() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    silence_guarded_panics();
    let mut tally = Tally::default();
    for (path, entry) in expected(&folder) {
        if let Some(hive) = entry.get("hive") {
            compare(&folder, &path, hive, &mut tally);
        }
    }
    println!(
        "{} files: {} trees with {} keys, {} values and {} known facts; {} logs",
        tally.files, tally.trees, tally.keys, tally.values, tally.facts, tally.logs
    );
    println!("no figures of other readers for {:?}", tally.skipped);
    assert!(tally.files >= FILES, "{} files", tally.files);
    assert_eq!(tally.skipped, NO_FIGURES.map(|(path, _)| path));
    assert!(tally.facts > 100, "{} facts", tally.facts);
}

fn compare(folder: &Path, path: &str, expected: &Json, tally: &mut Tally) {
    let bytes = std::fs::read(folder.join(path)).expect("a readable capture");
    tally.files += 1;
    let header = Header::read(&bytes).expect("a base block");
    compare_header(path, &header, &expected["header"]);
    if expected["type"] == "LOG" {
        tally.logs += 1;
        return;
    }
    let Some(facts) = expected.get("facts") else {
        tally.skipped.push(path.to_owned());
        return;
    };
    let hive = HiveFile::open(bytes).expect("a hive");
    let mut keys = Vec::new();
    let report = hive.walk(WalkLimits::default(), &mut |key, _| keys.push(key.clone()));
    assert_eq!(json!(report.keys), facts["keys"], "keys of {path}");
    assert_eq!(json!(report.values), facts["values"], "values of {path}");
    assert_eq!(hive.panics_caught(), 0, "panics in {path}");
    assert!(!report.limited, "{path}");
    look_up(path, &hive, &keys, report.damage.is_empty());
    let root = hive.key("").expect("a root").expect("a root");
    assert_eq!(
        json!(plain(&root.name)),
        facts["root_name"],
        "root of {path}"
    );
    let top = hive.subkeys("").expect("a root").expect("a root");
    let mut top: Vec<String> = top.items.iter().map(|key| plain(&key.name)).collect();
    top.sort();
    let named = strings(&facts["top"]);
    // The other readers' list is sorted and ends after forty names.
    assert!(top.starts_with(&named), "top keys of {path}: {top:?}");
    assert!(top.len() == named.len() || named.len() >= 40, "{path}");
    if facts["hive_type"] == "SYSTEM" {
        tally.facts += compare_system(&hive, facts);
    }
    tally.trees += 1;
    tally.keys += report.keys;
    tally.values += report.values;
}

fn compare_header(path: &str, header: &Header, expected: &Json) {
    let ours = json!({
        "checksum_ok": header.checksum_ok,
        "dirty": header.primary_sequence != header.secondary_sequence,
        "file_type": header.file_type,
        "hbins_len": header.bins_size,
        "name": header.file_name,
        "root_cell": header.root_cell,
        "seq1": header.primary_sequence,
        "seq2": header.secondary_sequence,
        "version": format!("{}.{}", header.version.0, header.version.1),
    });
    for (name, value) in ours.as_object().expect("an object") {
        assert_eq!(value, &expected[name], "{name} of {path}");
    }
    if let Some(time) = expected.get("last_written").and_then(Json::as_str) {
        // The other reader counts in microseconds.
        let time: jiff::Timestamp = time.parse().expect("a time");
        let ours = header.last_written.expect("a time");
        assert_eq!(ours.as_microsecond(), time.as_microsecond(), "{path}");
    }
}

/// What a walk shows is found by path as well; of large hives one key in eleven is tried. What is
/// not there is said to be so only in a sound hive.
fn look_up(path: &str, hive: &HiveFile, keys: &[Key], sound: bool) {
    let step = if keys.len() > 5_000 { 11 } else { 1 };
    for key in keys.iter().step_by(step) {
        let found = hive.key(&key.path).expect("no damage").expect("the key");
        assert_eq!(found.path, key.path, "{path}");
        let shouted = hive.key(&key.path.to_uppercase()).expect("no damage");
        assert!(
            shouted.is_some() || !key.path.is_ascii(),
            "{} in {path}",
            key.path
        );
        let missing = format!("{}\\no such key", key.path);
        let key = hive.key(&missing);
        assert!(key == Ok(None) || !sound, "{path}");
        let value = hive.value(&found.path, "no such value");
        assert!(value == Ok(None) || !sound, "{path}");
    }
}

/// Well-known values of a SYSTEM hive; returns how many were compared.
fn compare_system(hive: &HiveFile, facts: &Json) -> usize {
    let set = facts["current_controlset"].as_str().expect("a control set");
    let control = format!("{set}\\Control");
    let server = format!("{control}\\Terminal Server");
    let tables = [
        ("Select", "Select".to_owned()),
        ("RDP-Tcp", format!("{server}\\WinStations\\RDP-Tcp")),
        ("TS", server.clone()),
        ("CrashControl", format!("{control}\\CrashControl")),
        ("Tcpip", format!("{set}\\Services\\Tcpip\\Parameters")),
    ];
    let mut compared = 0;
    for (fact, key) in tables {
        compared += compare_values(hive, &key, &facts[fact]);
    }
    for (service, values) in facts["svc"].as_object().expect("services") {
        compared += compare_values(hive, &format!("{set}\\Services\\{service}"), values);
    }
    let count = |path: &str| {
        hive.subkeys(path)
            .expect("no damage")
            .map(|keys| keys.items.len())
    };
    assert_eq!(json!(count(&format!("{set}\\Services"))), facts["services"]);
    let stations = hive
        .subkeys(&format!("{server}\\WinStations"))
        .expect("no damage");
    let stations: Vec<String> = stations
        .expect("the key")
        .into_iter()
        .map(|key| key.name)
        .collect();
    assert_eq!(json!(stations), facts["WinStations"]);
    let rules = format!("{set}\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules");
    let rules = hive
        .values(&rules)
        .expect("no damage")
        .map(|values| values.items.len());
    assert_eq!(json!(rules), facts["FirewallRules"]);
    let name = format!("{control}\\ComputerName\\ComputerName");
    let name = hive
        .value(&name, "ComputerName")
        .expect("no damage")
        .expect("a name");
    assert_eq!(json!(name.as_string()), facts["ComputerName"]);
    compared + 4
}

fn compare_values(hive: &HiveFile, key: &str, values: &Json) -> usize {
    let values = values.as_object().expect("values");
    for (name, expected) in values {
        let found = hive.value(key, name).expect("no damage");
        assert_eq!(
            found.as_ref().map_or(Json::Null, typed),
            *expected,
            "{key}::{name}"
        );
    }
    values.len()
}

fn typed(value: &Value) -> Json {
    value
        .as_u64()
        .map(Json::from)
        .or_else(|| value.as_string().map(Json::from))
        .unwrap_or_default()
}

/// A name without our escapes, lossy where it must be.
fn plain(name: &str) -> String {
    let mut parts = name.split("%u");
    let mut units: Vec<u16> = parts.next().unwrap_or_default().encode_utf16().collect();
    for part in parts {
        let (digits, rest) = part.split_at(4);
        units.push(u16::from_str_radix(digits, 16).expect("hex"));
        units.extend(rest.encode_utf16());
    }
    String::from_utf16_lossy(&units)
}

fn strings(list: &Json) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter()
        .map(|name| name.as_str().expect("text").to_owned())
        .collect()
}

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

/// A generator of reproducible noise (xorshift64).
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap_or_default()
    }
}

/// Small hives with every structure: big data, lists of leaves, odd names, class names.
const SMALL: [&str; 6] = [
    "libguestfs-hivex/images__special",
    "msuhanov-yarp/BigDataHive",
    "ColinFinck-nt-hive/testhive",
    "msuhanov-yarp/System_Delta",
    "log2timeline-plaso/regf__100_sub_keys.hiv",
    "AndrewRathbun-DFIRArtifactMuseum/Registry/Win10/RathbunVM/BCD-Template",
];

fn exhaust(bytes: Vec<u8>) -> u64 {
    let Ok(hive) = HiveFile::open(bytes) else {
        return 0;
    };
    let mut paths = Vec::new();
    hive.walk(WalkLimits::default(), &mut |key, _| {
        if paths.len() < 20 {
            paths.push(key.path.clone());
        }
    });
    for path in paths {
        let _ = (hive.key(&path), hive.value(&path, "x"));
        let _ = (hive.values(&path), hive.subkeys(&path));
    }
    hive.panics_caught()
}

#[test]
fn mutated_hives_neither_panic_nor_hang() {
    let Some(folder) = captures() else {
        println!("no captures: nothing mutated");
        return;
    };
    let mut noise = Noise(0x5EED);
    let mut caught = 0;
    let mut opened = 0;
    for name in SMALL {
        let whole = std::fs::read(folder.join("hives").join(name)).expect("a capture");
        let used = whole
            .iter()
            .rposition(|byte| *byte != 0)
            .unwrap_or_default()
            + 1;
        for _ in 0..350 {
            let mut bytes = whole.clone();
            for _ in 0..=noise.below(12) {
                let at = if noise.below(4) == 0 {
                    noise.below(512)
                } else {
                    noise.below(used)
                } & !3;
                let word = [0, u32::MAX, 0x8000_0000, 0xFFFF_FFF8, 0x20][noise.below(5)];
                match noise.below(3) {
                    0 => bytes[at] ^= 1 << noise.below(8),
                    1 => bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word)),
                    _ => {
                        let from = noise.below(used - 4);
                        bytes.copy_within(from..from + 4, at);
                    }
                }
            }
            caught += exhaust(bytes);
            opened += 1;
        }
        for _ in 0..40 {
            let length = noise.below(used);
            caught += exhaust(whole.get(..length).unwrap_or_default().to_vec());
            opened += 1;
        }
    }
    println!("{opened} damaged hives, {caught} panics caught");
    assert_eq!(caught, 0);
}

#[test]
fn mutated_logs_neither_panic_nor_hang() {
    let Some(folder) = captures() else {
        println!("no captures: nothing mutated");
        return;
    };
    let read = |name: &str| {
        let name = format!("hives/msuhanov-yarp/NewDirtyHive1__{name}");
        std::fs::read(folder.join(name)).expect("a capture")
    };
    let (hive, log) = (read("NewDirtyHive"), read("NewDirtyHive.LOG2"));
    let mut noise = Noise(7);
    for round in 0..500 {
        let mut log = log.clone();
        let at = noise.below(1024);
        log[at] ^= 1 << noise.below(8);
        log.truncate(log.len() - noise.below(2) * noise.below(log.len()));
        let mut hive = hive.clone();
        hive[noise.below(64)] ^= u8::try_from(round % 3).unwrap_or_default();
        let logs = [Log {
            name: "LOG2",
            bytes: &log,
        }];
        if let Ok(hive) = HiveFile::open_with_logs(hive, &logs) {
            hive.walk(WalkLimits::default(), &mut |_, _| ());
            assert_eq!(hive.panics_caught(), 0);
        }
    }
}

#[test]
fn damage_is_told_beside_what_is_read() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let path = folder.join("hives/log2timeline-plaso/regf__corrupt_sub_key_list.hiv");
    let hive = HiveFile::open(std::fs::read(path).expect("a capture")).expect("a hive");
    let Listing { items, damage } = hive.subkeys("").expect("a root").expect("a root");
    assert_eq!((items.len(), damage.len()), (99, 1));
    assert_eq!(damage[0].offset, 0x5480);
    assert_eq!(damage[0].found, "size 0");
}
