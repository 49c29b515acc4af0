//! The program itself, in other places of the world and on healthy machines.

use std::fs;

use assert_cmd::Command;
use serde_json::Value;
use snapdiag::checks::table;
use snapdiag_fixtures::machine::Mutation;
use snapdiag_fixtures::sample;

use crate::case::{MACHINES, Zip};
use crate::same::{first_difference, reversed};

/// Languages, time zones and numbers of threads.
const PLACES: [(&str, &str, &str); 3] = [
    ("C", "UTC", "4"),
    ("de_DE.UTF-8", "Europe/Berlin", "1"),
    ("zh_CN.UTF-8", "Asia/Shanghai", "2"),
];

fn analyze() -> Command {
    let mut command = Command::cargo_bin("snapdiag").unwrap();
    command.args(["analyze", "-f", "json"]);
    command
}

#[test]
fn neither_language_nor_time_zone_nor_threads_nor_order_matter() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sample::path("sick-server");
    let other = folder.path().join(whole.file_name().unwrap());
    fs::write(&other, reversed(&fs::read(&whole).unwrap())).unwrap();
    let report = |(language, zone, threads): (&str, &str, &str), path| {
        let mut command = analyze();
        command.env("LANG", language).env("LC_ALL", language);
        command.env("TZ", zone).args(["-j", threads]).arg(path);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let first = report(PLACES[0], &whole);
    assert!(first.contains("\"critical\""), "{first}");
    for place in &PLACES[1..] {
        let difference = first_difference(&first, &report(*place, &whole));
        assert_eq!(difference, None, "{place:?}");
    }
    let turned = report(PLACES[1], &other);
    assert_eq!(
        first_difference(&unhashed(&first), &unhashed(&turned)),
        None
    );
}

/// A report without the hash of the zip, which tells one order of entries from another.
fn unhashed(report: &str) -> String {
    let hash = |line: &&str| line.trim_start().starts_with("\"sha256\"");
    assert_eq!(report.lines().filter(hash).count(), 1);
    let lines: Vec<&str> = report.lines().filter(|line| !hash(line)).collect();
    lines.join("\n")
}

#[test]
fn a_healthy_machine_ends_with_status_0() {
    for (name, machine) in MACHINES.iter() {
        let zip = Zip::new(&machine.build(&Mutation::default()).unwrap());
        let output = analyze().arg(&zip.path).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap();
        assert_eq!(checks.len(), table::TABLE.len());
        for check in checks {
            let (id, verdict) = (check["id"].as_str().unwrap(), &check["verdict"]);
            let fine = matches!(verdict.as_str().unwrap(), "ok" | "not-applicable");
            assert!(fine, "{name}: {id} is {verdict}: {}", check["headline"]);
        }
    }
}
