use super::*;
use crate::checks::resources::fixture::*;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::sources::registry::Number;
use crate::facts::volumes::Volume;

const GB: u64 = 1 << 30;

fn volume(letter: char, size: u64, free: u64) -> Volume {
    Volume {
        name: format!("{letter}:"),
        letter: Some(letter),
        fixed: Some(true),
        file_system: Some("NTFS".to_owned()),
        system: Some(letter == 'C'),
        size_bytes: Fact::known(size, []),
        free_bytes: Fact::known(free, []),
        ntfs: Fact::not_collected("x"),
        journal: Fact::not_collected("x"),
        metafiles: Vec::new(),
        shadow_bytes: Fact::not_collected("x"),
    }
}

fn lines(lines: &[&str]) -> Fact<Vec<String>> {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let locator = Locator::value("SYSTEM", "ControlSet001", "PagingFiles");
    let raw = serde_json::json!(lines);
    Fact::known(lines, [Evidence::new("registry/SYSTEM", locator, raw)])
}

fn number(value: u64) -> Fact<Number> {
    Fact::known(
        Number {
            value: Some(value),
            wrong_type: None,
        },
        [],
    )
}

fn machine(percent: f64) -> Snapshot {
    let mut snapshot = nothing();
    snapshot.counters.visible_bytes = Fact::known(8 * GB, []);
    snapshot.counters.memory.commit_percent = level(percent);
    snapshot.counters.memory.commit_limit_bytes = level(float(10 * GB));
    snapshot.page_files.configured = lines(&[r"?:\pagefile.sys"]);
    snapshot.page_files.temporary = Fact::absent([]);
    snapshot.page_files.crash_dump = number(7);
    snapshot.page_files.dedicated_dump = Fact::absent([]);
    snapshot.volumes.list = Fact::known(vec![volume('C', 100 * GB, 50 * GB)], []);
    snapshot.pressure.log = log("2026-02-01T00:00:00Z");
    snapshot
}

fn verdict(snapshot: &Snapshot) -> Verdict {
    run(&CHECK, snapshot).verdict
}

#[test]
fn limits_are_included_and_must_be_sustained() {
    for (percent, expected) in [
        (50.0, Verdict::Ok),
        (79.9, Verdict::Ok),
        (80.0, Verdict::Warning),
        (89.9, Verdict::Warning),
        (90.0, Verdict::Critical),
    ] {
        assert_eq!(verdict(&machine(percent)), expected, "{percent}");
    }
    let mut snapshot = machine(0.0);
    snapshot.counters.memory.commit_percent = mixed(23, 95.0, 50.0);
    assert_eq!(verdict(&snapshot), Verdict::Ok);
    snapshot.counters.memory.commit_percent = mixed(24, 95.0, 50.0);
    assert_eq!(verdict(&snapshot), Verdict::Critical);
}

#[test]
fn a_full_page_file_alone_is_no_fault() {
    let mut snapshot = machine(50.0);
    snapshot.counters.memory.page_file_percent = level(100.0);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(words(&decision).contains("no fault"));
}

#[test]
fn exhaustion_counts_for_a_day() {
    for (at, expected) in [
        ("2026-02-28T12:00:00Z", Verdict::Critical),
        ("2026-02-28T11:59:59Z", Verdict::Ok),
    ] {
        let mut snapshot = machine(50.0);
        snapshot.pressure.events = vec![event(PressureKind::CommitExhausted, at)];
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, expected);
        if expected == Verdict::Critical {
            assert!(decision.headline.contains("java.exe"));
            assert!(words(&decision).contains("4.0 GiB"));
            assert_eq!(decision.confidence, Confidence::Medium);
        }
    }
    // Without counters, and without a time of capture.
    let mut snapshot = nothing();
    snapshot.pressure.events = vec![event(PressureKind::CommitExhausted, "2026-03-01T09:00:00Z")];
    assert_eq!(verdict(&snapshot), Verdict::Critical);
    snapshot.capture.time = None;
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
}

#[test]
fn the_log_must_reach_back_a_day_or_to_the_installation() {
    let mut snapshot = machine(50.0);
    snapshot.pressure.log = log("2026-02-28T12:00:00Z");
    assert_eq!(verdict(&snapshot), Verdict::Ok);
    snapshot.pressure.log = log("2026-02-28T12:00:01Z");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    snapshot.machine.installed = Fact::known(time("2026-03-01T01:00:00Z"), []);
    assert_eq!(verdict(&snapshot), Verdict::Ok);
    snapshot.pressure.log = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
}

#[test]
fn without_a_page_file() {
    let mut snapshot = machine(50.0);
    snapshot.page_files.configured = lines(&[]);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("no page file"));
    assert!(words(&decision).contains("AutomaticManagedPagefile=$true"));
    assert!(
        words(&decision).contains("-Value @()"),
        "the undo has the old, empty list"
    );
    // A large machine needs one for dumps only.
    snapshot.counters.visible_bytes = Fact::known(32 * GB, []);
    assert!(run(&CHECK, &snapshot).headline.contains("crash dump"));
    snapshot.page_files.crash_dump = number(0);
    assert_eq!(verdict(&snapshot), Verdict::Ok);
    snapshot.page_files.crash_dump = number(2);
    snapshot.page_files.dedicated_dump = Fact::known(
        crate::facts::sources::registry::Text {
            text: r"D:\dump.sys".to_owned(),
            kind: "REG_SZ".to_owned(),
        },
        [],
    );
    assert_eq!(verdict(&snapshot), Verdict::Ok);
    snapshot.counters.visible_bytes = Fact::known(32 * GB - 1, []);
    assert_eq!(verdict(&snapshot), Verdict::Warning);
    snapshot.counters.visible_bytes = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    // With commit nearly used up, both are said.
    let mut snapshot = machine(95.0);
    snapshot.page_files.configured = lines(&[]);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(words(&decision).contains("there is no page file: memory alone is the limit"));
}

#[test]
fn a_fixed_size_that_is_too_small() {
    for (configured, expected) in [
        (vec![r"C:\pagefile.sys 512 1023"], Verdict::Warning),
        (vec![r"C:\pagefile.sys 512 1024"], Verdict::Ok),
        (
            vec![r"C:\pagefile.sys 512 600", r"C:\p2.sys 512 600"],
            Verdict::Ok,
        ),
        (vec![r"C:\pagefile.sys 0 0"], Verdict::Ok),
    ] {
        let mut snapshot = machine(50.0);
        snapshot.page_files.configured = lines(&configured);
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, expected, "{configured:?}");
        if expected == Verdict::Warning {
            assert!(words(&decision).contains("pagefile.sys 512 1023')"));
        }
    }
}

#[test]
fn a_drive_that_is_gone() {
    let mut snapshot = machine(50.0);
    snapshot.page_files.configured = lines(&[r"D:\pagefile.sys 0 0"]);
    snapshot.page_files.temporary = number(1);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("D:, which does not exist"));
    assert!(words(&decision).contains("temporary page file"));
    // Memory is the limit, and it is felt: over 80 %, not at it.
    snapshot.counters.memory.commit_limit_bytes = level(float(8 * GB));
    snapshot.counters.memory.commit_percent = level(80.0);
    assert_eq!(verdict(&snapshot), Verdict::Warning);
    snapshot.counters.memory.commit_percent = level(81.0);
    assert_eq!(verdict(&snapshot), Verdict::Critical);
    // Without the volumes a letter in the registry proves nothing, its absence does.
    snapshot.counters.memory.commit_percent = level(50.0);
    snapshot.page_files.temporary = Fact::absent([]);
    snapshot.volumes.list = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    snapshot.drives.assigned = Fact::known(Vec::new(), []);
    assert_eq!(verdict(&snapshot), Verdict::Warning);
}

#[test]
fn a_temporary_page_file_alone() {
    let mut snapshot = machine(50.0);
    snapshot.page_files.temporary = number(1);
    assert!(run(&CHECK, &snapshot).headline.contains("temporary"));
    snapshot.page_files.temporary = number(0);
    assert_eq!(verdict(&snapshot), Verdict::Ok);
}

#[test]
fn a_managed_page_file_needs_room() {
    for (size, free, expected) in [
        (100 * GB, 4 * GB, Verdict::Ok),
        (100 * GB, 4 * GB - 1, Verdict::Warning),
        (20 * GB, 2 * GB, Verdict::Ok),
        (20 * GB, 2 * GB - 1, Verdict::Warning),
    ] {
        let mut snapshot = machine(50.0);
        snapshot.volumes.list = Fact::known(vec![volume('C', size, free)], []);
        assert_eq!(verdict(&snapshot), expected, "{free} of {size}");
        snapshot.page_files.configured = lines(&[r"C:\pagefile.sys 4096 8192"]);
        assert_eq!(verdict(&snapshot), Verdict::Ok, "a fixed size");
    }
    let mut snapshot = machine(50.0);
    snapshot.volumes.list = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
}

#[test]
fn what_was_not_seen_is_not_ok() {
    assert_eq!(verdict(&nothing()), Verdict::Unknown);
    let mut snapshot = machine(50.0);
    snapshot.counters.memory.commit_percent = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = machine(50.0);
    snapshot.counters.memory.commit_percent = lasting(&[50.0; 20], 20.0, 0);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Unknown);
    assert!(decision.headline.starts_with("50.0 %"));
    for configured in [Fact::absent([]), Fact::unreadable("x", [])] {
        let mut snapshot = machine(50.0);
        snapshot.page_files.configured = configured;
        assert_eq!(verdict(&snapshot), Verdict::Unknown);
    }
}
