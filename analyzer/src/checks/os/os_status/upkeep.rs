//! Pending restarts, uptime, WMI's word, and notes on what will happen at the next start.

use super::remedies;
use super::view::{View, stamp};
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};

/// What `BootExecute` holds on a healthy machine.
const AUTOCHK: &str = "autocheck autochk *";

pub(super) fn warning(judge: &mut Judge, view: &View<'_>) {
    pending(judge, view);
    uptime(judge, view);
    wmi(judge, view);
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
        if list.iter().all(String::is_empty) {
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
        let later = view.boot.incidents.iter().rfind(|it| it.time > asked.time);
        let before = later
            .map(|incident| format!(", before the incident of {}", stamp(incident.time)))
            .unwrap_or_default();
        judge.note(format!(
            "last shutdown that was asked for{before}: {}, {} on {}",
            asked.subject,
            asked.detail,
            stamp(asked.time)
        ));
    }
}
