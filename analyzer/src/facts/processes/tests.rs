use snapdiag_fixtures::evtx::{Events as Lines, LogOptions, build_log};

use super::*;
use crate::facts::sources::Options;

fn gather(logs: &[(&str, &str)]) -> Processes {
    let root = tempfile::tempdir().unwrap();
    for (channel, lines) in logs {
        let events = Lines::parse(lines, "2026-11-20T10:00:00Z".parse().unwrap()).unwrap();
        let log = build_log(&events, Some(channel), LogOptions::default()).unwrap();
        std::fs::write(root.path().join(format!("{channel}.evtx")), log).unwrap();
    }
    let sources = Sources::open(root.path(), &Options::default()).unwrap();
    Processes::gather(&sources)
}

#[test]
fn a_shortage_names_its_processes() {
    let lines = r#"
{"channel":"System","provider":"Microsoft-Windows-Resource-Exhaustion-Detector","guid":"{9988748e-c2e8-4054-85f6-0c3e1cad2470}","id":2004,"time":"-3h","userdata":{"MemoryExhaustionInfo":{"SystemInfo":{"SystemCommitLimit":"8589934592","SystemCommitCharge":"8500000000","PhysicalMemorySize":"4294967296"},"ProcessInfo":{"Process_1":{"Name":"app.exe","ID":"1234","CommitCharge":"6000000000","HandleCount":"180000"},"Process_2":{"Name":"","ID":"0","CommitCharge":"0","HandleCount":"0"}}}}}
{"channel":"System","provider":"Microsoft-Windows-Setup","id":2004,"time":"-2h","data":["x"]}
"#;
    let facts = gather(&[("System", lines)]);
    assert_eq!(facts.shortages.len(), 1);
    let shortage = &facts.shortages[0];
    assert_eq!(shortage.physical_bytes, Some(4 << 30));
    assert_eq!(shortage.commit_limit_bytes, Some(8 << 30));
    assert_eq!(shortage.processes.len(), 1);
    let process = &shortage.processes[0];
    assert_eq!(
        (process.image.as_str(), process.handles),
        ("app.exe", Some(180_000))
    );
    assert_eq!(shortage.evidence.locator.to_string(), "evt:System?record=1");
}

#[test]
fn signs_are_told_apart_from_their_namesakes() {
    let system = r#"
{"channel":"System","provider":"Srv","id":2019,"time":"-3h","data":["\\Device\\LanmanServer"]}
{"channel":"System","provider":"Srv","id":2020,"time":"-2h","data":["\\Device\\LanmanServer"]}
{"channel":"System","provider":"Application Popup","id":26,"time":"-2h","data":{"Caption":"a.exe","Message":"Not enough quota is available to process this command."}}
{"channel":"System","provider":"Application Popup","id":26,"time":"-1h","data":{"Caption":"b.exe","Message":"A library was not found."}}
"#;
    let application = r#"
{"channel":"Application","provider":"Windows Error Reporting","id":1001,"time":"-3h","data":["205","5","RADAR_PRE_LEAK_64","Not available","0","app.exe","1.0"]}
{"channel":"Application","provider":"Windows Error Reporting","id":1001,"time":"-2h","data":["205","5","APPCRASH","Not available","0","app.exe","1.0"]}
{"channel":"Application","provider":"Windows Error Reporting","id":1001,"time":"-1h","data":{"Bucket":"1","EventName":"RADAR_PRE_LEAK_WOW64","P1":"old.exe"}}
"#;
    let facts = gather(&[("System", system), ("Application", application)]);
    let found: Vec<(Kind, Option<&str>)> = facts
        .signs
        .iter()
        .map(|sign| (sign.kind, sign.image.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (Kind::NonpagedPool, None),
            (Kind::PagedPool, None),
            (Kind::MemoryLeak, Some("app.exe")),
            (Kind::MemoryLeak, Some("old.exe")),
            (Kind::Quota, Some("a.exe")),
        ]
    );
    assert!(
        facts.signs[2]
            .evidence
            .locator
            .to_string()
            .starts_with("evt:Application?record=")
    );
}
