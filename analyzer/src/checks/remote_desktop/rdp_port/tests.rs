mod words;

use serde_json::json;
use snapdiag_bundle::records::{AddressFamily, ProbeOutcome, Transport};

use super::*;
use crate::checks::readable::{assert_no_rule_open, assert_page_lists};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::activation::License;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::remote_desktop::{ConnectProbe, Layered, RdpEvent};
use crate::facts::services::{RUNNING, START_PENDING, STOPPED};
use crate::facts::sockets::{
    Listener as Socket, Owner, PortProxy, PortRange, TableSource, TcpSample, TcpTable,
};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{KeyFact, Number};

const SERVICE_PID: u32 = 1204;
const STARTED: &str = "2026-03-01T12:00:00Z";

fn place() -> Evidence {
    Evidence::new("a", Locator::json("a", "/0"), json!(0))
}

fn number(value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    let locator = Locator::value("SYSTEM", "k", "v");
    Fact::known(number, [Evidence::new("a", locator, json!(value))])
}

fn station(name: &str, port: Fact<Number>) -> Listener {
    Listener {
        key: Fact::known(
            KeyFact {
                name: name.to_owned(),
                last_write: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            },
            [],
        ),
        port,
        enabled: number(1),
        logon_disabled: number(0),
        lan_adapter: number(0),
        ..Listener::unknown(name)
    }
}

fn socket(address: &str, port: u16, pid: u32) -> Socket {
    Socket {
        address: address.parse().unwrap(),
        port,
        pid: Some(pid),
        evidence: place(),
    }
}

/// A machine on which everything is right.
struct Machine(Snapshot);

impl Machine {
    fn healthy(port: u16) -> Self {
        let mut snapshot = Snapshot::gather(&Sources::none());
        let rdp = &mut snapshot.remote_desktop;
        rdp.edition_may_host = Fact::known(true, []);
        rdp.deny = Layered::new(Fact::absent([]), number(0));
        rdp.listeners = Fact::known(vec![station("RDP-Tcp", number(u64::from(port)))], []);
        snapshot.sockets.port_proxies = Fact::absent([]);
        let mut machine = Self(snapshot);
        machine.service(RUNNING, SERVICE_PID);
        machine.listens(vec![
            socket("0.0.0.0", port, SERVICE_PID),
            socket("::", port, SERVICE_PID),
            socket("0.0.0.0", 135, 900),
        ]);
        machine.dynamic(49152, 65535);
        machine
    }

    fn service(&mut self, state: u32, pid: u32) {
        let service = self.0.services.service_mut("TermService").unwrap();
        service.runtime.state = Fact::known(state, [place()]);
        service.runtime.pid = Fact::known(pid, [place()]);
        service.runtime.process = if pid == 0 {
            Fact::absent([])
        } else {
            let process = crate::facts::services::Process {
                pid,
                image: "svchost.exe".to_owned(),
                created_at: Some(STARTED.parse().unwrap()),
                services: vec!["TermService".to_owned()],
            };
            Fact::known(process, [place()])
        };
    }

    fn listens(&mut self, sockets: Vec<Socket>) {
        self.0.sockets.tcp = Fact::known(
            TcpTable {
                source: TableSource::Record,
                samples: vec![TcpSample {
                    taken_at: None,
                    families: vec![AddressFamily::Ipv4, AddressFamily::Ipv6],
                    rows: Vec::new(),
                }],
                malformed: 0,
                unknown_states: 0,
            },
            [],
        );
        self.0.sockets.listeners = Fact::known(sockets, []);
    }

    fn table(&mut self) -> &mut TcpTable {
        match &mut self.0.sockets.tcp.state {
            crate::facts::fact::State::Known(table) => table,
            _ => panic!("no table"),
        }
    }

    fn no_tables(&mut self) {
        self.0.sockets = Snapshot::gather(&Sources::none()).sockets;
    }

    fn dynamic(&mut self, first: u16, last: u16) {
        self.0.sockets.dynamic = Fact::known(vec![range(first, last)], []);
    }

    fn rdp(&mut self) -> &mut Listener {
        match &mut self.0.remote_desktop.listeners.state {
            crate::facts::fact::State::Known(list) => &mut list[0],
            _ => panic!("no listeners"),
        }
    }

    fn probe(&mut self, target: &str, port: u16, outcome: ProbeOutcome) {
        let probe = ConnectProbe {
            target: target.parse().unwrap(),
            port,
            outcome,
            evidence: place(),
        };
        self.0.remote_desktop.probes = Fact::known(vec![probe], []);
    }

    fn run(&self) -> Decision {
        CHECK.run(&Context {
            snapshot: &self.0,
            thresholds: &Thresholds::default(),
        })
    }
}

fn range(first: u16, last: u16) -> PortRange {
    PortRange {
        protocol: Transport::Tcp,
        family: AddressFamily::Ipv4,
        first,
        last,
        evidence: vec![place()],
    }
}

fn fired(decision: &Decision) -> Vec<&str> {
    let tried = decision.trace.iter();
    tried
        .filter(|tried| tried.holds == Some(true))
        .map(|tried| tried.rule.as_str())
        .collect()
}

#[track_caller]
fn expect(machine: &Machine, verdict: Verdict, rules: &[&str]) -> Decision {
    let decision = machine.run();
    assert_eq!(decision.verdict, verdict, "{decision:#?}");
    assert_eq!(fired(&decision), rules);
    assert_eq!(
        decision.remedies.is_empty(),
        rules.is_empty(),
        "every problem has a remedy"
    );
    decision
}

fn remedies(decision: &Decision) -> String {
    serde_json::to_string(&decision.remedies).unwrap()
}

#[test]
fn a_service_that_listens_is_ok() {
    let decision = expect(&Machine::healthy(3389), Verdict::Ok, &[]);
    assert_eq!(decision.confidence, Confidence::High);
    let mut probed = Machine::healthy(3389);
    probed.probe("127.0.0.1", 3389, ProbeOutcome::Answered { values: vec![] });
    assert_no_rule_open(&probed.run());
    let mut default = Machine::healthy(3389);
    default.rdp().port = Fact::absent([]);
    expect(&default, Verdict::Ok, &[]);
    // Only the SYSTEM hive and the tables: the service listens, so the policy does not matter.
    let mut no_software = Machine::healthy(3389);
    no_software.0.remote_desktop.deny = Layered::new(Fact::not_collected("x"), number(0));
    expect(&no_software, Verdict::Ok, &[]);
}

#[test]
fn numbers_that_are_no_port() {
    for value in [0, 65536] {
        let mut machine = Machine::healthy(3389);
        machine.rdp().port = number(value);
        let decision = expect(&machine, Verdict::Critical, &["invalid-port"]);
        let undo = format!("-Name PortNumber -Value {value} -Type DWord");
        assert!(remedies(&decision).contains(&undo));
    }
    for port in [1, 65535] {
        let decision = Machine::healthy(port).run();
        assert_eq!(decision.verdict, Verdict::Warning, "{port} is one");
    }
}

#[test]
fn a_wrong_type_is_critical() {
    let mut machine = Machine::healthy(3389);
    let mut port = number(3389);
    port.evidence[0].raw = json!("3389");
    if let crate::facts::fact::State::Known(number) = &mut port.state {
        number.wrong_type = Some("REG_SZ".to_owned());
    }
    machine.rdp().port = port;
    let decision = expect(&machine, Verdict::Critical, &["wrong-type"]);
    assert!(remedies(&decision).contains("-Value '3389' -Type String"));
}

#[test]
fn two_listeners_with_one_port() {
    let mut machine = Machine::healthy(3389);
    let both = |ica: Listener| vec![station("RDP-Tcp", number(3389)), ica];
    machine.0.remote_desktop.listeners = Fact::known(both(station("ICA-Tcp", number(3389))), []);
    let decision = expect(&machine, Verdict::Critical, &["same-port"]);
    assert!(remedies(&decision).contains("WinStations\\\\ICA-Tcp' -Name PortNumber -Value 3390"));
    // On another port, too, the default is left for RDP-Tcp.
    let clash = ["RDP-Tcp", "ICA-Tcp"].map(|name| station(name, number(4000)));
    machine.0.remote_desktop.listeners = Fact::known(clash.to_vec(), []);
    assert!(remedies(&machine.run()).contains("ICA-Tcp' -Name PortNumber -Value 3390"));
    let mut off = station("EH-Tcp", number(3389));
    off.enabled = number(0);
    machine.0.remote_desktop.listeners = Fact::known(both(off), []);
    expect(&machine, Verdict::Ok, &[]);
    let other = both(station("ICA-Tcp", number(2598)));
    machine.0.remote_desktop.listeners = Fact::known(other, []);
    expect(&machine, Verdict::Ok, &[]);
}

#[test]
fn a_port_held_by_another_process() {
    let mut machine = Machine::healthy(3389);
    machine.listens(vec![socket("0.0.0.0", 3389, 4242)]);
    machine.0.sockets.owners = Fact::known(
        vec![Owner {
            pid: 4242,
            image: "nginx.exe".to_owned(),
            created_at: None,
            services: Vec::new(),
            evidence: place(),
        }],
        [],
    );
    let decision = expect(&machine, Verdict::Critical, &["taken"]);
    assert!(decision.headline.ends_with("nginx.exe (process 4242)"));
    for words in [
        "nginx.exe (process 4242) listens on 0.0.0.0:3389",
        "process 4242 is nginx.exe",
    ] {
        assert!(
            decision.evidence.iter().any(|shown| shown.says == words),
            "{words}"
        );
    }
    // A stopped service holds nothing.
    machine.service(STOPPED, 0);
    machine.0.sockets.owners = Fact::not_collected("x");
    expect(&machine, Verdict::Critical, &["taken"]);
    // Whose it is, is not known.
    machine.0.services = Snapshot::gather(&Sources::none()).services;
    let decision = expect(&machine, Verdict::Unknown, &[]);
    assert!(decision.headline.contains("whose it is"));
}

#[test]
fn the_process_table_tells_the_service_where_the_services_were_not_read() {
    let mut machine = Machine::healthy(3389);
    machine.0.services = Snapshot::gather(&Sources::none()).services;
    machine.0.sockets.owners = Fact::known(
        vec![Owner {
            pid: SERVICE_PID,
            image: "svchost.exe".to_owned(),
            created_at: None,
            services: vec!["Dnscache".to_owned(), "TermService".to_owned()],
            evidence: place(),
        }],
        [],
    );
    expect(&machine, Verdict::Ok, &[]);
}

#[test]
fn a_second_process_on_one_address() {
    let mut machine = Machine::healthy(3389);
    machine.listens(vec![
        socket("0.0.0.0", 3389, SERVICE_PID),
        socket("127.0.0.1", 3389, 4242),
    ]);
    expect(&machine, Verdict::Warning, &["shared"]);
}

#[test]
fn nothing_listens() {
    for (state, pid, words) in [
        (RUNNING, SERVICE_PID, "although the service runs"),
        (STOPPED, 0, "stopped"),
        (START_PENDING, SERVICE_PID, "neither running nor stopped"),
    ] {
        let mut machine = Machine::healthy(3389);
        machine.service(state, pid);
        machine.listens(vec![socket("0.0.0.0", 135, 900)]);
        let decision = expect(&machine, Verdict::Critical, &["not-listening"]);
        assert!(decision.headline.contains(words), "{}", decision.headline);
    }
}

#[test]
fn silence_that_is_not_certain() {
    let silent = || {
        let mut machine = Machine::healthy(3389);
        machine.listens(Vec::new());
        machine
    };
    let mut half = silent();
    half.table().samples[0].families.pop();
    expect(&half, Verdict::Unknown, &[]);
    let mut torn = silent();
    torn.table().malformed = 1;
    expect(&torn, Verdict::Unknown, &[]);
    let mut policy_unseen = silent();
    policy_unseen.0.remote_desktop.deny = Layered::new(Fact::not_collected("x"), number(0));
    expect(&policy_unseen, Verdict::Unknown, &[]);
    let mut nobody_knows = silent();
    nobody_knows.0.remote_desktop.deny = Layered::new(Fact::absent([]), Fact::absent([]));
    expect(&nobody_knows, Verdict::Unknown, &[]);
}

#[test]
fn refused_connections_need_no_listener() {
    let mut machine = Machine::healthy(3389);
    machine.0.remote_desktop.deny = Layered::new(Fact::absent([]), number(1));
    machine.listens(Vec::new());
    expect(&machine, Verdict::NotApplicable, &[]);
    machine.rdp().port = number(0);
    expect(&machine, Verdict::Critical, &["invalid-port"]);
    if let crate::facts::fact::State::Known(number) = &mut machine.rdp().port.state {
        *number = Number {
            value: Some(3389),
            wrong_type: Some("REG_SZ".to_owned()),
        };
    }
    expect(&machine, Verdict::Critical, &["wrong-type"]);
    let both = ["RDP-Tcp", "ICA-Tcp"].map(|name| station(name, number(3389)));
    machine.0.remote_desktop.listeners = Fact::known(both.to_vec(), []);
    expect(&machine, Verdict::Critical, &["same-port"]);
    let mut home = Machine::healthy(3389);
    home.0.remote_desktop.edition_may_host = Fact::known(false, []);
    expect(&home, Verdict::NotApplicable, &[]);
}

#[test]
fn a_change_that_waits_for_a_restart() {
    let changed_at = |at: &str| {
        let mut machine = Machine::healthy(3390);
        machine.listens(vec![
            socket("0.0.0.0", 3389, SERVICE_PID),
            socket("0.0.0.0", 49670, SERVICE_PID),
        ]);
        if let crate::facts::fact::State::Known(key) = &mut machine.rdp().key.state {
            key.last_write = Some(at.parse().unwrap());
        }
        machine
    };
    let later = changed_at("2026-03-01T12:00:01Z");
    let decision = expect(
        &later,
        Verdict::Warning,
        &["restart-needed", "unusual-port"],
    );
    assert!(decision.headline.contains("still listens on 3389"));
    // The service started after the change: a restart will not help.
    for earlier in ["2026-03-01T12:00:00Z", "2026-02-01T00:00:00Z"] {
        let rules = ["not-listening", "unusual-port"];
        expect(&changed_at(earlier), Verdict::Critical, &rules);
    }
    let mut unknown_start = changed_at("2026-02-01T00:00:00Z");
    let service = unknown_start.0.services.service_mut("TermService").unwrap();
    service.runtime.process = Fact::not_collected("x");
    expect(
        &unknown_start,
        Verdict::Warning,
        &["restart-needed", "unusual-port"],
    );
    // RPC endpoints of a shared process are no Remote Desktop port.
    let mut rpc = changed_at("2026-03-01T12:00:01Z");
    rpc.listens(vec![socket("0.0.0.0", 49670, SERVICE_PID)]);
    let silent = ["not-listening", "unusual-port"];
    expect(&rpc, Verdict::Critical, &silent);
    rpc.0.sockets.dynamic = Fact::not_collected("x");
    expect(&rpc, Verdict::Critical, &silent);
    // Any port outside of that range may be one.
    for dynamic in [rpc.0.sockets.dynamic.clone(), later.0.sockets.dynamic] {
        let mut moved = changed_at("2026-03-01T12:00:01Z");
        moved.0.sockets.dynamic = dynamic;
        moved.listens(vec![socket("0.0.0.0", 4000, SERVICE_PID)]);
        let decision = expect(
            &moved,
            Verdict::Warning,
            &["restart-needed", "unusual-port"],
        );
        assert!(decision.headline.contains("still listens on 4000"));
    }
}

#[test]
fn ports_in_the_dynamic_range() {
    for (port, first, last, inside) in [
        (13389, 10000, 65535, true),
        (13389, 13389, 13389, true),
        (13389, 13390, 65535, false),
        (13389, 1025, 13388, false),
        (1024, 1024, 5000, false),
        (1025, 1025, 5000, true),
    ] {
        let mut machine = Machine::healthy(port);
        machine.dynamic(first, last);
        let decision = machine.run();
        assert_eq!(decision.verdict, Verdict::Warning);
        assert_eq!(
            fired(&decision).contains(&"in-dynamic-range"),
            inside,
            "{port}"
        );
    }
    let mut excluded = Machine::healthy(50000);
    excluded.0.sockets.excluded = Fact::known(vec![range(50000, 50000)], []);
    expect(&excluded, Verdict::Warning, &["unusual-port"]);
    let mut reserved = Machine::healthy(50000);
    reserved.0.sockets.reserved = Fact::known(vec!["49990-50000".to_owned()], []);
    expect(&reserved, Verdict::Warning, &["unusual-port"]);
    let mut assumed = Machine::healthy(50000);
    assumed.0.sockets.dynamic = Fact::not_collected("x");
    let decision = assumed.run();
    assert!(fired(&decision).contains(&"in-dynamic-range"));
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("assumed"))
    );
}

#[test]
fn bound_to_less_than_everything() {
    let mut adapter = Machine::healthy(3389);
    adapter.rdp().lan_adapter = number(2);
    let decision = expect(&adapter, Verdict::Warning, &["one-adapter"]);
    assert!(remedies(&decision).contains("-Name LanAdapter -Value 2"));
    for (address, words) in [("::", "IPv6 only"), ("10.0.0.5", "10.0.0.5:3389 only")] {
        let mut narrow = Machine::healthy(3389);
        narrow.listens(vec![socket(address, 3389, SERVICE_PID)]);
        let decision = expect(&narrow, Verdict::Warning, &["narrow"]);
        assert!(decision.headline.contains(words), "{}", decision.headline);
    }
}

#[test]
fn a_redirect_of_the_port() {
    let mut machine = Machine::healthy(3389);
    let proxy = |from: &str| PortProxy {
        from: from.to_owned(),
        to: "10.0.0.9/22".to_owned(),
        evidence: place(),
    };
    machine.0.sockets.port_proxies = Fact::known(vec![proxy("*/8080")], []);
    expect(&machine, Verdict::Ok, &[]);
    machine.0.sockets.port_proxies = Fact::known(vec![proxy("*/3389")], []);
    let decision = expect(&machine, Verdict::Warning, &["redirected"]);
    assert!(remedies(&decision).contains("connectport=22 connectaddress=10.0.0.9"));
    machine.0.sockets.port_proxies = Fact::known(vec![proxy("a&evil/3389")], []);
    let decision = expect(&machine, Verdict::Warning, &["redirected"]);
    assert!(!remedies(&decision).contains("evil"));
}

#[test]
fn probes_of_the_machine_itself() {
    let mut machine = Machine::healthy(3389);
    machine.probe("127.0.0.1", 3389, ProbeOutcome::Timeout);
    expect(&machine, Verdict::Warning, &["unanswered"]);
    machine.probe("127.0.0.1", 3389, ProbeOutcome::Answered { values: vec![] });
    expect(&machine, Verdict::Ok, &[]);
    // Of another port, or of loopback with a bound adapter: says nothing.
    machine.probe("127.0.0.1", 3390, ProbeOutcome::Timeout);
    expect(&machine, Verdict::Ok, &[]);
    machine.rdp().lan_adapter = number(1);
    machine.probe("127.0.0.1", 3389, ProbeOutcome::Timeout);
    expect(&machine, Verdict::Warning, &["one-adapter"]);
}

#[test]
fn windows_that_is_not_activated_is_a_note() {
    let mut machine = Machine::healthy(3389);
    for (status, notes) in [(1, 0), (0, 1), (5, 1)] {
        let license = License {
            status,
            reason: None,
            name: None,
        };
        machine.0.activation.windows = Fact::known(license, [place()]);
        assert_eq!(expect(&machine, Verdict::Ok, &[]).notes.len(), notes);
    }
}

#[test]
fn without_tables_the_configuration_is_told() {
    let mut machine = Machine::healthy(3389);
    machine.no_tables();
    let decision = expect(&machine, Verdict::Unknown, &[]);
    assert!(decision.headline.starts_with("port 3389 is configured"));
    machine.probe("127.0.0.1", 3389, ProbeOutcome::Refused { code: None });
    let decision = expect(&machine, Verdict::Critical, &["not-listening"]);
    assert_eq!(decision.confidence, Confidence::Medium);
    machine.probe("127.0.0.1", 3389, ProbeOutcome::Timeout);
    expect(&machine, Verdict::Unknown, &[]);
}

#[test]
fn the_text_of_netstat_serves_with_medium_confidence() {
    let mut machine = Machine::healthy(3389);
    machine.table().source = TableSource::NetstatText;
    let decision = expect(&machine, Verdict::Ok, &[]);
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn without_the_configuration_nothing_is_said() {
    let nothing = Snapshot::gather(&Sources::none());
    expect(&Machine(nothing), Verdict::Unknown, &[]);
    let mut no_station = Machine::healthy(3389);
    no_station.0.remote_desktop.listeners = Fact::known(vec![], []);
    let decision = expect(&no_station, Verdict::Unknown, &[]);
    assert!(decision.headline.contains("no listener RDP-Tcp"));
    let mut unreadable = Machine::healthy(3389);
    unreadable.rdp().port = Fact::unreadable("x", []);
    expect(&unreadable, Verdict::Unknown, &[]);
}

#[test]
fn a_change_that_the_table_shows_waits_for_nothing() {
    let note = |listens: bool| {
        let mut machine = Machine::healthy(3390);
        if !listens {
            machine.listens(Vec::new());
        }
        machine.0.remote_desktop.logged.events.push(RdpEvent {
            kind: Kind::UdpListener,
            event_id: 258,
            record_id: 7,
            time: "2026-03-01T00:00:00Z".parse().unwrap(),
            subject: Some("3389".to_owned()),
            evidence: place(),
        });
        machine.run().notes.join("\n")
    };
    assert!(note(true).contains("the port was changed since"));
    assert!(!note(true).contains("waits for a restart"));
    assert!(note(false).contains("waits for a restart"));
}

#[test]
fn the_page_lists_every_rule() {
    assert_page_lists(CHECK.page, &Machine::healthy(3389).run());
}

#[test]
fn comparisons_tell_what_was_seen_and_what_is_expected() {
    let decision = Machine::healthy(13389).run();
    let tried = |rule: &str| {
        let tried = decision.trace.iter().find(|tried| tried.rule == rule);
        tried.unwrap().compared.clone()
    };
    assert!(tried("taken").contains("TermService on 0.0.0.0:13389"));
    assert!(tried("taken").contains("expected: TermService alone"));
    assert_eq!(tried("unusual-port"), "port 13389, expected 3389");
}
