use snapdiag_bundle::records::{AddressFamily, Transport};

use super::*;
use crate::checks::network::testing::*;
use crate::checks::verdict::Verdict::{Critical, Ok, Unknown, Warning};
use crate::facts::Snapshot;
use crate::facts::fact::{Fact, State};
use crate::facts::sockets::{Listener, TableSource, TcpTable};
use crate::facts::sources::Sources;

fn check(snapshot: &Snapshot) -> Decision {
    run(&CHECK, snapshot)
}

fn rows(count: u16, state: u32, pid: u32) -> Vec<TcpRow> {
    (0..count).map(|n| row(49152 + n, state, pid)).collect()
}

fn with(rows: Vec<TcpRow>) -> Snapshot {
    let mut snapshot = healthy();
    tcp(&mut snapshot, rows);
    snapshot
}

fn table(snapshot: &mut Snapshot) -> &mut TcpTable {
    match &mut snapshot.sockets.tcp.state {
        State::Known(table) => table,
        _ => panic!("no table"),
    }
}

fn listens(snapshot: &mut Snapshot, port: u16) {
    let listener = Listener {
        address: ip("0.0.0.0"),
        port,
        pid: Some(4),
        evidence: place(),
    };
    snapshot.sockets.listeners = Fact::known(vec![listener], []);
}

#[test]
fn a_quiet_machine_is_ok() {
    let decision = check(&healthy());
    expect(&decision, Ok, "0 of 16384");
    assert!(decision.remedies.is_empty());
}

#[test]
fn the_share_in_time_wait_decides() {
    // 50 % is 8192; 80 % is 13107.2.
    for (count, verdict) in [
        (8191, Ok),
        (8192, Warning),
        (13_107, Warning),
        (13_108, Critical),
    ] {
        let decision = check(&with(rows(count, TIME_WAIT, 0)));
        expect(&decision, verdict, &format!("{count} of 16384"));
    }
    let text = text_of(&check(&with(rows(14_000, TIME_WAIT, 0))));
    for part in [
        "connection pooling",
        "10.0.0.9:3306",
        "TcpTimedWaitDelay -Value 30",
        "Remove-ItemProperty",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_undo_carries_the_old_delay() {
    let mut snapshot = with(rows(14_000, TIME_WAIT, 0));
    snapshot.sockets.timed_wait_delay = number(240);
    assert!(text_of(&check(&snapshot)).contains("TcpTimedWaitDelay -Value 240 -Type DWord"));
}

#[test]
fn a_server_that_closes_first_is_harmless() {
    let server = |count: u32| -> Vec<TcpRow> {
        let one = |n: u32| TcpRow {
            local_port: 80,
            remote_port: u16::try_from(n % 60_000).unwrap(),
            ..row(80, TIME_WAIT, 0)
        };
        (0..count).map(one).collect()
    };
    for (count, verdict) in [(12_000, Ok), (20_000, Ok), (20_001, Warning)] {
        let mut snapshot = with(server(count));
        listens(&mut snapshot, 80);
        let headline = if verdict == Ok {
            "0 of 16384"
        } else {
            "most of port 80"
        };
        expect(&check(&snapshot), verdict, headline);
    }
    // A listening port inside the range takes one port, not thousands.
    let inside = (0..9000).map(|n| TcpRow {
        local_port: 50_000,
        remote_port: n,
        ..row(50_000, TIME_WAIT, 0)
    });
    let mut snapshot = with(inside.collect());
    listens(&mut snapshot, 50_000);
    expect(&check(&snapshot), Ok, "0 of 16384");
}

#[test]
fn an_assumed_range_gives_at_most_a_warning_and_never_ok() {
    let mut snapshot = with(rows(16_000, TIME_WAIT, 0));
    snapshot.sockets.dynamic = Fact::not_collected("x");
    let decision = check(&snapshot);
    expect(&decision, Warning, "16000 of 16384");
    assert_eq!(decision.confidence, Confidence::Medium);
    let mut snapshot = healthy();
    snapshot.sockets.dynamic = Fact::not_collected("x");
    expect(&check(&snapshot), Unknown, "dynamic range of TCP over IPv4");
}

#[test]
fn a_translated_text_of_netstat_gives_a_warning() {
    let mut snapshot = with(rows(9000, TIME_WAIT, 0));
    snapshot.sockets.dynamic = Fact::not_collected("x");
    let table = table(&mut snapshot);
    table.source = TableSource::NetstatText;
    table.samples.truncate(1);
    let decision = check(&snapshot);
    expect(&decision, Warning, "9000 of 16384");
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn ipv6_is_counted_too() {
    let mut six = rows(9000, TIME_WAIT, 0);
    for row in &mut six {
        row.local = ip("fd00::4");
    }
    expect(&check(&with(six)), Warning, "TCP over IPv6");
}

/// One sample with `first`, then one 40 s later with `last`.
fn two(first: Vec<TcpRow>, last: Vec<TcpRow>, apart: i64) -> Snapshot {
    let mut snapshot = healthy();
    tcp_samples(&mut snapshot, vec![first, last], apart);
    snapshot
}

#[test]
fn close_wait_that_passes_by_number() {
    for (count, verdict) in [(500, Ok), (501, Warning), (2000, Warning), (2001, Critical)] {
        let snapshot = two(Vec::new(), rows(count, CLOSE_WAIT, 77), 40);
        let headline = if verdict == Ok {
            "at most 500 in CLOSE_WAIT".to_owned()
        } else {
            format!("app.exe (process 77) does not close its sockets: {count}")
        };
        expect(&check(&snapshot), verdict, &headline);
    }
}

#[test]
fn close_wait_that_stays_is_critical() {
    let many = |count| rows(count, CLOSE_WAIT, 77);
    expect(&check(&two(many(501), many(501), 30)), Critical, "501");
    expect(&check(&two(many(501), many(501), 29)), Warning, "501");
    expect(&check(&two(many(500), many(501), 30)), Warning, "501");
    expect(&check(&two(many(500), many(500), 30)), Ok, "500");
    // The same number, other connections.
    let others = (0..501).map(|n| row(60_000 + n, CLOSE_WAIT, 77)).collect();
    expect(&check(&two(many(501), others, 40)), Warning, "501");
}

#[test]
fn close_wait_is_counted_for_a_process() {
    let mut spread = rows(1000, CLOSE_WAIT, 77);
    for (n, row) in spread.iter_mut().enumerate() {
        row.pid = Some(if n % 2 == 0 { 77 } else { 78 });
    }
    expect(&check(&with(spread)), Ok, "at most 500");
    let text = text_of(&check(&with(rows(3500, CLOSE_WAIT, 77))));
    assert!(text.contains("svchost") && !text.contains("TcpTimedWaitDelay -Value"));
}

#[test]
fn half_open_connections_of_the_port_are_a_note() {
    for (count, notes) in [(200, 0), (201, 1)] {
        let rows = (0..count).map(|_| row(3389, SYN_RECEIVED, 4)).collect();
        let mut snapshot = with(rows);
        let mut listener = crate::facts::remote_desktop::Listener::unknown("RDP-Tcp");
        listener.port = number(3389);
        snapshot.remote_desktop.listeners = Fact::known(vec![listener], []);
        let decision = check(&snapshot);
        expect(&decision, Ok, "");
        assert_eq!(decision.notes.len(), notes, "{decision:#?}");
    }
}

#[test]
fn what_was_not_seen_is_never_ok() {
    expect(
        &check(&Snapshot::gather(&Sources::none())),
        Unknown,
        "not known: the TCP table",
    );
    let spoil: [Spoil; 5] = [
        ("there is no TCP table", |s| {
            s.sockets.tcp = Fact::absent([]);
        }),
        ("not whole", |s| {
            table(s).samples[1].families = vec![AddressFamily::Ipv4];
        }),
        ("the state of 3 rows", |s| table(s).unknown_states = 3),
        ("does not name the processes", |s| {
            let mut row = row(50_000, CLOSE_WAIT, 0);
            row.pid = None;
            table(s).samples[1].rows.push(row);
        }),
        ("TCP over IPv6 was not read", |s| {
            let v4 = range(Transport::Tcp, AddressFamily::Ipv4, 49152, 65535);
            s.sockets.dynamic = Fact::known(vec![v4], []);
            let mut row = row(50_000, TIME_WAIT, 0);
            row.local = ip("fd00::4");
            table(s).samples[1].rows.push(row);
        }),
    ];
    for (headline, spoil) in spoil {
        let mut snapshot = healthy();
        spoil(&mut snapshot);
        expect(&check(&snapshot), Unknown, headline);
    }
}

#[test]
fn a_delay_that_windows_does_not_take_is_a_note() {
    for (seconds, notes) in [(29, 1), (30, 0), (300, 0), (301, 1)] {
        let mut snapshot = healthy();
        snapshot.sockets.timed_wait_delay = number(seconds);
        assert_eq!(check(&snapshot).notes.len(), notes, "{seconds}");
    }
}
