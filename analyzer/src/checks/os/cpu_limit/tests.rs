use serde_json::json;

use super::*;
use crate::checks::thresholds::Thresholds;
use crate::facts::boot_options::{Given, Loader, Setting};
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;
use crate::facts::topology::Present;

const LOADER: &str = "{10000000-0000-0000-0000-000000000001}";

fn setting(value: u64) -> Fact<Setting> {
    let setting = Setting {
        value,
        entries: Vec::new(),
        object: LOADER.to_owned(),
    };
    Fact::known(setting, [])
}

fn processors(snapshot: &mut Snapshot, active: u32, present: u32, by_firmware: bool) {
    snapshot.topology.active_processors = Fact::known(active, []);
    let present = Present {
        count: present,
        by_firmware,
    };
    snapshot.topology.present_processors = Fact::known(present, []);
}

/// A healthy machine of four processors in one socket.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.kind = CaptureKind::Live;
    let boot = &mut snapshot.boot_options;
    let loader = Loader {
        id: LOADER.to_owned(),
        description: None,
    };
    boot.loader = Fact::known(loader, []);
    boot.processors = Fact::absent([]);
    boot.one_processor = Fact::absent([]);
    boot.given = Fact::known(Given::parse(" NOEXECUTE=OPTIN"), []);
    processors(&mut snapshot, 4, 4, true);
    snapshot.topology.sockets = Fact::known(1, []);
    snapshot.topology.socket_cap = Fact::known(64, []);
    snapshot
}

fn with(change: impl FnOnce(&mut Snapshot)) -> Decision {
    let mut snapshot = healthy();
    change(&mut snapshot);
    CHECK.run(&Context {
        snapshot: &snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn is(decision: &Decision, verdict: Verdict, headline: &str) {
    assert_eq!(decision.verdict, verdict, "{decision:#?}");
    assert!(
        decision.headline.contains(headline),
        "{}",
        decision.headline
    );
}

fn commands(decision: &Decision) -> String {
    serde_json::to_string(&decision.remedies).unwrap()
}

fn log() -> Fact<Channel> {
    let channel =
        json!({"name": "System", "artifact": "a", "records": 1, "failed": 0, "filtered": false});
    Fact::known(serde_json::from_value(channel).unwrap(), [])
}

fn start(record_id: u64, processors: u32) -> Started {
    Started {
        record_id,
        time: "2026-10-20T10:00:00Z".parse().unwrap(),
        processors,
        evidence: Evidence::new("a", Locator::record("System", record_id), json!({})),
    }
}

#[test]
fn a_healthy_machine_is_ok() {
    is(&with(|_| {}), Verdict::Ok, "uses all 4");
}

#[test]
fn numproc_in_force_is_critical() {
    let decision = with(|snapshot| {
        snapshot.boot_options.processors = setting(1);
        snapshot.processes.system_log = log();
        processors(snapshot, 1, 4, true);
    });
    is(
        &decision,
        Verdict::Critical,
        "limited to 1 of 4 processors (numproc)",
    );
    assert_eq!(decision.confidence, Confidence::High);
    let commands = commands(&decision);
    for part in [
        "manage-bde",
        "/deletevalue '{default}' numproc",
        "/set '{default}' numproc 1",
    ] {
        assert!(commands.contains(part), "{part} is not in {commands}");
    }
    // The limit explains why fewer are in use.
    assert!(decision.reasons.is_empty(), "{:?}", decision.reasons);
}

#[test]
fn onecpu_in_force_is_critical_and_the_tighter_of_the_two() {
    let of = |value: u64, active: u32| {
        with(|snapshot| {
            snapshot.boot_options.one_processor = setting(value);
            snapshot.boot_options.processors = setting(8);
            processors(snapshot, active, 4, true);
        })
    };
    let decision = of(1, 1);
    is(
        &decision,
        Verdict::Critical,
        "limited to 1 of 4 processors (onecpu)",
    );
    assert!(commands(&decision).contains("/set '{default}' onecpu on"));
    // Off, so the other one counts, which is harmless.
    is(&of(0, 4), Verdict::Warning, "takes none away");
}

#[test]
fn the_option_alone_proves_a_limit() {
    let decision = with(|snapshot| {
        snapshot.boot_options.loader = Fact::not_collected("x");
        snapshot.boot_options.processors = Fact::not_collected("x");
        snapshot.boot_options.one_processor = Fact::not_collected("x");
        let given = Given {
            processors: Some(2),
            logged: true,
            ..Given::default()
        };
        snapshot.boot_options.given = Fact::known(given, []);
        processors(snapshot, 2, 4, true);
    });
    is(&decision, Verdict::Critical, "2 of 4");
    assert_eq!(decision.confidence, Confidence::Medium);
    assert!(commands(&decision).contains("/set '{current}' numproc 2"));
}

#[test]
fn a_limit_set_after_the_start_waits_for_the_next_one() {
    let decision = with(|snapshot| snapshot.boot_options.processors = setting(2));
    is(&decision, Verdict::Warning, "next boot (numproc)");
    let decision = with(|snapshot| {
        snapshot.boot_options.one_processor = setting(1);
        snapshot.topology.active_processors = Fact::not_collected("x");
    });
    is(&decision, Verdict::Warning, "next boot (onecpu)");
}

#[test]
fn a_limit_equal_to_the_processors_is_harmless() {
    let of = |limit: u64| with(|snapshot| snapshot.boot_options.processors = setting(limit));
    is(&of(4), Verdict::Warning, "takes none away");
    is(&of(5), Verdict::Warning, "takes none away");
    is(&of(0), Verdict::Ok, "");
    let unknown = with(|snapshot| {
        snapshot.boot_options.processors = setting(4);
        snapshot.topology.present_processors = Fact::not_collected("x");
    });
    is(
        &unknown,
        Verdict::Warning,
        "how many the machine has is not known",
    );
}

#[test]
fn the_edition_may_use_fewer_sockets() {
    let of = |sockets: u32, cap: u32, active: u32| {
        with(|snapshot| {
            snapshot.topology.sockets = Fact::known(sockets, []);
            snapshot.topology.socket_cap = Fact::known(cap, []);
            processors(snapshot, active, 4, true);
        })
    };
    is(
        &of(4, 2, 2),
        Verdict::Critical,
        "uses 2 processor sockets; the machine has 4",
    );
    is(&of(2, 2, 4), Verdict::Ok, "");
    // All of them are in use: nothing is lost.
    is(&of(4, 2, 4), Verdict::Ok, "");
}

#[test]
fn fewer_in_use_than_the_firmware_counts_is_a_warning() {
    let decision = with(|snapshot| {
        processors(snapshot, 2, 4, true);
        snapshot.processes.system_log = log();
        let number = Number {
            value: Some(8264),
            wrong_type: None,
        };
        snapshot.topology.feature_settings = Fact::known(number, []);
    });
    is(&decision, Verdict::Warning, "2 of the 4");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("second thread"))
    );
    // Room for processors that can be added is no fault.
    let room = with(|snapshot| {
        processors(snapshot, 4, 64, false);
        snapshot.processes.system_log = log();
    });
    is(&room, Verdict::Ok, "");
    assert!(room.notes.iter().any(|note| note.contains("64")));
}

#[test]
fn fewer_than_at_an_earlier_start_is_a_warning_of_low_confidence() {
    let starts = |snapshot: &mut Snapshot, counts: &[u32]| {
        snapshot.topology.started = (1..).zip(counts).map(|(id, n)| start(id, *n)).collect();
    };
    let of = |counts: &[u32]| {
        with(|snapshot| {
            starts(snapshot, counts);
            snapshot.topology.present_processors = Fact::not_collected("x");
            snapshot.boot_options.loader = Fact::not_collected("x");
        })
    };
    let decision = of(&[8, 2]);
    is(&decision, Verdict::Warning, "brought up 2 processors");
    assert_eq!(decision.confidence, Confidence::Low);
    assert_eq!(of(&[2, 8]).verdict, Verdict::Unknown);
    assert_eq!(of(&[8, 2, 8]).verdict, Verdict::Unknown);
    assert_eq!(of(&[8]).verdict, Verdict::Unknown);
    // All that is there is in use: the instance was made smaller.
    let resized = with(|snapshot| starts(snapshot, &[8, 4]));
    is(&resized, Verdict::Ok, "");
    assert!(
        resized
            .notes
            .iter()
            .any(|note| note.contains("made smaller"))
    );
}

#[test]
fn nothing_is_ok_unless_everything_was_seen() {
    type Change = fn(&mut Snapshot);
    let changes: [Change; 9] = [
        |s| s.boot_options.loader = Fact::not_collected("x"),
        |s| s.boot_options.processors = Fact::unreadable("x", []),
        |s| s.boot_options.one_processor = Fact::unreadable("x", []),
        |s| s.boot_options.given = Fact::not_collected("x"),
        |s| s.topology.socket_cap = Fact::not_collected("x"),
        |s| s.topology.sockets = Fact::not_collected("x"),
        |s| s.topology.active_processors = Fact::not_collected("x"),
        |s| s.topology.present_processors = Fact::not_collected("x"),
        // Only the log could tell of earlier starts, and it is missing.
        |s| processors(s, 4, 4, false),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(with(change).verdict, Verdict::Unknown, "change {index}");
    }
    let disk = with(|s| s.topology.present_processors = Fact::not_collected("a disk"));
    is(&disk, Verdict::Unknown, "no limit is configured");
}
