use serde_json::json;

use super::*;
use crate::checks::check::Exhibit;
use crate::checks::readable::assert_no_rule_open;
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Confidence;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::{Channel, Mark};
use crate::facts::locator::Locator;
use crate::facts::remote_desktop::{Kind, Layered, RdpEvent};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;

const NOW: &str = "2026-03-10T12:00:00Z";
const THUMBPRINT: &str = "00112233445566778899aabbccddeeff00112233";
const OWN: &str = r"Microsoft\SystemCertificates\Remote Desktop";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn place() -> Evidence {
    Evidence::new(
        "registry/SOFTWARE",
        Locator::value("SOFTWARE", "k", "Blob"),
        json!("00"),
    )
}

fn number(value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    Fact::known(number, [place()])
}

fn certificate(end: &str) -> Certificate {
    Certificate {
        thumbprint: THUMBPRINT.to_owned(),
        store: OWN.to_owned(),
        subject: "CN=HOST-A".to_owned(),
        issuer: "CN=HOST-A".to_owned(),
        not_before: time("2025-10-01T00:00:00Z"),
        not_after: time(end),
        signature: "1.2.840.113549.1.1.11".to_owned(),
        rsa_bits: Some(2048),
        usages: Some(vec!["1.3.6.1.5.5.7.3.1".to_owned()]),
        has_key: true,
    }
}

fn system(newest: &str) -> Fact<Channel> {
    let channel = Channel {
        computer: String::new(),
        name: "System".to_owned(),
        artifact: "eventlog/System.evtx".to_owned(),
        records: 10,
        failed: 0,
        oldest: None,
        newest: Some(Mark {
            record_id: 10,
            time: time(newest),
        }),
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: None,
        damage: Vec::new(),
    };
    Fact::known(channel, [])
}

fn machine(chosen: bool, end: &str) -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(time(NOW));
    snapshot.remote_desktop.edition_may_host = Fact::known(true, []);
    snapshot.remote_desktop.deny = Layered::new(Fact::absent([]), number(0));
    snapshot.services.service_mut("SessionEnv").unwrap().start = number(3);
    let facts = &mut snapshot.certificates;
    let store = if chosen { "MY" } else { "Remote Desktop" };
    let reference = Reference {
        thumbprint: THUMBPRINT.to_owned(),
        chosen,
        store: store.to_owned(),
    };
    facts.reference = Fact::known(reference, [place()]);
    facts.used = Fact::known(certificate(end), [place()]);
    facts.system = system(NOW);
    snapshot
}

fn healthy() -> Snapshot {
    machine(false, "2026-08-01T00:00:00Z")
}

fn but(change: impl FnOnce(&mut Certificate)) -> Snapshot {
    let mut snapshot = healthy();
    let mut one = certificate("2026-08-01T00:00:00Z");
    change(&mut one);
    snapshot.certificates.used = Fact::known(one, [place()]);
    snapshot
}

fn record(snapshot: &mut Snapshot, kind: CertificateEvent, at: &str, subject: &str) {
    snapshot.certificates.records.push(Record {
        kind,
        channel: "System".to_owned(),
        event_id: 1058,
        record_id: 5,
        time: time(at),
        subject: Some(subject.to_owned()),
        evidence: Evidence::new("s.evtx", Locator::record("System", 5), json!({})),
    });
}

fn logon(snapshot: &mut Snapshot, at: &str) {
    snapshot.remote_desktop.logged.events.push(RdpEvent {
        kind: Kind::Authenticated,
        event_id: 1149,
        record_id: 7,
        time: time(at),
        subject: None,
        evidence: Evidence::new("r.evtx", Locator::record("x", 7), json!({})),
    });
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn commands(decision: &Decision) -> String {
    serde_json::to_string(&decision.remedies).unwrap()
}

/// The verdict and the rules that hold.
fn held(snapshot: &Snapshot, verdict: Verdict, rules: &[&str]) -> Decision {
    let decision = run(snapshot);
    assert_eq!(decision.verdict, verdict, "{}", decision.headline);
    let held = decision
        .trace
        .iter()
        .filter(|tried| tried.holds == Some(true));
    let held: Vec<&str> = held.map(|tried| tried.rule.as_str()).collect();
    assert_eq!(held, rules);
    assert!(rules.is_empty() || !decision.remedies.is_empty());
    decision
}

#[test]
fn a_valid_certificate_is_ok_even_shortly_before_its_end() {
    let decision = held(&healthy(), Verdict::Ok, &[]);
    assert_eq!(decision.confidence, Confidence::High);
    assert_no_rule_open(&decision);
    held(&machine(false, "2026-03-30T12:00:00Z"), Verdict::Ok, &[]);
    let soon = held(&machine(false, "2026-03-11T12:00:00Z"), Verdict::Ok, &[]);
    assert!(
        soon.notes
            .iter()
            .any(|note| note.contains("renews it by itself"))
    );
    held(&machine(false, NOW), Verdict::Ok, &[]);
}

#[test]
fn an_expired_self_signed_one_is_a_warning_alone_and_critical_with_a_failure() {
    let expired = || machine(false, "2026-03-10T11:59:59Z");
    let alone = held(&expired(), Verdict::Warning, &["expired"]);
    let text = commands(&alone);
    assert!(text.contains(&THUMBPRINT.to_uppercase()));
    assert!(text.contains("Restart-Service SessionEnv"));
    assert!(!text.contains("TermService") && !text.contains(r"Remote Desktop\\*"));
    for kind in [
        CertificateEvent::CreateFailed,
        CertificateEvent::ReplaceFailed,
        CertificateEvent::KeyRefused,
    ] {
        let mut recent = expired();
        record(&mut recent, kind, "2026-03-09T12:00:00Z", "access denied");
        let decision = held(
            &recent,
            Verdict::Critical,
            &["broken", "expired-and-broken"],
        );
        assert!(commands(&decision).contains("f686aace"));
        assert!(decision.reasons[0].contains("and Windows cannot replace it"));
        let shown = |exhibit: &Exhibit| exhibit.says.ends_with("access denied");
        assert!(decision.evidence.iter().any(shown));
        let mut week = expired();
        record(&mut week, kind, "2026-03-03T12:00:00Z", "access denied");
        held(&week, Verdict::Critical, &["expired-and-broken"]);
        let mut older = expired();
        record(&mut older, kind, "2026-03-03T11:59:59Z", "access denied");
        held(&older, Verdict::Warning, &["expired"]);
        record(
            &mut week,
            CertificateEvent::Created,
            "2026-03-04T12:00:00Z",
            THUMBPRINT,
        );
        held(&week, Verdict::Warning, &["expired"]);
    }
}

#[test]
fn an_expired_chosen_one_is_critical_unless_users_still_come_in() {
    let mut chosen = machine(true, "2026-03-09T00:00:00Z");
    let decision = held(&chosen, Verdict::Critical, &["expired-and-broken"]);
    assert!(commands(&decision).contains("Win32_TSGeneralSetting"));
    assert!(decision.headline.contains("nobody renews it"));
    // A logon up to its very end says nothing of what comes after it.
    for at in ["2026-03-08T00:00:00Z", "2026-03-09T00:00:00Z"] {
        logon(&mut chosen, at);
        held(&chosen, Verdict::Critical, &["expired-and-broken"]);
    }
    logon(&mut chosen, "2026-03-10T00:00:00Z");
    let decision = held(&chosen, Verdict::Warning, &["expired"]);
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("after its end"))
    );
}

#[test]
fn a_clock_that_is_ahead_of_the_logs_is_a_warning() {
    let mut snapshot = machine(true, "2026-03-08T00:00:00Z");
    snapshot.certificates.system = system("2024-03-08T00:00:00Z");
    let decision = held(&snapshot, Verdict::Warning, &["expired"]);
    assert_eq!(decision.confidence, Confidence::Low);
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("check the clock"))
    );
    snapshot.certificates.system = system("2026-03-09T12:00:00Z");
    held(&snapshot, Verdict::Critical, &["expired-and-broken"]);
    let mut close = machine(true, "2026-03-10T00:00:00Z");
    close.certificates.system = system("2026-03-09T12:00:00Z");
    held(&close, Verdict::Critical, &["expired-and-broken"]);
    close.certificates.system = system("2026-03-09T11:59:59Z");
    held(&close, Verdict::Warning, &["expired"]);
}

#[test]
fn a_failure_counts_for_a_day_and_until_a_certificate_is_made() {
    for (at, verdict) in [
        ("2026-03-09T12:00:00Z", Verdict::Critical),
        ("2026-03-09T11:59:59Z", Verdict::Ok),
    ] {
        for kind in [
            CertificateEvent::CreateFailed,
            CertificateEvent::ReplaceFailed,
        ] {
            let mut snapshot = healthy();
            record(&mut snapshot, kind, at, "object exists");
            assert_eq!(run(&snapshot).verdict, verdict, "{kind:?} at {at}");
            for (made, verdict) in [("2026-03-08T00:00:00Z", verdict), (at, Verdict::Ok)] {
                record(&mut snapshot, CertificateEvent::Created, made, THUMBPRINT);
                assert_eq!(run(&snapshot).verdict, verdict, "{kind:?} at {at}, {made}");
            }
        }
    }
}

#[test]
fn a_refused_key_of_a_client_or_before_a_logon_is_another_matter() {
    let at = "2026-03-10T10:00:00Z";
    let mut server = healthy();
    record(&mut server, CertificateEvent::KeyRefused, at, "server");
    held(&server, Verdict::Critical, &["broken"]);
    logon(&mut server, "2026-03-10T09:00:00Z");
    held(&server, Verdict::Critical, &["broken"]);
    logon(&mut server, at);
    held(&server, Verdict::Ok, &[]);
    let mut client = healthy();
    record(&mut client, CertificateEvent::KeyRefused, at, "client");
    held(&client, Verdict::Ok, &[]);
}

#[test]
fn a_reference_that_leads_nowhere_is_critical() {
    let mut chosen = machine(true, NOW);
    chosen.certificates.used = Fact::absent([place()]);
    let decision = held(&chosen, Verdict::Critical, &["missing"]);
    assert!(commands(&decision).contains("0x00,0x11,0x22"));
    // What is not there has no end either: nothing else is open.
    assert!(decision.trace.iter().all(|tried| tried.holds.is_some()));
    let mut made = machine(false, NOW);
    made.certificates.used = Fact::absent([place()]);
    held(&made, Verdict::Critical, &["missing"]);
}

#[test]
fn a_chosen_one_is_a_warning_below_thirty_days() {
    held(&machine(true, "2026-04-09T12:00:00Z"), Verdict::Ok, &[]);
    held(
        &machine(true, "2026-04-09T11:59:59Z"),
        Verdict::Warning,
        &["chosen-ends-soon"],
    );
}

#[test]
fn a_self_signed_one_that_cannot_be_renewed_is_a_warning_below_seven_days() {
    for (end, rules) in [
        ("2026-03-17T12:00:00Z", &[][..]),
        ("2026-03-17T11:59:59Z", &["not-renewed"][..]),
    ] {
        let verdict = if rules.is_empty() {
            Verdict::Ok
        } else {
            Verdict::Warning
        };
        let mut off = machine(false, end);
        off.services.service_mut("SessionEnv").unwrap().start = number(4);
        let decision = held(&off, verdict, rules);
        assert_eq!(
            commands(&decision).contains("SessionEnv start= demand"),
            !rules.is_empty()
        );
        let mut failed = machine(false, end);
        record(
            &mut failed,
            CertificateEvent::ReplaceFailed,
            "2026-03-01T00:00:00Z",
            "x",
        );
        held(&failed, verdict, rules);
    }
}

#[test]
fn no_certificate_is_a_warning_where_connections_are_allowed() {
    let mut snapshot = healthy();
    snapshot.certificates.reference = Fact::absent([place()]);
    snapshot.certificates.used = Fact::absent([]);
    held(&snapshot, Verdict::Warning, &["none"]);
    snapshot.remote_desktop.deny = Layered::new(Fact::absent([]), number(1));
    let refused = held(&snapshot, Verdict::Ok, &[]);
    assert!(refused.headline.contains("connections are refused"));
    snapshot.remote_desktop.deny = Layered::new(Fact::not_collected("x"), number(0));
    held(&snapshot, Verdict::Unknown, &[]);
}

#[test]
fn times_keys_and_signatures_are_judged() {
    held(&but(|one| one.not_before = time(NOW)), Verdict::Ok, &[]);
    let early = but(|one| one.not_before = time("2026-03-10T12:00:01Z"));
    held(&early, Verdict::Warning, &["not-yet-valid"]);
    held(
        &but(|one| one.rsa_bits = Some(2047)),
        Verdict::Warning,
        &["weak"],
    );
    held(&but(|one| one.rsa_bits = None), Verdict::Ok, &[]);
    let sha1 = but(|one| one.signature = "1.2.840.113549.1.1.5".to_owned());
    assert!(
        held(&sha1, Verdict::Warning, &["weak"])
            .headline
            .contains("SHA-1")
    );
    held(
        &but(|one| one.has_key = false),
        Verdict::Warning,
        &["no-private-key"],
    );
}

#[test]
fn names_uses_and_access_are_notes() {
    let mut renamed = but(|one| one.usages = Some(vec!["1.3.6.1.5.5.7.3.2".to_owned()]));
    renamed.machine.host = Fact::known("HOST-B".to_owned(), []);
    renamed.certificates.stored = Fact::known(2, []);
    renamed.certificates.machine_keys = Fact::known(
        crate::facts::certificates::KeyAccess {
            folder: None,
            key: Some("O:SYG:SYD:PAI(A;;FA;;;SY)".to_owned()),
            key_exists: Some(false),
        },
        [],
    );
    record(
        &mut renamed,
        CertificateEvent::Created,
        "2026-01-01T00:00:00Z",
        "ff",
    );
    let decision = held(&renamed, Verdict::Ok, &[]);
    for words in [
        "neither for servers",
        "called HOST-B",
        "holds 2",
        "NETWORK SERVICE",
        "f686aace",
        "another certificate",
    ] {
        assert!(
            decision.notes.iter().any(|note| note.contains(words)),
            "{words}"
        );
    }
}

#[test]
fn what_was_not_seen_is_unknown() {
    held(&Snapshot::gather(&Sources::none()), Verdict::Unknown, &[]);
    let mut software = healthy();
    software.certificates.used = Fact::not_collected("x");
    record(
        &mut software,
        CertificateEvent::Created,
        "2025-10-10T00:00:00Z",
        THUMBPRINT,
    );
    let decision = held(&software, Verdict::Unknown, &[]);
    assert!(
        decision
            .headline
            .starts_with("a self-signed certificate was made at 2025-10-10")
    );
    let mut no_log = healthy();
    no_log.certificates.system = Fact::not_collected("x");
    held(&no_log, Verdict::Unknown, &[]);
    let mut no_time = healthy();
    no_time.capture.time = None;
    held(&no_time, Verdict::Unknown, &[]);
    for (held_from, verdict) in [
        ("2026-03-09T12:00:00Z", Verdict::Ok),
        ("2026-03-09T12:00:01Z", Verdict::Unknown),
    ] {
        let mut capped = healthy();
        let mut log = system(NOW);
        if let crate::facts::fact::State::Known(channel) = &mut log.state {
            channel.held_from = Some(Mark {
                record_id: 1,
                time: time(held_from),
            });
        }
        capped.certificates.system = log;
        held(&capped, verdict, &[]);
    }
    let mut damaged = healthy();
    if let crate::facts::fact::State::Known(channel) = &mut damaged.certificates.system.state {
        channel.damage.push("chunk 3".to_owned());
    }
    held(&damaged, Verdict::Unknown, &[]);
}

#[test]
fn an_edition_that_accepts_none_is_not_applicable() {
    let mut home = healthy();
    home.remote_desktop.edition_may_host = Fact::known(false, []);
    assert_eq!(run(&home).verdict, Verdict::NotApplicable);
}

#[test]
fn the_headline_names_the_event() {
    for (kind, words) in [
        (CertificateEvent::CreateFailed, "(event 1057)"),
        (CertificateEvent::ReplaceFailed, "(event 1058)"),
        (CertificateEvent::KeyRefused, "Schannel 36870"),
    ] {
        let mut snapshot = healthy();
        record(&mut snapshot, kind, "2026-03-10T10:00:00Z", "x");
        let decision = held(&snapshot, Verdict::Critical, &["broken"]);
        assert!(decision.headline.contains(words), "{}", decision.headline);
    }
}

#[test]
fn a_single_certificate_and_one_that_windows_did_not_make_are_no_news() {
    let mut one = healthy();
    one.certificates.stored = Fact::known(1, []);
    let made = "2026-01-01T00:00:00Z";
    record(&mut one, CertificateEvent::Created, made, THUMBPRINT);
    assert!(held(&one, Verdict::Ok, &[]).notes.is_empty());
    let mut chosen = machine(true, "2026-08-01T00:00:00Z");
    record(&mut chosen, CertificateEvent::Created, made, "ff");
    assert!(held(&chosen, Verdict::Ok, &[]).notes.is_empty());
}
