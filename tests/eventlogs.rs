//! Every event log of the captures, compared with what other readers say of it.
//!
//! Needs the captures (see `snapdiag_tests::captures`); says so and passes without them.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "the helpers of tests are tests too"
)]

#[path = "eventlogs/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use oracle::{Record, xml_text};
use serde_json::Value as Json;
use snapdiag::formats::evtx::{
    Census, Event, Fields, Filter, Fold, Header, LogOutcome, Need, Options, Row, Select,
    channel_of_file, read_bytes, read_stream,
};
use snapdiag_tests::{captures, expected};

/// How many logs the captures hold at least: fewer compared is a failure.
const LOGS: usize = 95;
const HEADER: usize = 4096;
const CHUNK: usize = 65_536;

/// Where `expected.json` is not the truth: file, what is left out, why.
const EXPECTED_DIFFERS: &[(&str, &[&str], &str)] = &[
    (
        "omerbenamram-evtx/sample_with_a_bad_chunk_magic.evtx",
        &["records", "events", "last"],
        "its reader stops at zeroed records in chunk 7; the 31 records behind them (47675 to \
         47705) are read by evtx 0.15 and listed by `evtxexport -m recovered`",
    ),
    (
        "omerbenamram-evtx/Microsoft-Windows-HelloForBusiness%4Operational.evtx",
        &["first"],
        "one record has no System and a FILETIME of 0, which is no time",
    ),
];

/// Keeps every record.
#[derive(Debug, Default, PartialEq)]
struct All(Vec<Record>);

fn texts(fields: &Fields) -> Vec<(Option<String>, String)> {
    let text = |value: &dyn ToString| xml_text(&value.to_string());
    fields
        .iter()
        .map(|field| (field.name.as_deref().map(xml_text), text(&field.value)))
        .collect()
}

fn record(event: &Event<'_>) -> Record {
    Record {
        sequence: event.header.sequence,
        record_id: event.header.record_id,
        time: event.header.time,
        provider: xml_text(event.header.provider),
        channel: xml_text(event.header.channel),
        event_id: event.header.event_id,
        system: texts(&event.system),
        fields: texts(&event.fields),
    }
}

impl Fold for All {
    fn glance(&mut self, _: &Header<'_>) -> Need {
        Need::Fields
    }

    fn event(&mut self, event: &Event<'_>) {
        self.0.push(record(event));
    }

    fn fork(&self) -> Self {
        Self::default()
    }

    fn merge(&mut self, later: Self) {
        self.0.extend(later.0);
    }
}

fn read_all(bytes: &[u8]) -> LogOutcome<All> {
    read_bytes(bytes, All::default(), Options::default()).expect("an event log")
}

/// The logs of the captures: path, bytes, and what `expected.json` says.
fn logs() -> Option<Vec<(String, Vec<u8>, Json)>> {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return None;
    };
    let is_log = |path: &str| {
        Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "evtx")
    };
    let logs: Vec<_> = expected(&folder)
        .into_iter()
        .filter(|(path, _)| is_log(path))
        .map(|(path, entry)| {
            let bytes = std::fs::read(folder.join(&path)).expect("a readable capture");
            (path, bytes, entry)
        })
        .collect();
    assert!(logs.len() >= LOGS, "only {} logs", logs.len());
    Some(logs)
}

/// The log whose path ends so.
fn log(name: &str) -> Option<Vec<u8>> {
    let found = logs()?.into_iter().find(|(path, ..)| path.ends_with(name));
    Some(found.expect("a known capture").1)
}

/// No record is missing, none differs, and none is extra, so there is no list of extras.
#[test]
fn records_agree_with_the_evtx_crate() {
    let Some(logs) = logs() else { return };
    for stale in [false, true] {
        let (mut records, mut fallback, mut failed) = (0, 0, 0);
        for (path, bytes, _) in &logs {
            let options = Options {
                stale,
                ..Options::default()
            };
            let ours = read_bytes(bytes, All::default(), options).expect("an event log");
            let mut theirs = oracle::read(bytes, stale).expect("an event log");
            let mut found = ours.fold.0;
            // The crate goes by the chunks' headers, which a torn log makes another order.
            theirs.sort_by_key(|record| (record.sequence, record.time));
            found.sort_by_key(|record| (record.sequence, record.time));
            assert_eq!(found.len(), theirs.len(), "{path}");
            for (ours, theirs) in found.iter().zip(&theirs) {
                assert_eq!(ours, theirs, "{path}");
            }
            assert_eq!(ours.records + ours.stale, found.len() as u64, "{path}");
            records += found.len();
            fallback += ours.fallback_chunks;
            failed += ours.failed;
        }
        println!(
            "stale {stale}: {} logs, {records} records equal, none skipped; {fallback} chunks by \
             fallback, {failed} records failed in both readers",
            logs.len()
        );
        assert!(records > 23_000, "only {records} records");
    }
}

/// The other reader cuts off what is below a microsecond.
fn microseconds(time: Option<jiff::Timestamp>) -> Json {
    time.map(jiff::Timestamp::as_microsecond).into()
}

#[test]
fn counts_agree_with_expected() {
    let Some(logs) = logs() else { return };
    let (mut compared, mut skipped) = (0, 0);
    for (path, bytes, entry) in &logs {
        let expected = &entry["evtx"];
        let ours = read_bytes(bytes, Census::decoding(), Options::default()).expect("a log");
        let known = EXPECTED_DIFFERS
            .iter()
            .find(|(name, ..)| path.ends_with(name));
        let mut compare = |what: &str, ours: Json| {
            if known.is_some_and(|(_, skip, _)| skip.contains(&what)) {
                skipped += 1;
                return;
            }
            let theirs = match expected.get(what).cloned().unwrap_or_default() {
                Json::String(time) => microseconds(time.parse().ok()),
                other => other,
            };
            assert_eq!(ours, theirs, "{what} of {path}");
            compared += 1;
        };
        compare("records", ours.records.into());
        compare("first", microseconds(ours.horizon.earliest));
        compare("last", microseconds(ours.horizon.latest));
        let mut events = BTreeMap::new();
        for (channel, ids) in ours.fold.counts() {
            let channel = if channel.is_empty() { "?" } else { channel };
            for (id, count) in ids {
                events.insert(format!("{channel}|{id}"), *count);
            }
        }
        if ours.records > 0 {
            compare("events", serde_json::json!(events));
        }
    }
    println!(
        "{} logs, {compared} figures equal, {skipped} skipped",
        logs.len()
    );
    let listed: usize = EXPECTED_DIFFERS.iter().map(|(_, skip, _)| skip.len()).sum();
    assert_eq!(skipped, listed, "a listed skip is no longer needed");
}

#[test]
fn results_do_not_depend_on_threads_or_on_how_the_log_comes() {
    let Some(logs) = logs() else { return };
    let pool = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().expect("a pool")
    };
    let (one, four) = (pool(1), pool(4));
    for (path, bytes, _) in &logs {
        let alone = one.install(|| read_all(bytes));
        let together = four.install(|| read_all(bytes));
        let options = Options::default();
        let mut stream = bytes.as_slice();
        let streamed = read_stream(&mut stream, All::default(), options).expect("a log");
        for other in [together, streamed] {
            assert_eq!(alone.fold, other.fold, "{path}");
            assert_eq!(alone.horizon, other.horizon, "{path}");
            assert_eq!(alone.damage, other.damage, "{path}");
        }
    }
}

#[test]
fn selected_records_are_those_of_a_full_reading() {
    let Some(logs) = logs() else { return };
    let mut selected = 0;
    for (path, bytes, _) in &logs {
        let everything = Filter::default();
        let all: Vec<_> = select(bytes, &everything, usize::MAX);
        let ids: Vec<u32> = all.iter().map(|row| row.event_id).step_by(5).collect();
        let filter = Filter {
            event_ids: ids,
            ..Filter::default()
        };
        let some = select(bytes, &filter, usize::MAX);
        let wanted = |row: &&Row| filter.event_ids.contains(&row.event_id);
        let by_hand: Vec<_> = all.iter().filter(wanted).cloned().collect();
        assert_eq!(some, by_hand, "{path}");
        let newest = select(bytes, &filter, 3);
        assert_eq!(newest, by_hand[by_hand.len().saturating_sub(3)..], "{path}");
        selected += some.len();
    }
    assert!(selected > 10_000, "only {selected} records");
}

fn select(bytes: &[u8], filter: &Filter, limit: usize) -> Vec<Row> {
    let select = Select::new(filter, limit);
    let outcome = read_bytes(bytes, select, Options::default()).expect("a log");
    outcome.fold.into_rows().collect()
}

/// A log that wrapped, lost its file header, has a wrong chunk count and empty chunks.
#[test]
fn chunks_are_read_in_the_order_in_which_they_were_written() {
    let Some(log) = log("omerbenamram-evtx/system.evtx") else {
        return;
    };
    let whole = read_all(&log);
    assert!(whole.chunks > 4 && whole.horizon.disorder == 0);
    let chunks: Vec<&[u8]> = log[HEADER..].chunks(CHUNK).collect();
    let zeroes = vec![0; CHUNK];
    for turn in 1..chunks.len() {
        let mut wrapped = log[..HEADER].to_vec();
        wrapped[42..44].fill(0xff);
        for chunk in chunks[turn..].iter().chain(&chunks[..turn]) {
            wrapped.extend_from_slice(chunk);
            wrapped.extend_from_slice(&zeroes);
        }
        if turn % 2 == 0 {
            wrapped[..HEADER].fill(0);
        }
        let read = read_bytes(&wrapped, All::default(), Options::default());
        if turn % 2 == 0 && chunks[turn].iter().all(|byte| *byte == 0) {
            assert!(read.is_err());
            continue;
        }
        let read = read.expect("a log");
        assert_eq!(read.fold, whole.fold);
        assert_eq!(read.horizon, whole.horizon);
        assert_eq!(read.damage.len(), 1, "{:?}", read.damage);
    }
}

/// The chunk was copied after its records were written and before its header was.
#[test]
fn records_that_the_chunk_header_does_not_know_yet_are_read() {
    let Some(mut log) = log("omerbenamram-evtx/system.evtx") else {
        return;
    };
    let whole = read_all(&log);
    let header = &mut log[HEADER..HEADER + 512];
    let last = u64::from_le_bytes(header[32..40].try_into().unwrap());
    header[32..40].copy_from_slice(&(last - 5).to_le_bytes());
    let behind = read_all(&log);
    assert_eq!(behind.fold, whole.fold);
    assert!(behind.dirty);
    assert_eq!(behind.damage[0].offset, HEADER as u64);
}

/// The crate gives up a chunk whose table of names is damaged; its records are still there.
#[test]
fn a_damaged_table_of_names_loses_no_record() {
    let Some(mut log) = log("omerbenamram-evtx/system.evtx") else {
        return;
    };
    let whole = read_all(&log);
    log[HEADER + 128..HEADER + 384].fill(0xee);
    let read = read_all(&log);
    assert_eq!(read.fold, whole.fold);
    assert_eq!(read.fallback_chunks, whole.fallback_chunks + 1);
}

/// Small logs of all kinds: exported, live, with damage, with nested templates.
fn small_logs() -> Vec<Vec<u8>> {
    let Some(logs) = logs() else {
        return Vec::new();
    };
    let small = logs
        .into_iter()
        .filter(|(_, bytes, _)| bytes.len() < 80_000);
    small.step_by(6).map(|(_, bytes, _)| bytes).collect()
}

/// Deterministic numbers (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// Makes the checksums of all chunks right, so that the damage is not seen before it is read.
fn correct_checksums(log: &mut [u8]) {
    for chunk in log[HEADER..].chunks_exact_mut(CHUNK) {
        let free = u32::from_le_bytes(chunk[48..52].try_into().unwrap()) as usize;
        let records = crc32fast::hash(chunk.get(512..free).unwrap_or_default());
        chunk[52..56].copy_from_slice(&records.to_le_bytes());
        let mut header = crc32fast::Hasher::new();
        header.update(&chunk[..120]);
        header.update(&chunk[128..512]);
        chunk[124..128].copy_from_slice(&header.finalize().to_le_bytes());
    }
}

/// Reads what may be a log or no longer one, watches the clock, and compares with the crate.
fn survive(bytes: &[u8]) -> usize {
    let start = Instant::now();
    let read = read_bytes(bytes, All::default(), Options::default());
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(20), "took {taken:?}");
    let (Ok(read), Some(theirs)) = (read, oracle::read(bytes, false)) else {
        return 0;
    };
    let ours = read.fold.0;
    for record in &theirs {
        let same = ours.iter().find(|own| own.sequence == record.sequence);
        assert!(ours.contains(record), "{record:?}\nis not\n{same:?}");
    }
    theirs.len()
}

#[test]
fn damaged_logs_are_read_as_far_as_the_evtx_crate_reads_them() {
    let mut numbers = Numbers(0x5eed_1e55_0f10_9500);
    let mut compared = 0;
    for log in small_logs() {
        for turn in 0..60 {
            let mut damaged = log.clone();
            for _ in 0..=numbers.below(12) {
                // Most of the meaning is in the headers and at the start of the records.
                let reach = [HEADER + 512, HEADER + 8192, log.len()][numbers.below(3)];
                let at = numbers.below(reach);
                damaged[at] = [0, 1, 0x0c, 0x21, 0x81, 0xff, damaged[at] ^ 0x40][numbers.below(7)];
            }
            if turn % 2 == 0 {
                correct_checksums(&mut damaged);
            }
            compared += survive(&damaged);
        }
    }
    println!("{compared} records of damaged logs compared");
    assert!(captures().is_none() || compared > 5_000);
}

#[test]
fn a_log_that_was_cut_off_is_read_up_to_there() {
    for log in small_logs().iter().step_by(3) {
        let whole = read_all(log).fold.0;
        for cut in (0..log.len()).step_by(1777) {
            let Ok(read) = read_bytes(&log[..cut], All::default(), Options::default()) else {
                assert!(cut < 128);
                continue;
            };
            assert!(read.fold.0.len() <= whole.len() && whole.starts_with(&read.fold.0));
            assert!(cut <= HEADER || !read.damage.is_empty());
        }
    }
}

#[test]
fn what_is_no_log_is_refused() {
    let zeroes = vec![0; HEADER + CHUNK];
    for bytes in [&b""[..], b"ElfFile", b"regf", &zeroes] {
        assert!(read_bytes(bytes, Census::new(), Options::default()).is_err());
    }
}

#[test]
fn a_file_name_stands_for_a_channel() {
    let name = "logs/Microsoft-Windows-TerminalServices-LocalSessionManager%4Operational.evtx";
    let channel = "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";
    assert_eq!(channel_of_file(name), channel);
    assert_eq!(channel_of_file("C:\\winevt\\System.EVTX"), "System");
}

/// Values have the JSON types that the crate gives them. The form differs where names do not
/// tell values apart: positional values and those of a repeated name are a plain list, and
/// `ComplexData` goes by its own name.
#[test]
fn json_agrees_with_the_evtx_crate() {
    let Some(logs) = logs() else { return };
    let (mut values, mut skipped) = (0, 0);
    for (path, bytes, _) in &logs {
        let rows = select(bytes, &Filter::default(), usize::MAX);
        let mut parser = evtx::EvtxParser::from_buffer(bytes.clone()).unwrap();
        let records = parser.records_json_value().flatten();
        let theirs: Vec<Json> = records.map(|record| record.data).collect();
        if path.contains("2-vss_0") {
            // Its chunks are torn, so the crate has another order.
            skipped += 1;
            continue;
        }
        assert_eq!(theirs.len(), rows.len(), "{path}");
        for (row, theirs) in rows.iter().zip(&theirs) {
            let data = theirs.pointer("/Event/EventData").and_then(Json::as_object);
            let repeated = data.is_some_and(|data| data.contains_key("LogonGuid_1"));
            for (name, value) in data.into_iter().flatten() {
                let value = match (name.as_str(), value) {
                    ("#attributes" | "ComplexData" | "ComplexData_1", _) => continue,
                    ("LogonGuid" | "LogonGuid_1", _) if repeated => continue,
                    ("Data", Json::Object(list)) => match &list["#text"] {
                        Json::Array(list) => list.clone().into(),
                        only => vec![only.clone()].into(),
                    },
                    _ => value.clone(),
                };
                assert_eq!(row.fields.get(name), Some(&value), "{name} in {path}");
                values += 1;
            }
        }
    }
    println!("{values} values equal; {skipped} log skipped");
    assert!(values > 150_000 && skipped == 1);
}

/// How fast it is, beside the crate rendering everything. Run with `--release -- --ignored`.
#[test]
#[ignore = "a measurement, not a check"]
fn timing() {
    let Some(mut logs) = logs() else { return };
    logs.sort_by_key(|(_, bytes, _)| std::cmp::Reverse(bytes.len()));
    logs.truncate(12);
    let time = |name: &str, work: &dyn Fn(&[u8]) -> u64| {
        let best = (0..5).map(|_| {
            let start = Instant::now();
            let records: u64 = logs.iter().map(|(_, bytes, _)| work(bytes)).sum();
            (start.elapsed(), records)
        });
        let (best, records) = best.min().unwrap();
        println!("{name}: {best:?} for {records} records");
    };
    let bytes: usize = logs.iter().map(|(_, bytes, _)| bytes.len()).sum();
    println!("{} logs, {bytes} bytes", logs.len());
    let options = Options::default();
    time("scan", &|log| {
        read_bytes(log, Census::new(), options).unwrap().records
    });
    time("all fields", &|log| {
        read_bytes(log, Census::decoding(), options)
            .unwrap()
            .records
    });
    time("evtx crate, JSON", &|log| {
        let mut parser = evtx::EvtxParser::from_buffer(log.to_vec()).unwrap();
        parser.records_json().flatten().count() as u64
    });
}
