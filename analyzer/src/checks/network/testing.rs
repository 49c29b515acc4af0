//! A machine on which ports, events and logs are as they should be, to be made sick by tests.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use snapdiag_bundle::records::{AddressFamily, Transport};

use crate::checks::check::{Check, Context, Decision};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Verdict;
use crate::facts::Snapshot;
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::inventory::{Channel, Mark};
use crate::facts::locator::Locator;
use crate::facts::network::{
    Adapter, Device, Interface, Metadata, PersistentRoute, Probe, Route, Row,
};
use crate::facts::network_events::{Hour, Kind, NetworkEvent};
use crate::facts::sockets::{
    BoundPorts, Owner, PortRange, TableSource, TcpRow, TcpSample, TcpTable, UdpRow, UdpSample,
    UdpTable,
};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Number, Text};

/// A word of the headline, and what takes a piece of evidence away.
pub(super) type Spoil = (&'static str, fn(&mut Snapshot));

/// The MAC address of its card.
pub(super) const MAC: &str = "525400112233";

/// What the cloud's metadata says.
pub(super) fn metadata(macs: &[&str]) -> Fact<Metadata> {
    let mac = |mac: &&str| crate::facts::network::Mac {
        mac: (*mac).to_owned(),
        evidence: place(),
    };
    let metadata = Metadata {
        cloud: "tencent".to_owned(),
        macs: macs.iter().map(mac).collect(),
    };
    Fact::known(metadata, [])
}

pub(super) fn captured() -> Timestamp {
    "2026-03-01T12:30:00Z".parse().unwrap()
}

/// So many seconds before the capture.
pub(super) fn ago(seconds: i64) -> Timestamp {
    captured() - SignedDuration::from_secs(seconds)
}

pub(super) fn place() -> Evidence {
    Evidence::new("a", Locator::json("a", "/0"), json!(0))
}

pub(super) fn number(value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    let locator = Locator::value("SYSTEM", "k", "v");
    Fact::known(number, [Evidence::new("a", locator, json!(value))])
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn log(name: &str) -> Fact<Channel> {
    let oldest = Mark {
        record_id: 1,
        time: ago(40 * 86_400),
    };
    let channel = Channel {
        computer: String::new(),
        name: name.to_owned(),
        artifact: format!("eventlog/{name}.evtx"),
        records: 1000,
        failed: 0,
        oldest: Some(oldest),
        newest: None,
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: Some(oldest),
        damage: Vec::new(),
    };
    Fact::known(channel, [place()])
}

pub(super) fn range(
    protocol: Transport,
    family: AddressFamily,
    first: u16,
    last: u16,
) -> PortRange {
    PortRange {
        protocol,
        family,
        first,
        last,
        evidence: vec![place()],
    }
}

/// A connection to a database from an address of the machine.
pub(super) fn row(local_port: u16, state: u32, pid: u32) -> TcpRow {
    TcpRow {
        place: u32::from(local_port),
        local: ip("10.0.0.4"),
        local_port,
        remote: ip("10.0.0.9"),
        remote_port: 3306,
        state: Some(state),
        inferred: false,
        pid: Some(pid),
        line: None,
    }
}

/// A machine on which everything was seen and nothing is wrong.
pub(super) fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(captured());
    snapshot.network_events.system = log("System");
    snapshot.network_events.dhcp = log("Dhcp");
    let both = [AddressFamily::Ipv4, AddressFamily::Ipv6];
    let ranges = [Transport::Tcp, Transport::Udp]
        .into_iter()
        .flat_map(|protocol| both.map(|family| range(protocol, family, 49152, 65535)));
    snapshot.sockets.dynamic = Fact::known(ranges.collect(), []);
    snapshot.sockets.excluded = Fact::known(Vec::new(), []);
    snapshot.sockets.timed_wait_delay = Fact::absent([place()]);
    snapshot.sockets.max_user_port = Fact::absent([place()]);
    snapshot.sockets.listeners = Fact::known(Vec::new(), []);
    let bound = BoundPorts {
        rows: Vec::new(),
        unclear: 0,
    };
    snapshot.sockets.bound = Fact::known(bound, []);
    snapshot.sockets.owners = Fact::known(
        vec![Owner {
            pid: 77,
            image: "app.exe".to_owned(),
            created_at: None,
            services: Vec::new(),
            evidence: place(),
        }],
        [],
    );
    snapshot.capture.kind = CaptureKind::Live;
    snapshot.machine.cloud = Fact::absent([]);
    snapshot.network.adapters = Fact::known(vec![adapter(CARD, MAC)], []);
    snapshot.network.devices = Fact::known(vec![device(CARD, "0007", MAC)], []);
    snapshot.network.interfaces = Fact::known(vec![interface(CARD)], []);
    snapshot.network.persistent_routes = Fact::known(Vec::new(), []);
    snapshot.network.routes = Fact::known(
        vec![
            route("0.0.0.0", 0, "10.0.0.1", 0),
            route("10.0.0.0", 24, "0.0.0.0", 256),
        ],
        [],
    );
    snapshot.network.neighbours = Fact::known(Vec::new(), []);
    let asked = json!({"kind": "neighbour", "target": "10.0.0.1", "interface_index": 5});
    let answered = json!({"result": "answered", "values": ["525400000001"]});
    let named = json!({"kind": "dns", "server": "10.0.0.2", "transport": "udp", "name": "www.example.com.", "record_type": 1});
    snapshot.network.probes =
        Fact::known(vec![probe(&asked, &answered), probe(&named, &answered)], []);
    snapshot.network.dns.hosts = Fact::known(Vec::new(), []);
    snapshot.machine.domain = Fact::absent([]);
    snapshot.services.service_mut("Dnscache").unwrap().start = number(2);
    tcp(&mut snapshot, vec![row(49200, 5, 77)]);
    udp(&mut snapshot, Vec::new());
    snapshot
}

/// Two samples, 40 s apart, with the same rows.
pub(super) fn tcp(snapshot: &mut Snapshot, rows: Vec<TcpRow>) {
    tcp_samples(snapshot, vec![rows.clone(), rows], 40);
}

pub(super) fn tcp_samples(snapshot: &mut Snapshot, samples: Vec<Vec<TcpRow>>, apart: i64) {
    let samples = (0..).zip(samples).map(|(number, rows)| TcpSample {
        taken_at: Some(ago(600 - number * apart)),
        families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
        rows,
    });
    let table = TcpTable {
        source: TableSource::Record,
        samples: samples.collect(),
        malformed: 0,
        unknown_states: 0,
    };
    let place = Locator::json("network/tcp.json", "/samples/1/taken_at");
    let taken = Evidence::new("network/tcp.json", place, json!("t"));
    snapshot.sockets.tcp = Fact::known(table, [taken]);
}

pub(super) fn udp(snapshot: &mut Snapshot, rows: Vec<UdpRow>) {
    let sample = UdpSample {
        taken_at: Some(ago(600)),
        families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
        rows,
    };
    let table = UdpTable {
        source: TableSource::Record,
        samples: vec![sample],
    };
    let place = Locator::json("network/udp.json", "/samples/0/taken_at");
    let taken = Evidence::new("network/udp.json", place, json!("t"));
    snapshot.sockets.udp = Fact::known(table, [taken]);
}

/// A record so many seconds before the capture.
pub(super) fn event(snapshot: &mut Snapshot, kind: Kind, seconds: i64, subject: Option<&str>) {
    snapshot.network_events.newest.push(NetworkEvent {
        kind,
        event_id: 0,
        time: ago(seconds),
        subject: subject.map(str::to_owned),
        name: None,
        evidence: place(),
    });
}

/// So many records in the hour of the clock before the capture's own.
pub(super) fn hour(snapshot: &mut Snapshot, kind: Kind, count: u64) {
    snapshot.network_events.hours.push(Hour {
        kind,
        begin: "2026-03-01T11:00:00Z".parse().unwrap(),
        count,
        evidence: place(),
    });
}

pub(super) fn run(check: &Check, snapshot: &Snapshot) -> Decision {
    let thresholds = Thresholds::default();
    check.run(&Context {
        snapshot,
        thresholds: &thresholds,
    })
}

#[track_caller]
pub(super) fn expect(decision: &Decision, verdict: Verdict, headline: &str) {
    assert_eq!(decision.verdict, verdict, "{decision:#?}");
    assert!(decision.headline.contains(headline), "{decision:#?}");
    if verdict >= Verdict::Warning {
        assert!(!decision.evidence.is_empty(), "no evidence: {decision:#?}");
        assert!(!decision.remedies.is_empty(), "no remedy: {decision:#?}");
    }
    for remedy in &decision.remedies {
        assert!(!remedy.steps.is_empty() && !remedy.undo.is_empty() && !remedy.verify.is_empty());
        assert!(!remedy.caution.is_empty(), "{}", remedy.title);
    }
}

/// All that a finding says, in one text.
pub(super) fn text_of(decision: &Decision) -> String {
    serde_json::to_string(decision).unwrap()
}

/// The interface of the card that the healthy machine has.
pub(super) const CARD: &str = "{11111111-2222-3333-4444-555555555555}";

pub(super) fn adapter(guid: &str, mac: &str) -> Adapter {
    let row = json!({
        "guid": guid, "index": 5, "name": format!("Ethernet {mac}"), "description": "card",
        "component_id": "PCI\\VEN_1AF4&DEV_1000", "driver": "netkvm", "if_type": 6,
        "oper_status": 1, "admin_status": 1, "media_state": 1, "hardware": true,
        "connector_present": true, "mac": mac, "permanent_mac": mac, "dhcp_enabled": true,
        "addresses": [{"address": "10.0.0.4", "prefix_length": 24, "prefix_origin": 3, "dad_state": 4}],
        "gateways": [{"address": "10.0.0.1"}], "dns_servers": [{"address": "10.0.0.2"}]
    });
    let place = Locator::json("network/adapters.json", "/adapters/0/guid");
    Adapter {
        row: serde_json::from_value(row).unwrap(),
        evidence: Evidence::new("network/adapters.json", place, json!(guid)),
    }
}

pub(super) fn text(text: &str) -> Fact<Text> {
    let value = Text {
        text: text.to_owned(),
        kind: "REG_SZ".to_owned(),
    };
    let locator = Locator::value("SYSTEM", "k", "v");
    Fact::known(value, [Evidence::new("a", locator, json!(text))])
}

pub(super) fn device(guid: &str, key: &str, mac: &str) -> Device {
    let value = || Fact::known(mac.to_owned(), [place()]);
    Device {
        guid: guid.to_owned(),
        key: key.to_owned(),
        description: Some("card".to_owned()),
        name: Some(format!("Ethernet {mac}")),
        component_id: Some("PCI\\VEN_1AF4&DEV_1000".to_owned()),
        characteristics: Some(132),
        if_type: Some(6),
        instance_id: Some("PCI\\1".to_owned()),
        network_address: Fact::absent([place()]),
        current: value(),
        permanent: value(),
        config_flags: number(0),
        load_balanced: false,
    }
}

/// The value of a fact that a test changes.
pub(super) fn value<T>(fact: &mut Fact<T>) -> &mut T {
    match &mut fact.state {
        State::Known(value) => value,
        _ => panic!("not known"),
    }
}

/// Its TCP/IP settings: a lease.
pub(super) fn interface(guid: &str) -> Interface {
    let list = |one: &str| Fact::known(vec![one.to_owned()], [place()]);
    let one = |text: &str| Fact::known(text.to_owned(), [place()]);
    Interface {
        guid: guid.to_owned(),
        dhcp: number(1),
        addresses: Fact::absent([place()]),
        masks: Fact::absent([place()]),
        gateways: Fact::absent([place()]),
        dhcp_address: one("10.0.0.4"),
        dhcp_mask: one("255.255.255.0"),
        dhcp_gateways: list("10.0.0.1"),
        dhcp_server: one("10.0.0.2"),
        lease_ends: number(u64::try_from(captured().as_second()).unwrap() + 3600),
        gateway_hardware: Fact::absent([place()]),
        name_servers: Fact::absent([place()]),
        dhcp_name_servers: one("10.0.0.2"),
    }
}

pub(super) fn route(to: &str, prefix_length: u8, by: &str, metric: u32) -> Route {
    let row = json!({
        "destination": to, "prefix_length": prefix_length, "next_hop": by,
        "interface_index": 5, "metric": metric
    });
    let place = Locator::json("network/routes.json", "/routes/0/next_hop");
    Row {
        row: serde_json::from_value(row).unwrap(),
        evidence: Evidence::new("network/routes.json", place, json!(by)),
    }
}

pub(super) fn probe(asked: &serde_json::Value, outcome: &serde_json::Value) -> Probe {
    let row = json!({
        "probe": asked, "started_at": "2026-03-01T12:29:00Z", "latency_ms": 3, "outcome": outcome
    });
    let place = Locator::json("network/probes.json", "/probes/0/outcome");
    Row {
        row: serde_json::from_value(row).unwrap(),
        evidence: Evidence::new("network/probes.json", place, outcome.clone()),
    }
}

pub(super) fn persistent(to: &str, prefix_length: u32, by: &str) -> PersistentRoute {
    PersistentRoute {
        destination: to.parse().unwrap(),
        prefix_length,
        gateway: by.parse().unwrap(),
        metric: -1,
        evidence: place(),
    }
}
