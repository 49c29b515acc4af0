//! The evtx crate: checksums, what each kind of damage costs, and what the other readers get wrong.

use std::io::Cursor;

use evtx::{EvtxParser, ParserSettings, SerializedEvtxRecord};
use serde_json::{Value as Json, json};
use snapdiag_fixtures::evtx::{Events, LogOptions, build_log, damage, write_log};

use crate::readers::base;

fn events(text: &str) -> Events {
    Events::parse(text, base()).unwrap()
}

fn three_chunks() -> Vec<u8> {
    let line = r#"{"channel":"System","provider":"Test","id":7,"time":"-1h","data":{"n":"{n}"},
        "repeat":{"count":800,"every":"1s"}}"#
        .replace('\n', "");
    let log = build_log(&events(&line), None, LogOptions::default()).unwrap();
    assert_eq!((log.len() - 4096) / 65_536, 3);
    log
}

type Records = Vec<SerializedEvtxRecord<Json>>;

/// The records that can be read, and the number of errors.
fn parse(log: &[u8], checksums: bool) -> (Records, usize) {
    let settings = ParserSettings::new()
        .num_threads(1)
        .validate_checksums(checksums);
    let mut parser = EvtxParser::from_buffer(log.to_vec())
        .unwrap()
        .with_configuration(settings);
    let (records, errors): (Vec<_>, Vec<_>) = parser.records_json_value().partition(Result::is_ok);
    (
        records.into_iter().map(Result::unwrap).collect(),
        errors.len(),
    )
}

fn ids(log: &[u8], checksums: bool) -> Vec<u64> {
    parse(log, checksums)
        .0
        .iter()
        .map(|record| record.event_record_id)
        .collect()
}

/// How many records each chunk has.
fn chunk_sizes(log: &[u8]) -> Vec<u64> {
    let number = |at: usize| u64::from_le_bytes(log[at..at + 8].try_into().unwrap());
    (4096..log.len())
        .step_by(65_536)
        .map(|at| number(at + 16) + 1 - number(at + 8))
        .collect()
}

#[test]
fn checksums_and_records_hold() {
    let log = three_chunks();
    let (records, errors) = parse(&log, true);
    assert_eq!(errors, 0);
    assert_eq!(records.len(), 800);
    for (n, record) in (0..).zip(&records) {
        assert_eq!(record.event_record_id, n + 1);
        assert_eq!(record.data["Event"]["EventData"]["n"], json!(n.to_string()));
        assert_eq!(
            record.timestamp.as_second(),
            base().as_second() - 3600 + n.cast_signed()
        );
    }
}

#[test]
fn negative_numbers_and_surrogate_pairs() {
    let line = json!({"channel": "Test", "provider": "Test", "id": 1, "time": "now", "data": {
        "i8": {"type": "int8", "value": -3}, "i16": {"type": "int16", "value": -300},
        "i32": -1, "i64": -5_000_000_000_i64, "s": "😀"}});
    let log = build_log(&events(&line.to_string()), None, LogOptions::default()).unwrap();
    let (records, _) = parse(&log, true);
    let expected = json!({"i8": -3, "i16": -300, "i32": -1, "i64": -5_000_000_000_i64, "s": "😀"});
    assert_eq!(records[0].data["Event"]["EventData"], expected);
}

#[test]
fn only_the_channel_asked_for_in_order_of_time() {
    let text = r#"
        // lines need not be in order
        {"channel":"System","provider":"P","id":3,"time":"-1s","record_id":50}
        {"channel":"Security","provider":"P","id":2,"time":"-9s"}
        {"channel":"System","provider":"P","id":1,"time":"-10s","repeat":{"count":2,"every":"1s"}}
        {"channel":"System","provider":"P","id":4,"time":"now"}
    "#;
    let events = events(text);
    assert_eq!(
        events.channels().into_iter().collect::<Vec<_>>(),
        ["Security", "System"]
    );
    let mut log = Vec::new();
    let options = LogOptions {
        first_record_id: 10,
        ..LogOptions::default()
    };
    let summary = write_log(&events, Some("system"), Cursor::new(&mut log), options).unwrap();
    assert_eq!(
        (summary.records, summary.chunks, summary.next_record_id),
        (4, 1, 52)
    );
    let seen: Vec<(u64, u64)> = parse(&log, true)
        .0
        .iter()
        .map(|record| {
            let id = &record.data["Event"]["System"]["EventID"];
            let id = id.get("#text").unwrap_or(id);
            (record.event_record_id, id.as_u64().unwrap())
        })
        .collect();
    assert_eq!(seen, [(10, 1), (11, 1), (50, 3), (51, 4)]);
}

#[test]
fn wrong_checksums_are_noticed_and_change_nothing_else() {
    let mut log = three_chunks();
    assert!(damage::flip_record_bit(&mut log, 1, 0));
    assert_eq!(ids(&log, false).len(), 800);
    assert!(ids(&log, true).len() < 800);

    let mut log = three_chunks();
    assert!(damage::flip_header_checksum(&mut log, 0));
    assert_eq!(ids(&log, false).len(), 800);
    assert!(ids(&log, true).len() < 800);
}

#[test]
fn lost_records_and_chunks() {
    let whole = three_chunks();
    let sizes = chunk_sizes(&whole);

    let mut log = whole.clone();
    assert!(damage::zero_record(&mut log, 0, 4));
    assert!(!ids(&log, false).contains(&5));

    let mut log = whole.clone();
    assert!(damage::zero_chunk(&mut log, 1));
    assert_eq!(ids(&log, false).len() as u64, sizes[0] + sizes[2]);

    let mut log = whole.clone();
    assert!(damage::tear_chunk(&mut log, 2, 4096));
    let left = ids(&log, false).len() as u64 - sizes[0] - sizes[1];
    assert!(left > 0 && left < sizes[2], "{left} of {}", sizes[2]);

    let mut log = whole.clone();
    assert!(damage::forget_records(&mut log, 2, 3));
    let (records, errors) = parse(&log, true);
    assert_eq!((records.len() as u64, errors), (sizes[0] + sizes[1] + 3, 0));

    assert!(!damage::zero_chunk(&mut log, 3));
    assert!(!damage::zero_record(&mut log, 0, 5000));
}

#[test]
fn a_header_marked_dirty_is_still_right_in_itself() {
    let options = LogOptions {
        dirty: true,
        ..LogOptions::default()
    };
    let text = r#"{"channel":"C","provider":"P","id":1,"time":"now"}"#;
    let written = build_log(&events(text), None, options).unwrap();
    let mut marked = three_chunks();
    assert!(damage::mark_dirty(&mut marked));
    for log in [written, marked] {
        assert_eq!(log[120], 1);
        assert_eq!(log[42..44], [1, 0]);
        assert_eq!(log[124..128], crc32fast::hash(&log[..120]).to_le_bytes());
    }
}
