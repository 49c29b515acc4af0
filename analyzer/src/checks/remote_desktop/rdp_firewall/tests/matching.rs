//! Which rules are for a connection to Remote Desktop.

use super::*;

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

#[test]
fn a_platform_is_that_of_the_build() {
    for (build, platform, verdict) in [
        (20348, "2:10:0", Verdict::Ok),
        (10240, "2:10:0", Verdict::Ok),
        (9600, "2:10:0", Verdict::Critical),
        (9600, "2:6:3", Verdict::Ok),
        (9200, "2:6:3", Verdict::Critical),
        (9200, "2:6:2", Verdict::Ok),
        (7601, "2:6:2", Verdict::Critical),
        (7600, "2:6:1", Verdict::Ok),
        (6002, "2:6:1", Verdict::Critical),
        (6002, "2:6:0", Verdict::Ok),
        (9200, "2:6:1|Platform2=GTEQ", Verdict::Ok),
        (9200, "2:6:2|Platform2=GTEQ", Verdict::Ok),
        (9200, "2:6:3|Platform2=GTEQ", Verdict::Critical),
    ] {
        let rule = format!("v2.30|Action=Allow|Active=TRUE|Dir=In|Platform={platform}|");
        let on = |s: &mut Snapshot| {
            local(s, &[&rule]);
            s.machine.build = known(build);
        };
        decided(healthy(), on, verdict, "");
    }
}

#[test]
fn udp_has_a_rule_of_its_own() {
    let slower = |action: &str| {
        let udp = format!("v2.30|Action={action}|Active=TRUE|Dir=In|Protocol=17|LPort=3389|");
        let change = |s: &mut Snapshot| local(s, &[BUILT_IN, &udp]);
        let decision = decided(healthy(), change, Verdict::Ok, "");
        decision.notes.iter().any(|note| note.contains("UDP"))
    };
    assert!(!slower("Allow"));
    assert!(slower("Block"));
}

#[test]
fn a_layer_that_was_not_seen_may_hold_the_rule() {
    let unseen = |s: &mut Snapshot| {
        local(s, &[]);
        s.firewall.policy_rules = Fact::not_collected("x");
    };
    decided(healthy(), unseen, Verdict::Unknown, "a layer of rules");
    // One profile in force is closed for certain, whatever the other turns out to be.
    let one_is_closed = |s: &mut Snapshot| {
        s.firewall.active = known(vec![Profile::Private, Profile::Public]);
        for profile in &mut s.firewall.profiles {
            match profile.profile {
                Profile::Private => profile.blocks_everything = known(true),
                Profile::Public => profile.enabled = Fact::unreadable("REG_SZ", []),
                Profile::Domain => {}
            }
        }
    };
    let headline = "blocks every connection in the Private profile";
    decided(healthy(), one_is_closed, Verdict::Warning, headline);
}
