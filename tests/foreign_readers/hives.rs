use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};
use snapdiag_fixtures::hive::{HiveBuilder, Key, LeafKind, RegText, Tree, Value, value_type};
use snapdiag_tests::foreign::Reader;

use crate::readers::{base, read};

/// Every value type and every odd form a value, name or key can have.
pub(crate) const EVERYTHING: &str = r#"Windows Registry Editor Version 5.00
;@last-write=-30d
[HKEY_LOCAL_MACHINE\SYSTEM]
[HKEY_LOCAL_MACHINE\SYSTEM\Types]
;@last-write=2026-11-19T08:07:06.5Z
;@class="12ab34cd"
@="the default value"
"String"="C:\\Windows \"quoted\""
"Unterminated"=unterminated:"abc"
"Expand"=expand:"%SystemRoot%\\system32"
"Multi"=multi:"a","bc"
"MultiHex"=hex(7):61,00,00,00,62,00,00,00,00,00
"Dword"=dword:ffffffff
"Qword"=qword:00000001ffffffff
"Binary"=hex:01,02,\
  03,04,\
  05
"Small"=hex:01,02,03
"None"=hex(0):01,02,03,04,05
"Resources"=hex(8):01,02,03,04,05,06
"Unknown"=hex(ffff0012):01,00,00,00,00
[HKEY_LOCAL_MACHINE\SYSTEM\Empty]
@=""
"String"=""
"Multi"=multi:
"Binary"=hex:
"None"=hex(0):
[HKEY_LOCAL_MACHINE\SYSTEM\Big]
"Cell"=fill:16344
"Two"=fill:16350
"Many"=fill:100000
[HKEY_LOCAL_MACHINE\SYSTEM\Имена\日本語]
"Значение"="значение"
"日本"=dword:00000001
"Emoji 😀"="😀"
[HKEY_LOCAL_MACHINE\SYSTEM\Link]
"SymbolicLinkValue"=link:"\\Registry\\Machine\\SYSTEM\\Types"
"#;

/// The tree in the form of the script.
fn expected(tree: &Tree, reader: Reader) -> Json {
    let mut keys = Map::new();
    add_key(tree.root(), "", reader, &mut keys);
    Json::Object(keys)
}

fn add_key(key: &Key, path: &str, reader: Reader, keys: &mut Map<String, Json>) {
    let values: Map<String, Json> = key
        .values()
        .iter()
        .map(|value| (value.name.clone(), data(value, reader)))
        .collect();
    let mut object = json!({"last_write": key.last_write().as_second(), "values": values});
    // hivexml does not show class names.
    if reader == Reader::Regipy {
        object["class"] = json!(key.class());
    }
    keys.insert(path.to_owned(), object);
    for subkey in key.subkeys() {
        add_key(subkey, &format!("{path}\\{}", subkey.name()), reader, keys);
    }
}

fn data(value: &Value, reader: Reader) -> Json {
    let number = || {
        let mut bytes = [0; 8];
        bytes[..value.data.len()].copy_from_slice(&value.data);
        u64::from_le_bytes(bytes)
    };
    let hex = value.data.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let text = || {
        let (units, _) = value.data.as_chunks::<2>();
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        String::from_utf16(&units).unwrap()
    };
    match value.kind {
        value_type::DWORD | value_type::QWORD => json!([value.kind, number()]),
        value_type::SZ | value_type::EXPAND_SZ | value_type::LINK => {
            json!([value.kind, text().trim_end_matches('\0')])
        }
        value_type::MULTI_SZ => {
            let text = text();
            let strings: Vec<&str> = text.split('\0').filter(|text| !text.is_empty()).collect();
            json!([value.kind, strings])
        }
        0..=11 => json!([value.kind, hex]),
        _ if reader == Reader::Regipy => json!(["other", null]),
        _ => json!(["other", hex]),
    }
}

fn compare(tree: &Tree, hive: &[u8], reader: Reader) {
    let Some(seen) = read(reader, &[hive]) else {
        return;
    };
    let expected = expected(tree, reader);
    let (seen, expected) = (seen.as_object().unwrap(), expected.as_object().unwrap());
    let paths = |keys: &Map<String, Json>| keys.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(seen), paths(expected), "{reader:?}");
    for (path, key) in expected {
        same_key(&seen[path], key, &format!("{reader:?} {path}"));
    }
}

fn same_key(seen: &Json, expected: &Json, place: &str) {
    let values = |key: &Json| key["values"].as_object().unwrap().clone();
    let (seen_values, expected_values) = (values(seen), values(expected));
    for (name, value) in &expected_values {
        // Not assert_eq: large values would bury the message.
        assert!(seen_values.get(name) == Some(value), "{place}::{name}");
    }
    assert_eq!(seen_values.len(), expected_values.len(), "{place}");
    for field in ["last_write", "class"] {
        assert_eq!(seen[field], expected[field], "{place} {field}");
    }
}

#[test]
fn every_value_type_name_and_size() {
    let tree = Tree::parse(EVERYTHING, base()).unwrap();
    let builder = HiveBuilder::new(&tree).file_name(r"\SystemRoot\System32\Config\SYSTEM");
    for version in [4, 5, 6] {
        let hive = builder.clone().version(version).build().unwrap();
        compare(&tree, &hive, Reader::Hivex);
        compare(&tree, &hive, Reader::Regipy);
    }
}

#[test]
fn format_1_3_has_large_values_in_one_cell() {
    let tree = Tree::parse(EVERYTHING, base()).unwrap();
    let hive = HiveBuilder::new(&tree).version(3).build().unwrap();
    assert!(
        !hive.windows(2).any(|pair| pair == b"lh"),
        "hash leaves came with 1.5"
    );
    compare(&tree, &hive, Reader::Regipy);
}

/// hivex loses up to four bytes of a last segment that nearly fills its cell, so regipy is asked.
#[test]
fn big_data_with_a_last_segment_of_one_byte() {
    let tree = Tree::parse("[K]\n\"V\"=fill:16345\n\"W\"=fill:32689\n", base()).unwrap();
    compare(
        &tree,
        &HiveBuilder::new(&tree).build().unwrap(),
        Reader::Regipy,
    );
}

/// Extended ASCII names are stored in one byte a character. regipy reads them as ASCII and shows
/// U+FFFD, so hivex alone is asked.
#[test]
fn extended_ascii_names() {
    let text = "[Ünder\\Größe]\n\"Ä ß ÿ\"=dword:1\n[zz]\n[ÄÄ]\n";
    let tree = Tree::parse(text, base()).unwrap();
    compare(
        &tree,
        &HiveBuilder::new(&tree).build().unwrap(),
        Reader::Hivex,
    );
}

/// hivexml calls a big-endian number `int32`, regipy guesses at a text: it is asked of hivex.
#[test]
fn big_endian_number() {
    let tree = Tree::parse("[K]\n\"BE\"=hex(5):00,00,00,07\n", base()).unwrap();
    let hive = HiveBuilder::new(&tree).build().unwrap();
    let Some(seen) = read(Reader::Hivex, &[&hive]) else {
        return;
    };
    assert_eq!(seen["\\K"]["values"]["BE"], json!([4, 7]));
}

pub(crate) fn many_keys(count: usize) -> Tree {
    let mut text = String::new();
    for n in 0..count {
        // Neither in order nor in one case.
        let name = (n * 7919) % count;
        let case = if n % 2 == 0 { "key" } else { "KEY" };
        write!(text, "[Many\\{case} {name}]\n\"n\"=dword:{n:x}\n").unwrap();
    }
    Tree::parse(&text, base()).unwrap()
}

#[test]
fn more_subkeys_than_a_leaf_holds() {
    for count in [506, 507, 3000] {
        let tree = many_keys(count);
        for leaf in [LeafKind::Index, LeafKind::Fast, LeafKind::Hash] {
            let hive = HiveBuilder::new(&tree).leaf(leaf).build().unwrap();
            let root = hive
                .windows(4)
                .any(|cell| cell == [b'r', b'i', 2, 0] || cell == [b'r', b'i', 6, 0]);
            assert_eq!(root, count > 506, "{count} {leaf:?}");
            compare(&tree, &hive, Reader::Hivex);
        }
        compare(
            &tree,
            &HiveBuilder::new(&tree).build().unwrap(),
            Reader::Regipy,
        );
    }
}

#[test]
fn a_hive_of_several_megabytes() {
    let tree = many_keys(30_000);
    let hive = HiveBuilder::new(&tree).build().unwrap();
    assert!(hive.len() > 4 << 20, "{}", hive.len());
    compare(&tree, &hive, Reader::Hivex);
}

const MUTATION: &str = r#"
[HKLM\SYSTEM\Types]
;@last-write=-5m
"Dword"=dword:00000000
"String"=-
[-HKLM\SYSTEM\Big]
[HKLM\SYSTEM\New\Sub]
"Blob"=fill:60000
"#;

fn mutated(tree: &Tree, text: &str) -> Tree {
    let mut tree = tree.clone();
    tree.apply(&RegText::parse(text, base()).unwrap()).unwrap();
    tree
}

#[test]
fn a_dirty_hive_is_the_old_one_until_its_log_is_replayed() {
    let before = Tree::parse(EVERYTHING, base()).unwrap();
    let after = mutated(&before, MUTATION);
    assert!(after.key("Types").unwrap().value("String").is_none());
    let dirty = HiveBuilder::new(&before).build_dirty(&[&after]).unwrap();
    assert_ne!(dirty.primary[4..8], dirty.primary[8..12]);
    compare(&before, &dirty.primary, Reader::Regipy);
    replayed(&after, &dirty.primary, &dirty.log1, &dirty.log2);
}

#[test]
fn a_dirty_hive_with_a_log_of_the_old_format() {
    let before = Tree::parse(EVERYTHING, base()).unwrap();
    let after = mutated(&before, MUTATION);
    let dirty = HiveBuilder::new(&before)
        .version(3)
        .build_dirty_old(&after)
        .unwrap();
    assert_eq!(dirty.log1[512..516], *b"DIRT");
    replayed(&after, &dirty.primary, &dirty.log1, &dirty.log2);
}

/// regipy always applies LOG2 before LOG1, so the logs are given to it in the order that they
/// have to be applied in.
#[test]
fn steps_in_both_logs() {
    let before = Tree::parse(EVERYTHING, base()).unwrap();
    let middle = mutated(
        &before,
        "[Types]\n\"Dword\"=dword:00000011\n\"Small\"=hex:00\n",
    );
    let after = mutated(&middle, "[Types]\n\"Dword\"=dword:00000012\n");
    let last = mutated(&after, MUTATION);
    let dirty = HiveBuilder::new(&before)
        .build_dirty(&[&middle, &after, &last])
        .unwrap();
    replayed(&last, &dirty.primary, &dirty.log2, &dirty.log1);
}

fn replayed(after: &Tree, primary: &[u8], log1: &[u8], log2: &[u8]) {
    let all = [primary, log1, log2];
    let files = if log2.is_empty() { &all[..2] } else { &all };
    let Some(seen) = read(Reader::RegipyReplay, files) else {
        return;
    };
    assert!(seen["pages"].as_u64().unwrap() > 0);
    let expected = expected(after, Reader::Regipy);
    for (path, key) in expected.as_object().unwrap() {
        same_key(&seen["keys"][path], key, path);
    }
    assert_eq!(
        seen["keys"].as_object().unwrap().len(),
        expected.as_object().unwrap().len()
    );
}
