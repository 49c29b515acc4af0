use std::collections::BTreeMap;

use super::*;

/// Rows by protocol and state number, inferred states with a `~`.
fn counts(netstat: &Netstat) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for row in &netstat.rows {
        let name = match (row.protocol, row.state) {
            (Protocol::Udp, _) => "udp".to_owned(),
            (Protocol::Tcp, None) => "tcp ?".to_owned(),
            (Protocol::Tcp, Some(reading)) => {
                let mark = if reading.inferred { "~" } else { "" };
                format!("tcp {mark}{}", reading.state.number())
            }
        };
        *counts.entry(name).or_default() += 1;
    }
    counts
}

fn expect(text: &str, expected: &[(&str, usize)]) -> Netstat {
    let netstat = Netstat::parse(text);
    let expected = expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    assert_eq!(counts(&netstat), expected);
    netstat
}

fn numbers(lines: &Lines) -> Vec<u32> {
    lines.first.iter().map(|line| line.number).collect()
}

/// Needs the captures. The numbers were counted with awk:
/// `awk '{print $1, ($1=="TCP") ? $4 : ""}' FILE | sort | uniq -c`.
#[test]
fn real_output_has_the_rows_that_awk_counts() {
    let Some(captures) = snapdiag_tests::captures() else {
        return;
    };
    let read = |name: &str| {
        let path = captures.join("text/kellyjonbrazil-jc").join(name);
        let bytes = std::fs::read(path).unwrap();
        crate::formats::text::decode(&bytes, Some(437)).text
    };
    let text = read("windows-10__netstat-aon.out");
    let all = expect(&text, &[("tcp 2", 39), ("tcp 5", 32), ("udp", 137)]);
    assert!(all.rows.iter().all(|row| row.pid.is_some()));
    assert_eq!((all.blank, all.other.count), (2, 2));
    assert_eq!(all.rows[0].pid, Some(1712));
    assert_eq!(all.rows[0].line, 5);
    let zoned = all.rows.iter().find(|row| row.line == 212).unwrap();
    assert_eq!(zoned.local.zone, Some(64));
    assert_eq!(zoned.local.port, Some(52284));
    assert!(zoned.local.address.is_some());

    let text = read("windows-10__netstat-an.out");
    let no_pids = expect(&text, &[("tcp 2", 48), ("tcp 5", 32), ("udp", 180)]);
    assert!(no_pids.rows.iter().all(|row| row.pid.is_none()));
    // The publisher of this capture made one address up: fe80::asda:….
    assert_eq!(numbers(&no_pids.bad_addresses), [264]);

    let text = read("windows-10__netstat.out");
    let named = expect(&text, &[("tcp 5", 32)]);
    assert_eq!(named.malformed.count, 0);
    assert_eq!(named.rows[0].remote.as_ref().unwrap().host, "api");
}

const GERMAN: &str = "
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN         1204
  TCP    10.0.0.5:3389          198.51.100.7:51000     HERGESTELLT     1204
  TCP    10.0.0.5:50100         203.0.113.9:443        WARTEND         0
  TCP    10.0.0.5:50101         203.0.113.9:443        SCHLIESSEN_WARTEN 4242
  TCP    10.0.0.5:50102         203.0.113.9:443        LETZTES_ACK     4242
  TCP    [::]:3389              [::]:0                 ABHÖREN         1204
  UDP    0.0.0.0:3389           *:*                                    1204
";

#[test]
fn german_words_are_known_and_strange_ones_reported() {
    let expected = [
        ("tcp 11", 1),
        ("tcp 2", 2),
        ("tcp 5", 1),
        ("tcp 8", 1),
        ("tcp ?", 1),
        ("udp", 1),
    ];
    let netstat = expect(GERMAN, &expected);
    assert_eq!(numbers(&netstat.unknown_states), [9]);
    assert!(netstat.unknown_states.first[0].text.contains("LETZTES_ACK"));
    // An umlaut that was decoded in the wrong code page changes nothing.
    for damaged in ["ABH?REN", "ABH\u{2122}REN", "ABH\u{FFFD}REN", "ABHÃ–REN"] {
        expect(&GERMAN.replace("ABHÖREN", damaged), &expected);
    }
}

#[test]
fn unknown_words_leave_the_shape() {
    // Invented words: nothing but the shape tells them.
    let text = "
  TCP    0.0.0.0:3389   0.0.0.0:0         ŻŻŻ      1204
  TCP    [::]:3389      [::]:0            ŻŻŻ      1204
  TCP    10.0.0.5:50100 203.0.113.9:443   ŹŹŹ ĆĆĆ  0
  TCP    10.0.0.5:50101 203.0.113.9:443   ŃŃŃ      4242
";
    let netstat = expect(text, &[("tcp ?", 1), ("tcp ~11", 1), ("tcp ~2", 2)]);
    assert_eq!(numbers(&netstat.unknown_states), [5]);
    assert_eq!(netstat.rows[2].word.as_deref(), Some("ŹŹŹ ĆĆĆ"));
    assert_eq!(netstat.rows[2].pid, Some(0));
}

#[test]
fn chinese_french_and_russian_headings_with_english_words() {
    for heading in [
        "活动连接\n\n  协议  本地地址          外部地址        状态           PID",
        "Connexions actives\n\n  Proto  Adresse locale         Adresse distante       État             PID",
        "Активные подключения\n\n  Имя    Локальный адрес        Внешний адрес          Состояние       PID",
    ] {
        let text = format!(
            "\r\n{heading}\r\n  TCP    0.0.0.0:3389    0.0.0.0:0   LISTENING    1204\r\n  \
             TCP    10.0.0.5:50100  203.0.113.9:443  TIME_WAIT  0\r\n"
        );
        let netstat = expect(&text, &[("tcp 11", 1), ("tcp 2", 1)]);
        assert_eq!((netstat.other.count, netstat.malformed.count), (2, 0));
    }
}

#[test]
fn the_code_page_of_a_chinese_console() {
    // "协议" in cp936, read as cp437: garbage in the heading, rows as they are.
    let bytes = b"  \xD0\xAD\xD2\xE9  PID\r\n  TCP  0.0.0.0:3389  0.0.0.0:0  LISTENING  1204\r\n";
    for code_page in [936, 437, 30_000] {
        let text = crate::formats::text::decode(bytes, Some(code_page)).text;
        let netstat = expect(&text, &[("tcp 2", 1)]);
        assert_eq!(netstat.rows[0].line, 2);
    }
}

#[test]
fn bound_ports_are_no_listeners() {
    let text = "
  TCP    0.0.0.0:3389   0.0.0.0:0   LISTENING   1204
  TCP    0.0.0.0:50000  0.0.0.0:0   BOUND       4242
";
    expect(text, &[("tcp 100", 1), ("tcp 2", 1)]);
    // With a translated word for BOUND, the known word for a listener gives it away.
    let text = text
        .replace("LISTENING", "ABHÖREN")
        .replace("BOUND", "GEBUNDEN");
    expect(&text, &[("tcp 2", 1), ("tcp ?", 1)]);
}

#[test]
fn a_word_that_contradicts_the_shape_is_not_believed() {
    let text = "
  TCP    10.0.0.5:3389  203.0.113.9:443   LISTENING    1204
  TCP    10.0.0.5:3390  0.0.0.0:0         ESTABLISHED  1204
";
    let netstat = expect(text, &[("tcp ?", 1), ("tcp ~2", 1)]);
    assert_eq!(numbers(&netstat.unknown_states), [2]);
}

#[test]
fn every_line_is_accounted_for() {
    let text = "
Active Connections
  TCP
  TCP    0.0.0.0:135
  TCP    0.0.0.0:99999  0.0.0.0:0  LISTENING  4
 [svchost.exe]
  Can not obtain ownership information
TCPIP is fine
  UDP    [fe80::1%9]:1900  *:*  8844";
    let netstat = Netstat::parse(text);
    assert_eq!(numbers(&netstat.malformed), [4]);
    assert_eq!(numbers(&netstat.bad_addresses), [5]);
    assert_eq!(numbers(&netstat.other), [2, 3, 6, 7, 8]);
    assert_eq!(netstat.rows.len(), 2);
    assert_eq!(netstat.blank, 1);
    assert!(!netstat.is_whole());
}

#[test]
fn states_of_several_words_with_and_without_a_process_id() {
    let text = "
  TCP  10.0.0.5:1  203.0.113.9:443  À L'ÉCOUTE DE  17
  TCP  10.0.0.5:1  203.0.113.9:443  TIME_WAIT
  TCP  10.0.0.5:1  203.0.113.9:443  4711
";
    let netstat = Netstat::parse(text);
    let columns: Vec<_> = netstat
        .rows
        .iter()
        .map(|row| (row.word.as_deref(), row.pid))
        .collect();
    assert_eq!(
        columns,
        [
            (Some("À L'ÉCOUTE DE"), Some(17)),
            (Some("TIME_WAIT"), None),
            (Some("4711"), None)
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_and_every_line_counts(text in "(?s)[TCPUD0-9.:\\[\\]*% \\n?a-zÖ]{0,200}") {
        let netstat = Netstat::parse(&text);
        let lines = netstat.blank
            + netstat.other.count
            + netstat.malformed.count
            + u64::try_from(netstat.rows.len()).unwrap();
        proptest::prop_assert_eq!(lines, u64::try_from(text.lines().count()).unwrap());
    }
}
