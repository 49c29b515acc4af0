use serde_json::json;

use super::*;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::inventory::Channel;
use crate::facts::locator::Locator;
use crate::facts::machine::ProductType;
use crate::facts::remote_desktop::Layered;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{KeyFact, Number, Text};

const NOW: &str = "2026-03-31T12:00:00Z";

fn place() -> Evidence {
    Evidence::new(
        "registry/SYSTEM",
        Locator::value("SYSTEM", "k", "v"),
        json!(0),
    )
}

fn number(value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    Fact::known(number, [place()])
}

fn absent<T>() -> Fact<T> {
    Fact::absent([])
}

fn mode(value: u64) -> Layered {
    Layered::new(absent(), number(value))
}

fn policy_servers(text: &str) -> Fact<Text> {
    let text = Text {
        text: text.to_owned(),
        kind: "REG_SZ".to_owned(),
    };
    Fact::known(text, [place()])
}

fn log() -> Fact<Channel> {
    let channel: Channel = serde_json::from_value(json!({
        "name": "x", "artifact": "x.evtx", "records": 1, "failed": 0, "filtered": false
    }))
    .unwrap();
    Fact::known(channel, [])
}

/// A session host with its licences set up, in a domain.
fn host() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(NOW.parse().unwrap());
    snapshot.machine.product_type = Fact::known(ProductType::Server, []);
    snapshot.machine.edition = Fact::known("ServerStandard".to_owned(), []);
    snapshot.machine.domain = Fact::known("corp.example".to_owned(), []);
    snapshot.remote_desktop.application_mode = number(1);
    let facts = &mut snapshot.licensing;
    facts.component = number(1);
    facts.mode = mode(4);
    facts.servers = Fact::known(vec!["ls.corp.example".to_owned()], [place()]);
    facts.servers_by_policy = absent();
    facts.grace_key = absent();
    facts.own_server = absent();
    facts.system = log();
    facts.admin = log();
    facts.operational = log();
    snapshot
}

/// A session host where nothing is set up.
fn bare() -> Snapshot {
    let mut snapshot = host();
    snapshot.licensing.mode = mode(5);
    snapshot.licensing.servers = absent();
    snapshot
}

fn record(snapshot: &mut Snapshot, kind: LicenceEvent, at: &str) {
    snapshot.licensing.records.push(Record {
        kind,
        channel: "System".to_owned(),
        event_id: 1128,
        record_id: 5,
        time: at.parse().unwrap(),
        subject: None,
        evidence: Evidence::new("s.evtx", Locator::record("System", 5), json!({})),
    });
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

/// The verdict and the rules that hold.
fn held(snapshot: &Snapshot, verdict: Verdict, rules: &[&str]) -> Decision {
    let decision = run(snapshot);
    assert_eq!(decision.verdict, verdict, "{}", decision.headline);
    let held = decision
        .trace
        .iter()
        .filter(|tried| tried.holds == Some(true));
    let held: Vec<&str> = held.map(|tried| tried.rule.as_str()).collect();
    assert_eq!(held, rules);
    let text = commands(&decision);
    assert!(!text.contains("GracePeriod\"") && !text.contains("Remove-WindowsFeature"));
    assert!(rules.is_empty() || !decision.remedies.is_empty());
    decision
}

#[test]
fn a_host_with_mode_and_server_is_ok() {
    let decision = held(&host(), Verdict::Ok, &[]);
    assert_no_rule_open(&decision);
    assert!(decision.headline.contains("licensing mode (per user)"));
    let mut per_device = host();
    per_device.licensing.mode = mode(2);
    per_device.machine.domain = absent();
    let decision = held(&per_device, Verdict::Ok, &[]);
    assert!(decision.headline.contains("licensing mode (per device)"));
    let mut policy = bare();
    policy.licensing.mode = Layered::new(number(2), number(5));
    policy.licensing.servers_by_policy = policy_servers("ls1, ls2");
    held(&policy, Verdict::Ok, &[]);
    let mut live = bare();
    live.licensing.mode = Layered::new(absent(), absent());
    live.licensing.live_mode = Fact::known(2, []);
    live.licensing.live_servers = Fact::known(vec!["ls".to_owned()], []);
    held(&live, Verdict::Ok, &[]);
    // A list of blanks names nobody.
    live.licensing.servers = Fact::known(vec![" ".to_owned()], []);
    held(&live, Verdict::Ok, &[]);
    let mut over = host();
    over.licensing.grace_days = Fact::known(0, []);
    held(&over, Verdict::Ok, &[]);
}

#[test]
fn without_the_role_it_is_not_applicable() {
    let mut none = bare();
    none.remote_desktop.application_mode = absent();
    none.licensing.component = number(0);
    none.licensing.grace_key = Fact::known(
        KeyFact {
            name: "GracePeriod".to_owned(),
            last_write: None,
        },
        [],
    );
    let decision = held(&none, Verdict::NotApplicable, &[]);
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("no number of days"))
    );
    none.licensing.component = absent();
    for package in [absent(), Fact::known(false, [])] {
        none.licensing.package = package;
        held(&none, Verdict::NotApplicable, &[]);
    }
    let mut client = bare();
    client.machine.product_type = Fact::known(ProductType::Workstation, []);
    held(&client, Verdict::NotApplicable, &[]);
    let mut azure = bare();
    azure.machine.edition = Fact::known("ServerRdsh".to_owned(), []);
    held(&azure, Verdict::NotApplicable, &[]);
}

#[test]
fn one_sign_of_the_role_alone_is_unknown() {
    let mut set = host();
    set.licensing.component = number(0);
    let decision = held(&set, Verdict::Unknown, &[]);
    assert!(decision.headline.contains("no such role is recorded"));
    let mut installed = host();
    installed.remote_desktop.application_mode = number(0);
    let decision = held(&installed, Verdict::Unknown, &[]);
    assert!(decision.headline.contains("TSAppCompat"));
    installed.licensing.live_role = Fact::known(0, []);
    held(&installed, Verdict::Unknown, &[]);
    installed.licensing.live_role = Fact::known(1, []);
    held(&installed, Verdict::Ok, &[]);
    let mut package = host();
    package.licensing.component = absent();
    package.licensing.package = Fact::known(true, []);
    held(&package, Verdict::Ok, &[]);
    for state in [
        State::NotCollected("x".to_owned()),
        State::Unreadable("x".to_owned()),
    ] {
        let mut unseen = host();
        unseen.licensing.component = Fact::new(state, []);
        let decision = held(&unseen, Verdict::Unknown, &[]);
        assert!(decision.missing.contains(&SOFTWARE.to_owned()));
    }
    held(&Snapshot::gather(&Sources::none()), Verdict::Unknown, &[]);
}

#[test]
fn the_end_of_the_grace_period_without_a_server_is_critical() {
    let mut live = bare();
    live.licensing.grace_days = Fact::known(0, [place()]);
    let decision = held(&live, Verdict::Critical, &["grace-over", "not-configured"]);
    assert_eq!(decision.confidence, Confidence::High);
    let says = "licensing mode: not configured; licence servers: none";
    assert!(decision.reasons.iter().any(|reason| reason == says));
    let shown = |decision: &Decision| {
        let mut shown = decision.evidence.iter();
        shown.any(|shown| shown.says == "GetGracePeriodDays = 0")
    };
    assert!(shown(&decision));
    let text = commands(&decision);
    let admin = text.find("mstsc /admin").unwrap();
    assert!(
        admin
            < text
                .find("Uninstall-WindowsFeature RDS-RD-Server -WhatIf")
                .unwrap()
    );
    for (at, verdict) in [
        ("2026-03-01T12:00:00Z", Verdict::Critical),
        ("2026-03-01T11:59:59Z", Verdict::Warning),
    ] {
        let mut logged = bare();
        record(&mut logged, LicenceEvent::GraceOver, at);
        let decision = run(&logged);
        assert_eq!(decision.verdict, verdict, "{at}");
        assert_eq!(
            decision.confidence == Confidence::Medium,
            verdict == Verdict::Critical
        );
    }
    // The days that the running system gave are no evidence for an end that the log tells.
    let mut both = bare();
    both.licensing.grace_days = Fact::known(20, [place()]);
    record(&mut both, LicenceEvent::GraceOver, NOW);
    let decision = held(&both, Verdict::Critical, &["grace-over", "not-configured"]);
    assert!(!shown(&decision));
    let mut no_mode = host();
    no_mode.licensing.mode = mode(5);
    no_mode.licensing.grace_days = Fact::known(0, []);
    held(
        &no_mode,
        Verdict::Critical,
        &["grace-over", "not-configured"],
    );
}

#[test]
fn days_are_told_only_where_the_running_system_gave_them() {
    for (days, urgent) in [(13, true), (14, false), (100, false)] {
        let mut snapshot = bare();
        snapshot.licensing.grace_days = Fact::known(days, [place()]);
        let decision = held(&snapshot, Verdict::Warning, &["not-configured"]);
        assert!(decision.headline.contains(&format!("{days} days")));
        assert_eq!(decision.headline.contains("urgent"), urgent, "{days}");
    }
    let mut unknown = bare();
    unknown.licensing.grace_key = Fact::known(
        KeyFact {
            name: "GracePeriod".to_owned(),
            last_write: Some("2025-12-21T12:00:00Z".parse().unwrap()),
        },
        [],
    );
    let decision = held(&unknown, Verdict::Warning, &["not-configured"]);
    assert!(decision.headline.contains("not known"));
    assert!(!decision.headline.bytes().any(|byte| byte.is_ascii_digit()));
    for mode_alone in [2, 4] {
        let mut snapshot = bare();
        snapshot.licensing.mode = mode(mode_alone);
        held(&snapshot, Verdict::Warning, &["not-configured"]);
    }
    let mut empty = host();
    empty.licensing.servers_by_policy = policy_servers(" , ");
    held(&empty, Verdict::Warning, &["not-configured"]);
}

#[test]
fn a_licence_server_that_gives_nothing_is_critical() {
    for kind in [LicenceEvent::GraceOver, LicenceEvent::NoServer] {
        for (at, verdict) in [
            ("2026-03-30T12:00:00Z", Verdict::Critical),
            ("2026-03-30T11:59:59Z", Verdict::Ok),
        ] {
            let mut snapshot = host();
            record(&mut snapshot, kind, at);
            let decision = run(&snapshot);
            assert_eq!(decision.verdict, verdict, "{kind:?} at {at}");
            let named = commands(&decision).contains("-ComputerName 'ls.corp.example'");
            assert_eq!(named, verdict == Verdict::Critical);
            let says = "licensing mode: per user; licence servers: ls.corp.example";
            assert_eq!(decision.reasons.contains(&says.to_owned()), named);
        }
    }
}

#[test]
fn per_user_in_a_workgroup_is_a_warning() {
    let mut snapshot = host();
    snapshot.machine.domain = absent();
    let decision = held(&snapshot, Verdict::Warning, &["per-user-in-workgroup"]);
    let text = commands(&decision);
    assert!(text.contains("[uint32]2") && text.contains("[uint32]4"));
    snapshot.machine.domain = Fact::not_collected("x");
    held(&snapshot, Verdict::Unknown, &[]);
}

#[test]
fn refused_clients_and_a_licence_server_in_trouble_are_warnings() {
    for (at, verdict) in [
        ("2026-03-30T12:00:00Z", Verdict::Warning),
        ("2026-03-30T11:59:59Z", Verdict::Ok),
    ] {
        let mut snapshot = host();
        record(&mut snapshot, LicenceEvent::ClientRefused, at);
        assert_eq!(run(&snapshot).verdict, verdict);
    }
    for (kind, words) in [
        (LicenceEvent::ServerNotActivated, "is not activated"),
        (LicenceEvent::ServerDepleted, "has no licences left"),
    ] {
        let mut snapshot = host();
        record(&mut snapshot, kind, "2026-03-01T12:00:00Z");
        let decision = held(&snapshot, Verdict::Warning, &["licence-server"]);
        assert!(decision.headline.contains(words));
        snapshot.licensing.records.clear();
        record(&mut snapshot, kind, "2026-03-01T11:59:59Z");
        held(&snapshot, Verdict::Ok, &[]);
    }
    let mut told = host();
    record(&mut told, LicenceEvent::NoMode, NOW);
    held(&told, Verdict::Ok, &[]);
}

#[test]
fn the_undo_quotes_the_old_servers() {
    let mut snapshot = host();
    snapshot.machine.domain = absent();
    snapshot.licensing.servers = Fact::known(vec!["a'; evil; '".to_owned()], []);
    assert!(commands(&run(&snapshot)).contains("'a''; evil; '''"));
}

#[test]
fn what_was_not_seen_is_unknown() {
    let changes: [fn(&mut Snapshot); 8] = [
        |s| s.licensing.mode = Layered::new(Fact::not_collected("x"), number(2)),
        |s| s.licensing.mode = Layered::new(absent(), Fact::unreadable("x", [])),
        |s| s.licensing.servers = Fact::unreadable("x", []),
        |s| s.licensing.servers_by_policy = Fact::not_collected("x"),
        |s| s.licensing.system = Fact::not_collected("x"),
        |s| s.licensing.admin = Fact::not_collected("x"),
        |s| s.licensing.operational = Fact::unreadable("x", []),
        |s| s.capture.time = None,
    ];
    for change in changes {
        let mut snapshot = host();
        change(&mut snapshot);
        let decision = held(&snapshot, Verdict::Unknown, &[]);
        assert!(
            decision
                .headline
                .starts_with("the session host role is installed")
        );
        assert!(!decision.missing.is_empty());
    }
    let mut damaged = host();
    if let State::Known(channel) = &mut damaged.licensing.admin.state {
        channel.damage.push("chunk 1".to_owned());
    }
    held(&damaged, Verdict::Unknown, &[]);
}

#[test]
fn a_mode_that_is_not_in_force_yet_is_noted() {
    for (live, noted) in [(4, false), (2, true)] {
        let mut snapshot = host();
        snapshot.licensing.live_mode = Fact::known(live, []);
        let decision = held(&snapshot, Verdict::Ok, &[]);
        let note = |note: &String| note.contains("may not be in force yet");
        assert_eq!(decision.notes.iter().any(note), noted);
    }
}
