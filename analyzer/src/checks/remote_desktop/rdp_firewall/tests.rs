use super::*;
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
fn application_and_service_must_both_fit() {
    let opens = |rule: &'static str, verdict: Verdict| {
        let change = move |s: &mut Snapshot| local(s, &[rule]);
        decided(healthy(), change, verdict, "");
    };
    opens("v2.30|Action=Allow|Active=TRUE|Dir=In|", Verdict::Ok);
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|App=C:\\Windows\\system32\\svchost.exe|Svc=*|",
        Verdict::Ok,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Svc=TermService|",
        Verdict::Ok,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|App=C:\\Windows\\system32\\svchost.exe|Svc=dnscache|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|App=C:\\tool.exe|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|LPort=3389|Protocol=6|App=System|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=3389|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|RPort=80|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|LUOwn=S-1-5-21|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Profile=Nowhere|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Platform=2:6:1|",
        Verdict::Critical,
    );
    opens(
        "v2.30|Action=Allow|Active=TRUE|Dir=In|Platform=2:6:1|Platform2=GTEQ|",
        Verdict::Ok,
    );
}

#[test]
fn a_key_that_narrows_a_rule_down_lowers_the_confidence() {
    for key in [
        "Security=Authenticate",
        "RMauth=O:LSD:",
        "IF={1}",
        "LA4=10.0.0.5",
        "Zebra=1",
    ] {
        let rule = format!("v2.30|Action=Allow|Active=TRUE|Dir=In|{key}|");
        let decision = decided(healthy(), |s| local(s, &[&rule]), Verdict::Ok, "");
        assert_eq!(decision.confidence, Confidence::Medium, "{key}");
    }
}

#[test]
fn a_block_beats_an_allow() {
    let block: &'static [&'static str] = &[
        BUILT_IN,
        "v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort=3389|",
    ];
    let decision = decided(
        healthy(),
        with(block),
        Verdict::Critical,
        "blocks Remote Desktop",
    );
    assert!(commands(&decision).contains("-Name 'rule-1' -Enabled False"));
    let everything: &'static [&'static str] = &[
        BUILT_IN,
        "v2.30|Action=Block|Active=TRUE|Dir=In|RA4=0.0.0.0/0|",
    ];
    decided(healthy(), with(everything), Verdict::Critical, "blocks");
    let some: &'static [&'static str] = &[
        BUILT_IN,
        "v2.30|Action=Block|Active=TRUE|Dir=In|RA4=203.0.113.7|",
    ];
    let decision = decided(healthy(), with(some), Verdict::Ok, "");
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("blocked from 203.0.113.7"))
    );
    let inactive: &'static [&'static str] = &[BUILT_IN, "v2.30|Action=Block|Active=FALSE|Dir=In|"];
    decided(healthy(), with(inactive), Verdict::Ok, "");
    let doubtful: &'static [&'static str] = &[
        BUILT_IN,
        "v2.30|Action=Block|Active=TRUE|Dir=In|IFType=Wireless|",
    ];
    decided(healthy(), with(doubtful), Verdict::Warning, "may block");
}

#[test]
fn addresses_limit_a_rule() {
    let from: &'static [&'static str] =
        &["v2.30|Action=Allow|Active=TRUE|Dir=In|RA4=203.0.113.0/24|"];
    let decision = decided(healthy(), with(from), Verdict::Ok, "");
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("only from 203.0.113.0/24"))
    );
    let private: &'static [&'static str] =
        &["v2.30|Action=Allow|Active=TRUE|Dir=In|RA4=LocalSubnet|RA4=10.0.0.0/8|"];
    let decision = decided(
        healthy(),
        with(private),
        Verdict::Warning,
        "private networks alone",
    );
    assert!(
        commands(&decision).contains("-RemoteAddress 'LocalSubnet','10.0.0.0/8'"),
        "undo"
    );
    let both: &'static [&'static str] = &[
        "v2.30|Action=Allow|Active=TRUE|Dir=In|RA4=LocalSubnet|",
        BUILT_IN,
    ];
    decided(healthy(), with(both), Verdict::Ok, "");
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
fn the_kernels_rule_counts_up_to_windows_7() {
    let rule: &'static [&'static str] =
        &["v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=System|"];
    let on = |build: u32| {
        move |s: &mut Snapshot| {
            local(s, rule);
            s.machine.build = known(build);
        }
    };
    decided(healthy(), on(7601), Verdict::Ok, "");
    decided(healthy(), on(9200), Verdict::Critical, "");
    let unknown = |s: &mut Snapshot| {
        local(s, rule);
        s.machine.build = Fact::not_collected("x");
    };
    decided(healthy(), unknown, Verdict::Unknown, "");
}

#[test]
fn a_built_in_rule_that_is_active_and_does_not_fit_says_why() {
    let program = r"v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|App=%SystemRoot%\system32\RdpSa.exe|EmbedCtxt=@FirewallAPI.dll,-28752|";
    let inactive = BUILT_IN.replace("Active=TRUE", "Active=FALSE");
    let udp = BUILT_IN.replace("Protocol=6", "Protocol=17");
    let other = BUILT_IN.replace("Svc=termservice", "Svc=other");
    let decision = decided(
        healthy(),
        |s| local(s, &[program, &udp, &other, &inactive]),
        Verdict::Critical,
        "no firewall rule",
    );
    let rules: Vec<&str> = decision
        .evidence
        .iter()
        .map(|evidence| evidence.says.as_str())
        .filter(|says| says.contains("built-in rule"))
        .collect();
    assert!(rules[0].contains("rule-3 is not active"), "{rules:?}");
    assert!(!rules[0].contains("not for this connection"));
    assert!(rules[1].ends_with(r"it is for the program %SystemRoot%\system32\RdpSa.exe alone"));
    assert!(rules[2].ends_with("it is for UDP"));
    assert!(rules[3].ends_with("it is for the service other alone"));
}
