//! Every rule on handmade decisions and facts: it fires, and stays quiet where one part is missing.

mod facts;
mod on_facts;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::checks::check::Tried;
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::Confidence;
use crate::facts::capture::{CaptureKind, TimeSource};
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;
use crate::report::{Report, Selection};

use Verdict::{Critical, NotApplicable, Ok as Healthy, Unknown, Warning};

fn captured() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn ago(age: SignedDuration) -> Timestamp {
    captured() - age
}

fn record(id: u64, time: Timestamp) -> Evidence {
    let place = Locator::record("System", id);
    Evidence::new("eventlog/System.evtx", place, "x").at(Some(time))
}

fn snapshot() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(captured());
    snapshot.capture.source = TimeSource::Manifest;
    snapshot.capture.kind = CaptureKind::Live;
    snapshot
}

/// A decision in which the rules of these names held.
fn decision(verdict: Verdict, rules: &[&str]) -> Decision {
    let held = |rule: &&str| Tried {
        rule: (*rule).to_owned(),
        verdict,
        compared: String::new(),
        holds: Some(true),
    };
    Decision {
        verdict,
        headline: "x".to_owned(),
        confidence: Confidence::High,
        reasons: Vec::new(),
        notes: Vec::new(),
        evidence: Vec::new(),
        remedies: Vec::new(),
        missing: Vec::new(),
        trace: rules.iter().map(held).collect(),
    }
}

/// The causes; the decisions stay as they are, and their order changes nothing.
fn folded(snapshot: &Snapshot, decisions: &[Decided]) -> Vec<Cause> {
    let context = Context {
        snapshot,
        thresholds: &Thresholds::default(),
    };
    let before = decisions.to_vec();
    let causes = fold(&context, decisions);
    assert_eq!(before, decisions);
    assert_eq!(fold(&context, decisions), causes);
    let mut reversed = before;
    reversed.reverse();
    assert_eq!(fold(&context, &reversed), causes);
    causes
}

/// The only cause: what it is and what it explains.
fn only(causes: &[Cause]) -> (&Origin, Vec<&str>) {
    let [cause] = causes else {
        panic!("one cause expected: {causes:#?}")
    };
    let consequences = cause.consequences.iter().map(String::as_str).collect();
    (&cause.cause, consequences)
}

fn check(id: &str) -> Origin {
    Origin::check(id)
}

#[test]
fn ports_explain_names_that_are_not_resolved() {
    let snapshot = snapshot();
    let ports = ("port-exhaustion", decision(Critical, &["used-up"]));
    for rule in [
        "nothing-resolves",
        "internal-fails",
        "first-dead",
        "timeouts",
    ] {
        let names = ("intranet-dns", decision(Warning, &[rule]));
        let causes = folded(&snapshot, &[ports.clone(), names]);
        let explained = (&check("port-exhaustion"), vec!["intranet-dns"]);
        assert_eq!(only(&causes), explained, "{rule}");
    }
}

#[test]
fn ports_explain_no_configuration_and_no_healthy_check() {
    let snapshot = snapshot();
    let names = |verdict, rule| ("intranet-dns", decision(verdict, &[rule]));
    let ports = |verdict| ("port-exhaustion", decision(verdict, &["used-up"]));
    for decisions in [
        vec![ports(Critical), names(Critical, "no-server")],
        vec![ports(Critical), names(Critical, "client-disabled")],
        vec![ports(Critical), names(Healthy, "timeouts")],
        vec![ports(Critical), names(Unknown, "timeouts")],
        vec![ports(Warning), names(Critical, "nothing-resolves")],
        vec![names(Critical, "nothing-resolves")],
        vec![ports(Critical)],
    ] {
        assert_eq!(folded(&snapshot, &decisions), [], "{decisions:#?}");
    }
}

#[test]
fn the_port_comes_before_the_firewall() {
    let snapshot = snapshot();
    let port = |verdict| ("rdp-port", decision(verdict, &["taken"]));
    let firewall = |verdict| ("rdp-firewall", decision(verdict, &["no-rule"]));
    let causes = folded(&snapshot, &[port(Critical), firewall(Critical)]);
    assert_eq!(only(&causes), (&check("rdp-port"), vec!["rdp-firewall"]));
    assert_eq!(causes[0].link, Link::Precedes);
    for (one, other) in [
        (Warning, Critical),
        (Critical, Warning),
        (Healthy, Critical),
        (Unknown, Critical),
        (Critical, NotApplicable),
    ] {
        assert_eq!(folded(&snapshot, &[port(one), firewall(other)]), []);
    }
}

#[test]
fn no_check_that_did_not_run_has_a_part() {
    assert_eq!(folded(&snapshot(), &[]), []);
    let undecided = |id| (id, decision(Unknown, &[]));
    let ids = [
        "port-exhaustion",
        "intranet-dns",
        "rdp-port",
        "rdp-firewall",
    ];
    assert_eq!(folded(&snapshot(), &ids.map(undecided)), []);
}

/// A rule that a check renames would go unheard here.
#[test]
fn every_rule_of_a_check_that_is_named_is_there() {
    let checks = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/checks");
    for (check, rules) in [
        ("os/brute_force", &["flood", "rolled-over-by-failures"][..]),
        (
            "os/handle_leak",
            &[
                "huge-process",
                "growing-process",
                "large-process",
                "slow-growth",
            ],
        ),
        (
            "remote_desktop/rdp_allowed",
            &["denied-by-policy", "denied-locally"],
        ),
        (
            "remote_desktop/rdp_certificate",
            &["broken", "expired", "expired-and-broken", "not-yet-valid"],
        ),
        ("remote_desktop/rdp_firewall", &["service-stopped"]),
        ("remote_desktop/rdp_port", &["not-listening", "unanswered"]),
        (
            "remote_desktop/rds_service",
            &["stopped", "failed", "crashes"],
        ),
        (
            "network/intranet_dns",
            &[
                "nothing-resolves",
                "internal-fails",
                "first-dead",
                "timeouts",
            ],
        ),
        (
            "network/tcp_wait_states",
            &["sockets-not-closed", "close-wait"],
        ),
    ] {
        let id = check.rsplit_once('/').unwrap().1.replace('_', "-");
        assert!(crate::checks::table::find(&id).is_some(), "{id}");
        let mut text = std::fs::read_to_string(checks.join(format!("{check}.rs"))).unwrap();
        for file in std::fs::read_dir(checks.join(check)).unwrap() {
            let path = file.unwrap().path();
            if path.is_file() && !path.ends_with("tests.rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
        for rule in rules {
            assert!(text.contains(&format!("\"{rule}\"")), "{check} {rule}");
        }
    }
}

/// The report's findings are the decisions of the checks, causes or not.
#[test]
fn a_report_with_causes_has_the_verdicts_of_its_checks() {
    let mut snapshot = snapshot();
    snapshot.capture.kind = CaptureKind::DiskOnly;
    let thresholds = Thresholds::default();
    let report = Report::new(&snapshot, &thresholds, &Selection::default());
    assert_eq!(report.causes.len(), 1, "{:#?}", report.causes);
    let context = Context {
        snapshot: &snapshot,
        thresholds: &thresholds,
    };
    assert_eq!(report.checks.len(), crate::checks::table::TABLE.len());
    for (check, finding) in crate::checks::table::TABLE.iter().zip(&report.checks) {
        let decision = check.run(&context);
        assert_eq!(check.id, finding.id);
        assert_eq!(decision.verdict, finding.verdict);
        assert_eq!(decision.headline, finding.headline);
        assert_eq!(decision.evidence, finding.evidence);
        assert_eq!(decision.remedies, finding.remedies);
    }
}
