//! Facts of real machines, redacted: what the checks make of them, and that nothing but names was
//! changed in them.

use std::fs;
use std::path::Path;

use serde_json::Value;
use snapdiag::checks::table::TABLE;
use snapdiag::facts::Snapshot;
use snapdiag_fixtures::recorded::{self, PSEUDONYMS, Recorded};
use snapdiag_tests::captures;

use crate::case::{decide, open, report};
use crate::expect::shown;

#[test]
fn recorded_facts_decide_as_expected() {
    let all = recorded::all().unwrap();
    assert!(!all.is_empty());
    for recorded in all {
        let snapshot = open(&recorded.facts).snapshot();
        assert_eq!(snapshot.facts_version, Snapshot::VERSION);
        let mut checks = recorded.checks.clone();
        for check in TABLE {
            let place = format!("{}, {}", recorded.name, check.id);
            let expected = checks.remove(check.id);
            let expected = expected.unwrap_or_else(|| panic!("{place}: nothing is expected"));
            let decision = decide(check, &snapshot);
            let found = decision.verdict.word();
            assert_eq!(expected, found, "{place}\n{}", shown(&decision));
        }
        assert!(checks.is_empty(), "{}: no check {checks:?}", recorded.name);
    }
}

#[test]
fn recorded_facts_give_the_report_of_their_capture() {
    let Some(captures) = captures() else {
        println!("no captures: skipped");
        return;
    };
    for recorded in recorded::all().unwrap() {
        let folder = tempfile::tempdir().unwrap();
        copy(&captures, &recorded, folder.path());
        let parsed = |snapshot: &Snapshot| serde_json::from_str(&report(snapshot)).unwrap();
        let of_facts: Value = parsed(&open(&recorded.facts).snapshot());
        let of_capture: Value = parsed(&open(folder.path()).snapshot());
        let mut differences = Vec::new();
        compare("", &of_facts, &of_capture, &mut differences);
        let name = &recorded.name;
        assert!(
            differences.is_empty(),
            "{name}:\n{}",
            differences.join("\n")
        );
    }
}

/// The folders of the capture beside each other, as they were redacted: `eventlogs`, `hives`.
fn copy(captures: &Path, recorded: &Recorded, target: &Path) {
    for folder in &recorded.captures {
        let first = Path::new(folder).iter().next().unwrap();
        copy_folder(&captures.join(folder), &target.join(first));
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Both are the same but for texts that hold a pseudonym.
fn compare(place: &str, redacted: &Value, original: &Value, differences: &mut Vec<String>) {
    match (redacted, original) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (name, value) in one {
                let place = format!("{place}/{name}");
                compare(&place, value, &other[name], differences);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{place}/{number}"), one, other, differences);
            }
        }
        (Value::String(one), Value::String(_))
            if PSEUDONYMS.iter().any(|name| one.contains(name)) => {}
        _ if redacted == original => {}
        _ => differences.push(format!("{place}: {redacted}, but {original}")),
    }
}
