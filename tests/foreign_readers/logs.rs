use serde_json::{Value as Json, json};
use snapdiag_fixtures::evtx::{Events, LogOptions, build_log, damage};
use snapdiag_tests::foreign::Reader;

use crate::readers::{base, read};

const BOTH: [Reader; 2] = [Reader::Evtxexport, Reader::PythonEvtx];

fn build(text: &str) -> Vec<u8> {
    build_with(text, LogOptions::default())
}

fn build_with(text: &str, options: LogOptions) -> Vec<u8> {
    build_log(&Events::parse(text, base()).unwrap(), None, options).unwrap()
}

fn line(event: &Json) -> String {
    let mut line = json!({"channel": "Test", "provider": "Test-Provider", "id": 1, "time": "now",
        "guid": "{00112233-4455-6677-8899-AABBCCDDEEFF}"});
    for (name, value) in event.as_object().unwrap() {
        line[name] = value.clone();
    }
    format!("{line}\n")
}

fn fields(seen: &Json, record: usize) -> Vec<(&str, &str)> {
    let fields = seen[record]["fields"].as_array().unwrap();
    fields
        .iter()
        .map(|field| (field[0].as_str().unwrap(), field[1].as_str().unwrap()))
        .collect()
}

/// A value, what evtxexport shows of it, and what python-evtx shows.
///
/// Where they differ from Windows: evtxexport 20181227 shows negative numbers wrong (not asked
/// here; the evtx crate is) and takes a surrogate pair for another; python-evtx prints binary data as Base64, booleans in upper case,
/// the milliseconds of a system time as microseconds, and counts FILETIMEs in floating point.
fn values() -> Vec<(Json, &'static str, &'static str)> {
    let same = |json, text| (json, text, text);
    vec![
        same(
            json!("plain & <marked> \"text\" ж 日"),
            "plain & <marked> \"text\" ж 日",
        ),
        (json!("😀"), "🈁", "😀"),
        same(json!(""), ""),
        same(json!(0), "0"),
        same(json!(4_294_967_295_u32), "4294967295"),
        same(json!(4_294_967_296_u64), "4294967296"),
        (json!(true), "true", "True"),
        (json!(1.5), "1.500000e+000", "1.5"),
        same(json!({"type": "ansi", "value": "abc"}), "abc"),
        same(json!({"type": "int8", "value": 127}), "127"),
        same(json!({"type": "uint8", "value": 255}), "255"),
        same(json!({"type": "int16", "value": 32767}), "32767"),
        same(json!({"type": "uint16", "value": 65535}), "65535"),
        same(
            json!({"type": "int32", "value": 2_147_483_647}),
            "2147483647",
        ),
        same(json!({"type": "uint32", "value": "0x10"}), "16"),
        same(
            json!({"type": "int64", "value": 9_000_000_000_u64}),
            "9000000000",
        ),
        same(
            json!({"type": "uint64", "value": u64::MAX}),
            "18446744073709551615",
        ),
        (
            json!({"type": "float", "value": 0.5}),
            "5.000000e-001",
            "0.5",
        ),
        (
            json!({"type": "binary", "value": "00ff10"}),
            "00FF10",
            "AP8Q",
        ),
        (
            json!({"type": "guid", "value": "{00112233-4455-6677-8899-AABBCCDDEEFF}"}),
            "{00112233-4455-6677-8899-AABBCCDDEEFF}",
            "{00112233-4455-6677-8899-aabbccddeeff}",
        ),
        same(
            json!({"type": "filetime", "value": "-1h"}),
            "2026-11-20T09:00:00.000Z",
        ),
        (
            json!({"type": "systemtime", "value": "2026-11-20T10:00:00.123Z"}),
            "2026-11-20T10:00:00.123Z",
            "2026-11-20T10:00:00.000Z",
        ),
        same(
            json!({"type": "sid", "value": "S-1-5-21-1-2-3-500"}),
            "S-1-5-21-1-2-3-500",
        ),
        same(
            json!({"type": "hexint32", "value": "0xc000006d"}),
            "0xc000006d",
        ),
        same(
            json!({"type": "hexint64", "value": "0x8020000000000000"}),
            "0x8020000000000000",
        ),
    ]
}

#[test]
fn every_value_type() {
    let values = values();
    let data: serde_json::Map<String, Json> = values
        .iter()
        .enumerate()
        .map(|(index, (value, _, _))| (format!("v{index}"), value.clone()))
        .collect();
    let log = build(&line(&json!({"data": data})));
    for reader in BOTH {
        let Some(seen) = read(reader, &[&log]) else {
            continue;
        };
        let seen = fields(&seen, 0);
        assert_eq!(seen.len(), values.len(), "{reader:?}");
        for (index, (value, libevtx, python)) in values.iter().enumerate() {
            let text = if reader == Reader::Evtxexport {
                libevtx
            } else {
                python
            };
            assert_eq!(
                seen[index],
                (format!("EventData.Data[v{index}]").as_str(), *text),
                "{value}"
            );
        }
    }
}

/// python-evtx knows no arrays but those of strings, and shows these as markup in one field.
#[test]
fn arrays() {
    let log = build(&line(&json!({"data": {
        "s": {"type": "string[]", "value": ["x", "", "y"]},
        "n": {"type": "uint32[]", "value": [1, 2]},
        "h": {"type": "hexint64[]", "value": ["0xff", 0]},
        "g": {"type": "guid[]", "value": ["00112233-4455-6677-8899-AABBCCDDEEFF"]}}})));
    let Some(seen) = read(Reader::Evtxexport, &[&log]) else {
        return;
    };
    let expected = [
        ("EventData.Data[s]", "x"),
        ("EventData.Data[s]", ""),
        ("EventData.Data[s]", "y"),
        ("EventData.Data[n]", "1"),
        ("EventData.Data[n]", "2"),
        ("EventData.Data[h]", "0x00000000000000ff"),
        ("EventData.Data[h]", "0x0000000000000000"),
        (
            "EventData.Data[g]",
            "{00112233-4455-6677-8899-AABBCCDDEEFF}",
        ),
    ];
    assert_eq!(fields(&seen, 0), expected);
}

#[test]
fn user_data() {
    let log = build(&line(&json!({"userdata": {"EventXML": {
        "Param1": "user1", "Nested": {"Item": [{"Id": 1}, {"Id": 2}]}, "Last": ""}}})));
    for reader in BOTH {
        let Some(seen) = read(reader, &[&log]) else {
            continue;
        };
        let expected = [
            ("UserData.EventXML.Param1", "user1"),
            ("UserData.EventXML.Nested.Item.Id", "1"),
            ("UserData.EventXML.Nested.Item.Id", "2"),
            ("UserData.EventXML.Last", ""),
        ];
        assert_eq!(fields(&seen, 0), expected, "{reader:?}");
    }
}

#[test]
fn classic_strings_and_binary() {
    let mut log = line(&json!({"guid": null, "data": ["one", "", "three"], "binary": "e607"}));
    log += &line(&json!({"guid": null, "data": []}));
    log += &line(&json!({"source": "Test", "data": {"param1": "running"}, "binary": "5400"}));
    log += &line(&json!({}));
    let log = build(&log);
    if let Some(seen) = read(Reader::Evtxexport, &[&log]) {
        let data = "EventData.Data";
        let binary = "EventData.Binary";
        let named = "EventData.Data[param1]";
        assert_eq!(
            fields(&seen, 0),
            [(data, "one"), (data, ""), (data, "three"), (binary, "E607")]
        );
        assert_eq!(fields(&seen, 1), [(data, "")]);
        assert_eq!(fields(&seen, 2), [(named, "running"), (binary, "5400")]);
        assert_eq!(fields(&seen, 3), []);
    }
    if let Some(seen) = read(Reader::PythonEvtx, &[&log]) {
        let strings = "<string>one</string>\n<string></string>\n<string>three</string>\n";
        assert_eq!(
            fields(&seen, 0),
            [("EventData.Data", strings), ("EventData.Binary", "5gc=")]
        );
        assert_eq!(fields(&seen, 3), []);
    }
}

#[test]
fn system_element() {
    let manifest = json!({"channel": "Security", "provider": "Microsoft-Windows-Security-Auditing",
        "id": 4625, "version": 1, "level": 0, "task": 12544, "opcode": 2,
        "keywords": "0x8010000000000000", "time": "-2h30m", "computer": "HOST-B",
        "user_sid": "S-1-5-18", "process": 700, "thread": 704, "record_id": 4711,
        "activity": "{00112233-4455-6677-8899-AABBCCDDEE00}",
        "related_activity": "{00112233-4455-6677-8899-AABBCCDDEE01}", "data": {"a": 1}});
    let classic = json!({"channel": "System", "source": "Service Control Manager",
        "provider": "Service Control Manager", "id": 7036, "qualifiers": 16384, "data": {"a": 1}});
    let log = build(&(line(&manifest) + &line(&classic)));
    for reader in BOTH {
        let Some(seen) = read(reader, &[&log]) else {
            continue;
        };
        // The GUID of a manifest-based provider is a value, and each reader has its case for it.
        let case = |text: &str| match reader {
            Reader::PythonEvtx => text.to_lowercase(),
            _ => text.to_owned(),
        };
        let expected = json!({"Provider.Name": "Microsoft-Windows-Security-Auditing",
            "Provider.Guid": case("{00112233-4455-6677-8899-AABBCCDDEEFF}"), "EventID": "4625",
            "Version": "1", "Level": "0", "Task": "12544", "Opcode": "2",
            "Keywords": "0x8010000000000000", "TimeCreated.SystemTime": "2026-11-20T07:30:00.000Z",
            "EventRecordID": "4711", "Execution.ProcessID": "700", "Execution.ThreadID": "704",
            "Correlation.ActivityID": case("{00112233-4455-6677-8899-AABBCCDDEE00}"),
            "Correlation.RelatedActivityID": case("{00112233-4455-6677-8899-AABBCCDDEE01}"),
            "Channel": "Security", "Computer": "HOST-B", "Security.UserID": "S-1-5-18"});
        assert_eq!(seen[0]["system"], expected, "{reader:?}");
        let expected = json!({"Provider.Name": "Service Control Manager",
            "Provider.Guid": "{00112233-4455-6677-8899-AABBCCDDEEFF}",
            "Provider.EventSourceName": "Service Control Manager", "EventID": "7036",
            "EventID.Qualifiers": "16384", "Version": "0", "Level": "4", "Task": "0",
            "Opcode": "0", "Keywords": "0x0080000000000000", "EventRecordID": "4712",
            "TimeCreated.SystemTime": "2026-11-20T10:00:00.000Z", "Execution.ProcessID": "4",
            "Execution.ThreadID": "8", "Channel": "System", "Computer": "HOST-A"});
        assert_eq!(seen[1]["system"], expected, "{reader:?}");
    }
}

/// Two series that mix in time, over many chunks.
fn series(count: usize) -> String {
    line(
        &json!({"time": "-1d", "repeat": {"count": count, "every": "2s"}, "data": {
        "user": "user{n%7}", "address": "203.0.113.{n%200+1}", "n": {"type": "uint32", "value": "{n}"}}}),
    ) + &line(
        &json!({"id": 2, "time": "-86399s", "repeat": {"count": count, "every": "2s"},
            "guid": null, "data": ["{n}", "filler ".repeat(20)]}),
    )
}

fn check_series(seen: &Json, count: usize, reader: Reader) {
    let records = seen.as_array().unwrap();
    assert_eq!(records.len(), 2 * count, "{reader:?}");
    for (index, record) in records.iter().enumerate() {
        let n = index / 2;
        assert_eq!(
            record["system"]["EventRecordID"],
            json!((index + 1).to_string())
        );
        if index % 2 == 0 {
            let expected = [
                format!("user{}", n % 7),
                format!("203.0.113.{}", n % 200 + 1),
                n.to_string(),
            ];
            let texts: Vec<&str> = fields(seen, index).iter().map(|field| field.1).collect();
            assert_eq!(texts, expected);
        }
    }
}

#[test]
fn many_chunks() {
    let log = build(&series(4000));
    assert!(log.len() > 40 * 65_536, "{}", log.len());
    if let Some(seen) = read(Reader::Evtxexport, &[&log]) {
        check_series(&seen, 4000, Reader::Evtxexport);
    }
    let log = build(&series(300));
    assert!(log.len() > 2 * 65_536);
    if let Some(seen) = read(Reader::PythonEvtx, &[&log]) {
        check_series(&seen, 300, Reader::PythonEvtx);
    }
}

/// Format 3.2, and a header that a crash left behind: evtxexport goes by the file's size then.
#[test]
fn newer_format_and_dirty_header() {
    for (minor_version, dirty) in [(2, false), (1, true), (2, true)] {
        let options = LogOptions {
            minor_version,
            dirty,
            ..LogOptions::default()
        };
        let log = build_with(&series(300), options);
        let Some(seen) = read(Reader::Evtxexport, &[&log]) else {
            return;
        };
        check_series(&seen, 300, Reader::Evtxexport);
    }
}

#[test]
fn a_lost_chunk_costs_only_its_records() {
    let mut log = build(&series(300));
    assert!(damage::zero_chunk(&mut log, 1));
    let Some(seen) = read(Reader::Evtxexport, &[&log]) else {
        return;
    };
    let ids: Vec<u64> = seen
        .as_array()
        .unwrap()
        .iter()
        .map(|record| {
            record["system"]["EventRecordID"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        })
        .collect();
    assert_eq!((ids.first(), ids.last()), (Some(&1), Some(&600)));
    assert!((200..500).contains(&ids.len()), "{}", ids.len());
}

#[test]
fn an_empty_log() {
    let log = build("");
    assert_eq!(log.len(), 4096 + 65_536);
    for reader in BOTH {
        let Some(seen) = read(reader, &[&log]) else {
            continue;
        };
        assert_eq!(seen, json!([]), "{reader:?}");
    }
}
