//! `show`, `verify` and the coverage table on a bundle with built artifacts.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use jiff::Timestamp;
use serde_json::{Value, json};
use snapdiag_bundle::records::{CounterSeries, Counters};
use snapdiag_bundle::{
    Bounds, BundleWriter, Capture, CaptureMode, Collector, FormatVersion, ItemRow, OsError, Plan,
    State,
};
use snapdiag_fixtures::evtx::{Events, LogOptions, build_log};
use snapdiag_fixtures::hive::{HiveBuilder, Tree};
use tempfile::TempDir;

const CAPTURED: &str = "2026-11-20T10:00:00Z";

const SYSTEM: &str = r#"
[Select]
"Current"=dword:00000001
[ControlSet001\Control\ComputerName\ComputerName]
"ComputerName"="HOST-A"
[ControlSet001\Control\Terminal Server]
;@last-write=2026-11-20T09:00:00Z
"fDenyTSConnections"=dword:00000001
"Rules::C:\\a"="value"
[MountedDevices]
"#;

const EVENTS: &str = r#"
{"channel":"System","provider":"Service Control Manager","id":7036,"time":"-3h","data":{"param1":"Remote Desktop Services","param2":"stopped"}}
{"channel":"System","provider":"Microsoft-Windows-Kernel-Power","id":41,"time":"-2h","data":{"BugcheckCode":"0"}}
{"channel":"System","provider":"Service Control Manager","id":7036,"time":"-1h","data":{"param1":"Remote Desktop Services","param2":"running"}}
"#;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn plan() -> Plan {
    Plan {
        format: String::new(),
        format_version: FormatVersion { major: 1, minor: 0 },
        collector: Collector {
            name: "collector".to_owned(),
            version: "0.1.0".to_owned(),
            commit: None,
            sha256: None,
            arguments: Vec::new(),
        },
        capture: Capture {
            mode: CaptureMode::Live,
            host: "HOST-A".to_owned(),
            started_at: time(CAPTURED),
            ended_at: None,
            boot_time: None,
            uptime_ms: Some(7_200_000),
            os: None,
            oem_code_page: Some(437),
            ansi_code_page: None,
            ui_language: None,
            elevated: Some(true),
            privileges: Vec::new(),
            time_zone_bias_minutes: None,
            time_zone_key: None,
        },
        profile: None,
        bounds: Bounds::default(),
        items: Vec::new(),
    }
}

fn counters() -> Counters {
    Counters {
        interval_ms: 1000,
        sampled_at: vec![time(CAPTURED)],
        series: vec![CounterSeries {
            path: "\\Memory\\Available MBytes".to_owned(),
            values: vec![Some(512.0)],
        }],
        failed: Vec::new(),
    }
}

/// A bundle as a folder, so that a test can tamper with its files.
fn bundle() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = BundleWriter::folder(folder.path(), plan()).unwrap();
    let hive = HiveBuilder::new(&Tree::parse(SYSTEM, time(CAPTURED)).unwrap())
        .build()
        .unwrap();
    let events = Events::parse(EVENTS, time(CAPTURED)).unwrap();
    let log = build_log(&events, Some("System"), LogOptions::default()).unwrap();
    writer.artifact_bytes("registry/SYSTEM", &hive).unwrap();
    writer
        .end_item(ItemRow::new("registry.system", State::Ok))
        .unwrap();
    writer.artifact_bytes("eventlog/System.evtx", &log).unwrap();
    writer
        .end_item(ItemRow::new("eventlog.system", State::Ok))
        .unwrap();
    writer
        .artifact_json("counters/counters.json", &counters())
        .unwrap();
    writer
        .end_item(ItemRow::new("counters.pdh", State::Ok))
        .unwrap();
    let netstat = b"\r\n  Proto  Local\r\n  TCP    0.0.0.0:135   0.0.0.0:0  ABH\x99REN  8\r\n";
    writer
        .artifact_bytes("network/netstat-ano.txt", netstat)
        .unwrap();
    writer
        .end_item(ItemRow::new("network.netstat-text", State::Ok))
        .unwrap();
    let denied = ItemRow {
        error: Some(OsError {
            code: 5,
            call: "EvtExportLog".to_owned(),
        }),
        ..ItemRow::new("eventlog.security", State::Denied)
    };
    writer.end_item(denied).unwrap();
    writer.finish(time(CAPTURED), None).unwrap();
    folder
}

fn run(command: &str, bundle: &Path, args: &[&str]) -> Output {
    let mut program = Command::cargo_bin("snapdiag").unwrap();
    program
        .arg(command)
        .arg(bundle)
        .args(args)
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn found(bundle: &Path, args: &[&str]) -> String {
    let output = run("show", bundle, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
    text(&output)
}

fn found_json(bundle: &Path, locator: &str) -> Value {
    serde_json::from_str(&found(bundle, &[locator, "--format", "json"])).unwrap()
}

#[test]
fn every_kind_of_place_is_read_back() {
    let bundle = bundle();
    let path = bundle.path();
    let key = "reg:SYSTEM\\ControlSet001\\Control\\Terminal Server";
    let shown = found_json(path, key);
    assert_eq!(shown["last_write"], "2026-11-20T09:00:00Z");
    assert_eq!(
        shown["values"][0],
        json!({"name": "fDenyTSConnections", "type": "REG_DWORD", "data": 1})
    );
    assert_eq!(
        found_json(path, &format!("{key}::Rules::C:\\a"))["data"],
        "value"
    );
    assert_eq!(
        found_json(path, "reg:@registry/SYSTEM\\Select::Current")["data"],
        1
    );
    let roots = found_json(path, "reg:\\");
    assert_eq!(
        (&roots["key"], roots["subkeys"].as_array().unwrap().len()),
        (&json!(""), 3)
    );
    assert_eq!(
        found_json(path, "json:counters/counters.json#/series/0/values/0"),
        512.0
    );
    assert_eq!(
        found_json(path, "json:manifest.json#/capture/uptime_ms"),
        7_200_000
    );
    assert_eq!(
        found_json(path, "counter:\\memory\\available mbytes")["values"],
        json!([512.0])
    );
    assert_eq!(
        found_json(path, "manifest:eventlog.security")["state"],
        "denied"
    );
    let line = found_json(path, "text:network/netstat-ano.txt:3");
    assert_eq!(line, "  TCP    0.0.0.0:135   0.0.0.0:0  ABHÖREN  8");
}

#[test]
fn events_are_selected_counted_and_written_line_by_line() {
    let bundle = bundle();
    let path = bundle.path();
    let count = |locator: &str| {
        found(path, &[locator, "--count"])
            .trim()
            .parse::<u64>()
            .unwrap()
    };
    assert_eq!(count("evt:*"), 3);
    assert_eq!(count("evt:system?id=7036,41"), 3);
    assert_eq!(count("evt:System?provider=service control manager"), 2);
    assert_eq!(count("evt:System?last=1"), 1);
    // `after` includes its time, `before` does not.
    assert_eq!(count("evt:System?after=2026-11-20T08:00:00Z"), 2);
    assert_eq!(count("evt:System?before=2026-11-20T08:00:00Z"), 1);
    let lines = found(path, &["evt:System?id=7036&last=1", "--format", "jsonl"]);
    let row: Value = serde_json::from_str(lines.trim_end()).unwrap();
    assert_eq!(lines.lines().count(), 1);
    assert_eq!(row["record_id"], 3);
    assert_eq!(
        (&row["event_id"], &row["channel"]),
        (&json!(7036), &json!("System"))
    );
    assert_eq!(row["provider"], "Service Control Manager");
    assert_eq!(row["time"], "2026-11-20T09:00:00Z");
    assert_eq!(row["fields"]["param2"], "running");
    assert_eq!(found_json(path, "evt:System?record=2")[0]["event_id"], 41);
    for (locator, hint) in [
        ("evt:System?id=9999", "none of the 3 records"),
        ("evt:Security", "there are the channels System"),
    ] {
        let output = run("show", path, &[locator]);
        assert_eq!(output.status.code(), Some(1), "{locator}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(hint), "{locator}: {said}");
    }
}

fn verified(bundle: &Path, args: &[&str]) -> (Option<i32>, Value) {
    let output = run("verify", bundle, &[&["--format", "json"], args].concat());
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

fn artifact<'a>(verified: &'a Value, path: &str) -> &'a Value {
    let artifacts = verified["artifacts"].as_array().unwrap();
    artifacts
        .iter()
        .find(|artifact| artifact["path"] == path)
        .unwrap()
}

#[test]
fn a_whole_bundle_is_sound_and_everything_in_it_is_counted() {
    let bundle = bundle();
    let (status, whole) = verified(bundle.path(), &["--deep"]);
    assert_eq!(
        (status, &whole["sound"]),
        (Some(0), &json!(true)),
        "{whole:#}"
    );
    assert_eq!(whole["counts"]["right"], 4);
    let hive = artifact(&whole, "registry/SYSTEM");
    assert_eq!(
        (&hive["dirty"], &hive["replayed"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(hive["values"], 4);
    assert_eq!(hive["damage"], json!([]));
    let log = artifact(&whole, "eventlog/System.evtx");
    assert_eq!((&log["records"], &log["failed"]), (&json!(3), &json!(0)));
    assert_eq!(log["first"], "2026-11-20T07:00:00Z");
    assert_eq!(log["last"], "2026-11-20T09:00:00Z");
    assert_eq!(log["events"], json!({"System|41": 1, "System|7036": 2}));
    assert_eq!(whole["items"][0]["item"], "eventlog.security");
    assert_eq!(whole["items"][0]["reason"], "EvtExportLog failed with 5");
}

#[test]
fn a_changed_a_missing_and_a_strange_file_are_named() {
    let bundle = bundle();
    let path = bundle.path();
    let netstat = path.join("network/netstat-ano.txt");
    let changed = fs::read_to_string(&netstat)
        .map_or_else(|_| fs::read(&netstat).unwrap(), String::into_bytes);
    fs::write(&netstat, [&changed[..changed.len() - 1], b"X"].concat()).unwrap();
    fs::remove_file(path.join("counters/counters.json")).unwrap();
    fs::write(path.join("notes.txt"), "of no interest").unwrap();
    let (status, tampered) = verified(path, &[]);
    assert_eq!((status, &tampered["sound"]), (Some(1), &json!(false)));
    assert_eq!(
        artifact(&tampered, "network/netstat-ano.txt")["hash"],
        "wrong"
    );
    assert_eq!(
        artifact(&tampered, "counters/counters.json")["hash"],
        "missing"
    );
    assert_eq!(artifact(&tampered, "notes.txt")["state"], "unrecognised");
    let shown = text(&run("verify", path, &[]));
    for word in [
        "HASH WRONG",
        "MISSING",
        "not recognised",
        "something is wrong",
    ] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
}

#[test]
fn a_bundle_that_was_cut_off_is_not_sound() {
    let bundle = bundle();
    fs::remove_file(bundle.path().join("manifest.json")).unwrap();
    let (status, cut) = verified(bundle.path(), &[]);
    assert_eq!((status, &cut["interrupted"]), (Some(1), &json!(true)));
    assert_eq!(
        found_json(bundle.path(), "json:manifest.json#/capture/host"),
        "HOST-A"
    );
}

#[test]
fn findings_decide_the_exit_status_and_coverage_says_what_was_denied() {
    let bundle = bundle();
    let analyzed = |args: &[&str]| run("analyze", bundle.path(), args);
    assert_eq!(analyzed(&[]).status.code(), Some(1));
    assert_eq!(analyzed(&["--fail-on", "never"]).status.code(), Some(0));
    assert_eq!(
        analyzed(&["--ignore", "rdp-allowed", "--select", "rdp-allowed"])
            .status
            .code(),
        Some(2)
    );
    let report: Value = serde_json::from_slice(&analyzed(&["-f", "json"]).stdout).unwrap();
    assert_eq!(report["machine"]["host"], "HOST-A");
    let coverage = report["coverage"].as_array().unwrap();
    let brute_force = coverage
        .iter()
        .find(|row| row["id"] == "brute-force")
        .unwrap();
    let missing = brute_force["missing"].as_array().unwrap();
    let security = missing
        .iter()
        .find(|row| row["item"] == "eventlog.security")
        .unwrap();
    assert_eq!(
        security["why"],
        "not collected: denied (EvtExportLog failed with 5)"
    );
    let used = brute_force["used"].as_array().unwrap();
    assert!(used.contains(&json!("eventlog.system")), "{used:?}");
}

/// What evidence carries is what `show` gives for its locator.
#[test]
fn evidence_is_read_back_by_its_locator() {
    let bundle = bundle();
    let report = run("analyze", bundle.path(), &["-f", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let findings = report["checks"].as_array().unwrap();
    let evidence: Vec<&Value> = findings
        .iter()
        .flat_map(|finding| finding["evidence"].as_array().unwrap())
        .collect();
    assert!(!evidence.is_empty());
    let options = snapdiag::facts::sources::Options::default();
    let opened = snapdiag::analyze::open(bundle.path(), &options).unwrap();
    let sources = opened.sources().unwrap();
    for exhibit in evidence {
        let locator = exhibit["locator"].as_str().unwrap().parse().unwrap();
        let raw = match snapdiag::inspect::show::show(sources, &locator) {
            Ok(shown) => snapdiag::report::shown::raw(&locator, &shown),
            Err(_) => Value::Null,
        };
        assert_eq!(raw, exhibit["raw"], "{}", exhibit["locator"]);
    }
}
