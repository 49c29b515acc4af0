use serde_json::json;

use super::*;
use crate::checks::network::testing::*;
use crate::checks::verdict::Verdict::{Critical, Ok, Unknown, Warning};
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::machine::Cloud;
use crate::facts::network::{HostsEntry, Interface};
use crate::facts::sources::Sources;

const METADATA: &str = "metadata.tencentyun.com.";
const PUBLIC: &str = "www.example.com.";

fn check(snapshot: &Snapshot) -> Decision {
    run(&CHECK, snapshot)
}

fn tencent() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.machine.cloud = Fact::known(Cloud::Tencent, []);
    servers(&mut snapshot, &["183.60.83.19", "183.60.82.98"]);
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", METADATA, "answered"),
            ("183.60.83.19", PUBLIC, "answered"),
        ],
    );
    snapshot
}

fn servers(snapshot: &mut Snapshot, list: &[&str]) {
    let list = list.iter().map(|one| json!({"address": one})).collect();
    let row = &mut value(&mut snapshot.network.adapters)[0].row;
    row.dns_servers = serde_json::from_value(serde_json::Value::Array(list)).unwrap();
}

fn ask(snapshot: &mut Snapshot, questions: &[(&str, &str, &str)]) {
    let probes = questions.iter().map(|(server, name, result)| {
        let asked = json!({"kind": "dns", "server": server, "transport": "udp", "name": name, "record_type": 1});
        let outcome = match *result {
            "failed" => json!({"result": "failed", "code": 5, "call": "send"}),
            result => json!({"result": result}),
        };
        probe(&asked, &outcome)
    });
    snapshot.network.probes = Fact::known(probes.collect(), []);
}

fn settings(snapshot: &mut Snapshot) -> &mut Interface {
    &mut value(&mut snapshot.network.interfaces)[0]
}

fn on_disk(mut snapshot: Snapshot) -> Snapshot {
    snapshot.capture.kind = CaptureKind::DiskOnly;
    snapshot.network.adapters = Fact::not_collected("disk");
    snapshot.network.probes = Fact::not_collected("disk");
    snapshot.network.routes = Fact::not_collected("disk");
    snapshot.network.dns.hosts = Fact::not_collected("disk");
    snapshot
}

fn name_servers(text: &str) -> Fact<String> {
    Fact::known(text.to_owned(), [place()])
}

#[test]
fn servers_that_answer_are_ok() {
    expect(&check(&healthy()), Ok, "name servers 10.0.0.2");
    expect(&check(&tencent()), Ok, "183.60.83.19, 183.60.82.98");
    let decision = check(&on_disk(healthy()));
    expect(&decision, Ok, "configuration");
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn a_public_resolver_does_not_know_the_cloud() {
    for (result, says) in [
        ("nxdomain", "NXDOMAIN"),
        ("servfail", "SERVFAIL"),
        ("timeout", "in time"),
    ] {
        let mut snapshot = tencent();
        servers(&mut snapshot, &["8.8.8.8"]);
        ask(
            &mut snapshot,
            &[
                ("8.8.8.8", METADATA, result),
                ("8.8.8.8", PUBLIC, "answered"),
            ],
        );
        let decision = check(&snapshot);
        expect(
            &decision,
            Warning,
            "metadata.tencentyun.com does not resolve",
        );
        assert!(decision.headline.contains(says), "{decision:#?}");
        assert!(text_of(&decision).contains("-ServerAddresses '8.8.8.8'"));
        snapshot.machine.cloud = Fact::absent([]);
        expect(&check(&snapshot), Ok, "");
    }
}

#[test]
fn nothing_resolves_only_by_names_that_are_certain() {
    let mut snapshot = tencent();
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", PUBLIC, "timeout"),
            ("183.60.82.98", PUBLIC, "servfail"),
        ],
    );
    expect(&check(&snapshot), Critical, "no name resolves");
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", METADATA, "timeout"),
            ("183.60.82.98", METADATA, "timeout"),
        ],
    );
    expect(&check(&snapshot), Warning, "metadata.tencentyun.com");
    // A server that says that there is no such name works.
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", PUBLIC, "nxdomain"),
            ("183.60.82.98", PUBLIC, "timeout"),
        ],
    );
    assert_ne!(check(&snapshot).verdict, Critical);
    ask(&mut snapshot, &[("183.60.83.19", PUBLIC, "failed")]);
    expect(&check(&snapshot), Unknown, "no name server was asked");
}

#[test]
fn a_dead_first_server() {
    let mut snapshot = tencent();
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", PUBLIC, "timeout"),
            ("183.60.82.98", PUBLIC, "answered"),
            ("183.60.82.98", METADATA, "answered"),
        ],
    );
    expect(&check(&snapshot), Warning, "183.60.83.19 does not work");
    // The same server over TCP.
    ask(
        &mut snapshot,
        &[
            ("183.60.83.19", PUBLIC, "timeout"),
            ("183.60.83.19", PUBLIC, "answered"),
            ("183.60.82.98", METADATA, "answered"),
        ],
    );
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn no_server_and_no_client() {
    let mut snapshot = healthy();
    servers(&mut snapshot, &[]);
    expect(&check(&snapshot), Critical, "no name server is configured");
    servers(&mut snapshot, &["fec0:0:0:ffff::1", "fec0:0:0:ffff::2"]);
    expect(&check(&snapshot), Critical, "no name server is configured");
    let mut disk = on_disk(healthy());
    settings(&mut disk).name_servers = name_servers("");
    settings(&mut disk).dhcp_name_servers = name_servers("");
    expect(&check(&disk), Critical, "no name server is configured");
    disk.network.dns.name_servers = name_servers("10.0.0.9");
    expect(&check(&disk), Ok, "10.0.0.9");
    let mut snapshot = healthy();
    snapshot.services.service_mut("Dnscache").unwrap().start = number(4);
    let decision = check(&snapshot);
    expect(&decision, Critical, "Dnscache");
    assert!(text_of(&decision).contains("-Name Start -Value 4"));
}

#[test]
fn a_member_of_a_domain_with_a_stranger() {
    for (list, verdict) in [
        (&["10.0.0.2", "183.60.83.19"][..], Warning),
        (&["10.0.0.2", "8.8.8.8"][..], Warning),
        (&["10.0.0.2", "10.0.0.3"][..], Ok),
    ] {
        let mut snapshot = healthy();
        servers(&mut snapshot, list);
        snapshot.machine.domain = Fact::known("corp.example".to_owned(), []);
        let decision = check(&snapshot);
        expect(&decision, verdict, "");
        if verdict == Warning {
            assert!(decision.headline.contains("does not know the domain"));
            assert!(!text_of(&decision).contains("ResetServerAddresses"));
        }
    }
    let mut snapshot = tencent();
    servers(&mut snapshot, &["10.0.0.2"]);
    snapshot.machine.domain = Fact::known("corp.example".to_owned(), []);
    ask(
        &mut snapshot,
        &[
            ("10.0.0.2", METADATA, "nxdomain"),
            ("10.0.0.2", PUBLIC, "answered"),
        ],
    );
    assert!(
        text_of(&check(&snapshot))
            .contains("Add-DnsServerConditionalForwarderZone -Name tencentyun.com")
    );
    let name = "_ldap._tcp.dc._msdcs.corp.example.";
    ask(
        &mut snapshot,
        &[
            ("10.0.0.2", name, "nxdomain"),
            ("10.0.0.2", PUBLIC, "answered"),
        ],
    );
    expect(
        &check(&snapshot),
        Warning,
        "_msdcs.corp.example does not resolve",
    );
}

#[test]
fn servers_set_by_hand_over_the_clouds() {
    let mut snapshot = on_disk(tencent());
    settings(&mut snapshot).name_servers = name_servers("10.0.0.2");
    settings(&mut snapshot).dhcp_name_servers = name_servers("183.60.83.19 183.60.82.98");
    let decision = check(&snapshot);
    expect(&decision, Warning, "10.0.0.2 is set by hand");
    assert_eq!(decision.confidence, Confidence::Medium);
    settings(&mut snapshot).name_servers = name_servers("10.0.0.2,183.60.83.19");
    expect(&check(&snapshot), Ok, "");
    // It resolves the cloud's names all the same.
    let mut snapshot = tencent();
    settings(&mut snapshot).name_servers = name_servers("10.0.0.2");
    settings(&mut snapshot).dhcp_name_servers = name_servers("183.60.83.19");
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn names_in_the_hosts_file() {
    for (name, address, verdict) in [
        ("azkms.core.windows.net", "203.0.113.1", Critical),
        ("azkms.core.windows.net", "40.83.235.53", Ok),
        ("kms.cloud.aliyuncs.com", "203.0.113.1", Warning),
        ("metadata.tencentyun.com", "203.0.113.1", Warning),
        ("intranet.example", "203.0.113.1", Ok),
    ] {
        let mut snapshot = healthy();
        let entry = HostsEntry {
            name: name.to_owned(),
            address: ip(address),
            evidence: place(),
        };
        snapshot.network.dns.hosts = Fact::known(vec![entry], []);
        let headline = if verdict == Ok { "" } else { name };
        expect(&check(&snapshot), verdict, headline);
    }
}

#[test]
fn routes_to_the_services_of_the_cloud() {
    let mut snapshot = tencent();
    for (by, verdict) in [("10.0.0.1", Ok), ("10.9.0.1", Warning)] {
        let route = persistent("169.254.0.0", 17, by);
        snapshot.network.persistent_routes = Fact::known(vec![route], []);
        let decision = check(&snapshot);
        expect(&decision, verdict, "");
        if verdict == Warning {
            let text = text_of(&decision);
            assert!(text.contains("route -p add 169.254.0.0 mask 255.255.128.0 10.0.0.1"));
            assert!(text.contains("route -p add 169.254.0.0 mask 255.255.128.0 10.9.0.1"));
        }
    }
    let mut other = healthy();
    other.machine.cloud = Fact::known(Cloud::Aws, []);
    other.network.persistent_routes = snapshot.network.persistent_routes;
    expect(&check(&other), Ok, "");
    let hidden = route("169.254.0.0", 16, "0.0.0.0", 256);
    other.network.routes =
        Fact::known(vec![route("0.0.0.0", 0, "10.0.0.1", 0), hidden.clone()], []);
    expect(&check(&other), Warning, "are hidden");
    other.network.routes = Fact::known(
        vec![hidden, route("169.254.169.254", 32, "10.0.0.1", 1)],
        [],
    );
    expect(&check(&other), Ok, "");
}

#[test]
fn the_rate_of_time_outs() {
    for (count, verdict) in [(20, Ok), (21, Warning)] {
        let mut snapshot = healthy();
        event(&mut snapshot, Kind::DnsTimeout, 5000, Some("10.0.0.2"));
        hour(&mut snapshot, Kind::DnsTimeout, count);
        expect(
            &check(&snapshot),
            verdict,
            if verdict == Ok {
                ""
            } else {
                "21 names timed out"
            },
        );
    }
}

#[test]
fn what_was_not_seen_is_never_ok() {
    let spoil: [Spoil; 8] = [
        ("adapters", |s| {
            s.network.adapters = Fact::not_collected("x");
        }),
        ("how the name servers answer", |s| {
            s.network.probes = Fact::unreadable("x", []);
        }),
        ("the hosts file", |s| {
            s.network.dns.hosts = Fact::not_collected("x");
        }),
        ("TCP/IP settings", |s| {
            s.network.interfaces = Fact::not_collected("x");
        }),
        ("in a domain", |s| {
            s.machine.domain = Fact::unreadable("x", []);
        }),
        ("in a cloud", |s| s.machine.cloud = Fact::not_collected("x")),
        ("System log", |s| {
            s.network_events.system = Fact::not_collected("x");
        }),
        ("start type of Dnscache", |s| {
            s.services.service_mut("Dnscache").unwrap().start = Fact::not_collected("x");
        }),
    ];
    for (headline, spoil) in spoil {
        let mut snapshot = healthy();
        spoil(&mut snapshot);
        expect(&check(&snapshot), Unknown, headline);
    }
    let mut snapshot = tencent();
    snapshot.network.routes = Fact::not_collected("x");
    expect(&check(&snapshot), Unknown, "routes");
    expect(&check(&Snapshot::gather(&Sources::none())), Unknown, "");
}

#[test]
fn rules_for_some_names_are_a_note() {
    let mut snapshot = healthy();
    snapshot.network.dns.policy_rules = Fact::known(vec!["{1}".to_owned()], [place()]);
    assert_eq!(check(&snapshot).notes.len(), 1);
}
