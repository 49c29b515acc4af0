use serde_json::json;

use super::*;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::remote_desktop::{Kind, PolicyObject, RdpEvent};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;

const POLICY: &str = r"Policies\Microsoft\Windows NT\Terminal Services";
const LOCAL: &str = r"ControlSet002\Control\Terminal Server";
const WRITTEN: &str = "2026-03-01T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn place(hive: &str, key: &str, raw: serde_json::Value) -> Evidence {
    let locator = Locator::value(hive, key, "fDenyTSConnections");
    Evidence::new(format!("registry/{hive}"), locator, raw).at(Some(time(WRITTEN)))
}

fn number(hive: &str, key: &str, value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    Fact::known(number, [place(hive, key, json!(value))])
}

fn policy(value: u64) -> Fact<Number> {
    number("SOFTWARE", POLICY, value)
}

fn local(value: u64) -> Fact<Number> {
    number("SYSTEM", LOCAL, value)
}

fn absent() -> Fact<Number> {
    Fact::absent([])
}

fn text(value: &str) -> Fact<Number> {
    let number = Number {
        value: value.parse().ok(),
        wrong_type: Some("REG_SZ".to_owned()),
    };
    Fact::known(number, [place("SYSTEM", LOCAL, json!(value))])
}

fn snapshot(policy: Fact<Number>, local: Fact<Number>) -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.kind = CaptureKind::Live;
    snapshot.remote_desktop.edition_may_host = Fact::known(true, []);
    snapshot.remote_desktop.deny = Layered::new(policy, local);
    snapshot
}

fn logged(snapshot: &mut Snapshot, kind: Kind, record_id: u64, at: &str) {
    let evidence = Evidence::new("a.evtx", Locator::record("x", record_id), json!({}));
    snapshot.remote_desktop.logged.events.push(RdpEvent {
        kind,
        event_id: 1,
        record_id,
        time: time(at),
        subject: None,
        evidence,
    });
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn answer(decision: &Decision, rule: &str) -> Option<bool> {
    let tried = decision.trace.iter().find(|tried| tried.rule == rule);
    tried.unwrap().holds
}

fn commands(decision: &Decision) -> String {
    serde_json::to_string(&decision.remedies).unwrap()
}

fn says(decision: &Decision, words: &str) -> bool {
    decision.reasons.iter().any(|reason| reason.contains(words))
}

#[test]
fn allowed_without_or_by_policy_is_ok() {
    assert_eq!(run(&snapshot(policy(0), local(0))).verdict, Verdict::Ok);
    let mut snapshot = snapshot(absent(), local(0));
    logged(
        &mut snapshot,
        Kind::Authenticated,
        7,
        "2026-03-02T09:00:00Z",
    );
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    assert_eq!(decision.confidence, Confidence::High);
    assert!(decision.remedies.is_empty());
    assert!(decision.evidence.iter().any(|e| e.says.contains("came in")));
    assert_no_rule_open(&decision);
}

#[test]
fn refused_locally_is_critical_and_the_undo_carries_the_old_value() {
    for value in [1, 2] {
        let decision = run(&snapshot(absent(), local(value)));
        assert_eq!(decision.verdict, Verdict::Critical);
        assert!(decision.headline.contains("refused"));
        let commands = commands(&decision);
        assert!(commands.contains("-Name fDenyTSConnections -Value 0 -Type DWord"));
        assert!(commands.contains(&format!(
            "-Name fDenyTSConnections -Value {value} -Type DWord"
        )));
        assert!(commands.contains("Enable-NetFirewallRule"));
        assert!(!commands.contains("reg load"));
        assert_eq!(answer(&decision, "policy-hides-local"), Some(false));
    }
}

#[test]
fn on_a_disk_the_commands_name_the_control_set_in_force() {
    let mut snapshot = snapshot(absent(), local(1));
    snapshot.capture.kind = CaptureKind::DiskOnly;
    let commands = commands(&run(&snapshot));
    assert!(commands.contains(r"HKLM\\OFFLINE\\ControlSet002\\Control\\Terminal Server"));
    assert!(commands.contains("reg unload"));
}

#[test]
fn on_a_disk_no_command_is_made_of_a_hostile_path() {
    let hostile = number("SYSTEM", r#"Control" & evil\Control"#, 1);
    let mut snapshot = snapshot(absent(), hostile);
    snapshot.capture.kind = CaptureKind::DiskOnly;
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(!commands(&decision).contains("reg load"));
}

#[test]
fn refused_by_policy_is_critical_whatever_the_local_value() {
    for other in [local(0), local(1), absent(), Fact::not_collected("x")] {
        let decision = run(&snapshot(policy(1), other));
        assert_eq!(decision.verdict, Verdict::Critical);
        assert!(decision.headline.contains("policy"));
        assert!(commands(&decision).contains("gpupdate"));
    }
    assert!(says(&run(&snapshot(policy(1), local(0))), "futile"));
}

#[test]
fn a_policy_that_allows_over_a_refusing_machine_is_a_warning() {
    let decision = run(&snapshot(policy(0), local(1)));
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("only as long as a policy"));
}

#[test]
fn what_was_not_seen_is_never_ok() {
    let decision = run(&snapshot(Fact::not_collected("no SOFTWARE hive"), local(0)));
    assert_eq!(decision.verdict, Verdict::Unknown);
    assert!(decision.headline.starts_with("allowed locally"));
    assert!(
        decision
            .missing
            .iter()
            .any(|what| what.contains("SOFTWARE"))
    );
    let decision = run(&snapshot(Fact::not_collected("no SOFTWARE hive"), local(1)));
    assert_eq!(decision.verdict, Verdict::Critical);
    assert_eq!(decision.confidence, Confidence::Medium);
    for state in [Fact::not_collected("x"), Fact::unreadable("x", [])] {
        let verdict = run(&snapshot(policy(0), state)).verdict;
        assert_eq!(verdict, Verdict::Unknown);
    }
    let local_unseen = run(&snapshot(policy(0), Fact::not_collected("x")));
    assert!(local_unseen.headline.starts_with("allowed by policy"));
    assert_eq!(run(&snapshot(absent(), absent())).verdict, Verdict::Unknown);
    let nothing = Snapshot::gather(&Sources::none());
    assert_eq!(run(&nothing).verdict, Verdict::Unknown);
    let mut edition = snapshot(absent(), local(0));
    edition.remote_desktop.edition_may_host = Fact::unreadable("x", []);
    assert_eq!(run(&edition).verdict, Verdict::Unknown);
}

#[test]
fn a_wrong_type_is_a_warning_with_the_old_text_in_the_undo() {
    let decision = run(&snapshot(absent(), text("1")));
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(decision.headline.contains("REG_SZ"));
    assert!(commands(&decision).contains("-Value '1' -Type String"));
    assert!(commands(&decision).contains(r"Control\\Terminal Server' -Name fDenyTSConnections"));
    let refused = run(&snapshot(policy(1), text("0")));
    assert_eq!(refused.verdict, Verdict::Critical);
    let by_policy = run(&snapshot(text("0"), local(0)));
    assert_eq!(by_policy.verdict, Verdict::Warning);
    assert!(commands(&by_policy).contains(r"Policies\\Microsoft\\Windows NT"));
    assert!(!commands(&by_policy).contains(r"Control\\Terminal Server"));
}

#[test]
fn a_hostile_old_value_stays_inside_its_quotes() {
    let commands = commands(&run(&snapshot(absent(), text("0'; evil; '"))));
    assert!(commands.contains("-Value '0''; evil; ''' -Type String"));
}

#[test]
fn an_edition_that_accepts_none_is_not_applicable() {
    let mut home = snapshot(absent(), local(1));
    home.remote_desktop.edition_may_host = Fact::known(false, []);
    assert_eq!(run(&home).verdict, Verdict::NotApplicable);
}

#[test]
fn a_success_before_or_after_the_change_is_told() {
    let mut before = snapshot(absent(), local(1));
    logged(&mut before, Kind::LoggedOn, 1, "2026-03-01T11:00:00Z");
    assert!(says(&run(&before), "disabled since then"));
    for at in [WRITTEN, "2026-03-01T13:00:00Z"] {
        let mut after = snapshot(absent(), local(1));
        logged(&mut after, Kind::Reconnected, 1, at);
        let decision = run(&after);
        assert_eq!(decision.verdict, Verdict::Critical);
        assert!(says(&decision, "not in force yet"));
    }
}

#[test]
fn a_policy_is_traced_to_the_refresh_it_came_with() {
    for (at, came) in [
        ("2026-03-01T11:55:00Z", true),
        ("2026-03-01T12:05:00Z", true),
        ("2026-03-01T12:05:01Z", false),
        ("2026-03-01T11:54:59Z", false),
    ] {
        let mut snapshot = snapshot(policy(1), local(1));
        logged(&mut snapshot, Kind::MachinePolicies, 5, at);
        assert_eq!(says(&run(&snapshot), "came from there"), came, "{at}");
    }
}

#[test]
fn a_failing_refresh_is_told_unless_a_later_one_succeeded() {
    let mut failing = snapshot(policy(1), local(1));
    logged(&mut failing, Kind::MachinePolicies, 5, WRITTEN);
    logged(&mut failing, Kind::PoliciesFailed, 6, WRITTEN);
    assert!(says(&run(&failing), "will not arrive"));
    logged(&mut failing, Kind::MachinePolicies, 7, WRITTEN);
    assert!(!says(&run(&failing), "will not arrive"));
}

#[test]
fn applied_policy_objects_are_named() {
    let mut snapshot = snapshot(policy(1), local(0));
    assert!(!says(&run(&snapshot), "applied group policy objects"));
    snapshot.remote_desktop.policy_objects = Fact::known(Vec::new(), []);
    assert!(!says(&run(&snapshot), "applied group policy objects"));
    let object = PolicyObject {
        name: "Servers: no remote access".to_owned(),
        evidence: Vec::new(),
    };
    snapshot.remote_desktop.policy_objects = Fact::known(vec![object], []);
    assert!(says(&run(&snapshot), "Servers: no remote access"));
}
