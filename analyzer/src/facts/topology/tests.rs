use serde_json::json;
use snapdiag_fixtures::evtx::{Events as Lines, LogOptions, build_log};
use snapdiag_tests::captures;

use super::*;
use crate::facts::sources::Options;

fn of_log(log: &std::path::Path) -> Topology {
    let sources = Sources::open(log, &Options::default()).unwrap();
    Topology::gather(&sources, &Fact::not_collected("not asked"))
}

#[test]
fn processors_are_counted_by_start() {
    let start = |time: &str| {
        format!(
            r#"{{"channel":"System","provider":"Microsoft-Windows-Kernel-General","id":12,"time":"{time}","data":{{"MajorVersion":10}}}}"#
        )
    };
    let cpu = |time: &str, number: u32| {
        format!(
            r#"{{"channel":"System","provider":"Microsoft-Windows-Kernel-Processor-Power","id":55,"time":"{time}","data":{{"Group":0,"Number":{number}}}}}"#
        )
    };
    let lines = [
        cpu("-31d", 7),
        start("-30d"),
        cpu("-30d", 0),
        cpu("-30d", 1),
        cpu("-29d", 1),
        start("-2d"),
        cpu("-2d", 0),
        start("-1d"),
    ]
    .join("\n");
    let events = Lines::parse(&lines, "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
    let log = build_log(&events, Some("System"), LogOptions::default()).unwrap();
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("System.evtx");
    std::fs::write(&path, log).unwrap();
    let started = of_log(&path).started;
    // What stands before the first start belongs to one that the log does not hold; a repeated
    // processor counts once; a start without records tells nothing.
    let counts: Vec<u32> = started.iter().map(|start| start.processors).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(started[0].evidence.raw, json!({"Group": 0, "Number": 1}));
}

#[test]
fn a_real_machine_starts_its_processors_each_time() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    let logs = "eventlogs/AndrewRathbun-DFIRArtifactMuseum/Win10/RathbunVM/System.evtx";
    let started = of_log(&folder.join(logs)).started;
    let counts: Vec<(u64, u32)> = started
        .iter()
        .map(|start| (start.record_id, start.processors))
        .collect();
    assert_eq!(counts, [(1, 6), (113, 6), (215, 6), (882, 6)]);
    assert_eq!(
        started[3].evidence.locator.to_string(),
        "evt:System?record=905"
    );
}

#[test]
fn a_policy_of_another_type_is_an_error() {
    assert!(number(b"short", "Kernel-RegisteredProcessors").is_err());
}
