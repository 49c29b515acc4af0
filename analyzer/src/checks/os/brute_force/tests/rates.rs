//! How often logons fail, and the one cause that is no attack.

use super::*;

#[test]
fn between_50_and_500_a_day_is_noted() {
    let noted = |count| {
        let decision = decided(total(count));
        assert_eq!(decision.verdict, Verdict::Ok);
        all_text(&decision).contains("less than an attack")
    };
    assert!(!noted(49));
    assert!(noted(50));
    assert!(noted(500));
    let decision = decided(total(501));
    expect(&decision, Verdict::Warning, "501 failed logons a day");
    let titles: Vec<&str> = decision.remedies.iter().map(|r| r.title.as_str()).collect();
    assert!(titles[0].contains("security group"), "{titles:?}");
    assert!(titles[1].contains("Firewall"), "{titles:?}");
    // NLA is on and a lockout policy is there.
    assert_eq!(titles.len(), 2);
}

#[test]
fn one_source_with_more_than_100_a_day_is_a_warning() {
    let with = |attempts| {
        decided(move |logons| {
            failures(logons, |failures| failures.total = attempts);
            logons.sources = Fact::known(sources(vec![source("203.0.113.7", attempts)]), []);
        })
    };
    assert_eq!(with(100).verdict, Verdict::Ok);
    expect(
        &with(101),
        Verdict::Warning,
        "101 failed logons a day from 203.0.113.7",
    );
}

#[test]
fn refused_remote_desktop_logons_count_by_themselves() {
    let with = |refused| {
        decided(move |logons| {
            failures(logons, |failures| {
                failures.total = refused;
                failures.refused = refused;
            });
        })
    };
    assert_eq!(with(100).verdict, Verdict::Ok);
    expect(
        &with(101),
        Verdict::Warning,
        "101 refused Remote Desktop logons",
    );
}

#[test]
fn a_burst_is_counted_for_one_source() {
    let with = |sustained| {
        decided(move |logons| {
            let mut one = source("203.0.113.7", 90);
            one.sustained = sustained;
            logons.sources = Fact::known(sources(vec![one]), []);
        })
    };
    assert_eq!(with(10).verdict, Verdict::Ok);
    expect(&with(11), Verdict::Warning, "at least 11 times a minute");
}

#[test]
fn more_than_one_a_second_for_ten_minutes_is_critical() {
    let with = |burst| {
        decided(move |logons| {
            failures(logons, |failures| {
                failures.total = 500;
                failures.burst = burst;
            });
        })
    };
    assert_eq!(with(600).verdict, Verdict::Ok);
    expect(
        &with(601),
        Verdict::Critical,
        "brute force attack: 601 failed logons in ten minutes",
    );
}

#[test]
fn a_short_log_is_projected_to_a_day_unless_it_holds_little() {
    let with = |count, covered| {
        decided(move |logons| {
            failures(logons, |failures| {
                failures.total = count;
                failures.covered_minutes = covered;
            });
        })
    };
    expect(&with(130, 360), Verdict::Warning, "520 failed logons a day");
    assert_eq!(with(120, 360).verdict, Verdict::Ok);
    // 49 in an hour would be 1176 a day.
    assert_eq!(with(49, 60).verdict, Verdict::Ok);
    assert_eq!(with(50, 60).verdict, Verdict::Warning);
}

fn stale(attempts: u64, change: impl FnOnce(&mut Source)) -> Decision {
    decided(move |logons| {
        failures(logons, |failures| failures.total = attempts);
        let mut client = source("10.0.0.5", attempts);
        client.tried = Tried::One("svc_backup".to_owned());
        client.every_minutes = Some(5);
        change(&mut client);
        logons.sources = Fact::known(sources(vec![client]), []);
    })
}

#[test]
fn one_source_one_user_and_a_regular_interval_is_a_stale_credential() {
    let decision = stale(288, |_| {});
    expect(
        &decision,
        Verdict::Warning,
        "misconfigured client: 10.0.0.5 repeats svc_backup",
    );
    assert!(!all_text(&decision).contains("security group"));
    expect(
        &stale(1440, |_| {}),
        Verdict::Warning,
        "misconfigured client",
    );
    assert_eq!(stale(100, |_| {}).verdict, Verdict::Ok);
    let irregular = stale(288, |client| client.every_minutes = None);
    expect(
        &irregular,
        Verdict::Warning,
        "288 failed logons a day from 10.0.0.5",
    );
    let several = stale(288, |client| client.tried = Tried::Several);
    expect(
        &several,
        Verdict::Warning,
        "288 failed logons a day from 10.0.0.5",
    );
    let fast = stale(288, |client| client.sustained = 11);
    expect(
        &fast,
        Verdict::Warning,
        "288 failed logons a day from 10.0.0.5",
    );
    let public = stale(288, |client| client.private = false);
    assert!(all_text(&public).contains("make sure that the client is yours"));
}

#[test]
fn a_stale_credential_does_not_hide_an_attack() {
    let decision = decided(|logons| {
        failures(logons, |failures| failures.total = 1000);
        let mut client = source("10.0.0.5", 288);
        client.tried = Tried::One("svc_backup".to_owned());
        client.every_minutes = Some(5);
        let attacker = source("203.0.113.7", 712);
        logons.sources = Fact::known(sources(vec![attacker, client]), []);
    });
    expect(&decision, Verdict::Warning, "712 failed logons a day");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("misconfigured client"))
    );
}

#[test]
fn a_stale_credential_hides_no_refused_remote_desktop_logons() {
    let with = |total, refused| {
        decided(move |logons| {
            failures(logons, |failures| {
                failures.total = total;
                failures.refused = refused;
            });
            let mut client = source("10.0.0.5", 288);
            client.tried = Tried::One("svc_backup".to_owned());
            client.every_minutes = Some(5);
            logons.sources = Fact::known(sources(vec![client]), []);
        })
    };
    expect(
        &with(438, 150),
        Verdict::Warning,
        "150 refused Remote Desktop logons",
    );
    // The client itself comes by Remote Desktop.
    expect(&with(288, 288), Verdict::Warning, "misconfigured client");
}

#[test]
fn addresses_that_share_a_user_are_no_forgotten_client() {
    let two = |private: bool, other: &'static str| {
        decided(move |logons| {
            failures(logons, |failures| failures.total = 576);
            let client = |address: &str, user: &str| Source {
                private,
                tried: Tried::One(user.to_owned()),
                every_minutes: Some(5),
                ..source(address, 288)
            };
            let pair = vec![
                client("198.51.100.5", "svc_backup"),
                client("203.0.113.7", other),
            ];
            logons.sources = Fact::known(sources(pair), []);
        })
    };
    expect(
        &two(false, "svc_backup"),
        Verdict::Warning,
        "576 failed logons a day",
    );
    expect(
        &two(false, "svc_print"),
        Verdict::Warning,
        "misconfigured client",
    );
    // Servers of one farm may well share a forgotten password.
    expect(
        &two(true, "svc_backup"),
        Verdict::Warning,
        "misconfigured client",
    );
}

#[test]
fn a_rule_shows_what_it_compared_with_which_limit() {
    let decision = decided(total(501));
    for (rule, words) in [
        ("failures-per-day", "501 failed logons"),
        ("failures-per-day", "limit 500"),
        ("flood", "limit 600"),
        ("burst", "limit 10"),
    ] {
        let tried = decision.trace.iter().find(|tried| tried.rule == rule);
        let compared = &tried.unwrap().compared;
        assert!(compared.contains(words), "{rule}: {compared}");
    }
}
