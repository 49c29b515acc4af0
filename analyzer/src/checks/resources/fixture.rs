//! Facts for the tests of these checks.

use jiff::Timestamp;
use serde_json::json;

use crate::checks::check::{Check, Context, Decision};
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::consumers::Consumer;
use crate::facts::counters::Series;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::{Channel, Mark};
use crate::facts::locator::Locator;
use crate::facts::pressure::{Committer, PressureEvent, PressureKind};
use crate::facts::sources::Sources;

pub(super) const CAPTURED: &str = "2026-03-01T12:00:00Z";

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A snapshot in which nothing is known but the time of capture.
pub(super) fn nothing() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(time(CAPTURED));
    snapshot
}

pub(super) fn evidence(path: &str) -> Evidence {
    Evidence::new(
        "counters/counters.json",
        Locator::Counter(path.to_owned()),
        json!({}),
    )
}

/// A series of 30 s.
pub(super) fn series(values: &[f64]) -> Fact<Series> {
    lasting(values, 30.0, 0)
}

pub(super) fn lasting(values: &[f64], seconds: f64, gaps: usize) -> Fact<Series> {
    let series = Series {
        values: values.to_vec(),
        gaps,
        seconds,
    };
    Fact::known(series, [evidence("\\x")])
}

/// 30 s of the same value.
pub(super) fn level(value: f64) -> Fact<Series> {
    series(&[value; 30])
}

/// 30 samples, the first `count` of which are `value`, the others `other`.
pub(super) fn mixed(count: usize, value: f64, other: f64) -> Fact<Series> {
    let values: Vec<f64> = (0..30)
        .map(|n| if n < count { value } else { other })
        .collect();
    series(&values)
}

pub(super) fn consumer(image: &str, amount: f64) -> Consumer {
    Consumer {
        pid: 4711,
        image: image.to_owned(),
        services: Vec::new(),
        amount,
        evidence: evidence("\\process"),
    }
}

pub(super) fn event(kind: PressureKind, at: &str) -> PressureEvent {
    PressureEvent {
        kind,
        id: 2004,
        time: time(at),
        processes: vec![Committer {
            image: "java.exe".to_owned(),
            pid: Some(7),
            bytes: Some(4 << 30),
        }],
        evidence: Evidence::new(
            "eventlog/System.evtx",
            Locator::record("System", 1),
            json!({}),
        ),
    }
}

/// A log that reaches back to `oldest`.
pub(super) fn log(oldest: &str) -> Fact<Channel> {
    let mark = |text: &str| {
        Some(Mark {
            record_id: 1,
            time: time(text),
        })
    };
    let channel = Channel {
        name: "System".to_owned(),
        artifact: "eventlog/System.evtx".to_owned(),
        records: 10,
        failed: 0,
        oldest: mark(oldest),
        newest: mark(CAPTURED),
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: None,
        damage: Vec::new(),
    };
    Fact::known(channel, [])
}

pub(super) fn run(check: &Check, snapshot: &Snapshot) -> Decision {
    check.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

/// All words of a finding but its evidence.
pub(super) fn words(decision: &Decision) -> String {
    let Decision {
        headline,
        reasons,
        notes,
        remedies,
        missing,
        ..
    } = decision;
    format!("{headline} {reasons:?} {notes:?} {remedies:?} {missing:?}")
}
