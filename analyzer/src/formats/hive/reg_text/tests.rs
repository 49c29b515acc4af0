use encoding_rs::WINDOWS_1252;

use super::*;
use crate::formats::registry::{RegistryView, WalkLimits};

fn parse(text: &str) -> RegText {
    RegText::parse(text.as_bytes(), WINDOWS_1252).expect("a registry text")
}

const SYSTEM: &str = "Windows Registry Editor Version 5.00\r\n\r\n; a comment\r\n\
[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\r\n\"Current\"=dword:00000001 ; the set\r\n@=\"x\"\r\n\
\"a\\\\b\"=hex(2):25,00,41,00,\\\r\n  25,00,00,00\r\n\"two\"=\"line1\r\nline2\"\r\n\
\"q\"=hex(b):01,00,00,00,00,00,00,80\r\n\"e\"=hex:\r\n\"gone\"=-\r\n\
[-HKEY_LOCAL_MACHINE\\SYSTEM\\Old]\r\n";

#[test]
fn regedit_5() {
    let text = parse(SYSTEM);
    assert_eq!(
        (text.format(), text.unreadable_lines()),
        (TextFormat::Regedit5, 0)
    );
    let view = text.hive("system").expect("the hive");
    let key = view.key("SELECT").expect("no damage").expect("the key");
    assert_eq!((key.path.as_str(), key.name.as_str()), ("Select", "Select"));
    let value = |name| {
        view.value("select", name)
            .expect("no damage")
            .expect("the value")
    };
    assert_eq!(value("current").as_u32(), Some(1));
    assert_eq!(value("").as_string().as_deref(), Some("x"));
    assert_eq!(value("A\\B").as_string().as_deref(), Some("%A%"));
    assert_eq!(value("two").as_string().as_deref(), Some("line1\r\nline2"));
    assert_eq!(value("q").as_u64(), Some(0x8000_0000_0000_0001));
    assert_eq!(
        (value("e").kind, value("e").data.len()),
        (ValueKind::Binary, 0)
    );
    let key = "HKEY_LOCAL_MACHINE\\SYSTEM\\Select".to_owned();
    let gone = Deletion {
        line: 13,
        key,
        value: Some("gone".to_owned()),
    };
    let key = "HKEY_LOCAL_MACHINE\\SYSTEM\\Old".to_owned();
    assert_eq!(
        text.deletions(),
        [
            gone,
            Deletion {
                line: 14,
                key,
                value: None
            }
        ]
    );
    assert!(text.hive("SOFTWARE").is_none());
    let report = view.walk(WalkLimits::default(), &mut |_, _| ());
    assert_eq!((report.keys, report.values), (2, 6));
}

#[test]
fn line_endings_and_encodings_do_not_matter() {
    let expected = parse(SYSTEM).view("").expect("all");
    let wide: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(SYSTEM.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = format!("\u{FEFF}{SYSTEM}");
    for bytes in [wide, marked.into_bytes()] {
        let text = RegText::parse(&bytes, WINDOWS_1252).expect("a registry text");
        let view = text.view("").expect("all");
        let path = "HKEY_LOCAL_MACHINE\\SYSTEM\\Select";
        assert_eq!(view.values(path), expected.values(path));
        assert_eq!(text.unreadable_lines(), 0);
    }
    let unix = parse(&SYSTEM.replace("\r\n", "\n"));
    assert_eq!((unix.unreadable_lines(), unix.deletions()[1].line), (0, 14));
}

#[test]
fn regedit_4_in_its_code_page() {
    let bytes =
        b"REGEDIT4\r\n\r\n[HKLM\\SYSTEM]\r\n\"\xE4\"=\"\x80\"\r\n\"m\"=hex(7):61,00,80,00,00\r\n";
    let text = RegText::parse(bytes, WINDOWS_1252).expect("a registry text");
    let view = text.hive("SYSTEM").expect("the hive");
    let value = |name| view.value("", name).expect("no damage").expect("the value");
    assert_eq!(value("\u{C4}").as_string().as_deref(), Some("\u{20AC}"));
    assert_eq!(
        value("m").as_multi_string(),
        Some(vec!["a".to_owned(), "\u{20AC}".to_owned()])
    );
}

#[test]
fn wine() {
    let text = parse(
        "WINE REGISTRY Version 2\n;; All keys relative to REGISTRY\\\\Machine\n\n#arch=win64\n\n\
         [System\\\\Select] 1700000000 5\n#time=1da17777e4b8d80\n\"Current\"=dword:00000001\n\
         \"Path\"=str(2):\"%A%\\\\b\"\n\"List\"=str(7):\"a\\0b\\0\"\n\"B\"=hex:01,02,\\\n  03\n\n\
         [Software\\\\x\\[y\\]]\n#class=\"C\"\n#link\n@=\"\\x20ac\"\n",
    );
    assert_eq!(text.unreadable_lines(), 0, "{:?}", text.quality);
    let view = text.hive("SYSTEM").expect("the hive");
    let value = |name| {
        view.value("Select", name)
            .expect("no damage")
            .expect("the value")
    };
    assert_eq!(value("Path").as_string().as_deref(), Some("%A%\\b"));
    assert_eq!(
        value("List").as_multi_string(),
        Some(vec!["a".to_owned(), "b".to_owned()])
    );
    assert_eq!(value("B").data, [1, 2, 3]);
    let key = view.key("Select").expect("no damage").expect("the key");
    assert_eq!(key.last_write, filetime(0x1da_1777_7e4b_8d80));
    let soft = text.hive("Software").expect("the hive");
    let key = soft.key("X[Y]").expect("no damage").expect("the key");
    assert_eq!(key.class_name.as_deref(), Some("C"));
    let value = soft
        .value("x[y]", "")
        .expect("no damage")
        .expect("the value");
    assert_eq!(value.as_string().as_deref(), Some("\u{20AC}"));
}

#[test]
fn unreadable_lines_are_told() {
    let text = parse(
        "Windows Registry Editor Version 5.00\n\"early\"=\"x\"\n[HKLM\\SYSTEM]\nwhat is this\n\
         \"a\"=dword:xyz\n\"b\"=dword:2\n\"c\"=\"open\n",
    );
    let lines: Vec<u64> = text
        .quality
        .iter()
        .map(|quality| match quality {
            Quality::Damage(error) => error.offset,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lines, [2, 4, 5, 7]);
    let view = text.hive("SYSTEM").expect("the hive");
    let value = view.value("", "b").expect("no damage").expect("the value");
    assert_eq!(value.as_u32(), Some(2));
}

#[test]
fn other_texts_are_refused() {
    for text in ["", "hello", "[HKLM\\SYSTEM]", "regf"] {
        assert!(
            RegText::parse(text.as_bytes(), WINDOWS_1252).is_err(),
            "{text}"
        );
    }
}

#[test]
fn mutated_texts_are_read_to_their_end() {
    let wine =
        "WINE REGISTRY Version 2\n[a\\\\b] 1\n\"x\"=str(2):\"\\x41\\0\"\n@=hex(7):1,\\\n 2\n";
    let mut noise = 1_u32;
    let mut unreadable = 0;
    for text in [SYSTEM, wine] {
        for _ in 0..2_000 {
            let mut bytes = text.as_bytes().to_vec();
            for _ in 0..3 {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (noise >> 8) as usize % bytes.len();
                bytes[at] = b"\\\"[]=@-,:;#(\r\n\0\xFF"[(noise >> 4) as usize % 16];
            }
            if let Ok(text) = RegText::parse(&bytes, WINDOWS_1252) {
                let view = text.view("").expect("all");
                view.walk(WalkLimits::default(), &mut |_, _| ());
                unreadable += text.unreadable_lines();
            }
        }
    }
    assert!(unreadable > 1_000, "{unreadable} unreadable lines");
}

#[test]
fn lines_without_end_take_no_more_than_their_length() {
    for line in [
        "\"\n",
        "\"a\"=\"\n",
        "@=hex:1,\\\n",
        "\"\\\"\\\n",
        "[\n",
        "\\",
    ] {
        let text = format!(
            "Windows Registry Editor Version 5.00\n{}",
            line.repeat(100_000)
        );
        let text = parse(&text);
        assert!(text.unreadable_lines() > 0);
        assert!(text.quality.len() <= KEPT_LINES);
    }
}
