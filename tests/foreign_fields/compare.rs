//! The comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::str::FromStr;

use jiff::Timestamp;
use serde_json::Value;
use snapdiag::analyze;
use snapdiag::facts::locator::{Locator, RegistryLocator};
use snapdiag::facts::sources::Options;
use snapdiag_bundle::items::{Content, ITEMS};
use snapdiag_fixtures::machine::{Built, Machine, Mutation};
use snapdiag_tests::foreign::{Reader, missing};

#[test]
fn hivex_reads_the_same_values() {
    compare_values(Reader::Hivex);
}

#[test]
fn regipy_reads_the_same_values() {
    compare_values(Reader::Regipy);
}

#[test]
fn evtxexport_reads_the_same_records() {
    compare_records(Reader::Evtxexport);
}

#[test]
fn python_evtx_reads_the_same_records() {
    compare_records(Reader::PythonEvtx);
}

fn compare_values(reader: Reader) {
    for (name, built) in machines(reader) {
        let mut hives = BTreeMap::new();
        let mut compared = 0;
        for (locator, raw) in evidence(&built) {
            let Locator::Registry(RegistryLocator {
                hive,
                key,
                value: Some(value),
            }) = locator
            else {
                continue;
            };
            if raw.is_null() {
                continue;
            }
            let item = format!("registry.{}", hive.to_lowercase());
            let values = hives
                .entry(hive.clone())
                .or_insert_with(|| all_values(reader, &built, &item));
            let place = format!("\\{key}::{value}").to_lowercase();
            let found = values
                .get(&place)
                .unwrap_or_else(|| panic!("{name}: no {hive}{place} by {reader:?}"));
            assert_eq!(
                plain(found),
                plain(&raw),
                "{name}: {hive}{place} by {reader:?}"
            );
            compared += 1;
        }
        println!("{name}: {compared} values by {reader:?}");
        assert!(compared > 50, "{name}: {compared} values");
    }
}

fn compare_records(reader: Reader) {
    for (name, built) in machines(reader) {
        let mut logs = BTreeMap::new();
        let mut compared = 0;
        for (locator, raw) in evidence(&built) {
            let Locator::Events(query) = &locator else {
                continue;
            };
            let (Some(record), true) = (query.record, raw.is_object()) else {
                continue;
            };
            let records = logs
                .entry(query.channel.clone())
                .or_insert_with(|| all_records(reader, &built, &query.channel));
            let place = format!("{name}: {locator} by {reader:?}");
            let found = records.get(&record).unwrap_or_else(|| panic!("no {place}"));
            let mut ours = BTreeSet::new();
            leaves(&raw, &mut ours);
            let unlike: Vec<_> = found.difference(&ours).collect();
            assert!(unlike.is_empty(), "{place}: {unlike:?} not in {ours:?}");
            compared += 1;
        }
        println!("{name}: {compared} records by {reader:?}");
        assert!(compared > 5, "{name}: {compared} records");
    }
}

/// Every baseline, built; none without the reader.
fn machines(reader: Reader) -> Vec<(String, Built)> {
    match missing(&[reader]) {
        Ok(missing) if missing.is_empty() => {}
        other => {
            println!("skipped, reader not installed: {other:?}");
            return Vec::new();
        }
    }
    let build = |name: String| {
        let built = Machine::load(&name).unwrap().build(&Mutation::default());
        (name, built.unwrap())
    };
    Machine::names().unwrap().into_iter().map(build).collect()
}

/// Every piece of evidence in the facts of a bundle.
fn evidence(built: &Built) -> Vec<(Locator, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bundle.zip");
    built.zip(File::create(&path).unwrap()).unwrap();
    let snapshot = analyze::open(&path, &Options::default())
        .unwrap()
        .snapshot();
    let mut evidence = Vec::new();
    collect(&serde_json::to_value(snapshot).unwrap(), &mut evidence);
    evidence
}

fn collect(json: &Value, evidence: &mut Vec<(Locator, Value)>) {
    if let (Some(Value::String(locator)), Some(raw)) = (json.get("locator"), json.get("raw")) {
        evidence.push((Locator::from_str(locator).unwrap(), raw.clone()));
        return;
    }
    match json {
        Value::Array(items) => items.iter().for_each(|item| collect(item, evidence)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, evidence)),
        _ => {}
    }
}

/// What a reader sees in an artifact.
fn read(reader: Reader, built: &Built, item: &str) -> Value {
    let bytes = built.artifact(item).unwrap_or_else(|| panic!("no {item}"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("artifact");
    fs::write(&path, bytes).unwrap();
    reader.read(&[&path]).unwrap()
}

/// The data of all values by `\key::value`, in lower case.
fn all_values(reader: Reader, built: &Built, item: &str) -> BTreeMap<String, Value> {
    let keys = read(reader, built, item);
    let mut all = BTreeMap::new();
    for (path, key) in keys.as_object().unwrap() {
        for (name, value) in key["values"].as_object().unwrap() {
            all.insert(format!("{path}::{name}").to_lowercase(), value[1].clone());
        }
    }
    all
}

/// Closing NULs and the empty string that ends a list are not data.
fn plain(data: &Value) -> Value {
    match data {
        Value::String(text) => text.trim_end_matches('\0').into(),
        Value::Array(items) => items
            .iter()
            .filter(|item| item.as_str().is_none_or(|text| !text.is_empty()))
            .cloned()
            .collect(),
        other => other.clone(),
    }
}

/// The texts of every record's fields by record id.
fn all_records(reader: Reader, built: &Built, channel: &str) -> BTreeMap<u64, BTreeSet<String>> {
    let item = ITEMS
        .iter()
        .find(|item| item.content == Content::EventLog(channel_of(channel)))
        .unwrap_or_else(|| panic!("no item of {channel}"));
    let records = read(reader, built, item.id);
    let mut all = BTreeMap::new();
    for record in records.as_array().unwrap() {
        let id = record["system"]["EventRecordID"].as_str().unwrap();
        let mut texts = BTreeSet::new();
        for field in record["fields"].as_array().unwrap() {
            // python-evtx writes bytes in base64; evtxexport's are compared.
            if reader == Reader::PythonEvtx && field[0] == "EventData.Binary" {
                continue;
            }
            leaves(&field[1], &mut texts);
        }
        all.insert(id.parse().unwrap(), texts);
    }
    all
}

/// The item table's spelling of a channel.
fn channel_of(channel: &str) -> &'static str {
    ITEMS
        .iter()
        .find_map(|item| match item.content {
            Content::EventLog(name) if name.eq_ignore_ascii_case(channel) => Some(name),
            _ => None,
        })
        .unwrap_or_else(|| panic!("no item of {channel}"))
}

/// The values in a JSON value as texts that do not depend on how a reader writes numbers, times
/// and letters. Empty ones are left out: readers differ in whether they name them.
fn leaves(json: &Value, texts: &mut BTreeSet<String>) {
    match json {
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts)),
        Value::Object(fields) => fields.values().for_each(|value| leaves(value, texts)),
        Value::Null => {}
        Value::String(text) if text.trim().is_empty() => {}
        Value::String(text) => {
            texts.insert(normal(text.trim()));
        }
        other => {
            texts.insert(other.to_string());
        }
    }
}

fn normal(text: &str) -> String {
    let hexadecimal = text
        .strip_prefix("0x")
        .map(|digits| u64::from_str_radix(digits, 16));
    if let Some(Ok(number)) = hexadecimal {
        return number.to_string();
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return time.as_second().to_string();
    }
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}
