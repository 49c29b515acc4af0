use serde_json::json;

use super::*;
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::activation::License;
use crate::facts::boot_options::{Given, Loader, OtherLoader, Setting};
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;
use crate::facts::topology::LoggedMemory;

const LOADER: &str = "{10000000-0000-0000-0000-000000000001}";
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn setting(value: u64, entries: &[u64]) -> Fact<Setting> {
    let place = Evidence::new(
        "registry/BCD",
        Locator::value("BCD", "Objects", "Element"),
        json!("00"),
    );
    let setting = Setting {
        value,
        entries: entries.to_vec(),
        object: LOADER.to_owned(),
    };
    Fact::known(setting, [place])
}

fn given(options: &str) -> Fact<Given> {
    Fact::known(Given::parse(options), [])
}

/// A healthy machine of 8 GiB, of which Windows uses all but 140 MiB.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.kind = CaptureKind::Live;
    let boot = &mut snapshot.boot_options;
    let loader = Loader {
        id: LOADER.to_owned(),
        description: None,
    };
    boot.loader = Fact::known(loader, []);
    for fact in [
        &mut boot.truncate_memory,
        &mut boot.remove_memory,
        &mut boot.bad_pages,
    ] {
        *fact = Fact::absent([]);
    }
    boot.given = given(" NOEXECUTE=OPTOUT");
    let topology = &mut snapshot.topology;
    topology.installed_bytes = Fact::known(8 * GIB, []);
    topology.visible_bytes = Fact::known(8 * GIB - 140 * MIB, []);
    topology.memory_cap_bytes = Fact::known(2048 * GIB, []);
    topology.dynamic_memory = Fact::absent([]);
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

fn memory(snapshot: &mut Snapshot, installed: u64, visible: u64) {
    snapshot.topology.installed_bytes = Fact::known(installed, []);
    snapshot.topology.visible_bytes = Fact::known(visible, []);
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

#[test]
fn a_healthy_machine_is_ok() {
    let decision = with(|_| {});
    is(
        &decision,
        Verdict::Ok,
        "not limited: Windows uses 7.8 GiB of 8 GiB",
    );
    assert!(decision.remedies.is_empty());
}

#[test]
fn a_limit_in_force_is_critical_and_its_remedy_carries_the_old_value() {
    let decision = with(|snapshot| {
        snapshot.boot_options.truncate_memory = setting(2 * GIB, &[]);
        memory(snapshot, 8 * GIB, 2 * GIB - MIB);
    });
    is(&decision, Verdict::Critical, "2 GiB; the machine has 8 GiB");
    assert_eq!(decision.confidence, Confidence::High);
    let commands = commands(&decision);
    let order = [
        "manage-bde -protectors -disable C:",
        "bcdedit /export",
        "/deletevalue '{default}' truncatememory",
        "/set '{default}' truncatememory 0x80000000",
        "bcdedit /import",
    ];
    let places: Vec<usize> = order
        .iter()
        .map(|part| commands.find(part).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    // The limit explains what is missing.
    assert!(!decision.headline.contains("no limit explains"));
    assert_eq!(decision.reasons.len(), 0, "{:?}", decision.reasons);
}

#[test]
fn the_option_alone_proves_a_limit() {
    let store_gone = |options: &str| {
        let options = options.to_owned();
        with(move |snapshot| {
            snapshot.boot_options.loader = Fact::not_collected("x");
            snapshot.boot_options.truncate_memory = Fact::not_collected("x");
            snapshot.topology.installed_bytes = Fact::not_collected("x");
            snapshot.topology.visible_bytes = Fact::not_collected("x");
            let mut parsed = Given::parse(&options);
            parsed.logged = true;
            snapshot.boot_options.given = Fact::known(parsed, []);
        })
    };
    let decision = store_gone(" MAXMEM=4096 ");
    is(&decision, Verdict::Critical, "below the address 4 GiB");
    assert_eq!(decision.confidence, Confidence::Medium);
    assert!(commands(&decision).contains("truncatememory 0x100000000"));
    is(
        &store_gone(" NOEXECUTE=OPTIN"),
        Verdict::Unknown,
        "boot configuration",
    );
}

#[test]
fn an_option_that_the_store_no_longer_holds_ends_with_a_restart() {
    let decision = with(|snapshot| {
        snapshot.boot_options.given = given("MAXMEM=4096");
        memory(snapshot, 8 * GIB, 4 * GIB - MIB);
    });
    is(&decision, Verdict::Critical, "4 GiB");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("a restart ends it"))
    );
}

#[test]
fn a_limit_set_after_the_start_waits_for_the_next_one() {
    let decision = with(|snapshot| snapshot.boot_options.truncate_memory = setting(2 * GIB, &[]));
    is(&decision, Verdict::Warning, "next boot");
    // The same on a disk, where only the options tell.
    let disk = with(|snapshot| {
        snapshot.boot_options.truncate_memory = setting(2 * GIB, &[]);
        snapshot.topology.visible_bytes = Fact::not_collected("x");
        snapshot.capture.kind = CaptureKind::DiskOnly;
    });
    is(&disk, Verdict::Warning, "next boot");
    let commands = commands(&disk);
    assert!(
        commands.contains("/store F:") && !commands.contains("manage-bde"),
        "{commands}"
    );
    let decision = with(|snapshot| snapshot.boot_options.remove_memory = setting(4096, &[]));
    is(&decision, Verdict::Warning, "next boot: 4 GiB");
}

#[test]
fn without_options_a_stored_limit_counts_as_in_force() {
    let decision = with(|snapshot| {
        snapshot.boot_options.truncate_memory = setting(2 * GIB, &[]);
        snapshot.boot_options.given = Fact::not_collected("x");
        snapshot.topology.visible_bytes = Fact::not_collected("x");
    });
    is(&decision, Verdict::Critical, "2 GiB");
    assert_eq!(decision.confidence, Confidence::Medium);
}

#[test]
fn a_limit_of_all_memory_is_harmless() {
    let of = |limit: u64| {
        with(|snapshot| {
            snapshot.boot_options.truncate_memory = setting(limit, &[]);
            snapshot.boot_options.given = given(&format!("MAXMEM={}", limit / MIB));
            memory(snapshot, 4 * GIB, 3 * GIB);
        })
    };
    is(
        &of(4 * GIB),
        Verdict::Warning,
        "only what lies above that address",
    );
    is(&of(4 * GIB - MIB), Verdict::Critical, "3.9 GiB");
}

#[test]
fn with_installed_memory_not_known_the_log_is_asked() {
    let of = |limit_mib: u64, logged: Option<u64>| {
        with(|snapshot| {
            snapshot.boot_options.given = given(&format!("MAXMEM={limit_mib}"));
            snapshot.topology.installed_bytes = Fact::not_collected("x");
            if let Some(bytes) = logged {
                let memory = LoggedMemory {
                    bytes,
                    record_id: 7,
                };
                snapshot.topology.logged_memory = Fact::known(memory, []);
            }
        })
    };
    let logged = Some(10_000 * MIB);
    assert_eq!(of(8999, logged).verdict, Verdict::Critical);
    assert_eq!(of(9000, logged).verdict, Verdict::Warning);
    assert_eq!(of(9000, None).verdict, Verdict::Critical);
}

#[test]
fn a_quarter_taken_away_is_critical_and_less_a_warning() {
    let of = |removed: u64| {
        with(|snapshot| {
            snapshot.boot_options.remove_memory = setting(removed, &[]);
            memory(snapshot, 8 * GIB, (8192 - 140 - removed) * MIB);
        })
    };
    let decision = of(2048);
    is(
        &decision,
        Verdict::Critical,
        "2 GiB of memory is taken away",
    );
    assert!(commands(&decision).contains("/set '{default}' removememory 2048"));
    is(&of(2047), Verdict::Warning, "taken away");
    is(&of(0), Verdict::Ok, "");
    let unknown = with(|snapshot| {
        snapshot.boot_options.remove_memory = setting(2048, &[]);
        snapshot.topology.installed_bytes = Fact::not_collected("x");
        snapshot.topology.visible_bytes = Fact::not_collected("x");
    });
    is(&unknown, Verdict::Warning, "taken away");
    assert_eq!(unknown.confidence, Confidence::Medium);
}

#[test]
fn the_edition_may_be_the_limit() {
    let of = |cap: u64, installed: u64, visible: u64| {
        with(|snapshot| {
            snapshot.topology.memory_cap_bytes = Fact::known(cap, []);
            memory(snapshot, installed, visible);
        })
    };
    let decision = of(512 * GIB, 768 * GIB, 512 * GIB);
    is(
        &decision,
        Verdict::Critical,
        "at most 512 GiB; the machine has 768 GiB",
    );
    is(&of(512 * GIB, 512 * GIB, 512 * GIB - MIB), Verdict::Ok, "");
    // Windows uses more than the policy says: it is not in force.
    is(&of(512 * GIB, 768 * GIB, 768 * GIB), Verdict::Ok, "");
    is(&of(0, 8 * GIB, 8 * GIB), Verdict::Ok, "");
}

#[test]
fn reserved_memory_must_exceed_both_limits() {
    let of = |installed: u64, reserved: u64| {
        with(|snapshot| memory(snapshot, installed, installed - reserved)).verdict
    };
    assert_eq!(of(8 * GIB, 512 * MIB), Verdict::Ok);
    assert_eq!(of(8 * GIB, 512 * MIB + 1), Verdict::Warning);
    assert_eq!(of(256 * GIB, 900 * MIB), Verdict::Ok);
    assert_eq!(of(100 * GIB, 3 * GIB), Verdict::Ok);
    assert_eq!(of(100 * GIB, 3 * GIB + 1), Verdict::Warning);
}

#[test]
fn dynamic_memory_makes_the_difference_a_note() {
    let decision = with(|snapshot| {
        memory(snapshot, 8 * GIB, 4 * GIB);
        snapshot.topology.dynamic_memory = Fact::known("balloon".to_owned(), []);
    });
    is(&decision, Verdict::Ok, "");
    assert!(decision.notes.iter().any(|note| note.contains("balloon")));
}

#[test]
fn a_32_bit_windows_is_named_as_the_reason() {
    let decision = with(|snapshot| {
        memory(snapshot, 4 * GIB, 3 * GIB);
        snapshot.topology.architecture = Fact::known("x86".to_owned(), []);
    });
    is(&decision, Verdict::Warning, "1 GiB of the 4 GiB");
    assert!(
        decision
            .reasons
            .iter()
            .any(|reason| reason.contains("32 bits"))
    );
}

#[test]
fn bad_pages_are_a_warning() {
    let decision = with(|snapshot| {
        snapshot.boot_options.bad_pages = setting(2, &[16, 17]);
        if let crate::facts::fact::State::Known(setting) =
            &mut snapshot.boot_options.bad_pages.state
        {
            setting.object = "{5189b25c-5558-4bf2-bca4-289b11bd29e2}".to_owned();
        }
    });
    is(&decision, Verdict::Warning, "2 pages");
    assert!(commands(&decision).contains("/set '{badmemory}' badmemorylist 0x10 0x11"));
    let empty = with(|snapshot| snapshot.boot_options.bad_pages = setting(0, &[]));
    is(&empty, Verdict::Ok, "");
}

#[test]
fn nothing_is_ok_unless_everything_was_seen() {
    type Change = fn(&mut Snapshot);
    let changes: [Change; 8] = [
        |s| s.boot_options.loader = Fact::not_collected("x"),
        |s| s.boot_options.truncate_memory = Fact::unreadable("x", []),
        |s| s.boot_options.remove_memory = Fact::unreadable("x", []),
        |s| s.boot_options.bad_pages = Fact::unreadable("x", []),
        |s| s.boot_options.given = Fact::not_collected("x"),
        |s| s.topology.memory_cap_bytes = Fact::unreadable("x", []),
        |s| s.topology.installed_bytes = Fact::not_collected("x"),
        |s| s.topology.visible_bytes = Fact::absent([]),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert_eq!(with(change).verdict, Verdict::Unknown, "change {index}");
    }
    let disk = with(|s| {
        s.topology.installed_bytes = Fact::not_collected("a disk");
        s.topology.visible_bytes = Fact::not_collected("a disk");
    });
    is(&disk, Verdict::Unknown, "no limit is configured");
    let nothing = CHECK.run(&Context {
        snapshot: &Snapshot::gather(&Sources::none()),
        thresholds: &Thresholds::default(),
    });
    assert_eq!(nothing.verdict, Verdict::Unknown);
}

#[test]
fn other_entries_and_activation_are_notes() {
    let decision = with(|snapshot| {
        snapshot.boot_options.others.push(OtherLoader {
            loader: Loader {
                id: "{2}".to_owned(),
                description: Some("Test entry".to_owned()),
            },
            limits: vec!["truncatememory".to_owned(), "numproc".to_owned()],
            evidence: Vec::new(),
        });
        let license = License {
            status: 5,
            reason: None,
            name: None,
        };
        snapshot.activation.windows = Fact::known(license, []);
        memory(snapshot, 8 * GIB, 9 * GIB);
    });
    is(&decision, Verdict::Ok, "");
    let notes = decision.notes.join("\n");
    for part in [
        "Test entry, has truncatememory;",
        "not activated",
        "was added while",
    ] {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
}
