//! Setup, the last start, safe mode, dumps.

use super::remedies;
use super::view::{View, stamp};
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::boot::{DumpFile, IncidentClass};
use crate::facts::fact::Fact;
use crate::facts::sources::registry::Number;

/// The image state of a deployed Windows ("Windows Setup States").
const COMPLETE: &str = "IMAGE_STATE_COMPLETE";

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
        format!(
            "Select: Failed = {}, Current = {}, Default = {}",
            words::value(failed),
            words::value(current),
            words::value(default)
        ),
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
        format!(
            "SafeBoot OptionValue = {}, SM_CLEANBOOT = {}",
            absent_or(&view.boot.safe_boot, option),
            words::value(metric)
        ),
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

/// A value in words, for facts whose absence is known.
fn absent_or<T>(fact: &Fact<T>, value: Option<impl std::fmt::Display>) -> String {
    if fact.is_absent() {
        "absent".to_owned()
    } else {
        words::value(value)
    }
}

fn no_dumps(judge: &mut Judge, view: &View<'_>) {
    let enabled = &view.boot.crash_control.enabled;
    let value = enabled.value().and_then(|number| number.value);
    let rule = judge.rule(
        Verdict::Warning,
        "dumps-off",
        format!(
            "CrashDumpEnabled = {}, warning at 0",
            absent_or(enabled, value)
        ),
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
