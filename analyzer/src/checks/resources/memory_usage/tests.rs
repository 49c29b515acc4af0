use super::*;
use crate::checks::resources::fixture::*;
use crate::facts::Snapshot;

/// A machine of `gib` GiB with `available` MiB available.
fn machine(gib: u64, available: f64) -> Snapshot {
    let mut snapshot = nothing();
    snapshot.counters.visible_bytes = Fact::known(gib << 30, []);
    snapshot.counters.memory.available_mib = level(available);
    snapshot.counters.memory.nonpaged_bytes = level(200.0 * MIB);
    snapshot
}

fn verdict(snapshot: &Snapshot) -> Verdict {
    run(&CHECK, snapshot).verdict
}

#[test]
fn limits_are_those_of_the_page() {
    let cases = [
        // 8 GiB: 10 % are 819.2 MiB, 5 % are 409.6 MiB.
        (8, 820.0, Verdict::Ok),
        (8, 819.2, Verdict::Ok),
        (8, 819.0, Verdict::Warning),
        (8, 500.0, Verdict::Warning),
        (8, 499.0, Verdict::Critical),
        (8, 300.0, Verdict::Critical),
        // 16 GiB: 5 % are 819.2 MiB.
        (16, 819.2, Verdict::Warning),
        (16, 819.0, Verdict::Critical),
        // 32 GiB: 5 % are more than 1024 MiB.
        (32, 1024.0, Verdict::Warning),
        (32, 1023.0, Verdict::Critical),
        // 64 GiB, 7.8 %: 4096 MiB are healthy whatever their share.
        (64, 5000.0, Verdict::Ok),
        (64, 4096.0, Verdict::Ok),
        (64, 4095.0, Verdict::Warning),
        // 1 GiB with 450 MiB free.
        (1, 450.0, Verdict::Ok),
        (1, 102.0, Verdict::Critical),
    ];
    for (gib, available, expected) in cases {
        assert_eq!(
            verdict(&machine(gib, available)),
            expected,
            "{available} of {gib} GiB"
        );
    }
}

#[test]
fn what_is_not_sustained_is_a_note() {
    let with = |count| {
        let mut snapshot = machine(8, 0.0);
        snapshot.counters.memory.available_mib = mixed(count, 300.0, 3000.0);
        run(&CHECK, &snapshot)
    };
    assert_eq!(with(24).verdict, Verdict::Critical);
    assert_eq!(with(23).verdict, Verdict::Ok);
    assert!(words(&with(1)).contains("1 of 30 samples"));
}

#[test]
fn a_short_or_broken_capture_settles_nothing() {
    for available in [300.0, 6000.0] {
        let mut snapshot = machine(8, available);
        snapshot.counters.memory.available_mib = lasting(&[available; 25], 24.9, 0);
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, Verdict::Unknown);
        assert!(
            decision.headline.contains("available:"),
            "{}",
            decision.headline
        );
        snapshot.counters.memory.available_mib = lasting(&[available; 20], 30.0, 6);
        assert_eq!(verdict(&snapshot), Verdict::Unknown);
        snapshot.counters.memory.available_mib = lasting(&[available; 4], 25.0, 1);
        assert_ne!(verdict(&snapshot), Verdict::Unknown);
    }
}

#[test]
fn nothing_missing_is_ok() {
    assert_eq!(verdict(&nothing()), Verdict::Unknown);
    let mut snapshot = machine(8, 6000.0);
    snapshot.counters.visible_bytes = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = machine(8, 300.0);
    snapshot.counters.visible_bytes = Fact::absent([]);
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = machine(8, 6000.0);
    snapshot.counters.memory.nonpaged_bytes = Fact::unreadable("x", []);
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
}

#[test]
fn sql_server_by_design_is_a_warning_as_long_as_enough_is_left() {
    let mut snapshot = machine(8, 450.0);
    snapshot.consumers.memory = Fact::known(vec![consumer("sqlservr.exe", 6.0e9)], []);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(words(&decision).contains("expected behaviour"));
    assert!(words(&decision).contains("max server memory"));
    snapshot.counters.memory.available_mib = level(400.0);
    assert_eq!(verdict(&snapshot), Verdict::Critical, "less than 5 %");
    snapshot.counters.memory.available_mib = level(450.0);
    snapshot.consumers.memory = Fact::known(vec![consumer("worker.exe", 6.0e9)], []);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(words(&decision).contains("worker.exe (pid 4711) uses most"));
    assert!(words(&decision).contains("ProcessId=4711"));
    assert!(
        decision
            .evidence
            .iter()
            .any(|e| e.says.contains("worker.exe"))
    );
}

#[test]
fn a_large_nonpaged_pool_is_a_leak() {
    // The limit is 75 % of 8 GiB: 6144 MiB.
    for (mib, expected) in [
        (3686.4, Verdict::Ok),
        (3687.0, Verdict::Warning),
        (4915.2, Verdict::Warning),
        (4916.0, Verdict::Critical),
    ] {
        let mut snapshot = machine(8, 2000.0);
        snapshot.counters.memory.nonpaged_bytes = level(mib * MIB);
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, expected, "{mib}");
        assert_eq!(
            words(&decision).contains("poolmon"),
            expected != Verdict::Ok
        );
    }
}

#[test]
fn paging_confirms_and_half_a_minute_bears_medium_weight() {
    let mut snapshot = machine(8, 300.0);
    snapshot.counters.memory.pages_input = level(2500.0);
    let decision = run(&CHECK, &snapshot);
    assert!(words(&decision).contains("2500 pages a second"));
    assert_eq!(decision.confidence, Confidence::Medium);
    snapshot.counters.memory.pages_input = level(1000.0);
    assert!(!words(&run(&CHECK, &snapshot)).contains("pages a second"));
}

#[test]
fn logged_shortage_warns_only_where_no_counter_tells() {
    for (kind, at, expected) in [
        (
            PressureKind::CommitExhausted,
            "2026-03-01T10:00:00Z",
            Verdict::Warning,
        ),
        (
            PressureKind::CommitExhausted,
            "2026-02-28T12:00:00Z",
            Verdict::Warning,
        ),
        (
            PressureKind::CommitExhausted,
            "2026-02-28T11:59:59Z",
            Verdict::Unknown,
        ),
        (
            PressureKind::PoolExhausted,
            "2026-03-01T10:00:00Z",
            Verdict::Warning,
        ),
        (
            PressureKind::Popup,
            "2026-03-01T10:00:00Z",
            Verdict::Unknown,
        ),
    ] {
        let mut snapshot = nothing();
        snapshot.pressure.events = vec![event(kind, at)];
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, expected, "{kind:?} {at}");
        if expected == Verdict::Warning {
            assert_eq!(decision.confidence, Confidence::Medium);
            assert!(words(&decision).contains("java.exe"));
        }
        let mut snapshot = machine(8, 6000.0);
        snapshot.pressure.events = vec![event(kind, at)];
        assert_eq!(verdict(&snapshot), Verdict::Ok);
    }
}

#[test]
fn memory_of_nobody_is_a_note() {
    let mut snapshot = machine(8, 1000.0);
    for fact in [
        &mut snapshot.counters.memory.paged_bytes,
        &mut snapshot.counters.memory.cache_bytes,
    ] {
        *fact = level(300.0 * MIB);
    }
    snapshot.consumers.memory_total = Fact::known(2 << 30, []);
    assert!(words(&run(&CHECK, &snapshot)).contains("belong to no process"));
    snapshot.consumers.memory_total = Fact::known(6 << 30, []);
    assert!(!words(&run(&CHECK, &snapshot)).contains("belong to no process"));
}
