mod matching;
mod words;

use super::*;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::firewall::{Rule, RuleSet};
use crate::facts::services::{RUNNING, STOPPED};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;
use crate::formats::firewall_rule::FirewallRule;

const BUILT_IN: &str = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|EmbedCtxt=@FirewallAPI.dll,-28752|";

fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, [])
}

fn number(value: u64) -> Fact<Number> {
    known(Number {
        value: Some(value),
        wrong_type: None,
    })
}

fn rules(layer: RuleLayer, texts: &[&str]) -> Fact<RuleSet> {
    let kept = texts.iter().enumerate().map(|(index, text)| Rule {
        id: format!("rule-{index}"),
        layer,
        rule: FirewallRule::parse(text).unwrap(),
        evidence: Evidence::new(
            "registry/SYSTEM",
            "reg:SYSTEM\\x::y".parse().unwrap(),
            *text,
        ),
    });
    known(RuleSet {
        total: texts.len(),
        kept: kept.collect(),
        ..RuleSet::default()
    })
}

fn local(snapshot: &mut Snapshot, texts: &[&str]) {
    snapshot.firewall.local_rules = rules(RuleLayer::Local, texts);
}

fn listener(snapshot: &mut Snapshot, port: Fact<Number>) {
    let none = || Fact::absent([]);
    snapshot.remote_desktop.listeners = known(vec![Listener {
        key: Fact::absent([]),
        port,
        enabled: number(1),
        logon_disabled: none(),
        lan_adapter: none(),
        ..Listener::unknown(RDP_TCP)
    }]);
}

/// A machine in the public profile whose built-in rule is active.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.machine.build = known(20348);
    listener(&mut snapshot, Fact::absent([]));
    for name in ["MpsSvc", "BFE"] {
        let service = snapshot.services.service_mut(name).unwrap();
        service.start = number(2);
        service.runtime.state = known(RUNNING);
    }
    let firewall = &mut snapshot.firewall;
    for profile in &mut firewall.profiles {
        profile.local.enable = number(1);
        profile.policy.enable = Fact::absent([]);
        profile.policy.merge = Fact::absent([]);
        profile.policy.no_exceptions = Fact::absent([]);
        profile.enabled = known(true);
        profile.allows_by_default = known(false);
        profile.blocks_everything = known(false);
        profile.merges_local_rules = known(true);
    }
    firewall.active = known(vec![Profile::Public]);
    firewall.mdm_rules = Fact::absent([]);
    firewall.policy_rules = Fact::absent([]);
    firewall.legacy_rules = Fact::absent([]);
    local(&mut snapshot, &[BUILT_IN]);
    snapshot
}

/// The same where nothing tells which profile is in force.
fn from_disk() -> Snapshot {
    let mut snapshot = healthy();
    snapshot.firewall.active = Fact::not_collected("x");
    for name in ["MpsSvc", "BFE"] {
        let service = snapshot.services.service_mut(name).unwrap();
        service.runtime.state = Fact::not_collected("x");
    }
    snapshot
}

fn decided(
    mut snapshot: Snapshot,
    change: impl Fn(&mut Snapshot),
    verdict: Verdict,
    words: &str,
) -> Decision {
    change(&mut snapshot);
    let decision = CHECK.run(&Context {
        snapshot: &snapshot,
        thresholds: &Thresholds::default(),
    });
    assert_eq!(
        decision.verdict, verdict,
        "{} {:?}",
        decision.headline, decision.trace
    );
    assert!(decision.headline.contains(words), "{}", decision.headline);
    if verdict > Verdict::Unknown {
        assert!(
            !decision.remedies.is_empty(),
            "a remedy for: {}",
            decision.headline
        );
        for remedy in &decision.remedies {
            assert!(
                !remedy.undo.is_empty() && !remedy.verify.is_empty(),
                "{}",
                remedy.title
            );
        }
        let commands = commands(&decision);
        assert!(
            !commands.contains("-Enabled False -All")
                && !commands.contains("allprofiles state off")
        );
    }
    decision
}

fn commands(decision: &Decision) -> String {
    let remedies = decision.remedies.iter();
    let steps = remedies.flat_map(|remedy| remedy.steps.iter().chain(&remedy.undo));
    let commands = steps.filter_map(|step| Some(step.command.as_ref()?.text.clone()));
    commands.collect::<Vec<_>>().join("\n")
}

fn with(texts: &'static [&'static str]) -> impl Fn(&mut Snapshot) {
    move |snapshot| local(snapshot, texts)
}

#[test]
fn the_built_in_rule_lets_it_in() {
    let decision = decided(
        healthy(),
        |_| {},
        Verdict::Ok,
        "port 3389 in the Public profile",
    );
    assert_eq!(decision.confidence, Confidence::High);
    assert!(decision.notes.iter().any(|note| note.contains("UDP")));
    decided(from_disk(), |_| {}, Verdict::Ok, "in all three profiles");
}

#[test]
fn nothing_collected_is_unknown() {
    decided(
        Snapshot::gather(&Sources::none()),
        |_| {},
        Verdict::Unknown,
        "",
    );
}

#[test]
fn the_built_in_rule_does_not_follow_a_changed_port() {
    let moved = |s: &mut Snapshot| listener(s, number(13389));
    let decision = decided(healthy(), moved, Verdict::Critical, "on port 13389");
    assert!(commands(&decision).contains("localport=13389"));
    assert!(commands(&decision).contains("delete rule name=\"Remote Desktop on TCP 13389\""));
}

#[test]
fn an_inactive_rule_is_none_and_its_undo_keeps_it_so() {
    let inactive: &[&str] = &[
        r"v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=3389|App=%SystemRoot%\system32\svchost.exe|Svc=termservice|EmbedCtxt=@FirewallAPI.dll,-28752|",
    ];
    let decision = decided(
        healthy(),
        with(inactive),
        Verdict::Critical,
        "no firewall rule",
    );
    let commands = commands(&decision);
    assert!(
        commands.contains("-Group '@FirewallAPI.dll,-28752' | Set-NetFirewallRule -Enabled True")
    );
    assert!(
        commands.contains("-Name 'rule-0' -Enabled False -Profile Domain,Private"),
        "{commands}"
    );
}

#[test]
fn a_rule_for_other_profiles_does_not_count_in_public() {
    let rule: &[&str] = &[
        "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=3389|App=System|EmbedCtxt=@FirewallAPI.dll,-28752|",
    ];
    let seven = |s: &mut Snapshot| {
        local(s, rule);
        s.machine.build = known(7601);
    };
    let decision = decided(
        healthy(),
        seven,
        Verdict::Critical,
        "Public profile, which is in force",
    );
    assert!(commands(&decision).contains("netsh advfirewall firewall set rule group="));
    assert!(
        !commands(&decision).contains("NetFirewallRule"),
        "no cmdlets on Windows 7"
    );
    let private = |s: &mut Snapshot| {
        seven(s);
        s.firewall.active = known(vec![Profile::Private]);
    };
    decided(healthy(), private, Verdict::Ok, "Private");
    let both = |s: &mut Snapshot| {
        seven(s);
        s.firewall.active = known(vec![Profile::Private, Profile::Public]);
    };
    decided(healthy(), both, Verdict::Warning, "Public");
}

#[test]
fn an_unknown_profile_is_judged_by_all_three() {
    let private: &'static [&'static str] =
        &["v2.30|Action=Allow|Active=TRUE|Dir=In|Profile=Private|"];
    decided(
        from_disk(),
        with(private),
        Verdict::Warning,
        "which one is in force is not known",
    );
    decided(
        from_disk(),
        with(&[]),
        Verdict::Critical,
        "in every profile",
    );
    let estimated = |profile: Profile| {
        move |s: &mut Snapshot| {
            local(s, private);
            s.firewall.last_connected = known(profile);
            s.firewall.last_network = known(Profile::Domain);
        }
    };
    let closed = decided(
        from_disk(),
        estimated(Profile::Public),
        Verdict::Critical,
        "connected last was Public",
    );
    assert_eq!(closed.confidence, Confidence::Medium);
    decided(
        from_disk(),
        estimated(Profile::Private),
        Verdict::Warning,
        "",
    );
}

#[test]
fn policy_may_ignore_local_rules() {
    let ignored = |s: &mut Snapshot| {
        for profile in &mut s.firewall.profiles {
            profile.merges_local_rules = known(false);
        }
    };
    let decision = decided(healthy(), ignored, Verdict::Critical, "no firewall rule");
    assert!(
        !commands(&decision).contains("NetFirewallRule"),
        "a local rule would not count"
    );
    let by_policy = |s: &mut Snapshot| {
        ignored(s);
        s.firewall.policy_rules = rules(
            RuleLayer::Policy,
            &["v2.20|Action=Allow|Active=TRUE|Dir=In|"],
        );
    };
    decided(healthy(), by_policy, Verdict::Ok, "");
    let blocked = |s: &mut Snapshot| {
        s.firewall.policy_rules = rules(
            RuleLayer::Policy,
            &["v2.20|Action=Block|Active=TRUE|Dir=In|"],
        );
    };
    let decision = decided(healthy(), blocked, Verdict::Critical, "blocks");
    assert!(commands(&decision).contains("gpupdate"));
    let legacy = |s: &mut Snapshot| {
        local(s, &[]);
        s.firewall.legacy_rules = rules(
            RuleLayer::LegacyPolicy,
            &["v2.0|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|"],
        );
    };
    decided(healthy(), legacy, Verdict::Ok, "");
}

#[test]
fn settings_of_the_profile_decide_first() {
    let shields = |s: &mut Snapshot| {
        for profile in &mut s.firewall.profiles {
            profile.blocks_everything = known(true);
        }
    };
    let decision = decided(
        healthy(),
        shields,
        Verdict::Critical,
        "blocks every connection",
    );
    assert!(commands(&decision).contains("-AllowInboundRules True"));
    let off = |s: &mut Snapshot| {
        for profile in &mut s.firewall.profiles {
            profile.enabled = known(false);
        }
        local(s, &[]);
    };
    let decision = decided(healthy(), off, Verdict::Warning, "the firewall is off");
    assert!(commands(&decision).contains("-Enabled True"));
    let open = |s: &mut Snapshot| {
        for profile in &mut s.firewall.profiles {
            profile.allows_by_default = known(true);
        }
        local(s, &[]);
    };
    decided(healthy(), open, Verdict::Ok, "");
}

#[test]
fn a_stopped_service_leaves_it_undefined() {
    for name in ["MpsSvc", "BFE"] {
        let stopped = |s: &mut Snapshot| {
            local(s, &[]);
            s.services.service_mut(name).unwrap().runtime.state = known(STOPPED);
        };
        let decision = decided(healthy(), stopped, Verdict::Warning, name);
        assert!(commands(&decision).contains(r"/v Start /t REG_DWORD /d 2 /f"));
        let disabled = |s: &mut Snapshot| {
            s.services.service_mut(name).unwrap().start = number(4);
        };
        let decision = decided(from_disk(), disabled, Verdict::Warning, name);
        assert!(
            commands(&decision).contains(r"/v Start /t REG_DWORD /d 4 /f"),
            "undo"
        );
        decided(healthy(), disabled, Verdict::Ok, "");
    }
}

#[test]
fn what_cannot_be_read_is_never_ok() {
    type Change = fn(&mut Snapshot);
    let changes: [Change; 9] = [
        |s| s.firewall.local_rules = Fact::unreadable("damage", []),
        |s| s.firewall.local_rules = Fact::absent([]),
        |s| s.firewall.policy_rules = Fact::not_collected("x"),
        |s| s.firewall.legacy_rules = Fact::not_collected("x"),
        |s| s.firewall.profiles[2].enabled = Fact::unreadable("REG_SZ", []),
        |s| s.firewall.profiles[2].policy.enable = Fact::not_collected("x"),
        |s| s.firewall.profiles[2].merges_local_rules = Fact::not_collected("x"),
        |s| listener(s, Fact::unreadable("damage", [])),
        |s| s.services.service_mut("MpsSvc").unwrap().start = Fact::not_collected("x"),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut snapshot = healthy();
        change(&mut snapshot);
        let decision = CHECK.run(&Context {
            snapshot: &snapshot,
            thresholds: &Thresholds::default(),
        });
        assert_ne!(decision.verdict, Verdict::Ok, "change {index}");
    }
    let left_out = |s: &mut Snapshot| {
        local(s, &[BUILT_IN]);
        if let crate::facts::fact::State::Known(set) = &mut s.firewall.local_rules.state {
            set.left_out = 3;
        }
    };
    decided(healthy(), left_out, Verdict::Unknown, "port 3389");
}

#[test]
fn an_edition_that_accepts_no_connections_is_left_alone() {
    let home = |s: &mut Snapshot| s.remote_desktop.edition_may_host = known(false);
    decided(healthy(), home, Verdict::NotApplicable, "edition");
}

#[test]
fn a_service_without_a_key_is_restored_never_started() {
    for name in ["MpsSvc", "BFE"] {
        let gone = |s: &mut Snapshot| {
            let service = s.services.service_mut(name).unwrap();
            service.key = Fact::absent([]);
            service.start = Fact::absent([]);
        };
        let decision = decided(from_disk(), gone, Verdict::Warning, "does not exist");
        assert!(!commands(&decision).contains("reg add"));
    }
    let no_start = |s: &mut Snapshot| {
        s.services.service_mut("BFE").unwrap().start = Fact::absent([]);
    };
    let decision = decided(from_disk(), no_start, Verdict::Warning, "BFE does not run");
    let commands = commands(&decision);
    assert!(commands.contains("reg delete"), "{commands}");
}

#[test]
fn windows_xp_is_not_judged() {
    let by_build = |s: &mut Snapshot| s.machine.build = known(2600);
    let by_services = |s: &mut Snapshot| {
        s.machine.build = Fact::not_collected("no SOFTWARE hive");
        for name in ["MpsSvc", "BFE"] {
            let service = s.services.service_mut(name).unwrap();
            service.key = Fact::absent([]);
            service.start = Fact::absent([]);
        }
    };
    let words = "older than 7 / Server 2008 R2 is not supported";
    for change in [&by_build as &dyn Fn(&mut Snapshot), &by_services] {
        let decision = decided(from_disk(), change, Verdict::Unknown, words);
        assert!(decision.remedies.is_empty());
    }
    let vista = |s: &mut Snapshot| s.machine.build = known(6000);
    decided(healthy(), vista, Verdict::Ok, "");
}
