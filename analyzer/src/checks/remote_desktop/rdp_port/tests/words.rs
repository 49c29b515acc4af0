//! What is told beside the verdict.

use super::*;

fn compared(machine: &Machine, rule: &str) -> String {
    let decision = machine.run();
    let tried = decision.trace.iter().find(|tried| tried.rule == rule);
    tried.unwrap().compared.clone()
}

#[test]
fn absent_and_not_known_are_told_apart() {
    for (fact, words) in [
        (Fact::absent([]), "absent"),
        (Fact::unreadable("x", []), "not known"),
    ] {
        let mut machine = Machine::healthy(3389);
        machine.rdp().port = fact.clone();
        assert!(compared(&machine, "invalid-port").contains(&format!("PortNumber = {words},")));
        let mut machine = Machine::healthy(3389);
        machine.rdp().lan_adapter = fact;
        let told = compared(&machine, "one-adapter");
        let expected = "expected 0 or absent";
        let told = told.strip_suffix(expected).unwrap();
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn a_connection_after_the_last_change_is_told() {
    for (at, after) in [
        ("2025-12-31T23:59:59Z", false),
        ("2026-01-01T00:00:00Z", true),
        ("2026-02-01T00:00:00Z", true),
    ] {
        let mut machine = Machine::healthy(3389);
        machine.no_tables();
        machine.0.remote_desktop.logged.events.push(RdpEvent {
            kind: Kind::Accepted,
            event_id: 131,
            record_id: 7,
            time: at.parse().unwrap(),
            subject: None,
            evidence: place(),
        });
        let decision = expect(&machine, Verdict::Unknown, &[]);
        let told = decision.headline.contains("after its last change");
        assert_eq!(told, after, "{at}");
    }
}

#[test]
fn each_outcome_of_a_probe_has_its_word() {
    for (outcome, word) in [
        (ProbeOutcome::Answered { values: vec![] }, "answered"),
        (ProbeOutcome::Refused { code: None }, "refused"),
        (ProbeOutcome::Timeout, "timed out"),
        (ProbeOutcome::Unreachable { code: None }, "unreachable"),
    ] {
        let mut machine = Machine::healthy(3389);
        machine.probe("127.0.0.1", 3389, outcome);
        let told = compared(&machine, "unanswered");
        assert!(told.contains(&format!("127.0.0.1 {word};")), "{told}");
    }
}

#[test]
fn a_process_is_named_with_its_services() {
    let mut machine = Machine::healthy(3389);
    machine.listens(vec![socket("0.0.0.0", 3389, 4242)]);
    let owner = Owner {
        pid: 4242,
        image: "svchost.exe".to_owned(),
        created_at: None,
        services: vec!["iphlpsvc".to_owned()],
        evidence: place(),
    };
    machine.0.sockets.owners = Fact::known(vec![owner], []);
    let decision = expect(&machine, Verdict::Critical, &["taken"]);
    assert!(
        decision
            .headline
            .ends_with("svchost.exe (process 4242 with iphlpsvc)")
    );
}

#[test]
fn a_listener_that_is_switched_off_explains_the_silence() {
    let told = |enabled: u64| {
        let mut machine = Machine::healthy(3389);
        machine.rdp().enabled = number(enabled);
        machine.listens(Vec::new());
        let decision = expect(&machine, Verdict::Critical, &["not-listening"]);
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("switched off"))
    };
    assert!(told(0) && !told(1));
}

#[test]
fn a_value_of_the_right_type_is_not_removed_first() {
    let decision = expect(&Machine::healthy(4000), Verdict::Warning, &["unusual-port"]);
    assert!(!remedies(&decision).contains("Remove-ItemProperty"));
}
