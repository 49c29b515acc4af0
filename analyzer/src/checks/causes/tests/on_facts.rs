//! Rules that rest on facts besides the decisions.

use super::facts::*;
use super::*;
use crate::facts::certificates::CertificateEvent::{CreateFailed, Created, KeyRefused};
use crate::facts::fact::Fact;
use crate::facts::remote_desktop::Kind;
use crate::facts::services::{RUNNING, STOPPED};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn hours(count: i64) -> SignedDuration {
    SignedDuration::from_hours(count)
}

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

#[test]
fn a_controller_out_of_reach_adds_to_the_ports_while_it_is_recent() {
    let decisions = [
        ("port-exhaustion", decision(Critical, &["exhausted"])),
        ("intranet-dns", decision(Critical, &["nothing-resolves"])),
    ];
    for (age, shown) in [(DAY, 1), (DAY + seconds(1), 0)] {
        let mut snapshot = snapshot();
        unreachable(&mut snapshot, ago(age));
        let causes = folded(&snapshot, &decisions);
        assert_eq!(causes[0].evidence.len(), shown);
    }
}

#[test]
fn memory_explains_services_that_ended_near_a_shortage() {
    let memory = (
        "virtual-memory-usage",
        decision(Critical, &["exhaustion-logged"]),
    );
    let decisions = [
        memory.clone(),
        ("rds-service", decision(Critical, &["stopped"])),
        ("rdp-port", decision(Critical, &["not-listening"])),
        ("rdp-firewall", decision(Warning, &["service-stopped"])),
    ];
    let at = ago(hours(3));
    for (offset, fires) in [(600, true), (-600, true), (601, false), (-601, false)] {
        for id in [7031, 7034] {
            let mut snapshot = snapshot();
            shortage(&mut snapshot, at);
            service_event(&mut snapshot, "TermService", id, at + seconds(offset));
            let causes = folded(&snapshot, &decisions);
            if fires {
                let explained = vec!["rds-service", "rdp-port"];
                assert_eq!(only(&causes), (&check("virtual-memory-usage"), explained));
                assert_eq!(causes[0].evidence.len(), 2);
                assert!(causes[0].because.contains("TermService"));
            } else {
                assert_eq!(causes, []);
            }
        }
    }
    let mut ended = snapshot();
    shortage(&mut ended, at);
    service_event(&mut ended, "TermService", 7036, at);
    assert_eq!(folded(&ended, &decisions), [], "an ordinary stop");
    service_event(&mut ended, "MpsSvc", 7034, at);
    let causes = folded(&ended, &decisions);
    assert_eq!(only(&causes).1, ["rdp-firewall"]);
    service_event(&mut ended, "TermService", 7031, at);
    for rest in [
        vec![memory.clone()],
        vec![
            memory.clone(),
            ("rds-service", decision(Critical, &["disabled"])),
        ],
        vec![memory, ("rds-service", decision(Healthy, &["crashes"]))],
        decisions[1..].to_vec(),
    ] {
        assert_eq!(folded(&ended, &rest), [], "{rest:#?}");
    }
}

#[test]
fn an_attack_explains_processors_that_check_passwords() {
    let attack = |rule| ("brute-force", decision(Critical, &[rule]));
    let processors = [
        ("cpu-usage", decision(Critical, &["saturated"])),
        (
            "single-cpu-usage",
            decision(Warning, &["one-processor-hot"]),
        ),
    ];
    let with = |attack: Decided| [vec![attack], processors.to_vec()].concat();
    let both = vec!["cpu-usage", "single-cpu-usage"];
    for (image, services) in [("LSASS.exe", &[][..]), ("svchost.exe", &["TermService"])] {
        let mut snapshot = snapshot();
        busiest(&mut snapshot, image, services);
        let causes = folded(&snapshot, &with(attack("same-source")));
        assert_eq!(only(&causes), (&check("brute-force"), both.clone()));
        assert_eq!(causes[0].evidence.len(), 1);
    }
    let mut other = snapshot();
    busiest(&mut other, "java.exe", &[]);
    assert_eq!(folded(&other, &with(attack("flood"))), []);
    let untold = snapshot();
    assert_eq!(folded(&untold, &with(attack("same-source"))), []);
    let rolled = folded(&untold, &with(attack("rolled-over-by-failures")));
    assert_eq!(only(&rolled), (&check("brute-force"), both));
    let weak = ("brute-force", decision(Warning, &["flood"]));
    assert_eq!(folded(&untold, &with(weak)), []);
    assert_eq!(folded(&untold, &[attack("flood")]), []);
}

#[test]
fn a_flood_explains_a_port_that_answers_now_and_then() {
    let port = |rule| ("rdp-port", decision(Warning, &[rule]));
    let attack = |rule| ("brute-force", decision(Critical, &[rule]));
    let causes = folded(&snapshot(), &[attack("flood"), port("unanswered")]);
    assert_eq!(only(&causes), (&check("brute-force"), vec!["rdp-port"]));
    for decisions in [
        [attack("flood"), port("unusual-port")],
        [attack("administrator-locked-out"), port("unanswered")],
    ] {
        assert_eq!(folded(&snapshot(), &decisions), []);
    }
}

#[test]
fn a_key_that_cannot_be_used_explains_a_port_without_listener() {
    let port = ("rdp-port", decision(Critical, &["not-listening"]));
    let certificate = ("rdp-certificate", decision(Critical, &["broken"]));
    let decisions = [port.clone(), certificate.clone()];
    let mut sick = snapshot();
    certificate_event(&mut sick, CreateFailed, 1057, ago(hours(2)));
    assert_eq!(folded(&sick, &decisions), [], "36870 is missing");
    certificate_event(&mut sick, KeyRefused, 36870, ago(hours(2)));
    let causes = folded(&sick, &decisions);
    assert_eq!(only(&causes), (&check("rdp-certificate"), vec!["rdp-port"]));
    assert_eq!(causes[0].evidence.len(), 2);
    for rest in [
        vec![port.clone()],
        vec![certificate.clone()],
        vec![port, ("rdp-certificate", decision(Warning, &["weak"]))],
        vec![("rdp-port", decision(Critical, &["taken"])), certificate],
    ] {
        assert_eq!(folded(&sick, &rest), [], "{rest:#?}");
    }
    let mut stopped = sick.clone();
    for (state, count) in [(RUNNING, 1), (STOPPED, 0)] {
        let service = stopped.services.service_mut("TermService").unwrap();
        service.runtime.state = Fact::known(state, []);
        assert_eq!(folded(&stopped, &decisions).len(), count);
    }
    certificate_event(&mut sick, Created, 1056, ago(hours(1)));
    assert_eq!(folded(&sick, &decisions), [], "a new one was made since");
}

#[test]
fn a_doubtful_clock_explains_an_expired_certificate() {
    let expired = [("rdp-certificate", decision(Warning, &["expired"]))];
    let year = DAY * 365;
    // Age of the newest record, age of the certificate's end.
    for (newest, end, fires) in [
        (DAY + seconds(1), DAY, true),
        (DAY * 400, DAY * 400, true),
        (DAY, hours(1), false),
        (DAY * 30, DAY * 31, false),
    ] {
        let mut snapshot = snapshot();
        newest_record(&mut snapshot, ago(newest));
        certificate(&mut snapshot, ago(year * 2), ago(end));
        let causes = folded(&snapshot, &expired);
        if !fires {
            assert_eq!(causes, []);
            continue;
        }
        let (cause, explained) = only(&causes);
        let Origin::Fact(fact) = cause else {
            panic!("{cause:?}")
        };
        assert!(fact.contains("clock"), "{fact}");
        assert_eq!(explained, ["rdp-certificate"]);
        assert_eq!(causes[0].evidence.len(), 1);
        let healthy = [("rdp-certificate", decision(Healthy, &[]))];
        assert_eq!(folded(&snapshot, &healthy), []);
        let weak = [("rdp-certificate", decision(Warning, &["weak"]))];
        assert_eq!(folded(&snapshot, &weak), []);
        snapshot.capture.source = TimeSource::EventLog;
        assert_eq!(folded(&snapshot, &expired), [], "no clock of its own");
    }
}

#[test]
fn a_clock_set_back_explains_a_certificate_of_the_future() {
    let early = [("rdp-certificate", decision(Warning, &["not-yet-valid"]))];
    // How long after the capture the newest record and the certificate's start are.
    for (newest, start, fires) in [
        (minutes(5) + seconds(1), minutes(5), true),
        (DAY, DAY, true),
        (minutes(5), minutes(1), false),
        (DAY, DAY + seconds(1), false),
    ] {
        let mut snapshot = snapshot();
        newest_record(&mut snapshot, captured() + newest);
        certificate(&mut snapshot, captured() + start, captured() + DAY * 180);
        assert_eq!(folded(&snapshot, &early).len(), usize::from(fires));
    }
}

#[test]
fn a_policy_that_came_with_a_refresh_came_from_the_domain() {
    let denied = [("rdp-allowed", decision(Critical, &["denied-by-policy"]))];
    let written = ago(DAY);
    for (offset, fires) in [(300, true), (-300, true), (301, false), (-301, false)] {
        let mut snapshot = snapshot();
        denied_by_policy(&mut snapshot, written);
        refresh(&mut snapshot, Kind::UserPolicies, 1503, written);
        let at = written + seconds(offset);
        refresh(&mut snapshot, Kind::MachinePolicies, 1500, at);
        let causes = folded(&snapshot, &denied);
        if !fires {
            assert_eq!(causes, []);
            continue;
        }
        let (cause, explained) = only(&causes);
        let Origin::Fact(fact) = cause else {
            panic!("{cause:?}")
        };
        assert!(fact.contains(&words::time(at)), "{fact}");
        assert_eq!(explained, ["rdp-allowed"]);
        assert_eq!(causes[0].evidence.len(), 2);
        let local = [("rdp-allowed", decision(Critical, &["denied-locally"]))];
        assert_eq!(folded(&snapshot, &local), []);
    }
}

#[test]
fn a_local_setting_came_with_a_refresh_that_applied_something() {
    let denied = [("rdp-allowed", decision(Critical, &["denied-locally"]))];
    let written = ago(DAY);
    for (event, fires) in [(1502, true), (1500, false)] {
        let mut snapshot = snapshot();
        denied_locally(&mut snapshot, written);
        refresh(&mut snapshot, Kind::MachinePolicies, event, written);
        let causes = folded(&snapshot, &denied);
        assert_eq!(causes.len(), usize::from(fires), "{event}");
    }
}

#[test]
fn a_setting_that_was_written_in_a_patch_window_came_from_there() {
    let written = ago(DAY);
    for rule in ["denied-locally", "denied-by-policy"] {
        let denied = [("rdp-allowed", decision(Critical, &[rule]))];
        for (before, after, fires) in [(55, 5, true), (-5, 30, true), (55, -6, false)] {
            let mut snapshot = snapshot();
            denied_locally(&mut snapshot, written);
            if rule == "denied-by-policy" {
                denied_by_policy(&mut snapshot, written);
            }
            serviced(&mut snapshot, "KB1", written - minutes(before));
            serviced(&mut snapshot, "KB2", written + minutes(after));
            let causes = folded(&snapshot, &denied);
            if !fires {
                assert_eq!(causes, []);
                continue;
            }
            let (cause, explained) = only(&causes);
            let Origin::Fact(fact) = cause else {
                panic!("{cause:?}")
            };
            assert!(fact.contains("KB1, KB2"), "{fact}");
            assert_eq!(explained, ["rdp-allowed"]);
            assert_eq!(causes[0].evidence.len(), 3, "two records and the value");
            refresh(&mut snapshot, Kind::MachinePolicies, 1502, written);
            let causes = folded(&snapshot, &denied);
            let (cause, _) = only(&causes);
            assert!(matches!(cause, Origin::Fact(fact) if fact.contains("group policies")));
        }
    }
}

#[test]
fn sockets_that_are_not_closed_explain_a_leak_of_the_same_process() {
    let waits = |rule| ("tcp-wait-states", decision(Critical, &[rule]));
    let leak = |headline: &str, reasons: &[&str]| {
        let mut decision = decision(Critical, &["growing-process"]);
        headline.clone_into(&mut decision.headline);
        decision.reasons = reasons.iter().map(|&reason| reason.to_owned()).collect();
        ("handle-leak", decision)
    };
    let (own, another) = (
        "app.exe (pid 500) holds 4000",
        "app.exe (pid 600) holds 9000",
    );
    let mut sick = snapshot();
    let row = process(&mut sick, 500, 4000);
    process(&mut sick, 600, 9000);
    connections(&mut sick, &[(500, 8, 1000), (600, 5, 5000), (700, 8, 3)]);
    let named = leak(own, &[]);
    let among_others = leak(another, &[another, own]);
    assert_eq!(folded(&sick, &[among_others, waits("close-wait")]).len(), 1);
    for rule in ["sockets-not-closed", "close-wait"] {
        let causes = folded(&sick, &[named.clone(), waits(rule)]);
        let explained = (&check("tcp-wait-states"), vec!["handle-leak"]);
        assert_eq!(only(&causes), explained);
        assert!(causes[0].because.contains("1000 connections"));
        assert_eq!(causes[0].evidence[0].evidence, row);
    }
    for decisions in [
        vec![named.clone()],
        vec![waits("close-wait")],
        vec![named.clone(), waits("time-wait")],
        vec![leak(another, &[another]), waits("close-wait")],
        vec![leak("", &[]), waits("close-wait")],
        vec![
            ("handle-leak", decision(Critical, &["huge-total"])),
            waits("close-wait"),
        ],
    ] {
        assert_eq!(folded(&sick, &decisions), [], "{decisions:#?}");
    }
    connections(&mut sick, &[(500, 8, 999)]);
    let few = folded(&sick, &[named, waits("close-wait")]);
    assert_eq!(few, [], "fewer than a quarter of its handles");
}

#[test]
fn a_disk_names_what_a_live_capture_adds() {
    let mut disk = snapshot();
    disk.capture.kind = CaptureKind::DiskOnly;
    let with = |verdict, missing: &str| {
        let mut decision = decision(verdict, &[]);
        decision.missing = vec![missing.to_owned()];
        [("gateway", decision)]
    };
    let asked = "a live capture: the routing table (network.routes)";
    let causes = folded(&disk, &with(Unknown, asked));
    let (cause, explained) = only(&causes);
    assert!(matches!(cause, Origin::Fact(fact) if fact.contains("disk")));
    assert_eq!(explained, ["gateway"]);
    assert!(causes[0].because.contains("would add: routing table"));
    for decisions in [
        with(Warning, asked),
        with(Healthy, asked),
        with(Unknown, "the SYSTEM hive (registry.system)"),
        with(Unknown, "another thing (network.routes-of-old)"),
    ] {
        assert_eq!(folded(&disk, &decisions), [], "{decisions:#?}");
    }
    let unnamed = with(Unknown, "");
    assert_eq!(folded(&disk, &unnamed), [], "no hive was seen, either");
    let mut whole = disk.clone();
    for item in ["registry.system", "eventlog.system"] {
        let place = (item.to_owned(), item.to_owned());
        whole.inventory.items.extend([place]);
    }
    let causes = folded(&whole, &unnamed);
    assert_eq!(only(&causes).1, ["gateway"]);
    let live = snapshot();
    assert_eq!(folded(&live, &with(Unknown, asked)), [], "a live snapshot");
    let place = ("network.routes".to_owned(), "routes.json".to_owned());
    disk.inventory.items.extend([place]);
    assert_eq!(folded(&disk, &with(Unknown, asked)), [], "it is there");
}
