//! Does the service behind Remote Desktop run, and can it start?

mod config;
mod remedies;
mod runtime;

use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::facts::services::{RUNNING, Service};

/// How long a start or stop may take.
const PENDING: Threshold = Threshold {
    key: "rds-service.pending",
    default: 60.0,
    unit: "s",
    meaning: "a start or stop that takes longer hangs",
    source: "ours; the Service Control Manager itself waits 30 s for a start",
};

/// How many crashes are too many.
const CRASHES: Threshold = Threshold {
    key: "rds-service.crashes",
    default: 2.0,
    unit: "crashes in the window",
    meaning: "this many or more are a warning",
    source: "ours",
};

/// How far back crashes and changes count.
const WINDOW: Threshold = Threshold {
    key: "rds-service.window",
    default: 7.0,
    unit: "days",
    meaning: "crashes and changes of the start type within it count; its end is included",
    source: "ours",
};

/// The check.
pub const CHECK: Check = Check {
    id: "rds-service",
    category: Category::RemoteDesktop,
    title: "Remote Desktop service",
    page: include_str!("rds_service.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::required("eventlog.system"),
        Input::required("eventlog.application"),
        Input::helpful("services.table"),
        Input::helpful("network.tcp"),
        Input::helpful("processes.table"),
        Input::helpful("eventlog.rcm-operational"),
        Input::helpful("eventlog.lsm-operational"),
    ],
    thresholds: &[PENDING, CRASHES, WINDOW],
    decide,
};

/// `SERVICE_DISABLED`.
const DISABLED: u64 = 4;

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let mut judge = Judge::new();
    if cx.snapshot.remote_desktop.edition_may_host.value() == Some(&false) {
        return judge
            .not_applicable("this edition of Windows accepts no Remote Desktop connections");
    }
    let Some(service) = cx.snapshot.services.service("TermService") else {
        judge.lacks(
            "the service TermService was not looked at",
            "the SYSTEM hive",
        );
        return judge.finish("", "");
    };
    demand(&mut judge, cx, service);
    config::disabled(&mut judge, service);
    config::missing(&mut judge, service);
    config::altered(&mut judge, cx, service);
    config::dependencies(&mut judge, cx, service);
    config::group(&mut judge, service);
    runtime::stopped(&mut judge, cx, service);
    runtime::pending(&mut judge, cx, service);
    runtime::failed(&mut judge, cx, service);
    config::helpers(&mut judge, cx);
    config::account(&mut judge, service);
    runtime::crashes(&mut judge, cx, service);
    runtime::start_changed(&mut judge, cx, service);
    runtime::seen_running(&mut judge, cx, service);
    let known = known(service);
    judge.finish(format!("Remote Desktop Services runs; {known}"), known)
}

/// What must have been seen before the service may be called healthy.
fn demand(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    const SYSTEM: &str = "the SYSTEM hive";
    judge.require(&service.start, "the start type of TermService", SYSTEM);
    for (log, name) in [
        (&cx.snapshot.services.log, "System"),
        (&cx.snapshot.services.application_log, "Application"),
    ] {
        let collect = format!("the event log {name}, complete and undamaged");
        judge.require(log, &format!("what the log {name} says"), &collect);
        if log.value().is_some_and(|log| !log.damage.is_empty()) {
            judge.lacks(format!("the log {name} is damaged"), &collect);
        }
    }
    judge.require(&service.dll, "the library of TermService", SYSTEM);
    judge.require(&service.image, "the program of TermService", SYSTEM);
    judge.require(&service.depends_on, "what TermService depends on", SYSTEM);
    if let Some(group) = &service.group {
        let what = format!("the members of the service group {}", group.name);
        judge.require(&group.members, &what, "the SOFTWARE hive");
    }
    if cx.snapshot.remote_desktop.is_denied().is_none() {
        judge.lacks(
            "whether Remote Desktop is allowed, which makes the service start, is not known",
            "the hives SYSTEM and SOFTWARE",
        );
    }
}

/// What is known of the service, in words.
fn known(service: &Service) -> String {
    let start = match service.start_number() {
        Some(2) => "it starts with Windows",
        Some(3) => "it starts on demand",
        Some(DISABLED) => "it is disabled",
        Some(_) => "its start type is unusual",
        None => "its start type is not known",
    };
    start.to_owned()
}

/// Whether the live table says that it runs; `None` without one.
fn is_running(service: &Service) -> Option<bool> {
    service.runtime.state.value().map(|state| *state == RUNNING)
}

#[cfg(test)]
mod tests;
