//! Setup, the last start, safe mode, dumps, pending restarts, uptime.

use super::remedies;
use super::view::{View, stamp};
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::boot::{DumpFile, IncidentClass};
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Number;

/// The image state of a deployed Windows ("Windows Setup States").
const COMPLETE: &str = "IMAGE_STATE_COMPLETE";
/// What `BootExecute` holds on a healthy machine.
const AUTOCHK: &str = "autocheck autochk *";

pub(super) fn critical(judge: &mut Judge, view: &View<'_>) {
    setup(judge, view, Verdict::Critical);
    let good = &view.boot.last_boot_good;
    let rule = judge.rule(
        Verdict::Critical,
        "last-boot-bad",
        "LastBootGood = false at the newest start",
        good.value_or(true).map(|good| !good),
    );
    if let Some(problem) = rule {
        problem
            .headline("the boot loader does not call the last start of Windows good")
            .evidence_expected("LastBootGood = false", "true", good)
            .remedy(remedies::keep_dumps(view))
            .remedy(remedies::system_files());
    }
}

pub(super) fn warning(judge: &mut Judge, view: &View<'_>) {
    setup(judge, view, Verdict::Warning);
    fell_back(judge, view);
    safe_mode(judge, view);
    no_dumps(judge, view);
    unexplained_dump(judge, view);
    pending(judge, view);
    uptime(judge, view);
    wmi(judge, view);
}

/// Setup that is not finished: critical when Windows has been running for long, a warning when
/// nothing tells for how long, a note in the first hour.
fn setup(judge: &mut Judge, view: &View<'_>, verdict: Verdict) {
    let setup = &view.boot.setup;
    let numbers = [
        ("SystemSetupInProgress", &setup.in_progress),
        ("OOBEInProgress", &setup.oobe_in_progress),
        ("SetupType", &setup.kind),
    ];
    let open: Vec<(String, &Fact<Number>)> = numbers
        .into_iter()
        .filter_map(|(name, fact)| {
            let number = fact.value()?.value?;
            (number != 0).then(|| (format!("{name} = {number}"), fact))
        })
        .collect();
    let state = setup.image_state.value().map(|state| state.text.trim());
    let state = state.filter(|state| !state.eq_ignore_ascii_case(COMPLETE));
    let unfinished = !open.is_empty() || state.is_some();
    let settled = setup.in_progress.is_settled() && setup.image_state.is_settled();
    let hours = view.hours_up();
    let long = hours.map(|hours| hours > view.setup_hours);
    let holds = match (unfinished, long, verdict) {
        (true, Some(true), Verdict::Critical) | (true, None, Verdict::Warning) => Some(true),
        (false, _, _) if !settled => None,
        (true, None, Verdict::Critical) => None,
        _ => Some(false),
    };
    let rule = judge.rule(
        verdict,
        "setup-unfinished",
        format!(
            "setup unfinished: {unfinished}; running for {} hours, critical above {}",
            hours.map_or_else(
                || "an unknown number of".to_owned(),
                |hours| format!("{hours:.1}")
            ),
            view.setup_hours
        ),
        holds,
    );
    if let Some(problem) = rule {
        problem
            .headline("setup of Windows is not finished")
            .because(
                "sysprep or an upgrade did not come to its end: logons and services may be refused",
            )
            .remedy(remedies::setup());
        for (says, fact) in open {
            problem.evidence_expected(says, "0", fact);
        }
        if let Some(state) = state {
            problem.evidence_expected(
                format!("ImageState = {state}"),
                COMPLETE,
                &setup.image_state,
            );
        }
    } else if unfinished && verdict == Verdict::Critical && long == Some(false) {
        judge.note("setup of Windows is not finished; it has not been running for long");
    }
}

fn fell_back(judge: &mut Judge, view: &View<'_>) {
    let sets = &view.boot.control_sets;
    let number = |fact: &Fact<Number>| fact.value().and_then(|number| number.value);
    let (failed, current, default) = (
        number(&sets.failed),
        number(&sets.current),
        number(&sets.default),
    );
    let did_fail = failed.map(|failed| failed != 0);
    let differs = current
        .zip(default)
        .map(|(current, default)| current != default);
    let rule = judge.rule(
        Verdict::Warning,
        "last-known-good",
        format!("Select: Failed = {failed:?}, Current = {current:?}, Default = {default:?}"),
        match (did_fail, differs) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (None, None) => None,
            _ => Some(false),
        },
    );
    if let Some(problem) = rule {
        problem
            .headline(
                "Windows fell back to another control set: its last configuration did not start",
            )
            .because("settings made since that set was saved are not in force")
            .evidence_expected("the set that failed", "0", &sets.failed)
            .evidence("the set in use", &sets.current)
            .evidence("the set of the next start", &sets.default);
    }
}

fn safe_mode(judge: &mut Judge, view: &View<'_>) {
    let option = view.boot.safe_boot.value().copied();
    let metric = view.boot.clean_boot.value().copied();
    let on = match (option, metric) {
        (Some(_), _) => Some(true),
        (_, Some(metric)) => Some(metric != 0),
        (None, None) if view.boot.safe_boot.is_absent() => Some(false),
        (None, None) => None,
    };
    let rule = judge.rule(
        Verdict::Warning,
        "safe-mode",
        format!("SafeBoot OptionValue = {option:?}, SM_CLEANBOOT = {metric:?}"),
        on,
    );
    if let Some(problem) = rule {
        problem
            .headline("Windows runs in safe mode")
            .because("in safe mode Remote Desktop and the cloud's agent do not start, with network they may")
            .evidence("safe mode option", &view.boot.safe_boot)
            .evidence_expected("SM_CLEANBOOT", "0", &view.boot.clean_boot)
            .remedy(remedies::leave_safe_mode(option));
    }
}

fn no_dumps(judge: &mut Judge, view: &View<'_>) {
    let enabled = &view.boot.crash_control.enabled;
    let value = enabled.value().and_then(|number| number.value);
    let rule = judge.rule(
        Verdict::Warning,
        "dumps-off",
        format!("CrashDumpEnabled = {value:?}, warning at 0"),
        enabled.is_settled().then_some(value == Some(0)),
    );
    if let Some(problem) = rule {
        problem
            .headline("crash dumps are switched off: a crash would leave nothing to analyze")
            .evidence_expected("CrashDumpEnabled = 0", "7 (automatic)", enabled)
            .remedy(remedies::dumps_on(enabled));
    }
}

/// A dump of a crash that no record speaks of: the log was cut, cleared or not collected.
fn unexplained_dump(judge: &mut Judge, view: &View<'_>) {
    let crash_known = view.boot.incidents.iter().any(|incident| {
        incident.class == IncidentClass::Bugcheck && view.within(incident.time, view.warning_days)
    });
    let dumps = &view.boot.dumps;
    let fresh: Vec<&DumpFile> = dumps
        .value()
        .into_iter()
        .flatten()
        .filter(|dump| {
            let modified = dump.modified;
            dump.of_crash && modified.is_some_and(|time| view.within(time, view.warning_days))
        })
        .collect();
    let seen = dumps.is_settled() && view.now.is_some();
    let rule = judge.rule(
        Verdict::Warning,
        "dump-without-record",
        format!(
            "{} crash dumps of {} days, crash in the log: {crash_known}",
            fresh.len(),
            view.warning_days
        ),
        seen.then_some(!crash_known && !fresh.is_empty()),
    );
    if let Some(problem) = rule {
        let newest = fresh.iter().filter_map(|dump| dump.modified).max();
        let when = newest.map(stamp).unwrap_or_default();
        problem
            .headline(format!(
                "a crash dump was written on {when}, and no log tells of the crash"
            ))
            .confidence(Confidence::Medium)
            .remedy(remedies::keep_dumps(view));
        for dump in fresh.iter().rev().take(3) {
            let says = format!("{} ({} bytes)", dump.path, dump.size_bytes);
            problem.exhibits(says, std::slice::from_ref(&dump.evidence));
        }
    } else if crash_known {
        for dump in fresh.iter().rev().take(3) {
            let says = format!("dump {} ({} bytes)", dump.path, dump.size_bytes);
            judge.exhibit_evidence(says, std::slice::from_ref(&dump.evidence));
        }
    }
}

fn pending(judge: &mut Judge, view: &View<'_>) {
    let pending = &view.boot.pending;
    let (servicing, update) = (pending.servicing.value(), pending.update.value());
    let rule = judge.rule(
        Verdict::Warning,
        "restart-pending",
        format!("RebootPending = {servicing:?}, RebootRequired = {update:?}"),
        match (servicing, update) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
    );
    if let Some(problem) = rule {
        problem.headline("Windows waits for a restart to finish an update");
        if servicing == Some(&true) {
            problem.evidence(
                "component servicing waits for a restart",
                &pending.servicing,
            );
        }
        if update == Some(&true) {
            problem.evidence("Windows Update waits for a restart", &pending.update);
        }
        problem.remedy(remedies::restart());
    }
}

fn uptime(judge: &mut Judge, view: &View<'_>) {
    let days = view.hours_up().map(|hours| hours / 24.0);
    let rule = judge.rule(
        Verdict::Warning,
        "uptime",
        format!(
            "running for {} days, warning above {}",
            days.map_or_else(
                || "an unknown number of".to_owned(),
                |days| format!("{days:.1}")
            ),
            view.uptime_days
        ),
        days.map(|days| days > view.uptime_days),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "Windows has not been restarted for more than {} days",
                view.uptime_days
            ))
            .because("updates of the kernel and of drivers are not in force before a restart")
            .remedy(remedies::restart());
        let uptime = &view.snapshot.machine.uptime_seconds;
        if uptime.value().is_some() {
            problem.evidence("uptime", uptime);
        } else {
            problem.evidence("the newest start in the log", &view.boot.started);
        }
    }
}

fn wmi(judge: &mut Judge, view: &View<'_>) {
    let status = &view.boot.wmi_status;
    let word = status.value().map(|word| word.trim());
    let rule = judge.rule(
        Verdict::Warning,
        "wmi-status",
        format!("Win32_OperatingSystem.Status = {word:?}, healthy OK"),
        word.map(|word| !word.eq_ignore_ascii_case("OK")),
    );
    if let Some(problem) = rule {
        problem
            .headline(format!(
                "Windows calls its own status {}",
                word.unwrap_or_default()
            ))
            .confidence(Confidence::Medium)
            .evidence_expected("Win32_OperatingSystem.Status", "OK", status);
    } else if status.value().is_some() {
        judge.exhibit("Win32_OperatingSystem.Status, which says little", status);
    }
}

pub(super) fn notes(judge: &mut Judge, view: &View<'_>) {
    let execute = &view.boot.boot_execute;
    if let Some(list) = execute.value() {
        let odd: Vec<&String> = list
            .iter()
            .filter(|line| !line.is_empty() && !line.eq_ignore_ascii_case(AUTOCHK))
            .collect();
        if let Some(first) = odd.first() {
            judge.note(format!(
                "runs at the next start before the services: {first}"
            ));
            judge.exhibit("BootExecute", execute);
        }
        if list.iter().all(|line| line.is_empty()) {
            judge.note("BootExecute is empty: no disk is looked at when Windows starts");
        }
    }
    if let Some(failed) = view
        .events(&view.boot.dump_failures, &[46], view.warning_days)
        .last()
    {
        judge.note(format!(
            "Windows could not prepare for crash dumps on {} (volmgr 46): see the page file of the system drive",
            stamp(failed.time)
        ));
        judge.exhibit_evidence(
            "no crash dump possible",
            std::slice::from_ref(&failed.evidence),
        );
    }
    if let Some(asked) = view.boot.shutdowns.iter().rfind(|event| event.id == 1074) {
        judge.note(format!(
            "last shutdown that was asked for: {}, {} on {}",
            asked.subject,
            asked.detail,
            stamp(asked.time)
        ));
    }
}
