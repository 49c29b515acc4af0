mod words;

use serde_json::json;
use snapdiag_bundle::records::AddressFamily;

use super::*;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Confidence;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::records::Record;
use crate::facts::remote_desktop::{Kind, Layered, RdpEvent, Station, Trouble};
use crate::facts::sockets::{Listener as Socket, TableSource, TcpSample, TcpTable};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{KeyFact, Number, Text};

const CLASS: &str = "{5828227C-20CF-4408-B73F-73AB70B8849F}";
const CAPTURED: &str = "2026-03-10T12:00:00Z";
const WRITTEN: &str = "2026-03-01T12:00:00Z";

fn place() -> Evidence {
    Evidence::new(
        "registry/SYSTEM",
        Locator::value("SYSTEM", "k", "v"),
        json!(null),
    )
}

fn number(value: u64) -> Fact<Number> {
    let mut evidence = place().at(Some(WRITTEN.parse().unwrap()));
    evidence.raw = json!(value);
    Fact::known(
        Number {
            value: Some(value),
            wrong_type: None,
        },
        [evidence],
    )
}

fn mistyped(value: &str) -> Fact<Number> {
    let mut evidence = place();
    evidence.raw = json!(value);
    Fact::known(
        Number {
            value: value.parse().ok(),
            wrong_type: Some("REG_SZ".to_owned()),
        },
        [evidence],
    )
}

fn text(text: &str) -> Fact<Text> {
    Fact::known(
        Text {
            text: text.to_owned(),
            kind: "REG_SZ".to_owned(),
        },
        [place()],
    )
}

fn local(value: u64) -> Layered {
    Layered::new(Fact::absent([]), number(value))
}

fn station(name: &str) -> Listener {
    let key = KeyFact {
        name: name.to_owned(),
        last_write: None,
    };
    Listener {
        key: Fact::known(key, [place()]),
        port: number(3389),
        enabled: number(1),
        logon_disabled: number(0),
        max_instances: local(u64::from(u32::MAX)),
        security_layer: local(2),
        transport: text("tcp"),
        transport_driver: text("tdtcp"),
        protocol: text("Microsoft RDP 8.0"),
        protocol_object: text(CLASS),
        protocol_library: text("rdpcorets.dll"),
        ..Listener::unknown(name)
    }
}

fn with(listeners: Vec<Listener>) -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(CAPTURED.parse().unwrap());
    snapshot.machine.build = Fact::known(20348, []);
    let rdp = &mut snapshot.remote_desktop;
    rdp.edition_may_host = Fact::known(true, []);
    rdp.deny = local(0);
    rdp.enabled = Fact::absent([]);
    rdp.logons_disabled = number(0);
    rdp.drain_mode = Fact::absent([]);
    rdp.application_mode = Fact::absent([]);
    rdp.session_directory = Layered::new(Fact::absent([]), Fact::absent([]));
    rdp.listeners = Fact::known(listeners, []);
    snapshot
}

fn healthy() -> Snapshot {
    with(vec![station("RDP-Tcp")])
}

/// The healthy machine with its listener changed.
fn but(change: impl FnOnce(&mut Listener)) -> Snapshot {
    let mut listener = station("RDP-Tcp");
    change(&mut listener);
    with(vec![listener])
}

fn sockets(snapshot: &mut Snapshot, ports: &[u16]) {
    let sockets = ports
        .iter()
        .map(|port| Socket {
            address: "0.0.0.0".parse().unwrap(),
            port: *port,
            pid: Some(900),
            evidence: place(),
        })
        .collect();
    snapshot.sockets.listeners = Fact::known(sockets, []);
    snapshot.sockets.tcp = Fact::known(
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
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn commands(decision: &Decision) -> String {
    serde_json::to_string(&decision.remedies).unwrap()
}

fn held(decision: &Decision) -> Vec<&str> {
    let held = decision
        .trace
        .iter()
        .filter(|tried| tried.holds == Some(true));
    held.map(|tried| tried.rule.as_str()).collect()
}

/// The verdict and the one rule that holds.
fn one(snapshot: &Snapshot, verdict: Verdict, rule: &str) -> Decision {
    let decision = run(snapshot);
    assert_eq!(decision.verdict, verdict, "{}", decision.headline);
    assert_eq!(held(&decision), [rule]);
    assert!(!decision.remedies.is_empty());
    assert!(!decision.evidence.is_empty());
    decision
}

fn trouble(snapshot: &mut Snapshot, kind: Trouble, at: &str) {
    snapshot.remote_desktop.logged.troubles.push(Record {
        kind,
        channel: "System".to_owned(),
        event_id: 1035,
        record_id: 5,
        time: at.parse().unwrap(),
        subject: Some("0x80070005".to_owned()),
        evidence: Evidence::new("s.evtx", Locator::record("System", 5), json!({})),
    });
}

fn logged(snapshot: &mut Snapshot, kind: Kind, at: &str) {
    snapshot.remote_desktop.logged.events.push(RdpEvent {
        kind,
        event_id: 258,
        record_id: 7,
        time: at.parse().unwrap(),
        subject: None,
        evidence: Evidence::new("r.evtx", Locator::record("x", 7), json!({})),
    });
}

#[test]
fn a_listener_as_windows_sets_it_up_is_ok() {
    let decision = run(&healthy());
    assert_eq!(decision.verdict, Verdict::Ok, "{:?}", decision.reasons);
    assert_eq!(decision.confidence, Confidence::High);
    assert_no_rule_open(&decision);
    let mut older = but(|one| one.protocol_object = text(protocol::CLASS_7));
    older.machine.build = Fact::known(7601, []);
    assert_eq!(run(&older).verdict, Verdict::Ok);
    older.machine.build = Fact::not_collected("x");
    assert_eq!(run(&older).verdict, Verdict::Ok);
    older.machine.build = Fact::known(9200, []);
    assert_eq!(run(&older).verdict, Verdict::Warning);
}

#[test]
fn a_hung_service_is_the_matter_of_other_checks() {
    let mut snapshot = healthy();
    sockets(&mut snapshot, &[]);
    snapshot.remote_desktop.sessions = Fact::known(Vec::new(), []);
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("rds-service"))
    );
}

#[test]
fn a_missing_listener_is_critical_whatever_others_there_are() {
    let decision = one(&with(vec![station("EH-Tcp")]), Verdict::Critical, "missing");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("EH-Tcp"))
    );
    let commands = commands(&decision);
    assert!(commands.contains("reg export"));
    assert!(commands.contains("same version of Windows"));
    let mut none = healthy();
    none.remote_desktop.listeners = Fact::absent([place()]);
    one(&none, Verdict::Critical, "missing");
}

#[test]
fn the_switches_of_the_listener_are_critical() {
    let off = one(
        &but(|l| l.enabled = number(0)),
        Verdict::Critical,
        "disabled",
    );
    assert!(commands(&off).contains("-Name fEnableWinStation -Value 1 -Type DWord"));
    assert!(commands(&off).contains("-Name fEnableWinStation -Value 0 -Type DWord"));
    for value in [1, 2] {
        let refused = but(|l| l.logon_disabled = number(value));
        let refused = one(&refused, Verdict::Critical, "logons-refused");
        let old = format!("-Name fLogonDisabled -Value {value} -Type DWord");
        assert!(commands(&refused).contains(&old));
    }
    let absent = but(|l| {
        l.enabled = Fact::absent([]);
        l.logon_disabled = Fact::absent([]);
    });
    assert_eq!(run(&absent).verdict, Verdict::Ok);
}

#[test]
fn the_switches_of_the_server_are_critical() {
    let mut off = healthy();
    off.remote_desktop.enabled = number(0);
    one(&off, Verdict::Critical, "server-disabled");
    off.remote_desktop.enabled = number(1);
    assert_eq!(run(&off).verdict, Verdict::Ok);
    let mut refused = healthy();
    refused.remote_desktop.logons_disabled = number(1);
    let decision = one(&refused, Verdict::Critical, "server-logons-refused");
    assert!(commands(&decision).contains("-Name TSUserEnabled -Value 1 -Type DWord"));
    for (at, words) in [
        ("2026-03-01T11:00:00Z", "came in until"),
        (WRITTEN, "may wait for a restart"),
        ("2026-03-01T13:00:00Z", "may wait for a restart"),
    ] {
        let mut snapshot = refused.clone();
        logged(&mut snapshot, Kind::Authenticated, at);
        let decision = run(&snapshot);
        assert_eq!(decision.verdict, Verdict::Critical);
        assert!(decision.reasons.iter().any(|r| r.contains(words)), "{at}");
    }
}

#[test]
fn drain_mode_is_critical_alone_and_a_warning_in_a_farm() {
    for (mode, again) in [(1, "/drain\""), (2, "/drainuntilrestart")] {
        let mut snapshot = healthy();
        snapshot.remote_desktop.drain_mode = number(mode);
        let decision = one(&snapshot, Verdict::Critical, "drain");
        assert!(commands(&decision).contains("change logon /enable"));
        assert!(commands(&decision).contains(again), "{mode}");
        assert!(decision.missing.is_empty());
        let restart = decision.headline.contains("until the next restart");
        assert_eq!(restart, mode == 2);
        snapshot.remote_desktop.session_directory = local(0);
        one(&snapshot, Verdict::Critical, "drain");
        snapshot.remote_desktop.session_directory = local(1);
        let decision = one(&snapshot, Verdict::Warning, "drain-in-farm");
        assert!(decision.headline.contains("intended"));
        assert!(decision.missing.is_empty());
        snapshot.remote_desktop.session_directory =
            Layered::new(Fact::not_collected("x"), number(0));
        let decision = one(&snapshot, Verdict::Warning, "drain-in-farm");
        assert!(decision.headline.contains("not known"));
        assert_eq!(decision.missing, [SOFTWARE]);
    }
    let mut off = healthy();
    off.remote_desktop.drain_mode = number(0);
    assert_eq!(run(&off).verdict, Verdict::Ok);
}

#[test]
fn the_limit_of_sessions_is_judged_where_it_is_in_force() {
    let none = one(
        &but(|l| l.max_instances = local(0)),
        Verdict::Critical,
        "no-instances",
    );
    assert!(commands(&none).contains("-Name MaxInstanceCount -Value -1 -Type DWord"));
    let policy = but(|l| l.max_instances = Layered::new(number(0), number(5)));
    let policy = one(&policy, Verdict::Critical, "no-instances");
    assert!(commands(&policy).contains("gpresult"));
    let allows = but(|l| l.max_instances = Layered::new(number(5), number(0)));
    assert_eq!(run(&allows).verdict, Verdict::Ok);
    for (limit, mode, verdict) in [
        (0, 1, Verdict::Critical),
        (1, 1, Verdict::Warning),
        (2, 1, Verdict::Warning),
        (3, 1, Verdict::Ok),
        (2, 0, Verdict::Ok),
        (u64::from(u32::MAX), 1, Verdict::Ok),
    ] {
        let mut snapshot = but(|l| l.max_instances = local(limit));
        snapshot.remote_desktop.application_mode = number(mode);
        assert_eq!(run(&snapshot).verdict, verdict, "{limit} in mode {mode}");
    }
    let mut none = but(|l| l.max_instances = local(0));
    none.remote_desktop.application_mode = number(1);
    one(&none, Verdict::Critical, "no-instances");
    // No session host, so a small limit is no matter at all.
    let few = run(&but(|l| l.max_instances = local(1)));
    assert_no_rule_open(&few);
    let absent = but(|l| l.max_instances = Layered::new(Fact::absent([]), Fact::absent([])));
    assert_eq!(run(&absent).verdict, Verdict::Ok);
}

#[test]
fn a_foreign_class_counts_where_nothing_listens() {
    for class in [
        text("{00000000-0000-0000-0000-000000000001}"),
        Fact::absent([place()]),
    ] {
        let mut snapshot = but(|l| l.protocol_object = class.clone());
        // Whether another product's class is registered is its own matter.
        let unregistered = |l: &mut Listener| {
            l.protocol_object = class.clone();
            l.protocol_library = Fact::absent([place()]);
        };
        one(&but(unregistered), Verdict::Warning, "foreign-class");
        let unseen = one(&snapshot, Verdict::Warning, "foreign-class");
        assert_eq!(unseen.confidence, Confidence::Medium);
        sockets(&mut snapshot, &[]);
        let decision = one(&snapshot, Verdict::Critical, "foreign-class");
        assert!(commands(&decision).contains(protocol::CLASS_8));
        assert!(decision.notes.is_empty(), "{:?}", decision.notes);
        let absent = decision.headline.contains("names no class");
        assert_eq!(absent, class.is_absent());
        snapshot.remote_desktop.deny = local(1);
        assert_eq!(run(&snapshot).verdict, Verdict::Warning);
        sockets(&mut snapshot, &[3389]);
        let listens = run(&snapshot);
        assert_eq!(listens.verdict, Verdict::Ok);
        assert_eq!(listens.notes.len(), 1);
    }
    let mut quoted = but(|l| l.protocol_object = text("x'; evil; '"));
    sockets(&mut quoted, &[]);
    assert!(commands(&run(&quoted)).contains("'x''; evil; '''"));
}

#[test]
fn a_class_that_is_not_registered_counts_where_nothing_listens() {
    let mut snapshot = but(|l| l.protocol_library = Fact::absent([place()]));
    let unseen = one(&snapshot, Verdict::Warning, "class-not-registered");
    assert_eq!(unseen.confidence, Confidence::Medium);
    sockets(&mut snapshot, &[445]);
    let silent = one(&snapshot, Verdict::Critical, "class-not-registered");
    assert_eq!(silent.confidence, Confidence::High);
    sockets(&mut snapshot, &[3389]);
    let listens = run(&snapshot);
    assert_eq!(listens.verdict, Verdict::Ok);
    assert!(listens.notes.is_empty(), "{:?}", listens.notes);
}

#[test]
fn what_windows_does_not_set_up_is_a_warning() {
    for (change, rule) in [
        (
            (|l| l.protocol = text("Citrix ICA 3.0")) as fn(&mut Listener),
            "foreign-protocol",
        ),
        (|l| l.protocol = Fact::absent([place()]), "foreign-protocol"),
        (|l| l.transport = text("ssl"), "foreign-driver"),
        (|l| l.transport_driver = text(""), "foreign-driver"),
        (|l| l.security_layer = local(0), "no-tls"),
    ] {
        let decision = one(&but(change), Verdict::Warning, rule);
        assert_eq!(decision.confidence, Confidence::High);
    }
    let older = but(|l| l.protocol = text("microsoft RDP 7.1"));
    assert_eq!(run(&older).verdict, Verdict::Ok);
    let policy = but(|l| l.security_layer = Layered::new(number(2), number(0)));
    assert_eq!(run(&policy).verdict, Verdict::Ok);
    let negotiated = but(|l| l.security_layer = local(1));
    assert_eq!(run(&negotiated).verdict, Verdict::Ok);
}

#[test]
fn other_listeners_are_told_apart() {
    let beside = |other: Listener| with(vec![station("rdp-tcp"), other]);
    one(
        &beside(station("RDP-Tcp1")),
        Verdict::Warning,
        "duplicate-listener",
    );
    let mut ica = station("ICA-Tcp");
    ica.protocol_object = Fact::absent([]);
    let extra = one(&beside(ica.clone()), Verdict::Warning, "extra-listener");
    assert!(extra.headline.contains("ICA-Tcp"));
    assert!(commands(&extra).contains(r"WinStations\\ICA-Tcp"));
    ica.enabled = number(0);
    assert_eq!(run(&beside(ica)).verdict, Verdict::Ok);
    for name in ["EH-Tcp", "rdp-sxs250101"] {
        assert_eq!(run(&beside(station(name))).verdict, Verdict::Ok, "{name}");
    }
}

#[test]
fn a_listener_that_failed_counts_until_it_starts_and_for_seven_days() {
    for (at, verdict) in [
        ("2026-03-03T12:00:00Z", Verdict::Warning),
        ("2026-03-03T11:59:59Z", Verdict::Ok),
        ("2026-03-10T11:00:00Z", Verdict::Warning),
    ] {
        for kind in [Trouble::StackDown, Trouble::ListenerFailed] {
            let mut snapshot = healthy();
            trouble(&mut snapshot, kind, at);
            assert_eq!(run(&snapshot).verdict, verdict, "{at}");
            logged(&mut snapshot, Kind::ListenerStarted, "2026-03-01T00:00:00Z");
            assert_eq!(run(&snapshot).verdict, verdict, "started before");
            logged(&mut snapshot, Kind::ListenerStarted, at);
            assert_eq!(run(&snapshot).verdict, Verdict::Ok);
        }
    }
    let with_session = |name: &str, state: u32| {
        let mut snapshot = healthy();
        let session = Station {
            name: name.to_owned(),
            state,
            evidence: place(),
        };
        snapshot.remote_desktop.sessions = Fact::known(vec![session], []);
        snapshot
    };
    let down = with_session("RDP-Tcp", 8);
    one(&down, Verdict::Warning, "listener-failed");
    assert_no_rule_open(&run(&with_session("RDP-Tcp", 6)));
    assert_no_rule_open(&run(&with_session("ICA-Tcp", 8)));
}

#[test]
fn sessions_that_failed_and_listeners_that_stopped_are_notes() {
    for kind in [Trouble::SessionFailed, Trouble::AskedToStop] {
        let mut snapshot = healthy();
        trouble(&mut snapshot, kind, "2026-03-10T11:00:00Z");
        let decision = run(&snapshot);
        assert_eq!(decision.verdict, Verdict::Ok);
        assert_eq!(decision.notes.len(), 1, "{kind:?}");
    }
}

#[test]
fn a_wrong_type_is_a_warning_and_keeps_its_quotes() {
    let decision = one(
        &but(|l| l.enabled = mistyped("1")),
        Verdict::Warning,
        "wrong-type",
    );
    assert!(commands(&decision).contains("-Value '1' -Type String"));
    let refused = run(&but(|l| l.logon_disabled = mistyped("1")));
    assert_eq!(refused.verdict, Verdict::Critical);
}

#[test]
fn what_was_not_seen_is_unknown() {
    let nothing = run(&Snapshot::gather(&Sources::none()));
    assert_eq!(nothing.verdict, Verdict::Unknown);
    let mut damaged = healthy();
    damaged.remote_desktop.listeners = Fact::unreadable("x", []);
    assert_eq!(run(&damaged).verdict, Verdict::Unknown);
    let unseen = || Layered::new(Fact::not_collected("x"), number(5));
    let changes: [fn(&mut Listener); 6] = [
        |l| l.enabled = Fact::unreadable("x", []),
        |l| l.logon_disabled = Fact::not_collected("x"),
        |l| l.protocol = Fact::unreadable("x", []),
        |l| l.transport = Fact::unreadable("x", []),
        |l| l.protocol_object = Fact::unreadable("x", []),
        |l| l.protocol_library = Fact::not_collected("x"),
    ];
    for change in changes {
        let decision = run(&but(change));
        assert_eq!(decision.verdict, Verdict::Unknown);
        assert!(decision.headline.contains("not known"));
    }
    let policy = run(&but(|l| l.max_instances = unseen()));
    assert_eq!(policy.verdict, Verdict::Unknown);
    assert!(
        policy
            .headline
            .starts_with("the listener RDP-Tcp is there and switched on")
    );
    assert_eq!(policy.missing, [SOFTWARE]);
    for field in 0..3 {
        let mut snapshot = healthy();
        let rdp = &mut snapshot.remote_desktop;
        *[
            &mut rdp.enabled,
            &mut rdp.logons_disabled,
            &mut rdp.drain_mode,
        ][field] = Fact::not_collected("x");
        assert_eq!(run(&snapshot).verdict, Verdict::Unknown);
    }
}

#[test]
fn an_edition_that_accepts_none_is_not_applicable() {
    let mut home = with(Vec::new());
    home.remote_desktop.edition_may_host = Fact::known(false, []);
    assert_eq!(run(&home).verdict, Verdict::NotApplicable);
}
