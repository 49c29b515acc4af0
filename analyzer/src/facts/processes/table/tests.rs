use serde_json::json;

use super::*;
use crate::facts::locator::Locator;

const T0: &str = "2026-11-20T10:00:00Z";
const T1: &str = "2026-11-20T10:00:30Z";

fn row(pid: u32, handles: Option<u32>, cpu_ms: u64) -> Value {
    json!({"pid": pid, "image": format!("p{pid}.exe"), "created_at": "2026-11-20T09:00:00Z",
           "handles": handles, "kernel_time_ms": 0, "user_time_ms": cpu_ms,
           "private_bytes": pid, "services": if pid == 8 { vec!["Spooler"] } else { vec![] }})
}

fn table(samples: &Value) -> Fact<Table> {
    let whole = Evidence::new("p.json", Locator::json("p.json", ""), Value::Null);
    read(&Fact::known(json!({ "samples": samples }), [whole]))
}

#[test]
fn growth_is_between_the_first_look_and_the_last() {
    let mut anew = row(12, Some(5), 9);
    anew["created_at"] = json!("2026-11-20T10:00:10Z");
    let fact = table(&json!([
        {"taken_at": T0, "rows": [row(0, None, 0), row(8, Some(100), 50), row(12, Some(900), 1)]},
        {"taken_at": "2026-11-20T10:00:15Z", "rows": []},
        {"taken_at": T1, "rows": [row(0, None, 9), row(8, Some(160), 80), anew]},
    ]));
    let table = fact.value().unwrap();
    assert_eq!((table.interval_ms, table.processes), (30_000, 2));
    assert_eq!((table.handles, table.untold), (165, 0));
    let first = &table.top[0];
    assert_eq!(first.label(), "p8.exe (pid 8: Spooler)");
    assert_eq!((first.handles_grown(), first.cpu_ms), (Some(60), Some(30)));
    assert_eq!(
        first
            .evidence
            .iter()
            .map(|e| e.locator.to_string())
            .collect::<Vec<_>>(),
        [
            "json:p.json#/samples/2/rows/1",
            "json:p.json#/samples/0/rows/1"
        ]
    );
    assert_eq!(first.evidence[0].raw["handles"], 160);
    // The same process id, another process.
    assert_eq!(
        (table.top[1].handles_grown(), table.top[1].cpu_ms),
        (None, None)
    );
    assert_eq!(table.by_cpu().len(), 1);
}

#[test]
fn the_largest_of_each_figure_are_kept() {
    let rows: Vec<Value> = (1..=100)
        .map(|n| row(n * 4, Some(1000 - n), u64::from(n)))
        .collect();
    let fact = table(&json!([{"taken_at": T0, "rows": rows}]));
    let table = fact.value().unwrap();
    assert_eq!((table.interval_ms, table.processes), (0, 100));
    let pids = |list: Vec<&Process>| list.iter().map(|p| p.pid).collect::<Vec<_>>();
    assert_eq!(
        pids(table.by_handles()),
        (1..=10).map(|n| n * 4).collect::<Vec<_>>()
    );
    let largest: Vec<u32> = (91..=100).rev().map(|n| n * 4).collect();
    assert_eq!(pids(table.by_commit()), largest);
    assert!(table.by_cpu().is_empty() && table.by_memory().is_empty());
    assert!(table.top.len() <= 6 * KEPT);
}

#[test]
fn a_process_may_keep_its_handles_to_itself() {
    let fact = table(&json!([{"taken_at": T0, "rows": [row(4, None, 0), row(8, Some(7), 0)]}]));
    let table = fact.value().unwrap();
    assert_eq!((table.handles, table.untold), (7, 1));
}

#[test]
fn a_table_without_processes_is_unreadable() {
    for samples in [
        json!([]),
        json!([{"taken_at": T0, "rows": [row(0, None, 0)]}]),
    ] {
        assert!(!table(&samples).is_settled(), "{samples}");
    }
}

#[test]
fn ids_that_nothing_living_has() {
    let with = |pid: u32, threads: Option<u32>| {
        let mut row = row(pid, Some(1), 0);
        row["threads"] = json!(threads);
        row
    };
    let of = |rows: &[Value]| {
        let fact = table(&json!([{"taken_at": T0, "rows": rows}]));
        fact.value().unwrap().ids.clone()
    };
    let ids = of(&[with(0, Some(4)), with(400, Some(30)), with(8, Some(7))]).unwrap();
    // Idle time is no process, and its threads are the processors'.
    assert_eq!((ids.highest, ids.living, ids.unused()), (400, 39, 61));
    let place = ids.evidence.locator.to_string();
    assert_eq!(place, "json:p.json#/samples/0/rows/1/pid");
    assert_eq!(ids.evidence.raw, 400);
    assert_eq!(of(&[with(8, None), with(12, Some(1))]), None);
    assert_eq!(of(&[with(8, Some(7))]).unwrap().unused(), 0);
}
