//! Every rule, at and beside its limits, on facts.

mod notes;
mod rates;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::CHECK;
use crate::checks::check::{Context, Decision};
use crate::checks::readable::{assert_no_rule_open, assert_page_lists};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::{Channel, Mark};
use crate::facts::locator::Locator;
use crate::facts::logons::{
    Administrator, Clear, Failures, HalfOpen, LockoutPolicy, Log, Logons, RuleScope, Source,
    SourceTable, Suspicion, SuspicionKind, Tried, UserCount, UserTable, Window,
};
use crate::facts::sources::Sources;

fn time(ago: SignedDuration) -> Timestamp {
    "2026-03-08T12:00:00Z".parse::<Timestamp>().unwrap() - ago
}

fn hours(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n)
}

fn log(channel: &str) -> Fact<Log> {
    let log = Log {
        artifact: format!("eventlog/{}.evtx", channel.replace('/', "%4")),
        channel: channel.to_owned(),
        records: 30_000,
        span_minutes: Some(20_000),
        covered_minutes: Some(20_000),
        rolled: true,
        logon_failures: 0,
        damage: None,
    };
    let evidence = Evidence::new(
        log.artifact.clone(),
        format!("evt:{channel}").parse::<Locator>().unwrap(),
        json!(30_000),
    );
    Fact::known(log, [evidence])
}

/// A channel whose newest record is so old.
fn ends(name: &str, ago: SignedDuration) -> Channel {
    Channel {
        computer: String::new(),
        name: name.to_owned(),
        artifact: format!("eventlog/{name}.evtx"),
        records: 1,
        failed: 0,
        oldest: None,
        newest: Some(Mark {
            record_id: 30_000,
            time: time(ago),
        }),
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: None,
        damage: Vec::new(),
    }
}

/// A live machine on which everything was seen and nobody failed.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.kind = CaptureKind::Live;
    snapshot.capture.time = Some(time(hours(0)));
    snapshot.inventory.channels = vec![ends("System", hours(1)), ends("Security", hours(300))];
    let logons = &mut snapshot.logons;
    logons.window = Some(Window {
        from: time(hours(24)),
        to: time(-SignedDuration::from_mins(15)),
        end: time(hours(0)),
        by_capture: true,
    });
    logons.logs.security = log("Security");
    logons.logs.transport = log("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational");
    logons.logs.connections =
        log("Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational");
    logons.logs.sessions =
        log("Microsoft-Windows-TerminalServices-LocalSessionManager/Operational");
    logons.logs.system = log("System");
    logons.logs.application = log("Application");
    logons.failures = Fact::known(
        Failures {
            covered_minutes: 1440,
            ..Failures::default()
        },
        [],
    );
    logons.sources = Fact::known(sources(Vec::new()), []);
    logons.users = Fact::known(
        UserTable {
            distinct: 0,
            complete: true,
            attempts: 0,
            top: Vec::new(),
        },
        [],
    );
    logons.administrator = Fact::known(
        Administrator {
            name: "Administrator".to_owned(),
            locked_out: false,
            bad_passwords: Some(0),
        },
        [],
    );
    logons.lockout_policy = Fact::known(
        LockoutPolicy {
            threshold: 10,
            duration_minutes: Some(10),
            window_minutes: Some(10),
        },
        [],
    );
    logons.entry.port = Fact::known(3389, []);
    logons.entry.nla = Fact::known(true, []);
    logons.entry.scope = Fact::known(RuleScope { remote: Vec::new() }, []);
    snapshot
}

fn sources(top: Vec<Source>) -> SourceTable {
    SourceTable {
        distinct: top.len() as u64,
        public: top.iter().map(|source| source.attempts).sum(),
        private: 0,
        unattributed: 0,
        complete_from: None,
        top,
    }
}

fn source(address: &str, attempts: u64) -> Source {
    Source {
        address: address.parse().unwrap(),
        private: address.starts_with("10."),
        attempts,
        first: time(hours(20)),
        last: time(hours(1)),
        sustained: 0,
        tried: Tried::Several,
        every_minutes: None,
    }
}

fn decided(change: impl FnOnce(&mut Logons)) -> Decision {
    let mut snapshot = healthy();
    change(&mut snapshot.logons);
    run(&snapshot)
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn failures(logons: &mut Logons, change: impl FnOnce(&mut Failures)) {
    let mut failures = logons.failures.value().cloned().unwrap();
    change(&mut failures);
    logons.failures = Fact::known(failures, []);
}

fn total(count: u64) -> impl FnOnce(&mut Logons) {
    move |logons| failures(logons, |failures| failures.total = count)
}

/// Whether a rule held, each time it was tried.
fn answers(decision: &Decision, rule: &str) -> Vec<Option<bool>> {
    let tried = decision.trace.iter().filter(|tried| tried.rule == rule);
    tried.map(|tried| tried.holds).collect()
}

fn all_text(decision: &Decision) -> String {
    serde_json::to_string(decision).unwrap()
}

#[track_caller]
fn expect(decision: &Decision, verdict: Verdict, headline: &str) {
    assert_eq!(decision.verdict, verdict, "{decision:#?}");
    assert!(
        decision.headline.contains(headline),
        "{}",
        decision.headline
    );
}

#[test]
fn nobody_failed() {
    let decision = run(&healthy());
    expect(&decision, Verdict::Ok, "0 failed logons");
    assert_eq!(decision.confidence, Confidence::High);
    assert!(decision.notes.is_empty(), "{:?}", decision.notes);
    assert_no_rule_open(&decision);
}

fn suspicion(kind: SuspicionKind, attempts: u64, ago: SignedDuration) -> Fact<Suspicion> {
    Fact::known(
        Suspicion {
            kind,
            address: "203.0.113.7".parse().unwrap(),
            user: "admin'x".to_owned(),
            time: time(ago),
            attempts,
            proven: true,
            record: "evt:Security?record=4711".to_owned(),
        },
        [],
    )
}

#[test]
fn a_success_after_20_failures_from_there_is_critical() {
    let with = |attempts, ago| {
        decided(move |logons| {
            logons.suspicions = vec![suspicion(SuspicionKind::SameSource, attempts, ago)];
        })
    };
    assert_eq!(with(19, hours(1)).verdict, Verdict::Ok);
    let decision = with(20, hours(1));
    expect(
        &decision,
        Verdict::Critical,
        "possible compromise: admin'x logged on from 203.0.113.7",
    );
    assert_eq!(decision.confidence, Confidence::Medium);
    let text = all_text(&decision);
    assert!(text.contains("evt:Security?record=4711"));
    assert!(
        text.contains("Set-LocalUser -Name 'admin''x'"),
        "the name is quoted"
    );
    assert_eq!(with(20, hours(7 * 24)).verdict, Verdict::Critical);
    assert_eq!(with(20, hours(7 * 24 + 1)).verdict, Verdict::Warning);
}

#[test]
fn a_success_that_only_1149_tells_of_has_low_confidence() {
    let decision = decided(|logons| {
        let mut fact = suspicion(SuspicionKind::SameSource, 20, hours(1));
        if let Some(found) = fact.value().cloned() {
            fact = Fact::known(
                Suspicion {
                    proven: false,
                    ..found
                },
                [],
            );
        }
        logons.suspicions = vec![fact];
    });
    assert_eq!(
        (decision.verdict, decision.confidence),
        (Verdict::Critical, Confidence::Low)
    );
    assert!(all_text(&decision).contains("1149"));
}

#[test]
fn the_same_user_from_a_new_address_is_a_warning() {
    let with = |attempts, ago| {
        decided(move |logons| {
            logons.suspicions = vec![suspicion(SuspicionKind::NewSource, attempts, ago)];
        })
    };
    expect(&with(20, hours(1)), Verdict::Warning, "not seen before");
    assert_eq!(with(19, hours(1)).verdict, Verdict::Ok);
    assert_eq!(with(20, hours(8 * 24)).verdict, Verdict::Ok);
}

#[test]
fn the_administrator_is_locked_out() {
    let decision = decided(|logons| {
        logons.administrator = Fact::known(
            Administrator {
                name: "Boss".to_owned(),
                locked_out: true,
                bad_passwords: Some(11),
            },
            [],
        );
    });
    expect(&decision, Verdict::Critical, "(Boss) is locked out");
    assert!(all_text(&decision).contains("'Boss'"));
}

fn clear(failures_before: u64, ago: SignedDuration) -> Fact<Clear> {
    Fact::known(
        Clear {
            log: "Security".to_owned(),
            time: time(ago),
            by: Some("HOST-A\\admin".to_owned()),
            failures_before,
        },
        [],
    )
}

#[test]
fn a_cleared_log_is_weighed_by_what_went_before() {
    let with = |before, ago| decided(move |logons| logons.clears = vec![clear(before, ago)]);
    let decision = with(0, hours(1));
    expect(
        &decision,
        Verdict::Warning,
        "what happened before is not known",
    );
    assert_eq!(decision.confidence, Confidence::Low);
    assert_eq!(with(19, hours(1)).verdict, Verdict::Warning);
    expect(
        &with(20, hours(1)),
        Verdict::Critical,
        "after 20 failed logons",
    );
    assert_eq!(with(20, hours(8 * 24)).verdict, Verdict::Warning);
    let old = with(0, hours(8 * 24));
    assert_eq!(old.verdict, Verdict::Ok);
    assert!(all_text(&old).contains("was cleared on"));
    // One log is not both: the other may have been cleared.
    let half = decided(|logons| logons.logs.system = Fact::not_collected("x"));
    assert_eq!(answers(&half, "log-cleared"), [None, None]);
}

fn rolled(change: impl FnOnce(&mut Log)) -> Decision {
    decided(|logons| {
        let mut log = logons.logs.security.value().cloned().unwrap();
        log.span_minutes = Some(59);
        log.covered_minutes = Some(59);
        log.records = 30_000;
        log.logon_failures = 15_000;
        change(&mut log);
        logons.logs.security = Fact::known(log, []);
    })
}

#[test]
fn failures_that_rolled_the_log_over_are_proof() {
    let headline = "failed logons filled the Security log within 59 minutes";
    expect(&rolled(|_| {}), Verdict::Critical, headline);
    let covers = "the Security log covers only the last";
    // 4688 or 5156 auditing rolled it: the failures are less than half of it.
    expect(
        &rolled(|log| log.logon_failures = 14_999),
        Verdict::Unknown,
        covers,
    );
    // A young machine's log has not rolled over.
    expect(&rolled(|log| log.rolled = false), Verdict::Unknown, covers);
    // An hour is long enough to be counted.
    let hour = rolled(|log| {
        log.span_minutes = Some(60);
        log.covered_minutes = Some(60);
    });
    assert_eq!(hour.verdict, Verdict::Ok);
    // A handful of records proves nothing.
    let few = |log: &mut Log| (log.records, log.logon_failures) = (98, 49);
    expect(&rolled(few), Verdict::Unknown, covers);
    assert_eq!(
        rolled(|log| (log.records, log.logon_failures) = (100, 50)).verdict,
        Verdict::Critical
    );
    assert_eq!(rolled(|log| log.records = 0).verdict, Verdict::Unknown);
}

#[test]
fn what_was_not_seen_is_never_ok() {
    type Change = fn(&mut Logons);
    let missing: [(Change, &str); 8] = [
        (
            |l| l.logs.security = Fact::not_collected("x"),
            "the log Security",
        ),
        (|l| l.logs.transport = Fact::not_collected("x"), "RdpCoreTS"),
        (
            |l| l.logs.connections = Fact::not_collected("x"),
            "RemoteConnectionManager",
        ),
        (
            |l| l.logs.sessions = Fact::unreadable("x", []),
            "LocalSessionManager",
        ),
        (
            |l| l.logs.system = Fact::not_collected("x"),
            "the log System",
        ),
        (
            |l| l.logs.application = Fact::not_collected("x"),
            "Application",
        ),
        (
            |l| l.logs.ssh = with_damage(),
            "OpenSSH/Operational is damaged",
        ),
        (
            |l| l.administrator = Fact::not_collected("x"),
            "built-in administrator",
        ),
    ];
    for (change, what) in missing {
        let decision = decided(change);
        expect(&decision, Verdict::Unknown, what);
        assert!(
            decision.headline.contains("0 failed logons"),
            "{}",
            decision.headline
        );
        assert!(!decision.missing.is_empty());
    }
    // A channel that Windows does not have is known to be absent.
    assert_eq!(
        decided(|l| l.logs.transport = Fact::absent([])).verdict,
        Verdict::Ok
    );
}

fn with_damage() -> Fact<Log> {
    log("OpenSSH/Operational").map(|log| Log {
        damage: Some("chunk 3 is torn".to_owned()),
        ..log
    })
}

#[test]
fn no_log_at_all_is_unknown() {
    let snapshot = Snapshot::gather(&Sources::none());
    expect(
        &run(&snapshot),
        Verdict::Unknown,
        "failed logons could not be counted",
    );
}

#[test]
fn damage_lowers_ok_and_not_an_attack() {
    let damage = |logons: &mut Logons| {
        logons.logs.security = log("Security").map(|log| Log {
            damage: Some("chunk 3 is torn".to_owned()),
            ..log
        });
    };
    expect(&decided(damage), Verdict::Unknown, "lower bounds");
    let attack = decided(|logons| {
        damage(logons);
        total(501)(logons);
    });
    assert_eq!(attack.verdict, Verdict::Warning);
    assert!(all_text(&attack).contains("lower bounds"));
}

#[test]
fn failures_of_the_ssh_server_ask_for_its_log() {
    let decision = decided(|logons| failures(logons, |failures| failures.ssh_server = 1));
    expect(&decision, Verdict::Unknown, "OpenSSH/Operational");
}

#[test]
fn an_ssh_server_that_starts_with_windows_asks_for_its_log() {
    let with = |starts| decided(move |logons| logons.entry.ssh_server = Fact::known(starts, []));
    assert_eq!(with(false).verdict, Verdict::Ok);
    expect(&with(true), Verdict::Unknown, "OpenSSH/Operational");
    let unreadable = decided(|logons| logons.logs.ssh = Fact::unreadable("x", []));
    expect(&unreadable, Verdict::Unknown, "OpenSSH/Operational");
}

#[test]
fn a_disk_says_nothing_of_lockouts_now() {
    let mut snapshot = healthy();
    snapshot.capture.kind = CaptureKind::DiskOnly;
    snapshot.logons.administrator = Fact::not_collected("disk");
    let decision = run(&snapshot);
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(
        decision
            .missing
            .iter()
            .any(|missing| missing.contains("live capture"))
    );
}

#[test]
fn without_a_capture_time_the_confidence_is_low() {
    let mut snapshot = healthy();
    snapshot.capture.time = None;
    if let Some(window) = &mut snapshot.logons.window {
        window.by_capture = false;
    }
    let decision = run(&snapshot);
    assert_eq!(
        (decision.verdict, decision.confidence),
        (Verdict::Ok, Confidence::Low)
    );
}

#[test]
fn facts_survive_json() {
    let mut snapshot = healthy();
    snapshot.logons.suspicions = vec![suspicion(SuspicionKind::NewSource, 20, hours(1))];
    snapshot.logons.clears = vec![clear(3, hours(1))];
    snapshot.logons.sources = Fact::known(sources(vec![source("203.0.113.7", 600)]), []);
    let json = serde_json::to_string(&snapshot).unwrap();
    let back: Snapshot = serde_json::from_str(&json).unwrap();
    assert_eq!(back, snapshot);
    assert_eq!(run(&back), run(&snapshot));
}

#[test]
fn some_log_must_reach_near_the_capture() {
    let system = |ago: SignedDuration| {
        let mut snapshot = healthy();
        snapshot.inventory.channels = vec![ends("Security", hours(300)), ends("System", ago)];
        run(&snapshot)
    };
    assert_eq!(system(hours(25)).verdict, Verdict::Ok);
    let early = system(hours(25) + SignedDuration::from_secs(1));
    expect(&early, Verdict::Unknown, "the logs end 25 hours before");
    expect(
        &system(hours(41 * 24)),
        Verdict::Unknown,
        "end 41 days before",
    );
    let late = system(-hours(3));
    assert_eq!(late.verdict, Verdict::Ok);
    assert!(late.notes.iter().any(|note| note.contains("3 hours after")));
    let mut other = healthy();
    other.inventory.channels = vec![ends("System", hours(90)), ends("Application", hours(25))];
    assert_eq!(run(&other).verdict, Verdict::Ok, "another log goes on");
    other.inventory.channels = vec![ends("System", hours(90)), ends("Application", -hours(25))];
    expect(&run(&other), Verdict::Unknown, "end 3 days before");
    let none = {
        let mut snapshot = healthy();
        snapshot.inventory.channels.clear();
        run(&snapshot)
    };
    expect(&none, Verdict::Unknown, "where the logs end");
}

#[test]
fn the_page_lists_every_rule_and_the_worst_comes_first() {
    let nothing: fn() -> Snapshot = || Snapshot::gather(&Sources::none());
    let sick: fn() -> Snapshot = || {
        let mut sick = healthy();
        sick.logons.clears = vec![clear(0, hours(1)), clear(20, hours(1))];
        sick.logons.suspicions = vec![
            suspicion(SuspicionKind::NewSource, 20, hours(1)),
            suspicion(SuspicionKind::SameSource, 20, hours(1)),
        ];
        sick
    };
    for snapshot in [healthy, nothing, sick].map(|make| Box::new(make())) {
        let decision = CHECK.run(&Context {
            snapshot: &snapshot,
            thresholds: &Thresholds::default(),
        });
        assert_page_lists(CHECK.page, &decision);
        let verdicts: Vec<Verdict> = decision.trace.iter().map(|tried| tried.verdict).collect();
        assert!(verdicts.is_sorted_by(|a, b| a >= b), "{verdicts:?}");
    }
}
