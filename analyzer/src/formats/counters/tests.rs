use proptest::prelude::*;

use super::*;
use crate::formats::text::decode;

fn parse(text: &str) -> CounterTable {
    CounterTable::parse(text).unwrap()
}

fn values(table: &CounterTable) -> Vec<Vec<Option<f64>>> {
    let values = table.samples.iter().map(|sample| sample.values.clone());
    values.collect()
}

/// Close enough: fractions of seconds of the day do not add up exactly.
fn about(seconds: Option<f64>, wanted: f64) -> bool {
    seconds.is_some_and(|seconds| (seconds - wanted).abs() < 1e-6)
}

#[test]
fn typeperf_in_english() {
    let table = parse(
        "\r\n\"(PDH-CSV 4.0)\",\"\\\\HOST-A\\Memory\\Available MBytes\",\"\\\\HOST-A\\Memory\\Pages Input/sec\"\r\n\
         \"03/01/2026 23:59:58.562\",\"5432.000000\",\" \"\r\n\
         \"03/01/2026 23:59:59.562\",\"5431.000000\",\"12.5\"\r\n\
         \"03/02/2026 00:00:00.562\",\"5430.000000\",\"\"\r\n\
         \r\nExiting, please wait...                         \r\n\
         The command completed successfully.\r\n",
    );
    assert_eq!(
        table.paths,
        [
            "\\\\HOST-A\\Memory\\Available MBytes",
            "\\\\HOST-A\\Memory\\Pages Input/sec"
        ]
    );
    assert_eq!(
        values(&table),
        [
            [Some(5432.0), None],
            [Some(5431.0), Some(12.5)],
            [Some(5430.0), None]
        ]
    );
    assert!(about(table.interval_seconds, 1.0), "{table:?}");
    let other: Vec<(u32, &str)> = table
        .other
        .first
        .iter()
        .map(|line| (line.number, line.text.as_str()))
        .collect();
    assert_eq!(
        other,
        [
            (7, "Exiting, please wait...                         "),
            (8, "The command completed successfully.")
        ]
    );
    assert_eq!((table.malformed.count, table.bad_values.count), (0, 0));
}

#[test]
fn semicolons_decimal_commas_and_a_local_date() {
    let table = parse(
        "\"(PDH-CSV 4.0) (W. Europe Standard Time)(-60)\";\"\\\\HOST-A\\Arbeitsspeicher\\Verfügbare MB\";\"\\\\HOST-A\\Memory\\Commit Limit\"\n\
         \"01.03.2026 12:00:00,000\";\"5432,25\";\"1,5E+10\"\n\
         \"01.03.2026 12:00:15,000\";\"5431\";\"15000000000,\"\n\
         Der Befehl wurde erfolgreich ausgeführt.\n",
    );
    assert_eq!(table.paths[0], "\\\\HOST-A\\Arbeitsspeicher\\Verfügbare MB");
    assert_eq!(
        values(&table),
        [[Some(5432.25), Some(1.5e10)], [Some(5431.0), Some(1.5e10)]]
    );
    assert!(about(table.interval_seconds, 15.0));
    assert_eq!(table.other.count, 1);
}

#[test]
fn decimal_commas_between_commas_and_a_code_page() {
    let bytes = b"\"(PDH-CSV 4.0)\",\"\\\\HOST-A\\M\xE9moire\\M\xE9gaoctets disponibles\"\r\n\
        \"01/03/2026 12:00:00,000\",\"5432,25\"\r\n\
        La commande s'est termin\xE9e correctement.\r\n";
    let table = parse(&decode(bytes, Some(1252)).text);
    assert_eq!(table.paths, ["\\\\HOST-A\\Mémoire\\Mégaoctets disponibles"]);
    assert_eq!(values(&table), [[Some(5432.25)]]);
    assert_eq!(table.interval_seconds, None);
}

#[test]
fn chinese_in_its_code_page_and_in_utf_16() {
    let text = "\"(PDH-CSV 4.0) (中国标准时间)(-480)\",\"\\\\HOST-A\\Memory\\Available MBytes\",\"\\\\HOST-A\\内存\\可用 MB 数\"\r\n\
        \"2026/3/1 12:00:00.000\",\"300\",\"300\"\r\n\
        \"2026/3/1 12:00:01.000\",\"301\",\"301\"\r\n\
        命令成功完成。\r\n";
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let wide: Vec<u8> = "\u{feff}"
        .encode_utf16()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    let utf_8 = ["\u{feff}", text].concat();
    for bytes in [&gbk, wide.as_slice(), utf_8.as_bytes()] {
        let table = parse(&decode(bytes, Some(936)).text);
        assert_eq!(table.paths[1], "\\\\HOST-A\\内存\\可用 MB 数");
        assert_eq!(values(&table)[1], [Some(301.0), Some(301.0)]);
        assert!(about(table.interval_seconds, 1.0));
    }
}

#[test]
fn tabs_and_a_clock_of_twelve_hours() {
    let table = parse(
        "\"(PDH-TSV 4.0) (Pacific Standard Time)(480)\"\t\"\\\\HOST-A\\System\\Processor Queue Length\"\n\
         \"3/1/2026 12:59:50 PM\"\t\"1\"\n\
         \"3/1/2026 12:59:55 PM\"\t\"2\"\n\
         \"3/1/2026 1:00:00 PM\"\t\"3\"\n\
         \"3/1/2026 1:00:05 PM\"\t\"4\"\n",
    );
    assert_eq!(values(&table).concat().len(), 4);
    assert!(about(table.interval_seconds, 5.0));
}

/// At the end of daylight saving the same hour comes twice.
#[test]
fn a_clock_that_jumps_does_not_count() {
    let text = "\"(PDH-CSV 4.0)\",\"\\Memory\\Available MBytes\"\n\
        \"10/29/2017 01:59:29.562\",\"1\"\n\"10/29/2017 01:59:44.562\",\"1\"\n\
        \"10/29/2017 01:59:59.562\",\"1\"\n\"10/29/2017 01:00:14.562\",\"1\"\n\
        \"10/29/2017 01:00:29.563\",\"1\"\n\"some day\",\"1\"\n";
    assert!(about(parse(text).interval_seconds, 15.0));
    let no_times = "\"(PDH-CSV 4.0)\",\"\\a\\b\"\n\"x 99:99:99\",\"1\"\n\"y\",\"1\"\n\"\",\"1\"\n";
    assert_eq!(parse(no_times).interval_seconds, None);
}

#[test]
fn what_breaks_off_is_counted_and_holds_no_values() {
    let header = "\"(PDH-CSV 4.0)\",\"\\a\\b\",\"\\a\\c\"\n";
    for line in [
        "\"03/01/2026 12:00:01.000\",\"1\",\"2",
        "\"03/01/2026 12:00:01.000\",\"1\"",
        "\"03/01/2026 12:00:01.000\",\"1\",\"2\",\"3\"",
        "\"03/01/2026 12:00:01.000\",1,2",
        "\"03/01/2026 12:00:01.000\";\"1\";\"2\"",
        "\"03/01/2026",
    ] {
        let whole = "\"03/01/2026 12:00:00.000\",\"1\",\"2\"\n";
        let table = parse(&format!("{header}{whole}{header}{line}"));
        assert_eq!(
            values(&table),
            [vec![Some(1.0), Some(2.0)], vec![]],
            "{line}"
        );
        assert_eq!(table.malformed.first[0].number, 4);
        assert_eq!(table.malformed.first[0].text, line);
    }
}

#[test]
fn values_that_are_no_numbers_are_missing_and_counted() {
    let line =
        |value: &str| format!("\"(PDH-CSV 4.0)\",\"\\a\\b\"\n\"03/01/2026 1:0:0\",\"{value}\"");
    for (text, wanted) in [
        ("18446744073709551616", Some(18_446_744_073_709_551_616.0)),
        ("+1.5e-3", Some(0.0015)),
        ("-1", Some(-1.0)),
        (" 7 ", Some(7.0)),
        ("7\0\0", Some(7.0)),
    ] {
        let table = parse(&line(text));
        assert_eq!(values(&table), [[wanted]], "{text:?}");
        assert_eq!(table.bad_values.count, 0);
    }
    let huge = "9".repeat(400);
    for text in [
        "1.234,5", "1 234", "1.#QNAN", "NaN", "inf", "0x10", "--", &huge, "1e999",
    ] {
        let table = parse(&line(text));
        assert_eq!(values(&table), [[None]], "{text:?}");
        assert_eq!(table.bad_values.count, 1);
    }
}

#[test]
fn zeros_behind_the_end_are_no_line() {
    let table = parse("\"(PDH-CSV 4.0)\",\"\\a\\b\"\r\n\"03/01/2026 1:0:0\",\"1\"\r\n\0\0\0\0");
    assert_eq!(values(&table), [[Some(1.0)]]);
    assert_eq!((table.malformed.count, table.other.count), (0, 0));
}

#[test]
fn rows_and_columns_are_bounded() {
    let columns = |count: usize| format!("\"(PDH-CSV 4.0)\"{}\n", ",\"\\a\\b\"".repeat(count));
    assert_eq!(
        CounterTable::parse(&columns(MAX_COLUMNS + 1)),
        Err(CounterTableError::Header(1))
    );
    assert_eq!((room(1), room(MAX_COLUMNS)), (MAX_SAMPLES, 244));
    let row = "\"03/01/2026 1:0:0\",\"1\"\n";
    let table = parse(&(columns(1) + &row.repeat(MAX_SAMPLES + 2)));
    assert_eq!((table.samples.len(), table.beyond), (MAX_SAMPLES, 2));
}

#[test]
fn no_header_no_table() {
    let error = |text: &str| CounterTable::parse(text).unwrap_err();
    assert_eq!(error(""), CounterTableError::NoHeader);
    assert_eq!(
        error("\"time\",\"a\"\n\"x\",\"1\"\n"),
        CounterTableError::NoHeader
    );
    assert_eq!(error("\n\"(PDH-CSV 4.0)\"\n"), CounterTableError::Header(2));
    assert_eq!(
        error("\"(PDH-CSV 4.0)\",\"\\a"),
        CounterTableError::Header(1)
    );
    assert_eq!(
        error("\"(PDH-CSV 4.0)\"|\"\\a\\b\""),
        CounterTableError::Header(1)
    );
    assert!(is_counter_log("\r\n\"(PDH-CSV 4.0)\",\"\\a\\b\""));
    assert!(!is_counter_log("(PDH-CSV 4.0)"));
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(\"\\(PDH-CSV 4.0\\)\"[,;]\"[a-z]\"\n)?([\"0-9:., ;\0\t\n\u{e9}]|\"[0-9/]{1,10} [0-9:.]{1,8}\",\"[0-9.,]{0,4}\"\n){0,60}") {
        if let Ok(table) = CounterTable::parse(&text) {
            for sample in &table.samples {
                prop_assert!(sample.values.is_empty() || sample.values.len() == table.paths.len());
            }
        }
    }
}
