use serde_json::{Value, json};

use super::*;
use crate::checks::network::testing::*;
use crate::checks::verdict::Verdict::{Critical, Ok, Unknown, Warning};
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::machine::Cloud;
use crate::facts::network::{Interface, TextAdapter};
use crate::facts::sources::Sources;
use snapdiag_bundle::records;

fn check(snapshot: &Snapshot) -> Decision {
    run(&CHECK, snapshot)
}

fn link(snapshot: &mut Snapshot) -> &mut records::Adapter {
    &mut value(&mut snapshot.network.adapters)[0].row
}

fn settings(snapshot: &mut Snapshot) -> &mut Interface {
    &mut value(&mut snapshot.network.interfaces)[0]
}

fn on_disk() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.capture.kind = CaptureKind::DiskOnly;
    let network = &mut snapshot.network;
    network.adapters = Fact::not_collected("disk");
    network.routes = Fact::not_collected("disk");
    network.neighbours = Fact::not_collected("disk");
    network.probes = Fact::not_collected("disk");
    snapshot
}

fn set_static(snapshot: &mut Snapshot, address: &str, mask: &str, gateway: &str) {
    let list = |text: &str| Fact::known(vec![text.to_owned()], [place()]);
    let settings = settings(snapshot);
    settings.dhcp = number(0);
    settings.addresses = list(address);
    settings.masks = list(mask);
    settings.gateways = list(gateway);
}

fn answers(kind: &str, outcome: &Value) -> Probe {
    probe(
        &json!({"kind": kind, "target": "10.0.0.1", "interface_index": 5}),
        outcome,
    )
}

fn probes(snapshot: &mut Snapshot, list: Vec<Probe>) {
    snapshot.network.probes = Fact::known(list, []);
}

fn neighbour(snapshot: &mut Snapshot, state: u32, mac: Option<&str>) {
    let row = json!({"address": "10.0.0.1", "interface_index": 5, "mac": mac, "state": state});
    let place = crate::facts::locator::Locator::json("n", "/neighbours/0/state");
    let one = crate::facts::network::Row {
        row: serde_json::from_value(row).unwrap(),
        evidence: crate::facts::evidence::Evidence::new("n", place, json!(state)),
    };
    snapshot.network.neighbours = Fact::known(vec![one], []);
}

#[test]
fn a_lease_and_a_gateway_that_answers() {
    let decision = check(&healthy());
    expect(&decision, Ok, "10.0.0.4/24 by 10.0.0.1");
    let decision = check(&on_disk());
    expect(&decision, Ok, "10.0.0.4/24 by 10.0.0.1");
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn ping_alone_decides_nothing() {
    let mut snapshot = healthy();
    let answered = json!({"result": "answered", "values": ["525400000001"]});
    let timeout = json!({"result": "timeout"});
    probes(
        &mut snapshot,
        vec![answers("neighbour", &answered), answers("echo", &timeout)],
    );
    let decision = check(&snapshot);
    expect(&decision, Ok, "");
    assert!(text_of(&decision).contains("ignores ping"));
    probes(
        &mut snapshot,
        vec![answers("neighbour", &timeout), answers("echo", &answered)],
    );
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn a_gateway_that_does_not_resolve() {
    let mut snapshot = healthy();
    for outcome in [
        json!({"result": "timeout"}),
        json!({"result": "unreachable", "code": 67}),
    ] {
        probes(&mut snapshot, vec![answers("neighbour", &outcome)]);
        expect(
            &check(&snapshot),
            Critical,
            "the gateway 10.0.0.1 does not answer",
        );
    }
    // Without a probe the neighbour table tells.
    snapshot.network.probes = Fact::not_collected("x");
    for (state, mac, verdict) in [
        (0, None, Critical),
        (1, None, Critical),
        (2, None, Unknown),
        (0, Some("525400000001"), Unknown),
        (5, Some("525400000001"), Unknown),
    ] {
        neighbour(&mut snapshot, state, mac);
        assert_eq!(check(&snapshot).verdict, verdict, "{state} {mac:?}");
    }
    // The probe decides over the table.
    probes(
        &mut snapshot,
        vec![answers(
            "neighbour",
            &json!({"result": "answered", "values": []}),
        )],
    );
    neighbour(&mut snapshot, 0, None);
    expect(&check(&snapshot), Ok, "");
    let failed = json!({"result": "failed", "code": 5, "call": "SendARP"});
    probes(&mut snapshot, vec![answers("neighbour", &failed)]);
    snapshot.network.neighbours = Fact::known(Vec::new(), []);
    expect(&check(&snapshot), Unknown, "was not asked");
}

#[test]
fn links_addresses_and_gateways_that_are_missing() {
    let mut snapshot = healthy();
    link(&mut snapshot).oper_status = 2;
    expect(&check(&snapshot), Critical, "no network link is up");
    let mut snapshot = healthy();
    link(&mut snapshot).addresses[0].address = ip("169.254.33.7");
    expect(&check(&snapshot), Critical, "only the address 169.254.33.7");
    let mut snapshot = healthy();
    link(&mut snapshot).addresses.clear();
    expect(
        &check(&snapshot),
        Critical,
        "no network link has an IPv4 address",
    );
    let mut snapshot = healthy();
    link(&mut snapshot).gateways.clear();
    expect(&check(&snapshot), Unknown, "no lease and no static gateway");
    snapshot.network.routes = Fact::known(Vec::new(), []);
    expect(&check(&snapshot), Critical, "no default gateway");
}

#[test]
fn a_second_card_needs_no_gateway() {
    let mut snapshot = healthy();
    let mut second = adapter("{2}", "525400000009");
    second.row.gateways.clear();
    second.row.index = 6;
    value(&mut snapshot.network.adapters).push(second);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn a_gateway_outside_the_subnet() {
    let mut snapshot = healthy();
    link(&mut snapshot).addresses[0].address = ip("10.0.1.5");
    snapshot.network.routes = Fact::known(vec![route("10.0.1.0", 24, "0.0.0.0", 256)], []);
    expect(
        &check(&snapshot),
        Critical,
        "10.0.0.1 is outside the subnet",
    );
    // An on-link route, or a single-host address, makes it right.
    snapshot.network.routes = Fact::known(vec![route("10.0.0.1", 32, "0.0.0.0", 1)], []);
    expect(&check(&snapshot), Ok, "");
    let mut snapshot = healthy();
    let address = &mut link(&mut snapshot).addresses[0];
    (address.address, address.prefix_length) = (ip("10.0.1.5"), 32);
    let decision = check(&snapshot);
    expect(&decision, Ok, "");
    assert!(text_of(&decision).contains("single-host"));
    let mut disk = on_disk();
    set_static(&mut disk, "10.0.1.5", "255.255.255.0", "10.0.0.1");
    expect(&check(&disk), Critical, "10.0.0.1 is outside the subnet");
    disk.network.persistent_routes = Fact::known(vec![persistent("10.0.0.1", 32, "10.0.1.5")], []);
    expect(&check(&disk), Ok, "");
}

#[test]
fn an_address_that_another_machine_has() {
    let mut snapshot = healthy();
    link(&mut snapshot).addresses[0].dad_state = Some(2);
    expect(
        &check(&snapshot),
        Critical,
        "another machine has the address 10.0.0.4",
    );
    for (age, subject, verdict) in [
        (60, "10.0.0.4 52-54-00-00-00-09", Critical),
        (86_400, "10.0.0.4", Critical),
        (86_401, "10.0.0.4", Warning),
        (7 * 86_400, "10.0.0.4", Warning),
        (7 * 86_400 + 1, "10.0.0.4", Ok),
        (60, "10.0.0.99", Ok),
    ] {
        let mut snapshot = healthy();
        event(&mut snapshot, Kind::DuplicateAddress, age, Some(subject));
        assert_eq!(check(&snapshot).verdict, verdict, "{age} {subject}");
    }
    let mut snapshot = healthy();
    event(&mut snapshot, Kind::DuplicateAddress, 60, Some("10.0.0.4"));
    snapshot.capture.time = None;
    expect(&check(&snapshot), Warning, "the same address");
}

#[test]
fn cards_that_are_disabled() {
    let mut snapshot = on_disk();
    value(&mut snapshot.network.devices)[0].config_flags = number(1);
    expect(
        &check(&snapshot),
        Critical,
        "every network card is disabled",
    );
    let mut snapshot = on_disk();
    value(&mut snapshot.network.devices).push(device("{2}", "0009", "525400000009"));
    value(&mut snapshot.network.devices)[1].config_flags = number(1);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn a_dhcp_client_that_cannot_start() {
    for (start, dhcp, verdict) in [(4, 1, Critical), (2, 1, Ok), (4, 0, Ok)] {
        let mut snapshot = healthy();
        snapshot.services.service_mut("Dhcp").unwrap().start = number(start);
        settings(&mut snapshot).dhcp = number(dhcp);
        let decision = check(&snapshot);
        expect(&decision, verdict, "");
        if verdict == Critical {
            assert!(text_of(&decision).contains("-Name Start -Value 4"));
        }
    }
}

#[test]
fn a_static_address_on_a_cloud() {
    for (address, cloud, verdict) in [
        ("10.0.0.4", true, Warning),
        ("10.0.0.5", true, Critical),
        ("10.0.0.5", false, Ok),
    ] {
        let mut snapshot = healthy();
        set_static(&mut snapshot, address, "255.255.255.0", "10.0.0.1");
        if cloud {
            snapshot.machine.cloud = Fact::known(Cloud::Tencent, []);
        }
        let decision = check(&snapshot);
        assert_eq!(decision.verdict, verdict, "{address}: {decision:#?}");
    }
    let mut snapshot = healthy();
    snapshot.machine.cloud = Fact::known(Cloud::Aws, []);
    set_static(&mut snapshot, "10.0.0.4", "255.255.255.0", "10.0.0.1");
    value(&mut settings(&mut snapshot).addresses).push("10.0.0.5".to_owned());
    expect(&check(&snapshot), Ok, "");
    settings(&mut snapshot).dhcp_address = Fact::absent([place()]);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn default_routes_with_one_metric() {
    let mut snapshot = healthy();
    let first = route("0.0.0.0", 0, "10.0.0.1", 5);
    snapshot.network.routes = Fact::known(
        vec![first.clone(), route("0.0.0.0", 0, "10.0.0.254", 5)],
        [],
    );
    expect(
        &check(&snapshot),
        Warning,
        "2 default routes have the same metric",
    );
    snapshot.network.routes = Fact::known(
        vec![first.clone(), route("0.0.0.0", 0, "10.0.0.254", 6)],
        [],
    );
    expect(&check(&snapshot), Ok, "");
    // The metric of the interface counts, too.
    let mut second = adapter("{2}", "525400000009");
    (second.row.index, second.row.ipv4_metric) = (6, Some(20));
    second.row.gateways.clear();
    value(&mut snapshot.network.adapters).push(second);
    let mut other = route("0.0.0.0", 0, "10.0.0.254", 5);
    other.row.interface_index = 6;
    snapshot.network.routes = Fact::known(vec![first, other], []);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn persistent_default_routes() {
    let with = |routes: &[&str]| {
        let mut snapshot = healthy();
        let routes = routes
            .iter()
            .map(|by| persistent("0.0.0.0", 0, by))
            .collect();
        snapshot.network.persistent_routes = Fact::known(routes, []);
        check(&snapshot)
    };
    expect(&with(&["10.0.0.1"]), Ok, "");
    expect(&with(&["10.0.0.1", "10.0.0.1"]), Ok, "");
    let stale = with(&["10.3.58.1"]);
    expect(&stale, Warning, "leads to 10.3.58.1");
    assert!(text_of(&stale).contains("route -p add 0.0.0.0 mask 0.0.0.0 10.3.58.1"));
    let two = with(&["192.168.1.1", "10.0.0.1"]);
    expect(&two, Warning, "2 persistent default routes");
    assert!(!text_of(&two).contains("route delete 0.0.0.0 mask 0.0.0.0 10.0.0.1"));
}

#[test]
fn a_lease_that_ran_out() {
    let now = u64::try_from(captured().as_second()).unwrap();
    for (ends, verdict) in [(now - 30 * 86_400, Warning), (now - 1, Warning), (now, Ok)] {
        let mut snapshot = on_disk();
        settings(&mut snapshot).lease_ends = number(ends);
        let headline = if verdict == Ok {
            ""
        } else {
            "before the capture"
        };
        expect(&check(&snapshot), verdict, headline);
    }
    let mut snapshot = on_disk();
    settings(&mut snapshot).lease_ends = number(1);
    snapshot.capture.time = None;
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn a_card_that_is_gone_keeps_an_address() {
    let mut snapshot = healthy();
    value(&mut snapshot.network.devices).push(device("{2}", "0009", "525400000009"));
    let mut gone = interface("{2}");
    gone.dhcp = number(0);
    gone.addresses = Fact::known(vec!["10.0.0.4".to_owned()], [place()]);
    value(&mut snapshot.network.interfaces).push(gone);
    expect(&check(&snapshot), Warning, "which is gone");
    value(&mut snapshot.network.interfaces)[1].dhcp = number(1);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn members_of_a_team_carry_no_address() {
    let mut snapshot = healthy();
    let mut member = adapter("{2}", "525400000009");
    member.row.addresses.clear();
    member.row.gateways.clear();
    member.row.oper_status = 2;
    member.row.team_member = Some(true);
    value(&mut snapshot.network.adapters).push(member);
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn the_texts_serve_with_medium_confidence() {
    let mut snapshot = healthy();
    snapshot.network.adapters = Fact::not_collected("x");
    let text = TextAdapter {
        heading: "Ethernet-Adapter Ethernet".to_owned(),
        mac: Some(MAC.to_owned()),
        addresses: vec![(Ipv4Addr::new(10, 0, 0, 4), 24)],
        gateways: vec![Ipv4Addr::new(10, 0, 0, 1)],
        evidence: place(),
    };
    snapshot.network.text_adapters = Fact::known(vec![text], []);
    let decision = check(&snapshot);
    expect(&decision, Ok, "10.0.0.4/24 by 10.0.0.1");
    assert_eq!(decision.confidence, Confidence::Medium);
    value(&mut snapshot.network.text_adapters)[0].gateways = vec![Ipv4Addr::new(10, 9, 0, 1)];
    expect(&check(&snapshot), Critical, "outside the subnet");
}

#[test]
fn what_was_not_seen_is_never_ok() {
    let spoil: [Spoil; 7] = [
        ("adapters of the running machine", |s| {
            s.network.adapters = Fact::not_collected("x");
        }),
        ("routes of the running machine", |s| {
            s.network.routes = Fact::unreadable("x", []);
        }),
        ("whether the gateway answers", |s| {
            s.network.probes = Fact::not_collected("x");
        }),
        ("TCP/IP settings", |s| {
            s.network.interfaces = Fact::not_collected("x");
        }),
        ("network devices", |s| {
            s.network.devices = Fact::not_collected("x");
        }),
        ("persistent routes", |s| {
            s.network.persistent_routes = Fact::unreadable("x", []);
        }),
        ("System log", |s| {
            s.network_events.system = Fact::not_collected("x");
        }),
    ];
    for (headline, spoil) in spoil {
        let mut snapshot = healthy();
        spoil(&mut snapshot);
        let decision = check(&snapshot);
        expect(&decision, Unknown, headline);
    }
    expect(&check(&Snapshot::gather(&Sources::none())), Unknown, "");
    let mut snapshot = on_disk();
    settings(&mut snapshot).dhcp_address = Fact::absent([place()]);
    settings(&mut snapshot).dhcp_gateways = Fact::absent([place()]);
    expect(&check(&snapshot), Unknown, "no lease");
}

#[test]
fn failed_leases_are_notes() {
    let mut snapshot = healthy();
    event(&mut snapshot, Kind::LeaseFailed, 60, None);
    event(&mut snapshot, Kind::MediaDisconnected, 60, None);
    let decision = check(&snapshot);
    expect(&decision, Ok, "");
    assert_eq!(decision.notes.len(), 2);
}
