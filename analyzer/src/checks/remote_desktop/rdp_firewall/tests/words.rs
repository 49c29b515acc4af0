//! Which ports are judged, and what is told beside the verdict.

use super::*;
use crate::facts::fact::State;
use crate::facts::sources::registry::Text;

fn station(name: &str, protocol: &str, port: Fact<Number>) -> Listener {
    Listener {
        port,
        enabled: number(1),
        protocol: known(Text {
            text: protocol.to_owned(),
            kind: "REG_SZ".to_owned(),
        }),
        ..Listener::unknown(name)
    }
}

fn says(decision: &Decision, words: &str) -> bool {
    decision.notes.iter().any(|note| note.contains(words))
}

#[test]
fn every_listener_that_is_on_and_speaks_rdp_has_its_port() {
    const MOVED: &str = "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=13389|";
    let judged = |second: Listener, verdict: Verdict, words: &str| {
        let change = |s: &mut Snapshot| {
            local(s, &[MOVED]);
            let first = station(RDP_TCP, "RDP", number(13389));
            s.remote_desktop.listeners = known(vec![first, second.clone()]);
        };
        decided(healthy(), change, verdict, words);
    };
    let rdp = |port: Fact<Number>| station("Second", "Microsoft RDP 8.0", port);
    judged(rdp(number(4000)), Verdict::Critical, "on port 4000");
    judged(rdp(number(13389)), Verdict::Ok, "on port 13389 in");
    // Without a port of its own it need not be a listener of TCP.
    judged(rdp(Fact::absent([])), Verdict::Ok, "on port 13389 in");
    let other = station("ICA-Tcp", "CGP", number(1494));
    judged(other, Verdict::Ok, "on port 13389 in");
    let off = Listener {
        enabled: number(0),
        ..rdp(number(4000))
    };
    judged(off, Verdict::Ok, "on port 13389 in");
    // Everybody tries the default where no listener is on.
    let none = |s: &mut Snapshot| {
        let only = Listener {
            enabled: number(0),
            ..station(RDP_TCP, "RDP", number(13389))
        };
        s.remote_desktop.listeners = known(vec![only]);
    };
    decided(healthy(), none, Verdict::Ok, "on port 3389 in");
}

#[test]
fn the_gate_and_its_rule_are_told() {
    let decision = decided(healthy(), |_| {}, Verdict::Ok, "");
    assert_no_rule_open(&decision);
    let compared = &decision.trace.last().unwrap().compared;
    assert_eq!(compared, "port 3389: Public: on, allowed by rule rule-0");
    let shown = |words: &str, texts: &[&str]| {
        let decision = decided(healthy(), |s| local(s, texts), Verdict::Ok, "");
        let says = decision.evidence.iter().map(|shown| shown.says.as_str());
        let says: Vec<&str> = says.collect();
        assert!(says.contains(&words), "{says:?}");
    };
    shown(
        "rule of the machine rule-0, port 3389, profile any, from anywhere",
        &[BUILT_IN],
    );
    shown(
        "rule of the machine rule-0, port 3000-4000, profile any, from anywhere",
        &["v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort2_10=3000-4000|"],
    );
}

#[test]
fn what_is_certain_has_high_confidence() {
    let every = decided(from_disk(), with(&[]), Verdict::Critical, "");
    assert_eq!(every.confidence, Confidence::High);
    let private: &'static [&'static str] =
        &["v2.30|Action=Allow|Active=TRUE|Dir=In|Profile=Private|"];
    let one = decided(from_disk(), with(private), Verdict::Warning, "");
    assert_eq!(one.confidence, Confidence::Medium);
    let live = |s: &mut Snapshot| {
        local(s, private);
        s.firewall.active = known(vec![Profile::Private, Profile::Public]);
    };
    let live = decided(healthy(), live, Verdict::Warning, "");
    assert_eq!(live.confidence, Confidence::High);
}

#[test]
fn a_profile_that_is_not_known_is_said_so() {
    let disk = decided(from_disk(), |_| {}, Verdict::Ok, "");
    assert!(says(&disk, "which profile is in force is not known"));
    assert!(
        disk.missing
            .iter()
            .any(|one| one.contains("profile in force"))
    );
    let live = decided(healthy(), |_| {}, Verdict::Ok, "");
    assert!(!says(&live, "which profile is in force is not known"));
}

#[test]
fn no_rule_counts_where_policy_ignores_those_of_the_machine() {
    let told = |merges: bool| {
        let change = |s: &mut Snapshot| {
            local(s, &[]);
            for profile in &mut s.firewall.profiles {
                profile.merges_local_rules = known(merges);
            }
        };
        let decision = decided(healthy(), change, Verdict::Critical, "no firewall rule");
        let ignores = |reason: &String| reason.contains("ignores the machine's own rules");
        decision.reasons.iter().any(ignores)
    };
    assert!(told(false));
    assert!(!told(true));
}

#[test]
fn what_the_rules_do_not_show_is_noted() {
    let quiet = decided(healthy(), |_| {}, Verdict::Ok, "");
    assert_eq!(quiet.notes.len(), 1, "UDP alone: {:?}", quiet.notes);
    let unreadable = |s: &mut Snapshot| {
        let State::Known(set) = &mut s.firewall.local_rules.state else {
            panic!("no rules");
        };
        set.unreadable = 2;
        set.unreadable_ids = vec!["odd-1".to_owned(), "odd-2".to_owned()];
    };
    let decision = decided(healthy(), unreadable, Verdict::Ok, "");
    assert!(says(
        &decision,
        "2 firewall rules could not be read: odd-1; odd-2"
    ));
    let secured = |count: usize| {
        let change = move |s: &mut Snapshot| {
            for rules in &mut s.firewall.connection_security {
                *rules = known(count);
            }
        };
        says(&decided(healthy(), change, Verdict::Ok, ""), "IPsec")
    };
    assert!(secured(3) && !secured(0));
    let differs = |configured: u64, running: bool| {
        let change = move |s: &mut Snapshot| {
            for profile in &mut s.firewall.profiles {
                profile.local.enable = number(configured);
                profile.enabled = known(running);
            }
        };
        let mut snapshot = healthy();
        change(&mut snapshot);
        let decision = CHECK.run(&Context {
            snapshot: &snapshot,
            thresholds: &Thresholds::default(),
        });
        says(&decision, "its configuration says otherwise")
    };
    assert!(differs(0, true) && differs(1, false));
    assert!(!differs(0, false) && !differs(1, true));
}

#[test]
fn netsh_and_reg_name_what_the_snapshot_held() {
    for (profile, name) in [
        (Profile::Domain, "domainprofile"),
        (Profile::Private, "privateprofile"),
        (Profile::Public, "publicprofile"),
    ] {
        let shields = |s: &mut Snapshot| {
            s.firewall.active = known(vec![profile]);
            s.machine.build = known(7601);
            for profile in &mut s.firewall.profiles {
                profile.blocks_everything = known(true);
            }
        };
        let decision = decided(healthy(), shields, Verdict::Critical, "");
        assert!(
            commands(&decision).contains(name),
            "{}",
            commands(&decision)
        );
    }
    // The old start type is not known: nothing is deleted.
    let unread = |s: &mut Snapshot| {
        let service = s.services.service_mut("BFE").unwrap();
        service.start = Fact::unreadable("REG_SZ", []);
        service.runtime.state = known(STOPPED);
    };
    let decision = decided(healthy(), unread, Verdict::Warning, "BFE");
    assert!(!commands(&decision).contains("reg delete"));
    // A rule of group policy is not widened on the machine.
    let policy = |s: &mut Snapshot| {
        local(s, &[]);
        let rule = "v2.20|Action=Allow|Active=TRUE|Dir=In|RA4=LocalSubnet|";
        s.firewall.policy_rules = rules(RuleLayer::Policy, &[rule]);
    };
    let decision = decided(healthy(), policy, Verdict::Warning, "private networks");
    assert!(!commands(&decision).contains("Set-NetFirewallRule"));
}
