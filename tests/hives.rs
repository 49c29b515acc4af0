//! Real hives, compared with what other readers and Windows itself say of them.
//!
//! These tests need the captures (see `snapdiag_tests::captures`) and pass without them, saying so.
#![cfg(test)]

#[path = "hives/damage.rs"]
mod damage;
#[path = "hives/replay.rs"]
mod replay;

use std::path::Path;

use serde_json::{Value as Json, json};
use snapdiag::formats::hive::{Header, HiveFile, silence_guarded_panics};
use snapdiag::formats::registry::{Key, RegistryView, Value, WalkLimits};
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
    let step = if keys.len() > 1_000 { 11 } else { 1 };
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
