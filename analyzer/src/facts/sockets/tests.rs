use std::fs;

use super::*;
use crate::facts::fact::State;
use crate::facts::sources::Options;
use crate::facts::test_bundle;

const TCP: &str = r#"{"samples":[
 {"taken_at":"2026-03-01T00:00:00Z","families":["ipv4","ipv6"],"rows":[
  {"local_address":"0.0.0.0","local_port":8080,"remote_address":"0.0.0.0","remote_port":0,"state":2,"pid":9}]},
 {"taken_at":"2026-03-01T00:00:30Z","families":["ipv4"],"rows":[
  {"local_address":"10.0.0.5","local_port":3389,"remote_address":"203.0.113.7","remote_port":5000,"state":5,"pid":1204},
  {"local_address":"0.0.0.0","local_port":3389,"remote_address":"0.0.0.0","remote_port":0,"state":2,"pid":1204,"later":true}]}]}"#;

const PROCESSES: &str = r#"{"samples":[{"taken_at":"2026-03-01T00:00:00Z","rows":[
  {"pid":4,"image":"System"},
  {"pid":1204,"image":"svchost.exe","created_at":"2026-02-01T00:00:00Z","services":["TermService"]}]}]}"#;

const RANGES: &str = r#"{"dynamic":[{"protocol":"tcp","family":"ipv4","start":49152,"count":16384}],
 "excluded":[{"protocol":"tcp","family":"ipv4","start":50000,"end":50059,"administered":true}]}"#;

const REG: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters]
"ReservedPorts"=hex(7):31,00,34,00,33,00,33,00,2d,00,31,00,34,00,33,00,34,00,00,00,00,00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\PortProxy\v4tov4\tcp]
"*/3389"="10.0.0.9/22"
"#;

const NETSTAT: &str = "
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN         1204
  TCP    10.0.0.5:50100         203.0.113.9:443        WARTEND         0
  TCP    [::]:3389              [::]:0                 ABHÖREN         1204
  UDP    0.0.0.0:3389           *:*                                    1204
";

fn gather(files: &[(&str, &str)]) -> Sockets {
    test_bundle::gather(files, Sockets::gather)
}

#[test]
fn listeners_are_those_of_the_newest_sample_with_their_row() {
    let sockets = gather(&[
        ("network/tcp.json", TCP),
        ("network/netstat-ano.txt", NETSTAT),
        ("processes/processes.json", PROCESSES),
    ]);
    let table = sockets.tcp.value().unwrap();
    assert_eq!(table.source, TableSource::Record);
    assert_eq!(table.samples[1].rows.len(), 2);
    let listeners = sockets.listeners.value().unwrap();
    assert_eq!(listeners.len(), 1);
    assert_eq!((listeners[0].port, listeners[0].pid), (3389, Some(1204)));
    let evidence = &listeners[0].evidence;
    assert_eq!(
        evidence.locator.to_string(),
        "json:network/tcp.json#/samples/1/rows/1"
    );
    assert_eq!(evidence.raw["later"], true);
    assert!(evidence.raw.get("local_scope_id").is_none());
    // The newest sample was read for one family only.
    assert!(!sockets.lists_every_listener());
    let owner = sockets.owner(1204).unwrap();
    assert_eq!(owner.services, ["TermService"]);
    assert_eq!(owner.evidence.raw, "svchost.exe");
    assert_eq!(sockets.owners.value().unwrap().len(), 1);
}

#[test]
fn the_text_of_netstat_stands_in() {
    let sockets = gather(&[("network/netstat-ano.txt", NETSTAT)]);
    let table = sockets.tcp.value().unwrap();
    assert_eq!(table.source, TableSource::NetstatText);
    let states: Vec<_> = table.samples[0].rows.iter().map(|row| row.state).collect();
    assert_eq!(states, [Some(2), Some(11), Some(2)]);
    assert!(sockets.lists_every_listener());
    let on_port = sockets.on_port(3389).unwrap();
    assert_eq!(on_port.len(), 2);
    let evidence = &on_port[1].evidence;
    assert_eq!(
        evidence.locator.to_string(),
        "text:network/netstat-ano.txt:7"
    );
    assert_eq!(evidence.raw, NETSTAT.lines().nth(6).unwrap());
    assert_eq!(sockets.udp.value().unwrap().samples[0].rows.len(), 1);
}

#[test]
fn a_broken_table_is_unreadable_and_never_empty() {
    for broken in ["{}", "[]", r#"{"samples":[]}"#, "x"] {
        let sockets = gather(&[
            ("network/tcp.json", broken),
            ("network/port-ranges.json", RANGES),
        ]);
        let unreadable = matches!(sockets.listeners.state, State::Unreadable(_));
        assert!(unreadable, "{broken}: {:?}", sockets.listeners);
    }
    let sockets = gather(&[("network/netstat-ano.txt", "nothing here\n")]);
    assert!(sockets.listeners.value().is_none());
}

#[test]
fn ranges_with_both_ends() {
    let sockets = gather(&[("network/port-ranges.json", RANGES)]);
    let range = sockets.dynamic_range(Transport::Tcp).unwrap();
    assert_eq!((range.first, range.last), (49152, 65535));
    assert_eq!(range.evidence[0].raw, 49152);
    assert!(sockets.dynamic_range(Transport::Udp).is_none());
    for (port, excluded) in [(49999, false), (50000, true), (50059, true), (50060, false)] {
        assert_eq!(sockets.exclusion(port).is_some(), excluded, "{port}");
    }
}

#[test]
fn reserved_ports_and_redirects_of_the_registry() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("machine.reg"), REG).unwrap();
    let sources = Sources::open(folder.path(), &Options::default()).unwrap();
    let sockets = Sockets::gather(&sources);
    for (port, reserved) in [(1432, false), (1433, true), (1434, true), (1435, false)] {
        assert_eq!(sockets.is_reserved(port), reserved, "{port}");
    }
    let proxies = sockets.port_proxies.value().unwrap();
    assert_eq!(proxies[0].port(), Some(3389));
    assert_eq!(proxies[0].evidence.raw, "10.0.0.9/22");
}

const BOUND_TEXT: &str = "
  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN         1204
  TCP    0.0.0.0:50200          0.0.0.0:0              GEBUNDEN        77
  TCP    10.0.0.5:50300         0.0.0.0:0              BOUND           77
  TCP    10.0.0.5:50100         203.0.113.9:443        HERGESTELLT     77
  TCP    10.0.0.5:50101         203.0.113.9:443        SELTSAM         77
";

#[test]
fn bound_ports_stand_in_a_text_of_their_own() {
    let sockets = gather(&[
        ("network/tcp.json", TCP),
        ("network/netstat-ano.txt", NETSTAT),
    ]);
    assert!(sockets.bound.is_absent());
    // One item has both texts.
    let sockets = test_bundle::gather_texts(
        "network.netstat-text",
        &[
            ("network/netstat-ano.txt", NETSTAT),
            ("network/netstat-anoq.txt", BOUND_TEXT),
        ],
        Sockets::gather,
    );
    let bound = sockets.bound.value().unwrap();
    let ports: Vec<(u16, bool)> = bound
        .rows
        .iter()
        .map(|row| (row.local_port, row.inferred))
        .collect();
    assert_eq!(ports, [(50200, true), (50300, false)]);
    assert_eq!(bound.unclear, 1);
    let evidence = sockets.bound_row(&bound.rows[1]).unwrap();
    assert_eq!(
        evidence.locator.to_string(),
        "text:network/netstat-anoq.txt:5"
    );
    assert_eq!(evidence.raw.as_str(), bound.rows[1].line.as_deref());
    // The table is that of the first text.
    assert_eq!(sockets.tcp.value().unwrap().samples[0].rows.len(), 3);
}
