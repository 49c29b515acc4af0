//! Both checks of this folder on built artifacts: hives and a System log, opened like a disk.

use std::fs;

use jiff::Timestamp;
use snapdiag_fixtures::evtx::{Events, LogOptions, build_log};
use snapdiag_fixtures::hive::{HiveBuilder, RegText, Tree};

use super::{environment_variables, os_status};
use crate::checks::check::{Check, Context, Decision};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Verdict;
use crate::facts::Snapshot;
use crate::facts::sources::Options;

const HIVES: &str = r#"
[HKEY_LOCAL_MACHINE\SYSTEM\Select]
"Current"=dword:00000001
"Default"=dword:00000001
"Failed"=dword:00000000
"LastKnownGood"=dword:00000001
[HKEY_LOCAL_MACHINE\SYSTEM\Setup]
"SystemSetupInProgress"=dword:00000000
"OOBEInProgress"=dword:00000000
"SetupType"=dword:00000000
"SetupPhase"=dword:00000000
[HKEY_LOCAL_MACHINE\SYSTEM\MountedDevices]
"\\DosDevices\\C:"=hex:bc,4c,bc,4c,00,7e,00,00,00,00,00,00
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\CrashControl]
"CrashDumpEnabled"=dword:00000007
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Session Manager]
"BootExecute"=multi:"autocheck autochk *"
[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Session Manager\Environment]
"ComSpec"=expand:"%SystemRoot%\\system32\\cmd.exe"
"Path"=expand:"%SystemRoot%\\system32;%SystemRoot%;%SystemRoot%\\System32\\Wbem;%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\"
"PATHEXT"=".COM;.EXE;.BAT;.CMD;.VBS;.VBE;.JS;.JSE;.WSF;.WSH;.MSC"
"TEMP"=expand:"%SystemRoot%\\TEMP"
"TMP"=expand:"%SystemRoot%\\TEMP"
"windir"=expand:"%SystemRoot%"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion]
"SystemRoot"="C:\\Windows"
"CurrentBuild"="20348"
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Setup\State]
"ImageState"="IMAGE_STATE_COMPLETE"
"#;

const LOG: &str = r#"
{"channel":"System","provider":"Microsoft-Windows-Kernel-General","id":12,"time":"-40d","data":{"MajorVersion":10}}
{"channel":"System","provider":"EventLog","id":6005,"time":"-959h59m","data":[]}
{"channel":"System","provider":"EventLog","id":6013,"time":"-1m","data":["","","","","3455940","60","0 UTC"]}
"#;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// The facts of a disk whose hives and log are changed by these texts.
fn disk(registry: &str, events: &str) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("Windows/System32/config");
    let logs = folder.path().join("Windows/System32/winevt/Logs");
    fs::create_dir_all(&config).unwrap();
    fs::create_dir_all(&logs).unwrap();
    for hive in ["SYSTEM", "SOFTWARE"] {
        let mut tree = Tree::new(now());
        for text in [HIVES, registry] {
            tree.apply_hive(&RegText::parse(text, now()).unwrap(), hive);
        }
        fs::write(config.join(hive), HiveBuilder::new(&tree).build().unwrap()).unwrap();
    }
    let events = Events::parse(&format!("{LOG}{events}"), now()).unwrap();
    let log = build_log(&events, Some("System"), LogOptions::default()).unwrap();
    fs::write(logs.join("System.evtx"), log).unwrap();
    let options = Options {
        captured_at: Some(now()),
        ..Options::default()
    };
    let opened = crate::analyze::open(folder.path(), &options).unwrap();
    opened.snapshot()
}

fn run(check: &Check, snapshot: &Snapshot) -> Decision {
    check.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

#[test]
fn a_healthy_disk_is_ok() {
    let snapshot = disk("", "");
    for check in [&os_status::CHECK, &environment_variables::CHECK] {
        let decision = run(check, &snapshot);
        assert_eq!(decision.verdict, Verdict::Ok, "{}: {decision:#?}", check.id);
    }
    let facts = serde_json::to_string(&snapshot).unwrap();
    let again: Snapshot = serde_json::from_str(&facts).unwrap();
    assert_eq!(again, snapshot);
}

#[test]
fn a_crash_is_found_with_what_changed_before() {
    let events = r#"{"channel":"System","provider":"Service Control Manager","id":7045,"time":"-3d","data":{"ServiceName":"Sample Filter","ImagePath":"\\SystemRoot\\System32\\drivers\\sample.sys","ServiceType":"kernel mode driver","StartType":"boot start","AccountName":""}}
{"channel":"System","provider":"Microsoft-Windows-Kernel-General","id":12,"time":"-2d","data":{"MajorVersion":10}}
{"channel":"System","provider":"Microsoft-Windows-Kernel-Power","id":41,"time":"-47h59m","data":{"BugcheckCode":209,"BugcheckParameter1":{"type":"hexint64","value":"0x28"}}}
{"channel":"System","provider":"EventLog","id":6008,"time":"-47h58m","data":["1:34:44 PM","11/18/2026"],"binary":"ea070b00030012000d0022002c001c03ea070b00030012000c0022002c001c03"}
{"channel":"System","provider":"EventLog","id":6005,"time":"-47h58m","data":[]}
{"channel":"System","provider":"Microsoft-Windows-WER-SystemErrorReporting","source":"BugCheck","id":1001,"time":"-47h57m","data":{"param1":"0x000000d1 (0x0000000000000028, 0x2, 0x0, 0x1)","param2":"C:\\Windows\\MEMORY.DMP","param3":"x"}}
"#;
    let snapshot = disk("", events);
    assert_eq!(snapshot.boot.incidents.len(), 1);
    let alive = snapshot.boot.incidents[0].last_alive.unwrap();
    assert_eq!(alive.to_string(), "2026-11-18T12:34:44.796Z");
    assert_eq!(snapshot.boot.sessions.len(), 2);
    let decision = run(&os_status::CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(decision.headline.contains("0xD1"));
    let reasons = decision.reasons.join("\n");
    assert!(reasons.contains("driver Sample Filter"), "{reasons}");
    let places: Vec<String> = decision
        .evidence
        .iter()
        .map(|exhibit| exhibit.evidence.locator.to_string())
        .collect();
    assert!(
        places.contains(&"evt:System?record=6".to_owned()),
        "{places:?}"
    );
}

#[test]
fn states_of_disks_and_of_the_registry_are_found() {
    let find = |registry: &str, events: &str| run(&os_status::CHECK, &disk(registry, events));
    let damaged = find(
        "",
        r#"{"channel":"System","provider":"Ntfs","id":55,"time":"-1d","data":["","C:"]}"#,
    );
    assert_eq!(damaged.verdict, Verdict::Critical);
    let shadow = find(
        "",
        r#"{"channel":"System","provider":"Microsoft-Windows-Ntfs","source":"Ntfs","id":55,"time":"-1d","data":{"DriveName":"","DeviceName":"\\Device\\HarddiskVolumeShadowCopy3"}}"#,
    );
    assert_eq!(shadow.verdict, Verdict::Ok, "{}", shadow.headline);
    let bad_start = find(
        "",
        r#"{"channel":"System","provider":"Microsoft-Windows-Kernel-Boot","id":20,"time":"-1h","data":{"LastShutdownGood":{"type":"boolean","value":false},"LastBootGood":{"type":"boolean","value":false}}}"#,
    );
    assert_eq!(bad_start.verdict, Verdict::Critical);
    let pending = find(
        "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired]\n",
        "",
    );
    assert_eq!(pending.verdict, Verdict::Warning);
    assert!(pending.headline.contains("waits for a restart"));
}

#[test]
fn the_path_of_a_hive_is_judged() {
    let registry = "[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager\\Environment]\n\"Path\"=expand:\"C:\\\\it's;%SystemRoot%\"\n";
    let decision = run(&environment_variables::CHECK, &disk(registry, ""));
    assert_eq!(decision.verdict, Verdict::Critical);
    let undo = decision.remedies[0].undo[0].command.clone().unwrap().text;
    assert!(undo.ends_with("-Value 'C:\\it''s;%SystemRoot%'"), "{undo}");
    assert_eq!(
        decision.evidence[0].evidence.raw,
        serde_json::json!("C:\\it's;%SystemRoot%")
    );
}

/// Both logs end when they were copied: the last record is the time of capture. The first one's
/// second power loss was 24 days before, its first one 41.
#[test]
fn real_logs_are_judged() {
    let Some(folder) = snapdiag_tests::captures() else {
        eprintln!("skipped: no captures");
        return;
    };
    let judge = |path: &str| {
        let opened = crate::analyze::open(&folder.join(path), &Options::default()).unwrap();
        run(&os_status::CHECK, &opened.snapshot())
    };
    let losses = judge("eventlogs/log2timeline-plaso/evtx__System.evtx");
    assert_eq!(losses.verdict, Verdict::Warning, "{}", losses.headline);
    assert!(
        losses.headline.contains("once in 30 days"),
        "{}",
        losses.headline
    );
    assert!(losses.headline.contains("2015-08-25 13:41:19 UTC"));
    let quiet = judge("eventlogs/AndrewRathbun-DFIRArtifactMuseum/Win10/RathbunVM");
    assert_eq!(quiet.verdict, Verdict::Unknown, "the hives are elsewhere");
    assert!(
        quiet
            .headline
            .starts_with("no incident in what was collected")
    );
    assert!(
        quiet
            .evidence
            .iter()
            .any(|exhibit| exhibit.says.contains("1094 records"))
    );
}
