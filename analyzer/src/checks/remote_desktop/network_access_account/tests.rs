use serde_json::json;

use super::*;
use crate::checks::check::Exhibit;
use crate::checks::thresholds::Thresholds;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::network_access::Guest;
use crate::facts::records::Record;
use crate::facts::remote_desktop::{Kind, Layered, PolicyObject, RdpEvent};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;

const WRITTEN: &str = "2026-03-01T12:00:00Z";

fn number(value: u64) -> Fact<Number> {
    let place = Locator::value("SYSTEM", r"ControlSet001\Control\Lsa", "forceguest");
    let evidence = Evidence::new("registry/SYSTEM", place, json!(value));
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    Fact::known(number, [evidence.at(Some(WRITTEN.parse().unwrap()))])
}

fn text(value: &str) -> Fact<Number> {
    let place = Locator::value("SYSTEM", r"ControlSet001\Control\Lsa", "forceguest");
    let evidence = Evidence::new("registry/SYSTEM", place, json!(value));
    let number = Number {
        value: value.parse().ok(),
        wrong_type: Some("REG_SZ".to_owned()),
    };
    Fact::known(number, [evidence])
}

fn snapshot(force_guest: Fact<Number>, domain: Fact<String>, nla: Fact<Number>) -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.remote_desktop.edition_may_host = Fact::known(true, []);
    let mut listener = Listener::unknown("RDP-Tcp");
    listener.network_level_authentication = Layered::new(Fact::absent([]), nla);
    snapshot.remote_desktop.listeners = Fact::known(vec![listener], []);
    snapshot.network_access.force_guest = force_guest;
    snapshot.machine.domain = domain;
    snapshot
}

fn workgroup() -> Fact<String> {
    Fact::absent([])
}

fn joined() -> Fact<String> {
    Fact::known("corp.example".to_owned(), [])
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

fn says(decision: &Decision, words: &str) -> bool {
    decision.reasons.iter().any(|reason| reason.contains(words))
}

#[test]
fn zero_or_absent_is_ok_wherever_the_machine_stands() {
    for force_guest in [number(0), Fact::absent([])] {
        for domain in [workgroup(), joined(), Fact::not_collected("x")] {
            for nla in [number(0), number(1), Fact::not_collected("x")] {
                let decision = run(&snapshot(force_guest.clone(), domain.clone(), nla));
                assert_eq!(decision.verdict, Verdict::Ok);
                assert!(decision.remedies.is_empty());
            }
        }
    }
}

#[test]
fn in_a_workgroup_with_nla_it_is_critical_and_both_values_are_shown() {
    for value in [1, 2] {
        let decision = run(&snapshot(number(value), workgroup(), number(1)));
        assert_eq!(decision.verdict, Verdict::Critical);
        assert_eq!(decision.confidence, Confidence::High);
        assert!(decision.headline.contains("Guest"));
        assert!(says(&decision, "UserAuthentication = absent by policy, 1"));
        assert!(says(&decision, "no member of a domain"));
        let compared = &decision.trace[0].compared;
        assert!(
            compared.ends_with("domain member: no; network level authentication: on"),
            "{compared}"
        );
        assert!(
            decision.evidence[0]
                .says
                .contains(&format!("forceguest = {value}"))
        );
        let commands = commands(&decision);
        assert!(commands.contains("-Name forceguest -Value 0 -Type DWord"));
        assert!(commands.contains(&format!("-Name forceguest -Value {value} -Type DWord")));
    }
}

#[test]
fn without_nla_or_in_a_domain_it_is_a_warning() {
    let off = run(&snapshot(number(1), workgroup(), number(0)));
    assert_eq!(off.verdict, Verdict::Warning);
    assert!(off.headline.contains("stays off"));
    for nla in [number(0), number(1), Fact::not_collected("x")] {
        let decision = run(&snapshot(number(1), joined(), nla));
        assert_eq!(decision.verdict, Verdict::Warning);
        assert!(
            decision
                .headline
                .contains("domain accounts are not affected")
        );
        assert!(says(&decision, "corp.example"));
        assert!(decision.missing.is_empty());
    }
}

#[test]
fn what_is_not_known_of_domain_or_nla_leaves_a_warning() {
    let nla = run(&snapshot(number(1), workgroup(), Fact::not_collected("x")));
    assert_eq!(nla.verdict, Verdict::Warning);
    assert!(nla.headline.contains("not known"));
    assert_eq!(nla.missing, [SOFTWARE]);
    let domain = run(&snapshot(number(1), Fact::unreadable("x", []), number(1)));
    assert_eq!(domain.verdict, Verdict::Warning);
    assert_eq!(domain.missing, [SYSTEM]);
    assert!(says(&domain, "is not known"));
    assert!(!says(&domain, "no member of a domain"));
    let mut policy_unseen = snapshot(number(1), workgroup(), number(1));
    let mut listener = Listener::unknown("RDP-Tcp");
    listener.network_level_authentication = Layered::new(Fact::not_collected("x"), number(1));
    policy_unseen.remote_desktop.listeners = Fact::known(vec![listener], []);
    assert_eq!(run(&policy_unseen).verdict, Verdict::Warning);
}

#[test]
fn a_policy_for_nla_decides_over_the_listener() {
    let mut snapshot = snapshot(number(1), workgroup(), number(0));
    let mut listener = Listener::unknown("RDP-Tcp");
    listener.network_level_authentication = Layered::new(number(1), number(0));
    snapshot.remote_desktop.listeners = Fact::known(vec![listener], []);
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(says(&decision, "UserAuthentication = 1 by policy, 0"));
}

#[test]
fn a_wrong_type_is_a_warning_and_keeps_its_quotes() {
    let decision = run(&snapshot(text("0"), workgroup(), number(1)));
    assert_eq!(decision.verdict, Verdict::Warning);
    assert!(commands(&decision).contains("-Value '0' -Type String"));
    let hostile = run(&snapshot(text("0'; evil; '"), workgroup(), number(1)));
    assert!(commands(&hostile).contains("-Value '0''; evil; ''' -Type String"));
    let on = run(&snapshot(text("1"), workgroup(), number(1)));
    assert_eq!(on.verdict, Verdict::Critical);
}

#[test]
fn what_was_not_seen_is_unknown() {
    for missing in [Fact::not_collected("x"), Fact::unreadable("x", [])] {
        let decision = run(&snapshot(missing, workgroup(), number(1)));
        assert_eq!(decision.verdict, Verdict::Unknown);
        assert!(decision.headline.contains("forceguest"));
        assert_eq!(decision.missing, [SYSTEM]);
    }
    assert_eq!(
        run(&Snapshot::gather(&Sources::none())).verdict,
        Verdict::Unknown
    );
}

#[test]
fn an_edition_that_accepts_none_is_not_applicable() {
    let mut home = snapshot(number(1), workgroup(), number(1));
    home.remote_desktop.edition_may_host = Fact::known(false, []);
    assert_eq!(run(&home).verdict, Verdict::NotApplicable);
}

#[test]
fn a_logon_after_the_change_lowers_the_confidence_alone() {
    for (at, confidence) in [
        ("2026-03-01T12:00:00Z", Confidence::High),
        ("2026-03-01T12:00:01Z", Confidence::Medium),
    ] {
        let mut snapshot = snapshot(number(1), workgroup(), number(1));
        snapshot.remote_desktop.logged.events.push(RdpEvent {
            kind: Kind::Authenticated,
            event_id: 1149,
            record_id: 7,
            time: at.parse().unwrap(),
            subject: None,
            evidence: Evidence::new("a.evtx", Locator::record("x", 7), json!({})),
        });
        let decision = run(&snapshot);
        assert_eq!(decision.verdict, Verdict::Critical);
        assert_eq!(decision.confidence, confidence, "{at}");
    }
}

#[test]
fn guest_policies_and_logons_are_told() {
    let mut snapshot = snapshot(number(1), workgroup(), number(1));
    let access = &mut snapshot.network_access;
    access.guest = Fact::known(
        Guest {
            name: "Gast".to_owned(),
            disabled: false,
        },
        [],
    );
    access.policy_objects = Fact::known(
        vec![PolicyObject {
            name: "Baseline".to_owned(),
            evidence: Vec::new(),
        }],
        [],
    );
    access.disable_domain_credentials = number(1);
    access.logons.push(Record {
        kind: GuestLogon::Succeeded,
        channel: "Security".to_owned(),
        event_id: 4624,
        record_id: 9,
        time: WRITTEN.parse().unwrap(),
        subject: None,
        evidence: Evidence::new("s.evtx", Locator::record("Security", 9), json!({})),
    });
    let decision = run(&snapshot);
    assert!(says(&decision, "may set it again: Baseline"));
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("(Gast) is enabled"))
    );
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("disabledomaincreds"))
    );
    assert!(
        decision
            .evidence
            .iter()
            .any(|e| e.says.contains("logged on as Guest"))
    );
}

#[test]
fn other_values_are_shown_where_they_change_something() {
    let said = |blank: u64, filter: u64| {
        let mut snapshot = snapshot(number(0), workgroup(), number(1));
        snapshot.network_access.limit_blank_passwords = number(blank);
        snapshot.network_access.token_filter = number(filter);
        let decision = run(&snapshot);
        let note = |note: &String| note.contains("LimitBlankPasswordUse");
        let shown = |exhibit: &Exhibit| exhibit.says.contains("LocalAccountTokenFilterPolicy");
        (
            decision.notes.iter().any(note),
            decision.evidence.iter().any(shown),
        )
    };
    assert_eq!(said(1, 1), (true, true));
    assert_eq!(said(0, 0), (false, false));
}
