use serde_json::json;

use super::*;
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Verdict;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::processes::{Kind, Process, Shortage, ShortageProcess, Sign};
use crate::facts::sources::Sources;

const CAPTURED: &str = "2026-11-20T10:00:00Z";

fn process(pid: u32, image: &str, before: Option<u64>, handles: u64) -> Process {
    let row = Evidence::new("p", Locator::json("p", format!("/{pid}")), json!({}));
    Process {
        pid,
        image: image.to_owned(),
        created_at: None,
        services: Vec::new(),
        handles: Some(handles),
        handles_before: before,
        threads: None,
        working_set_bytes: None,
        private_working_set_bytes: None,
        private_bytes: None,
        cpu_ms: None,
        gdi_objects: None,
        user_objects: None,
        evidence: vec![row],
    }
}

/// A machine whose processes were looked at twice, half a minute apart.
fn machine(processes: Vec<Process>) -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(CAPTURED.parse().unwrap());
    snapshot.machine.uptime_seconds = Fact::known(3600 * 24, []);
    let channel =
        json!({"name": "System", "artifact": "a", "records": 1, "failed": 0, "filtered": false});
    snapshot.processes.system_log = Fact::known(serde_json::from_value(channel).unwrap(), []);
    let table = Table {
        taken_at: CAPTURED.parse().unwrap(),
        interval_ms: 30_000,
        processes: 100,
        handles: processes.iter().filter_map(|process| process.handles).sum(),
        untold: 0,
        ids: None,
        top: processes,
    };
    snapshot.processes.table = Fact::known(table, []);
    snapshot
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn table(snapshot: &mut Snapshot) -> &mut Table {
    match &mut snapshot.processes.table.state {
        crate::facts::fact::State::Known(table) => table,
        _ => panic!("no table"),
    }
}

fn of(process: Process) -> Decision {
    run(&machine(vec![process]))
}

fn is(decision: &Decision, verdict: Verdict, headline: &str) {
    assert_eq!(decision.verdict, verdict, "{decision:#?}");
    assert!(
        decision.headline.contains(headline),
        "{}",
        decision.headline
    );
}

#[test]
fn a_healthy_machine_is_ok() {
    let decision = of(process(8, "app.exe", Some(900), 1000));
    is(&decision, Verdict::Ok, "100 processes hold 1000 handles");
    assert_eq!(decision.evidence.len(), 1);
}

#[test]
fn one_process_may_hold_too_many() {
    let verdict = |handles| of(process(8, "app.exe", None, handles)).verdict;
    assert_eq!(verdict(16_384), Verdict::Ok);
    assert_eq!(verdict(16_385), Verdict::Warning);
    assert_eq!(verdict(100_000), Verdict::Warning);
    assert_eq!(verdict(100_001), Verdict::Critical);
    let decision = of(process(8, "agent.exe", Some(237_000), 240_000));
    is(
        &decision,
        Verdict::Critical,
        "agent.exe (pid 8) holds 240000 handles, 3000 more",
    );
    let remedies = serde_json::to_string(&decision.remedies).unwrap();
    assert!(remedies.contains("handle64 -s -p 8") && remedies.contains("procdump -ma 8"));
}

#[test]
fn images_that_are_known_to_hold_many_have_a_higher_limit() {
    let mut services = process(8, "svchost.exe", None, 50_000);
    services.services = (0..5).map(|n| format!("S{n}")).collect();
    for mut one in [
        process(8, "sqlservr.exe", Some(50_000), 50_000),
        process(8, "LSASS.EXE", None, 50_000),
        process(4, "System", None, 50_000),
        services.clone(),
    ] {
        assert_eq!(of(one.clone()).verdict, Verdict::Ok, "{}", one.image);
        one.handles = Some(50_001);
        assert_eq!(of(one.clone()).verdict, Verdict::Warning, "{}", one.image);
        one.handles = Some(100_001);
        assert_eq!(of(one).verdict, Verdict::Critical);
    }
    services.services.pop();
    assert_eq!(of(services).verdict, Verdict::Warning);
}

#[test]
fn fast_growth_of_a_large_process_is_critical() {
    // 500 in half a minute are 1,000 a minute.
    let verdict = |handles: u64, grown: u64| {
        of(process(8, "app.exe", Some(handles - grown), handles)).verdict
    };
    assert_eq!(verdict(65_537, 501), Verdict::Critical);
    assert_eq!(verdict(65_537, 500), Verdict::Warning);
    assert_eq!(verdict(65_536, 501), Verdict::Warning);
    // Too short a look, and none at all.
    for interval in [19_999, 0] {
        let mut snapshot = machine(vec![process(8, "app.exe", Some(0), 65_537)]);
        table(&mut snapshot).interval_ms = interval;
        assert_eq!(run(&snapshot).verdict, Verdict::Warning, "{interval}");
    }
    let mut snapshot = machine(vec![process(8, "app.exe", Some(0), 65_537)]);
    table(&mut snapshot).interval_ms = 20_000;
    assert_eq!(run(&snapshot).verdict, Verdict::Critical);
}

#[test]
fn slow_growth_needs_ten_minutes() {
    let verdict = |interval_ms: u64, grown: u64| {
        let mut snapshot = machine(vec![process(8, "app.exe", Some(1000), 1000 + grown)]);
        table(&mut snapshot).interval_ms = interval_ms;
        run(&snapshot).verdict
    };
    assert_eq!(verdict(600_000, 17), Verdict::Warning);
    assert_eq!(verdict(600_000, 16), Verdict::Ok);
    assert_eq!(verdict(3_600_000, 100), Verdict::Ok);
    assert_eq!(verdict(3_600_000, 101), Verdict::Warning);
    assert_eq!(verdict(599_999, 1000), Verdict::Ok);
}

#[test]
fn all_processes_together_may_hold_too_many() {
    let of_total = |handles: u64| {
        let mut snapshot = machine(vec![process(8, "lsass.exe", None, 9000)]);
        table(&mut snapshot).handles = handles;
        run(&snapshot)
    };
    assert_eq!(of_total(100_000).verdict, Verdict::Ok);
    is(
        &of_total(130_000),
        Verdict::Warning,
        "hold 130000 handles together",
    );
    assert_eq!(of_total(500_000).verdict, Verdict::Warning);
    assert_eq!(of_total(500_001).verdict, Verdict::Critical);
}

#[test]
fn processes_that_do_not_tell_are_covered_by_the_sum_of_windows() {
    let mut snapshot = machine(vec![process(8, "app.exe", None, 1000)]);
    table(&mut snapshot).untold = 3;
    is(
        &run(&snapshot),
        Verdict::Unknown,
        "3 processes did not tell",
    );
    snapshot.processes.total_handles = Fact::known(2000, []);
    is(&run(&snapshot), Verdict::Ok, "2000 handles");
    snapshot.processes.total_handles = Fact::known(100_001, []);
    assert_eq!(run(&snapshot).verdict, Verdict::Warning);
}

#[test]
fn right_after_the_start_confidence_is_low() {
    let confidence = |uptime: u64| {
        let mut snapshot = machine(vec![process(8, "app.exe", None, 20_000)]);
        snapshot.machine.uptime_seconds = Fact::known(uptime, []);
        let decision = run(&snapshot);
        assert_eq!(decision.verdict, Verdict::Warning);
        decision.confidence
    };
    assert_eq!(confidence(600), Confidence::Low);
    assert_eq!(confidence(3599), Confidence::Low);
    assert_eq!(confidence(3600), Confidence::High);
}

fn shortage(image: &str, handles: u64, time: &str) -> Shortage {
    Shortage {
        record_id: 7,
        time: time.parse().unwrap(),
        commit_limit_bytes: None,
        commit_bytes: None,
        physical_bytes: None,
        processes: vec![ShortageProcess {
            image: image.to_owned(),
            pid: Some(8),
            commit_bytes: None,
            handles: Some(handles),
        }],
        evidence: Evidence::new("a", Locator::record("System", 7), json!({})),
    }
}

#[test]
fn without_a_table_the_log_gives_a_warning_at_most() {
    let with = |shortage: Shortage| {
        let mut snapshot = machine(Vec::new());
        snapshot.processes.table = Fact::not_collected("a disk");
        snapshot.processes.shortages.push(shortage);
        run(&snapshot)
    };
    let decision = with(shortage("app.exe", 180_000, "2026-11-19T10:00:00Z"));
    is(&decision, Verdict::Warning, "app.exe held 180000 handles");
    assert_eq!(decision.confidence, Confidence::Medium);
    let verdict = |image, handles, time| with(shortage(image, handles, time)).verdict;
    let recent = "2026-11-13T10:00:00Z";
    assert_eq!(verdict("app.exe", 16_385, recent), Verdict::Warning);
    assert_eq!(verdict("app.exe", 16_384, recent), Verdict::Unknown);
    assert_eq!(verdict("sqlservr.exe", 50_000, recent), Verdict::Unknown);
    let old = with(shortage("app.exe", 180_000, "2026-11-13T09:59:59Z"));
    is(&old, Verdict::Unknown, "how many handles");
    assert!(old.notes.iter().any(|note| note.contains("too long ago")));
}

fn sign(kind: Kind, time: &str) -> Sign {
    Sign {
        kind,
        event_id: 2019,
        record_id: 9,
        time: time.parse().unwrap(),
        image: Some("app.exe".to_owned()),
        evidence: Evidence::new("a", Locator::record("System", 9), json!({})),
    }
}

#[test]
fn a_pool_that_ran_out_is_a_warning_and_other_signs_are_notes() {
    let with = |sign: Sign| {
        let mut snapshot = machine(vec![process(8, "app.exe", None, 1000)]);
        snapshot.processes.signs.push(sign);
        run(&snapshot)
    };
    let recent = "2026-11-19T10:00:00Z";
    let old = "2026-10-19T10:00:00Z";
    for kind in [Kind::NonpagedPool, Kind::PagedPool] {
        is(&with(sign(kind, recent)), Verdict::Warning, "pool ran out");
        let decision = with(sign(kind, old));
        is(&decision, Verdict::Ok, "");
        assert!(decision.notes[0].contains("pool ran out"));
    }
    for kind in [Kind::MemoryLeak, Kind::DesktopHeap, Kind::Quota] {
        let decision = with(sign(kind, recent));
        is(&decision, Verdict::Ok, "");
        assert_eq!(decision.notes.len(), 1, "{:?}", decision.notes);
    }
}

#[test]
fn only_a_process_with_one_service_is_advised_to_restart() {
    let remedies = |image: &str, services: &[&str]| {
        let mut one = process(8, image, None, 200_000);
        one.services = services.iter().map(|name| (*name).to_owned()).collect();
        serde_json::to_string(&of(one).remedies).unwrap()
    };
    assert!(remedies("spoolsv.exe", &["Spooler"]).contains("Restart-Service -Name 'Spooler'"));
    assert!(!remedies("svchost.exe", &["A", "B"]).contains("Restart-Service"));
    let lsass = remedies("lsass.exe", &["SamSs"]);
    assert!(!lsass.contains("Restart-Service") && !lsass.contains("procdump"));
}

#[test]
fn nothing_is_ok_unless_table_and_log_were_seen() {
    let healthy = || machine(vec![process(8, "app.exe", None, 1000)]);
    let mut snapshot = healthy();
    snapshot.processes.table = Fact::unreadable("x", []);
    assert_eq!(run(&snapshot).verdict, Verdict::Unknown);
    let mut snapshot = healthy();
    snapshot.processes.system_log = Fact::not_collected("x");
    is(&run(&snapshot), Verdict::Unknown, "System log");
    let mut snapshot = healthy();
    if let crate::facts::fact::State::Known(channel) = &mut snapshot.processes.system_log.state {
        channel.damage.push("chunk 3".to_owned());
    }
    is(&run(&snapshot), Verdict::Unknown, "damaged");
    assert_eq!(
        run(&Snapshot::gather(&Sources::none())).verdict,
        Verdict::Unknown
    );
}
