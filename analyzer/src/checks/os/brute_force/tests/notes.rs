//! What stands beside the verdict, and how the door is shut.

use super::*;

#[test]
fn remedies_put_back_what_the_snapshot_held() {
    let decision = decided(|logons| {
        total(501)(logons);
        logons.entry.nla = Fact::known(false, []);
        logons.entry.scope = Fact::known(
            RuleScope {
                remote: vec![
                    "198.51.100.0/255.255.255.0".to_owned(),
                    "x'; evil".to_owned(),
                ],
            },
            [],
        );
        logons.lockout_policy = Fact::known(
            LockoutPolicy {
                threshold: 0,
                duration_minutes: Some(30),
                window_minutes: Some(20),
            },
            [],
        );
    });
    let undo: Vec<String> = decision
        .remedies
        .iter()
        .flat_map(|remedy| &remedy.undo)
        .filter_map(|step| step.command.as_ref().map(|command| command.text.clone()))
        .collect();
    assert_eq!(decision.remedies.len(), 4);
    assert!(
        undo[0].ends_with("-RemoteAddress '198.51.100.0/255.255.255.0','x''; evil'"),
        "{undo:?}"
    );
    assert!(undo[1].contains("UserAuthentication -Value 0"), "{undo:?}");
    assert_eq!(
        undo[2],
        "net accounts /lockoutthreshold:0 /lockoutduration:30 /lockoutwindow:20"
    );
    for remedy in &decision.remedies {
        assert!(!remedy.caution.is_empty() && !remedy.undo.is_empty() && !remedy.verify.is_empty());
    }
    assert!(all_text(&decision).contains("never locked out"));
}

#[test]
fn an_absent_nla_value_is_removed_again_and_an_unknown_scope_is_read_first() {
    let decision = decided(|logons| {
        total(501)(logons);
        logons.entry.nla = Fact::absent([]);
        logons.entry.scope = Fact::not_collected("x");
        logons.entry.port = Fact::known(3390, []);
    });
    let text = all_text(&decision);
    assert!(text.contains("Remove-ItemProperty"));
    assert!(text.contains("does not hold the old scope"));
    assert!(text.contains("TCP and UDP 3390"));
    assert!(text.contains("a name of its own"));
}

#[test]
fn the_finding_says_who_attacks_whom() {
    let user = |name: &str, attempts| UserCount {
        user: name.to_owned(),
        attempts,
    };
    let told = |attempts, distinct, top: Vec<UserCount>| {
        all_text(&decided(move |logons| {
            total(600)(logons);
            logons.sources = Fact::known(sources(vec![source("203.0.113.7", 600)]), []);
            logons.users = Fact::known(
                UserTable {
                    distinct,
                    complete: true,
                    attempts,
                    top,
                },
                [],
            );
        }))
    };
    let spray = told(600, 300, vec![user("admin", 2)]);
    assert!(spray.contains("a spray") && spray.contains("203.0.113.7: 600 attempts"));
    assert!(spray.contains("600 failed logons in 24 h, each counted once"));
    assert!(told(600, 2, vec![user("admin", 599)]).contains("a dictionary of passwords"));
    assert!(told(600, 60, vec![user("admin", 10)]).contains("a dictionary of passwords"));
    assert!(told(90, 10, vec![user("admin", 9)]).contains("a spray"));
    assert!(told(18, 9, vec![user("admin", 2)]).contains("few attempts on few names"));
}

#[test]
fn signs_are_notes_only() {
    let decision = decided(|logons| {
        logons.signs.term_dd = 5000;
        logons.signs.schannel = 5000;
        logons.signs.incoming = 5000;
        logons.signs.lockouts = 3;
        logons.signs.clock_jumps = 1;
        logons.half_open = Fact::known(
            HalfOpen {
                port: 3389,
                connections: 80,
                peers: 40,
            },
            [],
        );
    });
    // A load balancer's probes cause 131, 261 and TermDD 56 without a failed logon.
    assert_eq!(
        (decision.verdict, decision.confidence),
        (Verdict::Ok, Confidence::Medium)
    );
    let text = all_text(&decision);
    for word in [
        "TermDD",
        "Schannel",
        "4740",
        "80 half-open connections from 40",
    ] {
        assert!(
            text.replace(" (SYN_RECEIVED)", "").contains(word),
            "{word}: {text}"
        );
    }
}

fn notes_of(change: impl FnOnce(&mut Logons)) -> Decision {
    let decision = decided(change);
    assert_eq!(decision.verdict, Verdict::Ok);
    decision
}

#[test]
fn what_the_count_leaves_out_is_noted() {
    let short = |total, minutes| {
        let decision = notes_of(move |logons| {
            failures(logons, |failures| {
                failures.total = total;
                failures.covered_minutes = minutes;
            });
        });
        all_text(&decision).contains("covers only 23 h 59 min of the 24 hours")
    };
    assert!(short(1, 1439));
    assert!(!short(0, 1439));
    let whole = notes_of(total(1));
    assert!(whole.notes.is_empty(), "{:?}", whole.notes);
    let excluded = notes_of(|logons| failures(logons, |failures| failures.excluded = 3));
    assert!(all_text(&excluded).contains("3 events 4625 are not counted"));
    let earlier = |count| {
        let decision = notes_of(move |logons| {
            failures(logons, |failures| {
                failures.total = 10;
                failures.earlier = Some((time(hours(200)), count));
            });
        });
        all_text(&decision).contains("It was worse before")
    };
    assert!(earlier(11) && !earlier(10));
}

#[test]
fn gaps_and_wrong_clocks_lower_the_confidence() {
    let later = notes_of(|logons| failures(logons, |failures| failures.later = 2));
    assert_eq!(later.confidence, Confidence::Medium);
    let dropped = notes_of(|logons| logons.signs.dropped = 2);
    assert_eq!(dropped.confidence, Confidence::Medium);
    assert!(all_text(&dropped).contains("dropped 2 times"));
}

#[test]
fn a_log_service_that_stops_without_windows_leaves_a_gap() {
    let gap = |stopped, started| {
        let decision = notes_of(move |logons| {
            logons.signs.log_stopped = stopped;
            logons.signs.started = started;
        });
        all_text(&decision).contains("there is a gap")
    };
    assert!(gap(2, 1));
    assert!(!gap(1, 1) && !gap(1, 2));
}

#[test]
fn no_half_open_connection_is_no_news() {
    let none = HalfOpen {
        port: 3389,
        connections: 0,
        peers: 0,
    };
    let decision = notes_of(|logons| logons.half_open = Fact::known(none, []));
    assert!(decision.notes.is_empty(), "{:?}", decision.notes);
}

#[test]
fn a_remedy_stands_only_where_its_setting_is_known_to_lack() {
    let decision = decided(|logons| {
        total(501)(logons);
        logons.entry.nla = Fact::not_collected("x");
    });
    let text = all_text(&decision);
    assert!(!text.contains("UserAuthentication"));
    // The scope of the snapshot was any address.
    assert!(text.contains("-RemoteAddress Any"));
    assert!(!text.contains("does not hold the old scope"));
}
