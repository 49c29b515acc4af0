use super::*;
use crate::checks::resources::fixture::*;
use crate::facts::Snapshot;
use crate::facts::counters::ProcessSeries;
use crate::facts::sources::registry::Text;

fn processor(name: usize, busy: f64, dpc: f64) -> Core {
    Core {
        name: format!("0,{name}"),
        busy: level(busy),
        dpc: level(dpc),
        interrupt: level(1.0),
        parked: Fact::not_collected("x"),
    }
}

/// A machine whose processors are busy as given, processor 0 with `dpc` percent of DPCs.
fn machine(busy: &[f64], dpc: f64) -> Snapshot {
    let mut snapshot = nothing();
    let count = u32::try_from(busy.len()).unwrap();
    snapshot.counters.logical_processors = Fact::known(count, []);
    let cores = busy.iter().enumerate();
    let cores = cores.map(|(n, busy)| processor(n, *busy, if n == 0 { dpc } else { 0.0 }));
    snapshot.counters.processor.cores = Fact::known(cores.collect(), []);
    snapshot.counters.processor.busy = level(busy.iter().sum::<f64>() / f64::from(count));
    snapshot.counters.processor.processes = Fact::known(Vec::new(), []);
    snapshot
}

fn with_process(mut snapshot: Snapshot, total: f64, busy: Fact<Series>) -> Decision {
    snapshot.counters.processor.busy = level(total);
    let process = ProcessSeries {
        instance: "worker".to_owned(),
        busy,
    };
    snapshot.counters.processor.processes = Fact::known(vec![process], []);
    run(&CHECK, &snapshot)
}

fn verdict(snapshot: &Snapshot) -> Verdict {
    run(&CHECK, snapshot).verdict
}

#[test]
fn one_hot_processor() {
    for (busy, expected) in [
        (vec![98.0, 5.0, 5.0, 5.0], Verdict::Warning),
        (vec![5.0, 5.0, 90.1, 5.0], Verdict::Warning),
        (vec![90.0, 5.0, 5.0, 5.0], Verdict::Ok),
        (vec![91.0, 49.9, 49.9, 49.9], Verdict::Warning),
        (vec![91.0, 50.0, 50.0, 50.0], Verdict::Ok),
        (vec![98.0, 41.0], Verdict::Warning),
        (vec![98.0, 42.0], Verdict::Ok),
        (vec![95.0, 95.0, 95.0, 95.0], Verdict::Ok),
    ] {
        assert_eq!(verdict(&machine(&busy, 0.0)), expected, "{busy:?}");
    }
}

#[test]
fn packets_on_one_processor_are_critical() {
    for (dpc, expected) in [(49.0, Verdict::Warning), (49.1, Verdict::Critical)] {
        let snapshot = machine(&[98.0, 5.0, 5.0, 5.0], dpc);
        assert_eq!(verdict(&snapshot), expected, "{dpc} + 1");
    }
    let mut snapshot = machine(&[98.0, 5.0, 5.0, 5.0], 70.0);
    let off = Text {
        text: "0".to_owned(),
        kind: "REG_SZ".to_owned(),
    };
    snapshot.receive_scaling = Fact::known(
        vec![ReceiveScaling {
            adapter: "Red Hat VirtIO 'Ethernet'".to_owned(),
            enabled: Fact::known(off, [evidence("\\x")]),
            queues: Fact::absent([]),
            processors: Fact::absent([]),
        }],
        [],
    );
    let decision = run(&CHECK, &snapshot);
    assert!(words(&decision).contains("receive side scaling is off"));
    let commands = serde_json::to_string(&decision.remedies).unwrap();
    assert!(
        commands
            .contains("Enable-NetAdapterRss -InterfaceDescription 'Red Hat VirtIO ''Ethernet'''")
    );
    assert!(commands.contains("Disable-NetAdapterRss -InterfaceDescription"));
}

#[test]
fn parked_processors_do_not_count_as_resting() {
    let mut snapshot = machine(&[95.0, 60.0, 0.0, 0.0, 0.0], 0.0);
    snapshot.counters.processor.busy = level(31.0);
    assert_eq!(verdict(&snapshot), Verdict::Warning);
    if let crate::facts::fact::State::Known(cores) = &mut snapshot.counters.processor.cores.state {
        for core in cores.iter_mut().skip(2) {
            core.parked = level(1.0);
        }
    }
    assert_eq!(verdict(&snapshot), Verdict::Ok);
}

#[test]
fn one_thread_of_many_processors() {
    let eight = || machine(&[13.0; 8], 0.0);
    let decision = with_process(eight(), 14.0, level(100.0));
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("single-thread bound"));
    assert!(decision.headline.contains("12.5 %"));
    // At most 10 % beside it: 22.5 of 8 processors.
    assert_eq!(
        with_process(eight(), 22.5, level(100.0)).verdict,
        Verdict::Warning
    );
    let noted = with_process(eight(), 22.6, level(100.0));
    assert_eq!(noted.verdict, Verdict::Ok);
    assert!(words(&noted).contains("single-thread bound"));
    for (busy, expected) in [
        (level(95.0), Verdict::Warning),
        (level(105.0), Verdict::Warning),
        (level(94.9), Verdict::Ok),
        (level(105.1), Verdict::Ok),
        (mixed(27, 100.0, 50.0), Verdict::Warning),
        (mixed(26, 100.0, 50.0), Verdict::Ok),
    ] {
        assert_eq!(
            with_process(eight(), 14.0, busy.clone()).verdict,
            expected,
            "{busy:?}"
        );
    }
    // Fewer than four processors.
    assert_eq!(
        with_process(machine(&[34.0; 3], 0.0), 34.0, level(100.0)).verdict,
        Verdict::Ok
    );
    assert_eq!(
        with_process(machine(&[26.0; 4], 0.0), 26.0, level(100.0)).verdict,
        Verdict::Warning
    );
}

#[test]
fn one_processor_only() {
    assert_eq!(verdict(&machine(&[100.0], 0.0)), Verdict::NotApplicable);
}

#[test]
fn what_was_not_seen_is_not_ok() {
    assert_eq!(verdict(&nothing()), Verdict::Unknown);
    let healthy = machine(&[5.0; 4], 0.0);
    assert_eq!(verdict(&healthy), Verdict::Ok);
    let mut snapshot = healthy.clone();
    snapshot.counters.logical_processors = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = healthy.clone();
    snapshot.counters.logical_processors = Fact::known(80, []);
    assert!(run(&CHECK, &snapshot).headline.contains("only 4 of 80"));
    let mut snapshot = healthy.clone();
    snapshot.counters.processor.processes = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = healthy.clone();
    snapshot.counters.processor.cores = Fact::not_collected("x");
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
    let mut snapshot = healthy;
    if let crate::facts::fact::State::Known(cores) = &mut snapshot.counters.processor.cores.state {
        cores[3].busy = lasting(&[5.0; 10], 10.0, 0);
    }
    assert_eq!(verdict(&snapshot), Verdict::Unknown);
}
