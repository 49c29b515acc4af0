//! What the logs tell of the service.

use super::*;
use crate::facts::remote_desktop::{Kind, RdpEvent};

#[test]
fn two_crashes_in_a_week_are_a_warning() {
    let at = |ages: &'static [i64]| {
        move |s: &mut Snapshot| {
            service(s).events = ages.iter().map(|age| event(7031, *age)).collect();
        }
    };
    decided(
        healthy(),
        at(&[DAY, 7 * DAY]),
        Verdict::Warning,
        "crashed 2 times",
    );
    let decision = decided(healthy(), at(&[DAY, 7 * DAY + 1]), Verdict::Ok, "");
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("crashed 1 time in"))
    );
    let reported = |s: &mut Snapshot| {
        s.services.crashes = vec![event(1000, 2), event(1000, 1)];
        service(s).events = vec![event(7034, 1)];
    };
    decided(healthy(), reported, Verdict::Warning, "crashed 2 times");
}

#[test]
fn a_changed_start_type_is_a_warning_for_a_week() {
    let changed = |age: i64| {
        move |s: &mut Snapshot| {
            let texts = ["x", "demand start", "auto start", "TermService"];
            service(s).events = vec![ServiceEvent {
                texts: texts.map(str::to_owned).to_vec(),
                ..event(7040, age)
            }];
        }
    };
    decided(
        healthy(),
        changed(7 * DAY),
        Verdict::Warning,
        "\"demand start\" to \"auto start\"",
    );
    decided(healthy(), changed(7 * DAY + 1), Verdict::Ok, "");
}

#[test]
fn on_a_disk_the_last_event_of_the_boot_decides() {
    let events =
        |events: fn() -> Vec<ServiceEvent>| move |s: &mut Snapshot| service(s).events = events();
    let ran = decided(
        from_disk(),
        events(|| vec![entered(RUNNING, DAY)]),
        Verdict::Ok,
        "",
    );
    assert_eq!(ran.confidence, Confidence::Medium);
    let crashed = || vec![entered(RUNNING, 2 * DAY), event(7031, DAY)];
    let decision = decided(
        from_disk(),
        events(crashed),
        Verdict::Critical,
        "ended with an error",
    );
    assert_eq!(decision.confidence, Confidence::Medium);
    let recovered = || vec![event(7031, 2 * DAY), entered(RUNNING, DAY)];
    decided(from_disk(), events(recovered), Verdict::Ok, "");
    decided(
        from_disk(),
        events(|| vec![event(7001, DAY)]),
        Verdict::Critical,
        "did not start",
    );
    let shut_down = || vec![entered(RUNNING, 2 * DAY), entered(STOPPED, DAY)];
    decided(
        from_disk(),
        events(shut_down),
        Verdict::Unknown,
        "it starts on demand",
    );
    let before_boot = || vec![event(7031, 11 * DAY)];
    decided(
        from_disk(),
        events(before_boot),
        Verdict::Unknown,
        "whether it runs",
    );
    decided(
        from_disk(),
        |_| {},
        Verdict::Unknown,
        "whether it runs is not known",
    );
}

#[test]
fn in_a_live_snapshot_the_log_is_no_substitute_for_the_table() {
    let change = |s: &mut Snapshot| {
        service(s).runtime.state = Fact::not_collected("timeout");
        service(s).events = vec![entered(RUNNING, DAY)];
    };
    decided(healthy(), change, Verdict::Unknown, "whether it runs");
}

#[test]
fn a_running_service_overrides_an_older_failure() {
    let change = |s: &mut Snapshot| service(s).events = vec![event(7023, DAY)];
    decided(healthy(), change, Verdict::Ok, "");
}

#[test]
fn the_longer_list_of_crashes_counts() {
    let both = |ended: usize, reported: usize| {
        move |s: &mut Snapshot| {
            let ages = |count: usize| (1..=i64::try_from(count).unwrap()).rev();
            service(s).events = ages(ended).map(|age| event(7031, age)).collect();
            let texts = ["svchost.exe", "10.0", "0", "termsrv.dll"];
            let report = |age: i64| ServiceEvent {
                texts: texts.map(str::to_owned).to_vec(),
                ..event(1000, age)
            };
            s.services.crashes = ages(reported).map(report).collect();
        }
    };
    let shown = |decision: &Decision, words: &str| {
        let mut shown = decision.evidence.iter();
        shown.any(|shown| shown.says == words)
    };
    let (ended, reported) = (
        "event 7031: it crashed",
        "TermService crashed in termsrv.dll",
    );
    let same = decided(healthy(), both(2, 2), Verdict::Warning, "crashed 2 times");
    assert!(shown(&same, ended) && !shown(&same, reported));
    let more = decided(healthy(), both(2, 3), Verdict::Warning, "crashed 3 times");
    assert!(shown(&more, reported) && !shown(&more, ended));
    let one_log = |s: &mut Snapshot| {
        both(2, 0)(s);
        s.services.application_log = Fact::not_collected("x");
    };
    decided(healthy(), one_log, Verdict::Warning, "crashed 2 times");
}

#[test]
fn no_crash_is_none_even_without_a_limit() {
    let thresholds = Thresholds::default();
    let text = "[rds-service]\ncrashes = 0";
    let thresholds = thresholds.with_file("limits.toml", text, &[CRASHES.key]);
    let thresholds = thresholds.unwrap();
    let decision = CHECK.run(&Context {
        snapshot: &healthy(),
        thresholds: &thresholds,
    });
    assert_eq!(decision.verdict, Verdict::Ok);
}

#[test]
fn a_stopped_service_shows_its_last_failures() {
    for (id, words) in [
        (7000, "it failed to start"),
        (
            7001,
            "the service RpcSs, which it depends on, failed to start",
        ),
        (7009, "it did not answer in time"),
        (7022, "it hung while it started"),
        (7023, "it ended with an error, error 5"),
        (7024, "it ended with an error"),
        (7031, "it crashed"),
        (7034, "it crashed"),
        (7038, "its account could not log on"),
        (7041, "its account has no right to log on as a service"),
    ] {
        let change = |s: &mut Snapshot| {
            service(s).runtime.state = known(STOPPED);
            service(s).events = vec![ServiceEvent {
                texts: vec!["x".to_owned(), "RpcSs".to_owned()],
                error: (id == 7023).then_some(5),
                ..event(id, 8 * DAY)
            }];
        };
        let decision = decided(healthy(), change, Verdict::Critical, "does not run");
        let told = format!("event {id}: {words}");
        assert!(decision.reasons.contains(&told), "{:?}", decision.reasons);
    }
}

#[test]
fn on_a_disk_the_sessions_of_the_boot_show_that_it_ran() {
    // Kinds of events and their age in days; the boot was ten days ago.
    for (events, verdict) in [
        (&[(Kind::ListenerStarted, 10)][..], Verdict::Ok),
        (&[(Kind::ListenerStarted, 11)][..], Verdict::Unknown),
        (
            &[(Kind::ListenerStopped, 3), (Kind::LoggedOn, 2)][..],
            Verdict::Ok,
        ),
        (
            &[(Kind::LoggedOn, 2), (Kind::ListenerStopped, 2)][..],
            Verdict::Unknown,
        ),
        (
            &[(Kind::LoggedOn, 3), (Kind::ListenerStopped, 2)][..],
            Verdict::Unknown,
        ),
    ] {
        let mut snapshot = from_disk();
        for (record_id, (kind, days)) in (1..).zip(events) {
            snapshot.remote_desktop.logged.events.push(RdpEvent {
                kind: *kind,
                event_id: 258,
                record_id,
                time: captured() - SignedDuration::from_secs(days * DAY),
                subject: None,
                evidence: event(258, *days).evidence,
            });
        }
        assert_eq!(run(&snapshot).verdict, verdict, "{events:?}");
    }
}
