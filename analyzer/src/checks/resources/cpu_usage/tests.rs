use super::*;
use crate::checks::resources::fixture::*;
use crate::facts::sources::registry::Text;

fn machine(busy: f64) -> Snapshot {
    let mut snapshot = nothing();
    snapshot.counters.logical_processors = Fact::known(4, []);
    snapshot.counters.processor.busy = level(busy);
    snapshot.counters.processor.queue = level(0.0);
    snapshot
}

fn verdict(snapshot: &Snapshot) -> Verdict {
    run(&CHECK, snapshot).verdict
}

#[test]
fn the_median_decides() {
    for (busy, expected) in [
        (80.0, Verdict::Ok),
        (80.1, Verdict::Warning),
        (95.0, Verdict::Warning),
        (95.1, Verdict::Critical),
    ] {
        assert_eq!(verdict(&machine(busy)), expected, "{busy}");
    }
}

#[test]
fn a_queue_makes_it_critical() {
    for (busy, queue, expected) in [
        (90.1, 40.0, Verdict::Warning),
        (90.1, 40.1, Verdict::Critical),
        (90.0, 400.0, Verdict::Warning),
        (50.0, 400.0, Verdict::Ok),
    ] {
        let mut snapshot = machine(busy);
        snapshot.counters.processor.queue = level(queue);
        assert_eq!(verdict(&snapshot), expected, "{busy} {queue}");
    }
    let mut snapshot = machine(93.0);
    snapshot.counters.processor.queue = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Warning);
}

#[test]
fn peaks_are_a_warning() {
    for (count, expected) in [(3, Verdict::Ok), (4, Verdict::Warning)] {
        let mut snapshot = machine(0.0);
        snapshot.counters.processor.busy = mixed(count, 92.0, 40.0);
        let decision = run(&CHECK, &snapshot);
        assert_eq!(decision.verdict, expected, "{count} of 30");
        assert_eq!(
            decision.headline.contains("percentile"),
            expected == Verdict::Warning
        );
    }
}

#[test]
fn the_kernel_and_the_busiest_are_named() {
    let mut snapshot = machine(85.0);
    snapshot.counters.processor.privileged = level(60.0);
    snapshot.consumers.processor = Fact::known(
        vec![consumer("java.exe", 300.0), consumer("MsMpEng.exe", 20.0)],
        [],
    );
    let decision = run(&CHECK, &snapshot);
    let words = words(&decision);
    assert!(
        words.contains("java.exe (pid 4711) uses most: 75.0 % of all processors"),
        "{words}"
    );
    assert!(words.contains("spent in the kernel"));
    assert!(words.contains("MsMpEng.exe (pid 4711) is maintenance"));
    assert!(words.contains("wpr -start CPU"));
    snapshot.counters.processor.privileged = level(42.5);
    assert!(!super::tests::words(&run(&CHECK, &snapshot)).contains("spent in the kernel"));
}

#[test]
fn interrupts_are_a_note_and_no_verdict() {
    let mut snapshot = machine(50.0);
    snapshot.counters.processor.interrupt = level(10.0);
    snapshot.counters.processor.dpc = level(10.1);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(words(&decision).contains("interrupts take"));
    snapshot.counters.processor.dpc = level(10.0);
    assert!(!words(&run(&CHECK, &snapshot)).contains("interrupts take"));
}

#[test]
fn the_first_minutes_after_a_start_bear_little_weight() {
    for (uptime, confidence) in [(899, Confidence::Low), (900, Confidence::Medium)] {
        let mut snapshot = machine(85.0);
        snapshot.machine.uptime_seconds = Fact::known(uptime, []);
        assert_eq!(run(&CHECK, &snapshot).confidence, confidence);
    }
}

#[test]
fn maintenance_in_the_logs_explains_and_does_not_excuse() {
    let mut snapshot = machine(85.0);
    snapshot.pressure.events = vec![
        event(PressureKind::Update, "2026-03-01T11:00:00Z"),
        event(PressureKind::Scan, "2026-03-01T09:00:00Z"),
    ];
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(words(&decision).contains("Windows Update was at work"));
    assert!(!words(&decision).contains("Defender"));
}

#[test]
fn a_power_plan_that_saves_is_changed_with_its_undo() {
    let mut snapshot = machine(85.0);
    let plan = Text {
        text: SAVER.to_uppercase(),
        kind: "REG_SZ".to_owned(),
    };
    snapshot.counters.processor.power_plan = Fact::known(plan, []);
    let words = words(&run(&CHECK, &snapshot));
    assert!(words.contains("8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c"));
    assert!(words.contains(&format!("powercfg /setactive '{}'", SAVER.to_uppercase())));
}

#[test]
fn without_samples_nothing_is_known() {
    assert_eq!(verdict(&nothing()), Verdict::Unknown);
    let mut snapshot = machine(99.0);
    snapshot.counters.processor.busy = lasting(&[99.0; 24], 24.0, 0);
    let decision = run(&CHECK, &snapshot);
    assert_eq!(decision.verdict, Verdict::Unknown);
    assert!(decision.headline.starts_with("99 % busy"));
    snapshot.counters.processor.busy = lasting(&[99.0; 25], 25.0, 0);
    assert_eq!(verdict(&snapshot), Verdict::Critical);
}
