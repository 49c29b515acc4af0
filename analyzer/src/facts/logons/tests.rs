//! The event side: on built events, and on real captures against counts of other readers.

mod captures;
mod kept;
mod tables;
mod window;

use std::net::IpAddr;

use jiff::Timestamp;
use serde_json::json;

use super::coverage::{Logs, Window};
use super::fold::{AUDITING, EVENTLOG, Events, LSM, NOTED, RCM, RDPCORETS};
use super::sources::BySource;
use super::tally::Tally;
use super::*;
use crate::facts::events::EventFamily;
use crate::facts::locator::Locator;
use crate::formats::evtx::{Event, Field, Fields, Header, Value};

const SSH: &str = "OpenSSH/Operational";
const TRANSPORT: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";
const CONNECTIONS: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational";

fn at(seconds: i64) -> Timestamp {
    "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_secs(seconds)
}

/// Folds one event of `channel` at second `time`, if the family wants it.
fn feed(events: &mut Events, place: (&str, &str, u32), time: i64, fields: &[(&str, &str)]) {
    let fields = fields.iter().map(|(name, value)| Field {
        name: (!name.is_empty()).then(|| (*name).to_owned()),
        value: Value::Text((*value).to_owned()),
    });
    feed_values(events, place, time, fields.collect());
}

/// The same with values that are no text.
fn feed_values(events: &mut Events, place: (&str, &str, u32), time: i64, fields: Fields) {
    let (channel, provider, event_id) = place;
    let header = Header {
        sequence: 1,
        record_id: u64::try_from(time + 1_000_000).unwrap(),
        time: at(time),
        provider,
        source: None,
        event_id,
        channel,
        computer: "HOST-A",
        stale: false,
    };
    assert!(
        Events::WANTS.iter().any(|want| want.matches(&header)),
        "{channel} {provider} {event_id} is not wanted"
    );
    let system = Fields::default();
    events.event(&Event {
        header,
        system,
        fields,
    });
}

fn failed(events: &mut Events, time: i64, address: &str, user: &str) {
    let fields = [
        ("TargetUserName", user),
        ("LogonType", "3"),
        ("Status", "0xc000006d"),
        ("SubStatus", "0xc000006a"),
        ("IpAddress", address),
    ];
    feed(events, ("Security", AUDITING, 4625), time, &fields);
}

fn sum(events: &Events, tally: Tally) -> u64 {
    let minutes = events.minutes.entries().values();
    minutes.map(|minute| minute.get(tally)).sum()
}

fn sources_of(events: &Events) -> Vec<(String, u64)> {
    BySource::of(events, i64::MIN..i64::MAX)
        .minutes
        .into_iter()
        .map(|(address, minutes)| (address.to_string(), minutes.values().sum()))
        .collect()
}

fn logs() -> Logs {
    let log = |channel: &str| {
        Fact::known(
            Log {
                artifact: format!("eventlog/{}.evtx", channel.replace('/', "%4")),
                channel: channel.to_owned(),
                records: 1000,
                span_minutes: Some(10_000),
                covered_minutes: Some(10_000),
                rolled: false,
                logon_failures: 0,
                damage: None,
            },
            [],
        )
    };
    Logs {
        security: log("Security"),
        transport: log(TRANSPORT),
        connections: log(CONNECTIONS),
        sessions: log(SESSIONS),
        system: log("System"),
        application: log("Application"),
        ssh: log(SSH),
    }
}

#[test]
fn what_comes_from_the_machine_itself_is_no_attempt() {
    let mut events = Events::default();
    let place = ("Security", AUDITING, 4625);
    for (kind, address, user, counts) in [
        ("3", "203.0.113.7", "admin", true),
        ("10", "203.0.113.7", "admin", true),
        ("3", "-", "admin", true),
        ("8", "-", "admin", true),
        ("2", "-", "admin", false),
        ("5", "-", "svc", false),
        ("2", "203.0.113.7", "admin", true),
        ("3", "127.0.0.1", "admin", false),
        ("3", "::1", "admin", false),
        ("3", "0.0.0.0", "admin", false),
        ("3", "::", "admin", false),
        ("3", "::ffff:127.0.0.1", "admin", false),
        ("3", "10.0.0.5", "HOST-B$", false),
        ("3", "-", "HOST-A$", false),
        ("3", "203.0.113.7", "HOST-B$", true),
        ("", "203.0.113.7", "admin", true),
    ] {
        let before = sum(&events, Tally::Attempts);
        let fields = [
            ("LogonType", kind),
            ("IpAddress", address),
            ("TargetUserName", user),
        ];
        feed(&mut events, place, 0, &fields);
        let counted = sum(&events, Tally::Attempts) - before == 1;
        assert_eq!(counted, counts, "type {kind} from {address} as {user}");
    }
    assert_eq!(sum(&events, Tally::Logon4625), 16);
    assert_eq!(sum(&events, Tally::Unattributed), 2);
}

#[test]
fn the_reason_is_the_sub_status_or_else_the_status() {
    let mut events = Events::default();
    let place = ("Security", AUDITING, 4625);
    for (status, sub) in [
        ("0xc000006d", "0xc0000064"),
        ("0xc000006d", "0xc000006a"),
        ("0xc0000234", "0x0"),
        ("0xc000006e", "0xc0000072"),
        ("0xc000006d", "0x0"),
    ] {
        feed(
            &mut events,
            place,
            0,
            &[("Status", status), ("SubStatus", sub)],
        );
    }
    let count = |tally| sum(&events, tally);
    assert_eq!(count(Tally::NoSuchUser), 1);
    assert_eq!(count(Tally::BadPassword), 1);
    assert_eq!(count(Tally::LockedOut), 1);
    assert_eq!(count(Tally::Barred), 1);
}

#[test]
fn connections_are_attempts_only_as_far_as_failures_without_address_explain_them() {
    let mut events = Events::default();
    let accepted = ("ConnType", "TCP");
    for second in 0..30 {
        let fields = [accepted, ("ClientIP", "203.0.113.7:50000")];
        feed(&mut events, (TRANSPORT, RDPCORETS, 131), second, &fields);
        feed(
            &mut events,
            (TRANSPORT, RDPCORETS, 131),
            second,
            &[("ConnType", "UDP"), ("ClientIP", "[203.0.113.8]:1")],
        );
    }
    // A load balancer's probes: connections and no failure.
    assert!(sources_of(&events).is_empty());
    // Server 2012 R2: 4625 without an address, in the same hour.
    for second in 30..50 {
        failed(&mut events, second, "-", "admin");
    }
    assert_eq!(sources_of(&events), [("203.0.113.7".to_owned(), 20)]);
    // An hour later they explain nothing.
    let fields = [accepted, ("ClientIP", "203.0.113.9:50000")];
    feed(&mut events, (TRANSPORT, RDPCORETS, 131), 3600, &fields);
    assert_eq!(sources_of(&events).len(), 1);
    // Nor does what failed in the hour explain more connections than it has failures.
    let mut two = Events::default();
    for second in 0..10 {
        failed(&mut two, second, "-", "admin");
        for address in ["203.0.113.7:1", "203.0.113.8:1"] {
            let fields = [accepted, ("ClientIP", address)];
            feed(&mut two, (TRANSPORT, RDPCORETS, 131), second, &fields);
        }
    }
    let explained: u64 = sources_of(&two).iter().map(|(_, count)| count).sum();
    assert_eq!(explained, 10);
    // A connection that the security layer refused (139) is none that was accepted.
    let mut refused = Events::default();
    failed(&mut refused, 0, "-", "admin");
    let fields = [("ClientIP", "203.0.113.7:1")];
    feed(&mut refused, (TRANSPORT, RDPCORETS, 139), 1, &fields);
    assert!(sources_of(&refused).is_empty());
}

#[test]
fn refused_remote_desktop_logons_count_once() {
    let mut events = Events::default();
    for second in 0..25 {
        failed(&mut events, second, "203.0.113.7", "admin");
        feed(
            &mut events,
            (TRANSPORT, RDPCORETS, 140),
            second,
            &[("IPString", "203.0.113.7")],
        );
    }
    assert_eq!(sources_of(&events), [("203.0.113.7".to_owned(), 25)]);
    let mut alone = Events::default();
    for second in 0..3 {
        let fields = [("IPString", "203.0.113.7")];
        feed(&mut alone, (TRANSPORT, RDPCORETS, 140), second, &fields);
    }
    assert_eq!(sources_of(&alone), [("203.0.113.7".to_owned(), 3)]);
}

#[test]
fn other_servers_name_their_sources() {
    let mut events = Events::default();
    for provider in ["MSSQLSERVER", "MSSQL$LEDGER"] {
        let fields = [
            ("", "sa"),
            ("", " Reason: x"),
            ("", " [CLIENT: 203.0.113.7]"),
        ];
        feed(&mut events, ("Application", provider, 18456), 0, &fields);
        let own = [
            ("", "sa"),
            ("", " Reason: x"),
            ("", " [CLIENT: <local machine>]"),
        ];
        feed(&mut events, ("Application", provider, 18456), 0, &own);
    }
    let ssh = |events: &mut Events, payload: &str| {
        feed(
            events,
            (SSH, "OpenSSH", 4),
            0,
            &[("process", "sshd"), ("payload", payload)],
        );
    };
    ssh(&mut events, "Invalid user x from 198.51.100.9 port 60096");
    ssh(
        &mut events,
        "Failed password for invalid user x from 192.0.2.1 from 198.51.100.9 port 60096 ssh2",
    );
    ssh(
        &mut events,
        "Failed password for admin from 198.51.100.9 port 60096 ssh2",
    );
    ssh(
        &mut events,
        "Failed publickey for admin from 198.51.100.9 port 60096 ssh2",
    );
    ssh(
        &mut events,
        "Accepted password for admin from 198.51.100.9 port 60097 ssh2",
    );
    let kerberos = [
        ("IpAddress", "::ffff:10.0.0.9"),
        ("TargetUserName", "user1"),
        ("Status", "0x18"),
    ];
    feed(&mut events, ("Security", AUDITING, 4771), 0, &kerberos);
    assert_eq!(
        sources_of(&events),
        [
            ("10.0.0.9".to_owned(), 1),
            ("198.51.100.9".to_owned(), 2),
            ("203.0.113.7".to_owned(), 2)
        ]
    );
    assert_eq!(sum(&events, Tally::SshRefused), 2);
    assert_eq!(sum(&events, Tally::Sql), 4);
    let suspicions = success::suspicions(&events, &logs());
    let suspicion = suspicions.first().and_then(Fact::value).unwrap();
    assert_eq!(
        (suspicion.kind, suspicion.attempts),
        (SuspicionKind::SameSource, 2)
    );
    let (_, table) = day(&events, 60);
    let address = |source: &&Source| source.address.to_string() == "198.51.100.9";
    let ssh = table.top.iter().find(address).unwrap();
    assert_eq!(ssh.tried, Tried::Several, "x and admin");
}

fn suspicions(events: &Events) -> Vec<(SuspicionKind, String, u64, bool)> {
    success::suspicions(events, &logs())
        .iter()
        .filter_map(Fact::value)
        .map(|found| {
            (
                found.kind,
                found.address.to_string(),
                found.attempts,
                found.proven,
            )
        })
        .collect()
}

fn logged_on(events: &mut Events, time: i64, address: &str, user: &str) {
    let fields = [
        ("TargetUserName", user),
        ("LogonType", "10"),
        ("IpAddress", address),
    ];
    feed(events, ("Security", AUDITING, 4624), time, &fields);
}

#[test]
fn a_success_is_matched_with_the_failures_of_the_24_hours_before_it() {
    let mut events = Events::default();
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "admin");
    }
    logged_on(&mut events, 24 * 3600 + 59, "203.0.113.7", "admin");
    assert_eq!(
        suspicions(&events),
        [(
            SuspicionKind::SameSource,
            "203.0.113.7".to_owned(),
            20,
            true
        )]
    );
    // A minute later the failures are older than 24 hours. A new address then, and the user was
    // last tried in an hour that is too old, too.
    let mut late = Events::default();
    for second in 0..20 {
        failed(&mut late, second, "203.0.113.7", "admin");
    }
    logged_on(&mut late, 25 * 3600, "203.0.113.7", "admin");
    assert!(suspicions(&late).is_empty());
}

#[test]
fn a_success_before_the_failures_is_not_suspicious() {
    let mut events = Events::default();
    logged_on(&mut events, -120, "203.0.113.7", "admin");
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "admin");
    }
    assert!(suspicions(&events).is_empty());
    // The last success of an hour counts as well as the first.
    logged_on(&mut events, 120, "203.0.113.7", "admin");
    assert_eq!(
        suspicions(&events),
        [(
            SuspicionKind::SameSource,
            "203.0.113.7".to_owned(),
            20,
            true
        )]
    );
}

#[test]
fn the_same_user_from_elsewhere_is_told_apart_from_a_known_address() {
    let mut events = Events::default();
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "HOST-A\\Admin");
    }
    logged_on(&mut events, 600, "198.51.100.9", "admin");
    assert_eq!(
        suspicions(&events),
        [(
            SuspicionKind::NewSource,
            "198.51.100.9".to_owned(),
            20,
            true
        )]
    );
    logged_on(&mut events, -7200, "198.51.100.9", "admin");
    assert!(suspicions(&events).is_empty());
}

#[test]
fn sessions_and_connections_are_successes_and_null_sessions_are_not() {
    let mut events = Events::default();
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "admin");
    }
    logged_on(&mut events, 60, "203.0.113.7", "ANONYMOUS LOGON");
    logged_on(&mut events, 60, "203.0.113.7", "HOST-B$");
    let local = [("Address", "LOCAL"), ("User", "HOST-A\\admin")];
    feed(&mut events, (SESSIONS, LSM, 21), 60, &local);
    feed(
        &mut events,
        (CONNECTIONS, RCM, 1149),
        60,
        &[("Param1", ""), ("Param3", "203.0.113.7")],
    );
    assert!(suspicions(&events).is_empty());
    let connected = [
        ("Param1", "admin"),
        ("Param2", ""),
        ("Param3", "203.0.113.7"),
    ];
    feed(&mut events, (CONNECTIONS, RCM, 1149), 61, &connected);
    let same = |proven| {
        [(
            SuspicionKind::SameSource,
            "203.0.113.7".to_owned(),
            20,
            proven,
        )]
    };
    assert_eq!(suspicions(&events), same(false));
    let session = [("Address", "203.0.113.7"), ("User", "HOST-A\\admin")];
    feed(&mut events, (SESSIONS, LSM, 25), 62, &session);
    assert_eq!(suspicions(&events), same(true));
}

#[test]
fn cleared_logs_are_kept_with_their_fields() {
    let mut events = Events::default();
    failed(&mut events, -25 * 3600, "203.0.113.7", "admin");
    failed(&mut events, 0, "203.0.113.7", "admin");
    feed(
        &mut events,
        ("Security", EVENTLOG, 1102),
        30,
        &[("SubjectUserName", "admin")],
    );
    for (time, log) in [(90, "System"), (91, "Windows PowerShell")] {
        let fields = [("SubjectUserName", "admin"), ("Channel", log)];
        feed(&mut events, ("System", EVENTLOG, 104), time, &fields);
    }
    let clears = clears::clears(&events, &logs());
    let told: Vec<_> = clears
        .iter()
        .map(|clear| {
            let value = clear.value().unwrap();
            (
                value.log.as_str(),
                value.by.as_deref(),
                value.failures_before,
            )
        })
        .collect();
    assert_eq!(
        told,
        [("System", Some("admin"), 1), ("Security", Some("admin"), 1)]
    );
    let evidence = &clears[1].evidence[0];
    assert_eq!(evidence.locator, Locator::record("Security", 1_000_030));
    assert_eq!(evidence.raw, json!({"SubjectUserName": "admin"}));
    let mut unnamed = Events::default();
    for (time, name) in [(0, ""), (1, "-")] {
        let fields = [("SubjectUserName", name)];
        feed(&mut unnamed, ("Security", EVENTLOG, 1102), time, &fields);
    }
    for clear in clears::clears(&unnamed, &logs()) {
        assert_eq!(clear.value().unwrap().by, None);
    }
}

#[test]
fn a_sprayed_log_stays_bounded_and_any_grouping_gives_the_same() {
    let spray = |events: &mut Events, numbers: std::ops::Range<u32>| {
        for n in numbers {
            let time = i64::from(n);
            let user = format!("user{n}");
            let address = IpAddr::from((0x0b00_0000 + n).to_be_bytes()).to_string();
            failed(events, time, &address, &user);
            if n % 2 == 0 {
                logged_on(events, time, &address, &user);
            }
            if n % 1000 == 0 {
                let service = ("System", "Service Control Manager", 7045);
                feed(events, service, time, &[("ServiceName", "x")]);
            }
        }
    };
    let mut whole = Events::default();
    spray(&mut whole, 0..140_000);
    assert!(whole.pairs.entries().len() <= fold::PAIRS);
    assert!(whole.users.entries().len() <= fold::USERS);
    assert!(whole.successes.entries().len() <= fold::SUCCESSES);
    assert_eq!(whole.changes.entries().len(), NOTED);
    assert_eq!(sum(&whole, Tally::Attempts), 140_000);
    assert!(whole.pairs.dropped_before().is_some());
    // The oldest pair that is kept is of minute 148: that one may have lost some.
    let (_, table) = day(&whole, 60_000);
    assert_eq!(table.complete_from, Some(at(149 * 60)));
    let day_later = at(149 * 60 + 86_400);
    assert_eq!(success::complete_from(&whole), Some(day_later));
    let mut parts = Events::default();
    for cut in [(0, 7), (7, 60_000), (60_000, 60_001), (60_001, 140_000)] {
        let mut part = Events::default();
        spray(&mut part, cut.0..cut.1);
        parts.merge(part);
    }
    assert_eq!(parts.minutes.entries(), whole.minutes.entries());
    assert_eq!(parts.pairs.entries(), whole.pairs.entries());
    assert_eq!(parts.pairs.dropped_before(), whole.pairs.dropped_before());
    assert_eq!(parts.users.entries(), whole.users.entries());
    assert_eq!(parts.successes.entries(), whole.successes.entries());
    assert_eq!(parts.changes.entries(), whole.changes.entries());
    assert_eq!(parts.logon_failures, whole.logon_failures);
}

/// The facts of the day before `end`.
fn day(events: &Events, end: i64) -> (Fact<Failures>, SourceTable) {
    let window = Window::before(at(end), true);
    let failures = rates::failures(events, &logs(), window);
    let table = sources::table(events, &failures, window);
    (failures, table.value().cloned().unwrap())
}

#[test]
fn forty_sources_that_take_turns_are_a_flood_together() {
    let mut events = Events::default();
    for n in 0..1250 {
        failed(
            &mut events,
            n * 96 / 100,
            &format!("203.0.113.{}", n % 40),
            "admin",
        );
    }
    let (failures, table) = day(&events, 3600);
    let known = failures.value().unwrap();
    assert_eq!((known.total, known.burst), (1250, 625));
    assert_eq!((table.distinct, table.public, table.private), (40, 1250, 0));
    assert!(table.top.iter().all(|source| source.sustained <= 2));
    assert_eq!((table.unattributed, table.complete_from), (0, None));
}

#[test]
fn a_service_with_an_old_password_is_regular() {
    let mut events = Events::default();
    for n in 0..288 {
        failed(&mut events, n * 300, "10.0.0.5", "HOST-A\\svc_backup");
    }
    let (_, table) = day(&events, 288 * 300 - 300);
    let client = table.top.first().unwrap();
    assert_eq!(client.tried, Tried::One("svc_backup".to_owned()));
    assert_eq!((client.attempts, client.every_minutes), (288, Some(5)));
    assert!(client.private);
}

#[test]
fn the_evidence_is_the_query_that_counts_the_same_records() {
    let mut events = Events::default();
    let end = 86_400 + 30;
    // The window begins with the whole minute 24 h before, and ends 15 minutes after.
    for time in [-1, 0, 86_400, 86_400 + 15 * 60 - 1, 86_400 + 15 * 60] {
        failed(&mut events, time, "203.0.113.7", "admin");
        failed(&mut events, time, "127.0.0.1", "admin");
    }
    let (failures, _) = day(&events, end);
    let known = failures.value().unwrap();
    assert_eq!((known.total, known.excluded, known.later), (3, 3, 1));
    let evidence = &failures.evidence[0];
    assert_eq!(
        evidence.locator.to_string(),
        "evt:Security?id=4625&provider=Microsoft-Windows-Security-Auditing\
         &after=2026-03-01T12:00:00Z&before=2026-03-02T12:15:00Z"
    );
    assert_eq!(evidence.raw, json!(6));
    assert_eq!(evidence.artifact, "eventlog/Security.evtx");
    assert_eq!(known.earlier.map(|(_, count)| count), Some(1));
}

#[test]
fn another_user_of_the_address_makes_it_known() {
    let mut events = Events::default();
    for second in 0..20 {
        failed(&mut events, second, "203.0.113.7", "admin");
    }
    // In the same hour, and later in the alphabet.
    logged_on(&mut events, 60, "198.51.100.9", "user1");
    logged_on(&mut events, 120, "198.51.100.9", "admin");
    assert!(suspicions(&events).is_empty());
}

#[test]
fn a_flood_of_records_from_the_future_is_not_taken_for_silence() {
    let mut events = Events::default();
    failed(&mut events, 0, "203.0.113.7", "admin");
    let window = Window::before(at(60), true);
    let one = rates::failures(&events, &logs(), window);
    assert_eq!(one.value().map(|failures| failures.total), Some(1));
    for minute in 0..i64::try_from(fold::MINUTES).unwrap() {
        failed(&mut events, 86_400 + 60 * minute, "203.0.113.7", "admin");
    }
    let flooded = rates::failures(&events, &logs(), window);
    assert!(
        flooded
            .why_unsettled()
            .is_some_and(|why| why.contains("dated after the capture"))
    );
}
