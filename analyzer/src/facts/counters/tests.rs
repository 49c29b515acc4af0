use serde_json::{Value, json};

use super::*;
use crate::facts::test_bundle::gather;

fn pdh(series: &Value, failed: &Value) -> String {
    let times: Vec<String> = (0..31)
        .map(|n| format!("2026-03-01T12:00:{n:02}Z"))
        .collect();
    json!({"interval_ms": 1000, "sampled_at": times, "series": series, "failed": failed})
        .to_string()
}

fn of(value: f64) -> Vec<f64> {
    vec![value; 31]
}

fn native() -> String {
    let times = |n: u64| {
        json!({"idle_ms": n * 2_000, "kernel_ms": n * 8_000, "user_ms": n * 2_000,
            "dpc_ms": n * 1_000, "interrupt_ms": null})
    };
    let sample = |n: u64| {
        json!({"taken_at": format!("2026-03-01T12:00:{:02}Z", n * 10), "total": times(n),
            "processors": [times(n), times(n)], "available_bytes": 1_073_741_824_u64, "handles": 1,
            "committed_bytes": 50, "commit_limit_bytes": 200, "paged_pool_bytes": null,
            "nonpaged_pool_bytes": 7})
    };
    json!({"samples": [sample(0), sample(1), sample(2), sample(3)]}).to_string()
}

#[test]
fn statistics_of_a_series() {
    let series = |values: &[f64]| Series {
        values: values.to_vec(),
        gaps: 0,
        seconds: 30.0,
    };
    let ten = series(&[5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0, 10.0, 6.0]);
    assert_eq!(ten.median(), Some(5.5));
    assert_eq!(ten.p90(), Some(9.0));
    assert_eq!(
        (ten.min(), ten.max(), ten.last()),
        (Some(1.0), Some(10.0), Some(6.0))
    );
    assert_eq!(ten.mostly(80, |value| value >= 3.0), Some(true));
    assert_eq!(ten.mostly(80, |value| value >= 4.0), Some(false));
    assert_eq!(series(&[1.0, 2.0, 4.0]).median(), Some(2.0));
    let none = series(&[]);
    assert_eq!(
        (none.median(), none.p90(), none.mostly(80, |_| true)),
        (None, None, None)
    );
    assert!(!none.covers(0.0));
}

#[test]
fn the_performance_library_comes_first_and_a_rate_loses_its_first_sample() {
    let mut busy = of(40.0);
    busy[0] = 99.0;
    let series = json!([
        {"path": "\\MEMORY\\Available MBytes", "values": of(3000.0)},
        {"path": "\\Processor Information(_Total)\\% Processor Time", "values": busy},
        {"path": "\\Processor Information(0,10)\\% Processor Time", "values": of(1.0)},
        {"path": "\\Processor Information(0,2)\\% Processor Time", "values": of(1.0)},
        {"path": "\\Processor Information(0,_Total)\\% Processor Time", "values": of(1.0)},
        {"path": "\\Process(Idle)\\% Processor Time", "values": of(300.0)},
        {"path": "\\Process(_Total)\\% Processor Time", "values": of(400.0)},
        {"path": "\\Process(worker)\\% Processor Time", "values": of(100.0)},
    ]);
    let text = pdh(&series, &json!([]));
    let files = [
        ("counters/counters.json", text.as_str()),
        ("counters/native.json", &native()),
    ];
    let counters = gather(&files, Counters::gather);
    let available = &counters.memory.available_mib;
    assert_eq!(available.value().unwrap().values.len(), 31);
    assert_eq!(
        available.evidence[0].locator.to_string(),
        "counter:\\MEMORY\\Available MBytes"
    );
    assert_eq!(available.evidence[0].raw["values"][30], 3000.0);
    let busy = counters.processor.busy.value().unwrap();
    assert_eq!(
        (busy.values.len(), busy.max(), busy.gaps, busy.seconds),
        (30, Some(40.0), 0, 30.0)
    );
    let cores = counters.processor.cores.value().unwrap();
    let names: Vec<&str> = cores.iter().map(|core| core.name.as_str()).collect();
    assert_eq!(names, ["0,2", "0,10"]);
    let processes = counters.processor.processes.value().unwrap();
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0].instance, "worker");
    // What the library did not give comes from Windows itself.
    assert_eq!(
        counters.memory.commit_percent.value().unwrap().median(),
        Some(25.0)
    );
}

#[test]
fn where_the_library_is_broken_windows_itself_tells() {
    let counters = gather(&[("counters/native.json", &native())], Counters::gather);
    let busy = counters.processor.busy.value().unwrap();
    assert_eq!(
        (busy.median(), busy.values.len(), busy.seconds),
        (Some(80.0), 3, 30.0)
    );
    assert_eq!(
        counters.processor.privileged.value().unwrap().median(),
        Some(60.0)
    );
    assert_eq!(counters.processor.dpc.value().unwrap().median(), Some(10.0));
    assert!(counters.processor.interrupt.value().is_none());
    assert_eq!(
        counters.memory.available_mib.value().unwrap().last(),
        Some(1024.0)
    );
    assert_eq!(counters.processor.cores.value().unwrap().len(), 2);
    let evidence = &counters.processor.busy.evidence;
    let locators: Vec<String> = evidence.iter().map(|e| e.locator.to_string()).collect();
    assert_eq!(
        locators,
        [
            "json:counters/native.json#/samples/0/total",
            "json:counters/native.json#/samples/3/total"
        ]
    );
    assert_eq!(evidence[1].raw["kernel_ms"], 24_000);
}

#[test]
fn a_counter_that_failed_says_why() {
    let failed = json!([{"path": "\\Memory\\Available MBytes", "code": 0xC000_0BB9_u32}]);
    let text = pdh(&json!([]), &failed);
    let counters = gather(&[("counters/counters.json", &text)], Counters::gather);
    let why = counters.memory.available_mib.why_unsettled().unwrap();
    assert!(why.contains("0xC0000BB9"), "{why}");
    let evidence = &counters.memory.available_mib.evidence[0];
    assert_eq!(
        evidence.locator.to_string(),
        "json:counters/counters.json#/failed/0"
    );
    assert!(
        counters
            .memory
            .cache_bytes
            .why_unsettled()
            .unwrap()
            .contains("Cache Bytes")
    );
    assert!(counters.processor.cores.value().is_none());
}

#[test]
fn gaps_are_counted_and_clocks_may_jump() {
    let mut values: Vec<Option<f64>> = vec![Some(1.0); 31];
    values[3] = None;
    values[4] = None;
    let times: Vec<f64> = (0..31).map(f64::from).collect();
    let series = Series::new(&values, &times, false);
    assert_eq!((series.gaps, series.values.len()), (2, 29));
    assert!(series.covers(25.0));
    let back: Vec<f64> = times.iter().rev().copied().collect();
    assert!(!Series::new(&values, &back, false).covers(0.1));
    assert_eq!(Series::new(&values, &times[..2], false).values.len(), 2);
    assert_eq!(Series::new(&[], &[], true), Series::default());
}

const HEADER: &str = "\"(PDH-CSV 4.0)\"";

/// A counter log of seven samples, five seconds apart.
fn log(columns: &[(&str, &str)]) -> String {
    let line = |time: &str, fields: &dyn Fn(&(&str, &str)) -> String| {
        let fields = columns
            .iter()
            .map(fields)
            .map(|field| format!(",\"{field}\""));
        format!("{time}{}\n", fields.collect::<String>())
    };
    let samples = (0..7).map(|n| {
        let time = format!("\"03/01/2026 12:00:{:02}.000\"", n * 5);
        line(&time, &|(_, value)| (*value).to_owned())
    });
    line(HEADER, &|(path, _)| (*path).to_owned()) + &samples.collect::<String>()
}

fn of_log(text: &str) -> Counters {
    gather(&[("log.csv", text)], Counters::gather)
}

#[test]
fn a_counter_log_stands_in_for_the_record() {
    let text = log(&[
        ("\\\\HOST-A\\Memory\\Available MBytes", "300.5"),
        (
            "\\\\HOST-A\\Processor Information(_Total)\\% Processor Time",
            "40",
        ),
        (
            "\\\\HOST-A\\Processor Information(0,1)\\% Processor Time",
            "41",
        ),
        ("\\\\HOST-A\\Process(worker)\\% Processor Time", "-1"),
        ("\\\\HOST-A\\Process(other)\\% Processor Time", "7"),
    ]);
    let counters = of_log(&text);
    let available = &counters.memory.available_mib;
    let series = available.value().unwrap();
    assert_eq!((series.seconds, series.median()), (30.0, Some(300.5)));
    let evidence = &available.evidence[0];
    assert_eq!(
        evidence.locator.to_string(),
        "counter:\\Memory\\Available MBytes"
    );
    assert_eq!(
        (evidence.artifact.as_str(), &evidence.doubt),
        ("log.csv", &None)
    );
    assert_eq!(counters.processor.busy.value().unwrap().values.len(), 6);
    assert_eq!(counters.processor.cores.value().unwrap()[0].name, "0,1");
    // A process that came or went has no value, and no process has a negative one.
    let processes = counters.processor.processes.value().unwrap();
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0].instance, "other");
}

#[test]
fn the_record_wins_over_a_counter_log() {
    let record = pdh(
        &json!([{"path": "\\Memory\\Available MBytes", "values": of(3000.0)}]),
        &json!([]),
    );
    let text = log(&[("\\\\HOST-A\\Memory\\Available MBytes", "300")]);
    let files = [
        ("counters/counters.json", record.as_str()),
        ("counters/counters.csv", text.as_str()),
    ];
    let (counters, inventory) = gather(&files, |sources| {
        (Counters::gather(sources), sources.inventory().clone())
    });
    let available = counters.memory.available_mib.value().unwrap();
    assert_eq!(available.median(), Some(3000.0));
    let log = inventory
        .artifacts
        .iter()
        .find(|artifact| artifact.path == "counters/counters.csv");
    let log = log.unwrap();
    assert_eq!(log.state, crate::facts::inventory::ArtifactState::NotUsed);
    assert!(log.notes[0].contains("counters/counters.json"), "{log:?}");
}

#[test]
fn every_counter_of_a_fact_is_asked_for_by_its_name() {
    let counters = of_log(&log(&[("\\\\HOST-A\\Memoria\\MB disponibles", "300")]));
    let memory = serde_json::to_value(&counters.memory).unwrap();
    let processor = serde_json::to_value(&counters.processor).unwrap();
    let mut lacking = 0;
    for fact in [memory, processor]
        .iter()
        .flat_map(|family| family.as_object().unwrap().values())
    {
        let Some(why) = fact["value"].as_str() else {
            continue;
        };
        let Some((_, rest)) = why.split_once("did not give ") else {
            continue;
        };
        let (path, rest) = rest.split_once("; ").unwrap();
        assert!(library::is_asked(path), "{path}");
        assert!(rest.contains("\\Memoria\\MB disponibles"), "{rest}");
        lacking += 1;
    }
    assert_eq!(lacking, 19);
}

#[test]
fn a_damaged_counter_log_is_doubted() {
    let text =
        log(&[("\\\\HOST-A\\Memory\\Available MBytes", "300")]) + "\"03/01/2026 12:00:35.000\",\"3";
    let available = of_log(&text).memory.available_mib;
    assert_eq!(available.value().unwrap().gaps, 1);
    let doubt = available.evidence[0].doubt.as_deref().unwrap();
    assert_eq!(doubt, "log.csv: lines that are no samples: 1");
    let none = of_log(&format!("{HEADER}\n")).memory.available_mib;
    let why = none.why_unsettled().unwrap();
    assert!(why.starts_with("unreadable: log.csv: line 1"), "{why}");
}

#[test]
fn counters_of_several_computers_are_not_mixed() {
    let text = log(&[
        ("\\\\HOST-A\\Memory\\Available MBytes", "300"),
        ("\\\\HOST-B\\Memory\\Available MBytes", "5000"),
    ]);
    let why = of_log(&text).memory.available_mib.why_unsettled().unwrap();
    assert!(why.contains("several computers (HOST-A, HOST-B)"), "{why}");
}
