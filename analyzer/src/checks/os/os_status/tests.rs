use jiff::{SignedDuration, Timestamp};

use super::CHECK;
use crate::checks::check::{Context, Decision};
use crate::checks::thresholds::Thresholds;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::Snapshot;
use crate::facts::boot::{
    Bugcheck, DumpFile, Incident, IncidentClass, LoggedEvent, Session, VolumeState,
};
use crate::facts::capture::CaptureKind;
use crate::facts::drives::Drive;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::{Channel, Mark};
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Number, Text};

const DAY: i64 = 24 * HOUR;
const HOUR: i64 = 3600;

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> Timestamp {
    now()
        .checked_sub(SignedDuration::from_secs(seconds))
        .unwrap()
}

fn evidence() -> Evidence {
    Evidence::new(
        "System.evtx",
        Locator::record("System", 1),
        serde_json::json!({}),
    )
}

fn number(value: u64) -> Fact<Number> {
    let number = Number {
        value: Some(value),
        wrong_type: None,
    };
    Fact::known(number, [evidence()])
}

fn text(text: &str) -> Fact<Text> {
    let text = Text {
        text: text.to_owned(),
        kind: "REG_SZ".to_owned(),
    };
    Fact::known(text, [evidence()])
}

fn channel(from: Timestamp) -> Channel {
    let mark = |time| Mark { record_id: 1, time };
    Channel {
        name: "System".to_owned(),
        artifact: "System.evtx".to_owned(),
        records: 5000,
        failed: 0,
        oldest: Some(mark(from)),
        newest: Some(mark(now())),
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: Some(mark(from)),
        damage: Vec::new(),
    }
}

/// A machine that has nothing wrong with it: installed a year ago, started 10 days ago.
fn healthy() -> Snapshot {
    let mut snapshot = Snapshot::gather(&Sources::none());
    snapshot.capture.time = Some(now());
    snapshot.capture.kind = CaptureKind::Live;
    snapshot.machine.uptime_seconds = Fact::known(864_000, [evidence()]);
    snapshot.machine.installed = Fact::known(ago(365 * DAY), [evidence()]);
    snapshot.machine.system_root = Fact::known("C:\\Windows".to_owned(), [evidence()]);
    let boot = &mut snapshot.boot;
    boot.log = Fact::known(channel(ago(90 * DAY)), [evidence()]);
    boot.started = Fact::known(ago(10 * DAY), [evidence()]);
    boot.sessions = vec![Session {
        started: ago(10 * DAY),
        first_record: 1,
        stopped: false,
        evidence: vec![evidence()],
    }];
    boot.last_boot_good = Fact::known(true, [evidence()]);
    boot.setup.in_progress = number(0);
    boot.setup.oobe_in_progress = number(0);
    boot.setup.kind = number(0);
    boot.setup.phase = number(0);
    boot.setup.image_state = text("IMAGE_STATE_COMPLETE");
    boot.crash_control.enabled = number(7);
    boot.control_sets.current = number(1);
    boot.control_sets.default = number(1);
    boot.control_sets.failed = number(0);
    boot.pending.servicing = Fact::known(false, [evidence()]);
    boot.pending.update = Fact::known(false, [evidence()]);
    snapshot
}

fn incident(age: i64, stop: Option<u32>) -> Incident {
    Incident {
        time: ago(age),
        last_alive: None,
        class: match stop {
            Some(_) => IncidentClass::Bugcheck,
            None => IncidentClass::PowerLoss,
        },
        bugcheck: stop.map(|code| Bugcheck {
            code,
            parameters: Vec::new(),
            dump: None,
        }),
        power_button: false,
        sleeping: false,
        reason: None,
        evidence: vec![evidence()],
    }
}

fn logged(id: u32, age: i64, subject: &str, detail: &str) -> LoggedEvent {
    LoggedEvent {
        id,
        record_id: u64::try_from(1_000_000_000 - age).unwrap(),
        time: ago(age),
        subject: subject.to_owned(),
        detail: detail.to_owned(),
        evidence: evidence(),
    }
}

fn run(snapshot: &Snapshot) -> Decision {
    CHECK.run(&Context {
        snapshot,
        thresholds: &Thresholds::default(),
    })
}

fn after(change: impl FnOnce(&mut Snapshot)) -> Decision {
    let mut snapshot = healthy();
    change(&mut snapshot);
    run(&snapshot)
}

fn verdict(change: impl FnOnce(&mut Snapshot)) -> Verdict {
    after(change).verdict
}

fn incidents(list: &[(i64, Option<u32>)]) -> Decision {
    after(|s| {
        s.boot.incidents = list
            .iter()
            .map(|(age, stop)| incident(*age, *stop))
            .collect();
    })
}

#[test]
fn a_healthy_machine_is_ok() {
    let decision = run(&healthy());
    assert_eq!(decision.verdict, Verdict::Ok, "{decision:?}");
    assert!(decision.headline.contains("running since 2026-11-10"));
}

#[test]
fn nothing_collected_is_unknown() {
    let decision = run(&Snapshot::gather(&Sources::none()));
    assert_eq!(decision.verdict, Verdict::Unknown);
    assert!(!decision.missing.is_empty());
}

#[test]
fn a_crash_is_critical_for_7_days_and_a_warning_for_30() {
    let at = |age| incidents(&[(age, Some(0xd1))]);
    let recent = at(7 * DAY);
    assert_eq!(recent.verdict, Verdict::Critical);
    assert!(
        recent
            .headline
            .contains("0xD1 (DRIVER_IRQL_NOT_LESS_OR_EQUAL)")
    );
    assert!(
        recent
            .reasons
            .iter()
            .any(|reason| reason.contains("a driver first"))
    );
    assert!(recent.remedies[0].title.contains("Save the crash dumps"));
    assert_eq!(at(7 * DAY + 1).verdict, Verdict::Warning);
    assert_eq!(at(30 * DAY).verdict, Verdict::Warning);
    assert_eq!(at(30 * DAY + 1).verdict, Verdict::Ok);
    assert_eq!(
        at(-HOUR).verdict,
        Verdict::Critical,
        "a clock that runs ahead"
    );
}

#[test]
fn power_losses_are_warnings_and_from_three_in_a_week_critical() {
    let single = incidents(&[(10 * DAY, None)]);
    assert_eq!(
        (single.verdict, single.confidence),
        (Verdict::Warning, Confidence::Medium)
    );
    assert!(
        single
            .reasons
            .iter()
            .any(|r| r.contains("outside the operating system"))
    );
    assert_eq!(incidents(&[(30 * DAY + 1, None)]).verdict, Verdict::Ok);
    assert_eq!(
        incidents(&[(DAY, None), (HOUR, None)]).verdict,
        Verdict::Warning
    );
    let three = incidents(&[(7 * DAY, None), (DAY, None), (HOUR, None)]);
    assert_eq!(three.verdict, Verdict::Critical);
    assert!(three.headline.contains("3 times"));
    let spread = incidents(&[(7 * DAY + 1, None), (DAY, None), (HOUR, None)]);
    assert_eq!(spread.verdict, Verdict::Warning);
}

#[test]
fn events_win_over_the_status_of_wmi() {
    let decision = after(|s| {
        s.boot.wmi_status = Fact::known("OK".to_owned(), [evidence()]);
        s.boot.incidents = (1..=3).map(|hours| incident(hours * HOUR, None)).collect();
    });
    assert_eq!(decision.verdict, Verdict::Critical);
    let sick = after(|s| s.boot.wmi_status = Fact::known("Pred Fail".to_owned(), []));
    assert_eq!(sick.verdict, Verdict::Warning);
    assert!(sick.headline.contains("Pred Fail"));
}

#[test]
fn what_changed_before_the_first_incident_is_named() {
    let words = |age: i64| {
        let decision = after(|s| {
            s.boot.incidents = vec![incident(2 * DAY, Some(0xd1))];
            s.boot.changes = vec![logged(7045, age, "netkvm", "netkvm.sys")];
        });
        decision.reasons.join("\n")
    };
    assert!(words(2 * DAY + HOUR).contains("driver netkvm"));
    assert!(
        words(4 * DAY).contains("driver netkvm"),
        "48 hours, included"
    );
    assert!(!words(4 * DAY + 1).contains("netkvm"));
    assert!(!words(2 * DAY - 1).contains("netkvm"), "after the crash");
}

#[test]
fn an_orderly_restart_is_no_incident() {
    let decision = after(|s| {
        s.boot.shutdowns = vec![logged(1074, 10 * DAY, "winlogon.exe", "restart by user1")];
    });
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.contains("restart by user1"))
    );
}

#[test]
fn a_short_log_is_unknown_even_with_long_uptime() {
    let short = after(|s| {
        s.boot.log = Fact::known(channel(ago(6 * HOUR)), [evidence()]);
        s.machine.uptime_seconds = Fact::known(90 * 86_400, [evidence()]);
    });
    assert_eq!(short.verdict, Verdict::Unknown);
    assert!(short.headline.contains("begins on 2026-11-20 06:00:00"));
}

#[test]
fn the_log_reaches_back_far_enough_or_to_the_installation() {
    let log = |age: i64| {
        move |s: &mut Snapshot| s.boot.log = Fact::known(channel(ago(age)), [evidence()])
    };
    assert_eq!(verdict(log(30 * DAY)), Verdict::Ok);
    assert_eq!(verdict(log(30 * DAY - 1)), Verdict::Unknown);
    let fresh = |installed: i64| {
        verdict(|s| {
            log(3 * HOUR)(s);
            s.machine.installed = Fact::known(ago(installed), []);
        })
    };
    assert_eq!(fresh(4 * HOUR), Verdict::Ok);
    assert_eq!(fresh(27 * HOUR), Verdict::Ok, "24 hours of slack, included");
    assert_eq!(fresh(27 * HOUR + 1), Verdict::Unknown);
    let up = |uptime: u64, from: i64| {
        verdict(|s| {
            log(from)(s);
            s.machine.uptime_seconds = Fact::known(uptime, []);
        })
    };
    assert_eq!(up(30 * 86_400, 7 * DAY), Verdict::Ok, "no start, no crash");
    assert_eq!(
        up(30 * 86_400, 7 * DAY - 1),
        Verdict::Unknown,
        "disk errors"
    );
    assert_eq!(up(30 * 86_400 - 1, 7 * DAY), Verdict::Unknown);
}

#[test]
fn the_log_reaches_near_the_capture_or_ends_with_a_shutdown() {
    let ends = |age: i64, change: fn(&mut Snapshot)| {
        after(|s| {
            let mut log = channel(ago(90 * DAY));
            log.newest = Some(Mark {
                record_id: 9,
                time: ago(age),
            });
            s.boot.log = Fact::known(log, [evidence()]);
            change(s);
        })
    };
    let live: fn(&mut Snapshot) = |_| {};
    assert_eq!(ends(25 * HOUR, live).verdict, Verdict::Ok);
    let early = ends(25 * HOUR + 1, live);
    assert_eq!(early.verdict, Verdict::Unknown);
    assert!(early.headline.contains("ends 25 hours before the capture"));
    let late = ends(-HOUR, live);
    assert_eq!(late.verdict, Verdict::Ok);
    assert!(
        late.notes
            .iter()
            .any(|note| note.contains("60 minutes after"))
    );

    let disk = ends(9 * DAY, |s| s.capture.kind = CaptureKind::DiskOnly);
    assert_eq!(disk.verdict, Verdict::Unknown);
    let stopped = ends(9 * DAY, |s| {
        s.capture.kind = CaptureKind::DiskOnly;
        s.boot.sessions[0].stopped = true;
    });
    assert_eq!(stopped.verdict, Verdict::Ok);
    assert!(stopped.notes.iter().any(|note| note.contains("was off")));
    let running = ends(9 * DAY, |s| s.boot.sessions[0].stopped = true);
    assert_eq!(running.verdict, Verdict::Unknown, "a live machine is on");
    let registry = |seconds: i64| {
        let mut snapshot = healthy();
        snapshot.capture.kind = CaptureKind::DiskOnly;
        let mut log = channel(ago(90 * DAY));
        log.newest = Some(Mark {
            record_id: 9,
            time: ago(9 * DAY),
        });
        snapshot.boot.log = Fact::known(log, [evidence()]);
        snapshot.boot.shutdown_time = Fact::known(ago(9 * DAY - seconds), [evidence()]);
        run(&snapshot).verdict
    };
    assert_eq!(registry(600), Verdict::Ok);
    assert_eq!(registry(601), Verdict::Unknown);
}

#[test]
fn an_export_of_the_last_30_days_is_enough_and_a_capped_one_is_not() {
    let export = |held: i64| {
        verdict(|s| {
            let mut log = channel(ago(400 * DAY));
            log.filtered = true;
            log.held_from = Some(Mark {
                record_id: 9,
                time: ago(held),
            });
            s.boot.log = Fact::known(log, [evidence()]);
        })
    };
    assert_eq!(export(29 * DAY), Verdict::Ok);
    assert_eq!(export(29 * DAY - 1), Verdict::Unknown);
}

#[test]
fn what_is_missing_or_damaged_is_never_ok() {
    let missing: [fn(&mut Snapshot); 10] = [
        |s| s.boot.log = Fact::not_collected("skipped"),
        |s| s.boot.log = Fact::unreadable("no chunk", []),
        |s| s.boot.setup.in_progress = Fact::not_collected("no SYSTEM"),
        |s| s.boot.setup.image_state = Fact::not_collected("no SOFTWARE"),
        |s| s.boot.crash_control.enabled = Fact::unreadable("cell", []),
        |s| s.boot.pending.servicing = Fact::not_collected("no SOFTWARE"),
        |s| s.boot.pending.update = Fact::not_collected("no SOFTWARE"),
        |s| s.boot.control_sets.failed = Fact::not_collected("no SYSTEM"),
        |s| s.capture.time = None,
        |s| {
            s.machine.uptime_seconds = Fact::not_collected("disk");
            s.boot.started = Fact::absent([]);
        },
    ];
    for (index, change) in missing.into_iter().enumerate() {
        let decision = after(change);
        assert_eq!(
            decision.verdict,
            Verdict::Unknown,
            "{index}: {}",
            decision.headline
        );
        assert!(!decision.missing.is_empty(), "{index}");
    }
    let damaged = after(|s| {
        let mut log = channel(ago(90 * DAY));
        log.damage = vec!["offset 0x1000: chunk".to_owned()];
        s.boot.log = Fact::known(log, []);
    });
    assert_eq!(damaged.verdict, Verdict::Unknown);
}

#[test]
fn a_crash_in_a_damaged_log_stays_critical() {
    let decision = after(|s| {
        s.boot.log = Fact::unreadable("torn", []);
        s.boot.incidents = vec![incident(DAY, Some(0xef))];
    });
    assert_eq!(decision.verdict, Verdict::Critical);
}

#[test]
fn unfinished_setup_counts_from_an_hour_after_the_start() {
    let setup = |uptime: u64| {
        after(|s| {
            s.boot.setup.in_progress = number(1);
            s.machine.uptime_seconds = Fact::known(uptime, []);
        })
    };
    assert_eq!(setup(3601).verdict, Verdict::Critical);
    let early = setup(3600);
    assert_eq!(early.verdict, Verdict::Ok);
    assert!(early.notes.iter().any(|note| note.contains("not finished")));
    let image = after(|s| s.boot.setup.image_state = text("IMAGE_STATE_UNDEPLOYABLE"));
    assert_eq!(image.verdict, Verdict::Critical);
    let unknown_start = after(|s| {
        s.boot.setup.kind = number(2);
        s.machine.uptime_seconds = Fact::not_collected("disk");
        s.boot.started = Fact::absent([]);
    });
    assert_eq!(unknown_start.verdict, Verdict::Warning);
}

#[test]
fn the_boot_loader_says_that_the_last_start_was_bad() {
    let bad = |s: &mut Snapshot| s.boot.last_boot_good = Fact::known(false, [evidence()]);
    assert_eq!(verdict(bad), Verdict::Critical);
    assert_eq!(
        verdict(|s| s.boot.last_boot_good = Fact::absent([])),
        Verdict::Ok
    );
}

fn drives(letter: char, fixed: bool) -> Fact<Vec<Drive>> {
    let drive = Drive {
        letter,
        fixed,
        evidence: evidence(),
    };
    Fact::known(vec![drive], [])
}

#[test]
fn a_file_system_error_counts_by_its_volume() {
    let error = |volume: &str, age: i64| {
        let event = logged(55, age, volume, "");
        after(|s| {
            s.boot.file_systems = vec![event];
            s.drives.assigned = drives('D', true);
            let guid = "{0e8f6b1c-0000-0000-0000-100000000000}";
            s.drives.volumes.insert(guid.to_owned(), 'D');
        })
    };
    let decision = error("D:", 7 * DAY);
    assert_eq!(decision.verdict, Verdict::Critical);
    assert!(decision.headline.contains("D:"));
    assert!(
        decision
            .remedies
            .iter()
            .any(|r| r.title.contains("file system of D:"))
    );
    assert_eq!(error("D:", 7 * DAY + 1).verdict, Verdict::Ok);
    assert_eq!(
        error("C:", DAY).verdict,
        Verdict::Critical,
        "the system's drive"
    );
    assert_eq!(
        error("E:", DAY).verdict,
        Verdict::Ok,
        "a letter without a fixed volume"
    );
    let guid = "\\\\?\\Volume{0E8F6B1C-0000-0000-0000-100000000000}";
    assert_eq!(error(guid, DAY).verdict, Verdict::Critical);
    let shadow = error("\\Device\\HarddiskVolumeShadowCopy12", DAY);
    assert_eq!(shadow.verdict, Verdict::Ok);
    assert!(
        shadow
            .notes
            .iter()
            .any(|note| note.contains("ShadowCopy12"))
    );
    let open = after(|s| s.boot.file_systems = vec![logged(137, DAY, "D:", "")]);
    assert_eq!(
        open.verdict,
        Verdict::Warning,
        "MountedDevices is not known"
    );
}

#[test]
fn bad_blocks_are_critical_and_other_disk_errors_notes() {
    let disk = |id: u32, age: i64| {
        after(|s| s.boot.disks = vec![logged(id, age, "\\Device\\Harddisk0\\DR0", "")])
    };
    assert_eq!(disk(7, 7 * DAY).verdict, Verdict::Critical);
    assert_eq!(disk(7, 7 * DAY + 1).verdict, Verdict::Ok);
    for id in [11, 51, 153] {
        let decision = disk(id, DAY);
        assert_eq!(decision.verdict, Verdict::Ok, "{id}");
        assert!(decision.notes[0].contains(&format!("disk {id} ")));
    }
}

#[test]
fn a_volume_that_wants_a_check_is_a_warning_until_it_is_healthy_again() {
    let reports = |list: Vec<LoggedEvent>| verdict(|s| s.boot.file_systems = list);
    assert_eq!(reports(vec![logged(98, DAY, "C:", "3")]), Verdict::Warning);
    assert_eq!(reports(vec![logged(98, DAY, "C:", "0")]), Verdict::Ok);
    assert_eq!(reports(vec![logged(131, DAY, "C:", "")]), Verdict::Warning);
    let healed = vec![logged(98, DAY, "C:", "3"), logged(98, HOUR, "C:", "0")];
    assert_eq!(reports(healed), Verdict::Ok);
}

#[test]
fn dumps_switched_off_are_a_warning_with_the_old_value_in_the_undo() {
    let decision = after(|s| s.boot.crash_control.enabled = number(0));
    assert_eq!(decision.verdict, Verdict::Warning);
    let undo = decision.remedies[0].undo[0].command.clone().unwrap().text;
    assert!(
        undo.contains("CrashDumpEnabled -Value 0 -Type DWord"),
        "{undo}"
    );
    assert_eq!(
        verdict(|s| s.boot.crash_control.enabled = number(3)),
        Verdict::Ok
    );
    assert_eq!(
        verdict(|s| s.boot.crash_control.enabled = Fact::absent([])),
        Verdict::Ok
    );
}

fn dump(path: &str, age: i64) -> Fact<Vec<DumpFile>> {
    let dump = DumpFile {
        path: path.to_owned(),
        size_bytes: 1 << 30,
        modified: Some(ago(age)),
        of_crash: !path.contains("LiveKernelReports"),
        evidence: evidence(),
    };
    Fact::known(vec![dump], [])
}

#[test]
fn a_fresh_dump_without_a_record_is_a_warning_of_medium_confidence() {
    let decision = after(|s| {
        s.boot.log = Fact::not_collected("skipped");
        s.boot.dumps = dump("C:\\Windows\\MEMORY.DMP", DAY);
    });
    assert_eq!(
        (decision.verdict, decision.confidence),
        (Verdict::Warning, Confidence::Medium)
    );
    let step = decision.remedies[0].steps[1].command.clone().unwrap().text;
    assert!(step.contains("'C:\\Windows\\MEMORY.DMP'"));
    let old = verdict(|s| s.boot.dumps = dump("C:\\Windows\\MEMORY.DMP", 30 * DAY + 1));
    assert_eq!(old, Verdict::Ok);
    let live = "C:\\Windows\\LiveKernelReports\\x.dmp";
    assert_eq!(verdict(|s| s.boot.dumps = dump(live, DAY)), Verdict::Ok);
}

#[test]
fn dirty_volumes_pending_restarts_and_long_uptime_are_warnings() {
    let volume = |dirty| VolumeState {
        name: "D:".to_owned(),
        dirty,
        evidence: evidence(),
    };
    let dirty = after(|s| s.boot.volumes = Fact::known(vec![volume(true)], []));
    assert_eq!(dirty.verdict, Verdict::Warning);
    assert!(dirty.headline.contains("D:"));
    assert_eq!(
        verdict(|s| s.boot.volumes = Fact::known(vec![volume(false)], [])),
        Verdict::Ok
    );
    let yes = || Fact::known(true, [evidence()]);
    assert_eq!(
        verdict(|s| s.boot.pending.servicing = yes()),
        Verdict::Warning
    );
    assert_eq!(verdict(|s| s.boot.pending.update = yes()), Verdict::Warning);
    let up = |days: u64, more: u64| {
        verdict(|s| {
            s.machine.uptime_seconds = Fact::known(days * 86_400 + more, [evidence()]);
        })
    };
    assert_eq!(up(400, 0), Verdict::Ok);
    assert_eq!(up(400, 1), Verdict::Warning);
}

#[test]
fn safe_mode_and_the_last_good_configuration_are_warnings() {
    let safe = after(|s| s.boot.safe_boot = Fact::known(2, [evidence()]));
    assert_eq!(safe.verdict, Verdict::Warning);
    let undo = safe.remedies[0].undo[0].command.clone().unwrap().text;
    assert!(undo.ends_with("safeboot network"));
    assert_eq!(
        verdict(|s| s.boot.clean_boot = Fact::known(1, [])),
        Verdict::Warning
    );
    assert_eq!(
        verdict(|s| s.boot.clean_boot = Fact::known(0, [])),
        Verdict::Ok
    );
    assert_eq!(
        verdict(|s| s.boot.control_sets.failed = number(1)),
        Verdict::Warning
    );
    assert_eq!(
        verdict(|s| s.boot.control_sets.default = number(2)),
        Verdict::Warning
    );
}

#[test]
fn a_scheduled_disk_check_and_dump_failures_are_notes() {
    let check = vec![
        "autocheck autochk /r \\??\\C:".to_owned(),
        "autocheck autochk *".to_owned(),
    ];
    let decision = after(|s| {
        s.boot.boot_execute = Fact::known(check, [evidence()]);
        s.boot.dump_failures = vec![logged(46, DAY, "", "")];
    });
    assert_eq!(decision.verdict, Verdict::Ok);
    assert!(decision.notes.iter().any(|note| note.contains("/r")));
    assert!(decision.notes.iter().any(|note| note.contains("volmgr 46")));
}

#[test]
fn rules_are_tried_from_the_worst_verdict_to_the_best() {
    let order: Vec<Verdict> = run(&healthy())
        .trace
        .iter()
        .map(|rule| rule.verdict)
        .collect();
    assert!(order.is_sorted_by(|a, b| a >= b), "{order:?}");
    assert!(order.len() >= 18);
}

#[test]
fn after_a_power_loss_the_cloud_is_asked_first() {
    let first = |decision: &Decision| decision.remedies[0].title.clone();
    let losses = incidents(&[(10 * DAY, None)]);
    assert!(first(&losses).contains("event history"));
    let dumps = |remedy: &crate::checks::remedy::Remedy| remedy.title.contains("Save the crash");
    assert!(!losses.remedies.iter().any(dumps));
    let mixed = incidents(&[(3 * DAY, None), (2 * DAY, Some(0xd1)), (DAY, None)]);
    assert!(first(&mixed).contains("Save the crash dumps"));
}

#[test]
fn definition_updates_are_no_suspects() {
    let reasons = |title: &str| {
        let decision = after(|s| {
            s.boot.incidents = vec![incident(2 * DAY, Some(0xd1))];
            s.boot.changes = vec![logged(19, 2 * DAY + HOUR, title, "")];
        });
        decision.reasons.join("\n")
    };
    assert!(reasons("2026-11 Cumulative Update (KB5040001)").contains("KB5040001"));
    let definitions = "Security Intelligence Update for Microsoft Defender - KB2267602";
    assert!(!reasons(definitions).contains("was installed"));
    assert!(!reasons("Sicherheitsupdate (KB2267602)").contains("was installed"));
}

#[test]
fn a_shutdown_before_an_incident_is_told_as_such() {
    let note = |incident_age: i64| {
        let decision = after(|s| {
            s.boot.incidents = vec![incident(incident_age, None)];
            s.boot.shutdowns = vec![logged(1074, 10 * DAY, "winlogon.exe", "restart by user1")];
        });
        decision.notes.join("\n")
    };
    assert!(note(9 * DAY).contains("asked for, before the incident of 2026-11-11"));
    assert!(note(11 * DAY).contains("asked for: winlogon.exe"));
}
