//! What the live tables and the logs say: does the service run?

use jiff::{SignedDuration, Timestamp};

use super::{
    CRASHES, Confidence, Context, Judge, PENDING, Service, Verdict, WINDOW, is_running, remedies,
};
use crate::checks::words;
use crate::facts::capture::CaptureKind;
use crate::facts::evidence::Evidence;
use crate::facts::remote_desktop::{Kind, Listener, RdpEvent};
use crate::facts::services::{RUNNING, START_PENDING, STOP_PENDING, STOPPED, ServiceEvent};

/// `SERVICE_PAUSED`.
const PAUSED: u32 = 7;
/// The service ended by itself (7023, 7024) or crashed (7031, 7034).
const ENDED: [u32; 4] = [7023, 7024, 7031, 7034];
/// It did not start.
const NOT_STARTED: [u32; 6] = [7000, 7001, 7009, 7022, 7038, 7041];
/// It crashed.
const CRASHED: [u32; 2] = [7031, 7034];

pub(super) fn stopped(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let state = service.runtime.state.value().copied();
    let denied = cx.snapshot.remote_desktop.is_denied();
    let is_stopped = state.map(|state| state == STOPPED || state == PAUSED);
    let compared = format!(
        "state = {} (1 stopped, 7 paused), connections refused = {}",
        state.map_or("not known".to_owned(), |state| state.to_string()),
        denied.map_or("not known".to_owned(), |denied| denied.to_string())
    );
    let expected = is_stopped.and_then(|stopped| match (stopped, denied) {
        (false, _) | (_, Some(true)) => Some(false),
        (true, Some(false)) => Some(true),
        (true, None) => None,
    });
    if let Some(problem) = judge.rule(Verdict::Critical, "stopped", compared.clone(), expected) {
        problem
            .headline("the service TermService does not run, though Remote Desktop is allowed")
            .evidence_expected("state", "4 (running)", &service.runtime.state)
            .evidence(exit_code(service), &service.runtime.win32_exit_code)
            .remedy(remedies::start(service));
        for event in last_failures(cx, service) {
            problem.because(told(event));
            problem.exhibits(told(event), std::slice::from_ref(&event.evidence));
        }
    }
    let refused = is_stopped.and_then(|stopped| match (stopped, denied) {
        (false, _) | (_, Some(false)) => Some(false),
        (true, Some(true)) => Some(true),
        (true, None) => None,
    });
    if let Some(problem) = judge.rule(Verdict::Warning, "stopped-refused", compared, refused) {
        problem
            .headline("the service TermService does not run, because Remote Desktop is not allowed")
            .because(
                "the check rdp-allowed says how to allow it; the service then starts by itself",
            )
            .evidence("state", &service.runtime.state)
            .evidence(
                "connections are refused",
                &cx.snapshot.remote_desktop.deny.effective,
            );
    }
}

/// What the exit code of the last end says.
fn exit_code(service: &Service) -> String {
    let code = service.runtime.win32_exit_code.value().copied();
    match code {
        Some(0) => "it was stopped in order (exit code 0)".to_owned(),
        Some(1053) => "it did not answer in time (exit code 1053)".to_owned(),
        Some(1066) => format!(
            "it ended with its own error {}",
            service
                .runtime
                .service_exit_code
                .value()
                .copied()
                .unwrap_or_default()
        ),
        Some(1068) => "a dependency failed (exit code 1068)".to_owned(),
        Some(1069) => "its account could not log on (exit code 1069)".to_owned(),
        Some(1077) => "it was never started since boot (exit code 1077)".to_owned(),
        Some(code) => format!("it ended with error {code}"),
        None => "its exit code is not known".to_owned(),
    }
}

pub(super) fn pending(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let limit = cx.limit(&PENDING);
    let state = service.runtime.state.value().copied();
    let is_pending = state.map(|state| state == START_PENDING || state == STOP_PENDING);
    let waited = service.runtime.pending_for_ms.value().copied();
    let long = waited.is_some_and(|ms| exceeds(ms, limit));
    let compared = format!(
        "state = {} (2, 3 pending) for {} ms > {limit} s",
        state.map_or("not known".to_owned(), |state| state.to_string()),
        waited.map_or("not known".to_owned(), |ms| ms.to_string())
    );
    let hung = is_pending.map(|pending| pending && long);
    if let Some(problem) = judge.rule(Verdict::Critical, "hung", compared.clone(), hung) {
        problem
            .headline("the service TermService hangs while it starts or stops")
            .evidence_expected("state", "4 (running)", &service.runtime.state)
            .evidence(
                "how long the collector saw it",
                &service.runtime.pending_for_ms,
            )
            .evidence("services in the same process", &service.runtime.process)
            .remedy(remedies::unhang(service));
    }
    let short = is_pending.map(|pending| pending && !long);
    if let Some(problem) = judge.rule(Verdict::Warning, "pending", compared, short) {
        problem
            .headline(
                "the service TermService was starting or stopping when the snapshot was taken",
            )
            .evidence_expected("state", "4 (running)", &service.runtime.state)
            .confidence(Confidence::Medium)
            .remedy(remedies::start(service));
    }
}

/// Whether milliseconds are more than a number of seconds.
fn exceeds(ms: u64, seconds: f64) -> bool {
    std::time::Duration::from_millis(ms).as_secs_f64() > seconds
}

/// The last thing the current boot's log says is a failure.
pub(super) fn failed(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    // A live table knows better than the log.
    if is_running(service).is_some() {
        return;
    }
    let events = cx.snapshot.services.in_current_boot(service);
    let last = events.as_ref().and_then(|events| last_word(events));
    let failure = last.filter(|event| ENDED.contains(&event.id) || NOT_STARTED.contains(&event.id));
    let compared = format!(
        "last event of the current boot: {}",
        last.map_or("none".to_owned(), |event| event.id.to_string())
    );
    let holds = events.is_some().then_some(failure.is_some());
    let rule = judge.rule(Verdict::Critical, "failed", compared, holds);
    if let (Some(problem), Some(event)) = (rule, failure) {
        let what = if ENDED.contains(&event.id) {
            "ended with an error"
        } else {
            "did not start"
        };
        problem
            .headline(format!(
                "the service TermService {what} and was not started since"
            ))
            .because(told(event))
            .exhibits(told(event), std::slice::from_ref(&event.evidence))
            .confidence(Confidence::Medium)
            .remedy(remedies::start(service));
    }
}

/// The last event that tells whether the service runs. A stop in order is none of them: it is
/// logged at every shutdown.
fn last_word<'a>(events: &[&'a ServiceEvent]) -> Option<&'a ServiceEvent> {
    let tells = |event: &&&ServiceEvent| {
        ENDED.contains(&event.id) || NOT_STARTED.contains(&event.id) || event.id == 7036
    };
    events.iter().rev().find(tells).copied()
}

/// The last failures of the current boot, newest first.
fn last_failures<'a>(cx: &Context<'_>, service: &'a Service) -> Vec<&'a ServiceEvent> {
    let events = cx.snapshot.services.in_current_boot(service);
    let failure =
        |event: &&&ServiceEvent| ENDED.contains(&event.id) || NOT_STARTED.contains(&event.id);
    let events = events.unwrap_or_default();
    events
        .iter()
        .rev()
        .filter(failure)
        .take(3)
        .copied()
        .collect()
}

/// An event in words.
fn told(event: &ServiceEvent) -> String {
    let error = event
        .error
        .map_or(String::new(), |error| format!(", error {error}"));
    let second = event.texts.get(1).map_or("", String::as_str);
    let what = match event.id {
        7000 => "it failed to start".to_owned(),
        7001 => format!("the service {second}, which it depends on, failed to start"),
        7009 | 7011 => "it did not answer in time".to_owned(),
        7022 => "it hung while it started".to_owned(),
        7023 | 7024 => "it ended with an error".to_owned(),
        7031 | 7034 => "it crashed".to_owned(),
        7038 => "its account could not log on".to_owned(),
        7041 => "its account has no right to log on as a service".to_owned(),
        id => format!("event {id}"),
    };
    format!("event {}: {what}{error}", event.id)
}

/// The start of the window that counts; `None` without the time of capture.
fn since(cx: &Context<'_>) -> Option<Timestamp> {
    let days = cx.limit(&WINDOW);
    let window = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
    cx.snapshot.capture.time?.checked_sub(window).ok()
}

pub(super) fn crashes(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let limit = cx.limit(&CRASHES);
    let services = &cx.snapshot.services;
    let Some(since) = since(cx) else {
        judge
            .note("the time of capture is not known, so crashes in the last days were not counted");
        return;
    };
    let recent = |event: &&ServiceEvent| event.time >= since;
    let ended: Vec<&ServiceEvent> = service
        .events
        .iter()
        .filter(|event| CRASHED.contains(&event.id))
        .filter(recent)
        .collect();
    let reported: Vec<&ServiceEvent> = services.crashes.iter().filter(recent).collect();
    // Both logs tell of the same crashes: the longer list counts.
    let counted = if reported.len() > ended.len() {
        &reported
    } else {
        &ended
    };
    let known = services.log.value().is_some() || services.application_log.value().is_some();
    let count = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    let days = cx.limit(&WINDOW);
    let compared = format!(
        "{} in {}, limit {limit}",
        words::count(count, "crash"),
        words::count(days, "day")
    );
    let holds = known.then_some(count > 0 && f64::from(count) >= limit);
    if let Some(problem) = judge.rule(Verdict::Warning, "crashes", compared, holds) {
        problem
            .headline(format!(
                "Remote Desktop Services crashed {} in {}",
                words::count(count, "time"),
                words::count(days, "day")
            ))
            .confidence(Confidence::Medium)
            .remedy(remedies::investigate_crashes());
        for event in counted.iter().rev().take(3) {
            let says = match event.id {
                1000 => format!("{} crashed in {}", event.service, module(event)),
                _ => told(event),
            };
            problem.exhibits(says, std::slice::from_ref(&event.evidence));
        }
    } else if count > 0 {
        judge.note(format!(
            "Remote Desktop Services crashed {} in {}",
            words::count(count, "time"),
            words::count(days, "day")
        ));
    }
}

/// The module that an Application Error names.
fn module(event: &ServiceEvent) -> &str {
    event
        .texts
        .get(3)
        .map_or("an unnamed module", String::as_str)
}

pub(super) fn start_changed(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let Some(since) = since(cx) else {
        return;
    };
    let changes: Vec<&ServiceEvent> = service
        .events
        .iter()
        .filter(|event| event.id == 7040 && event.time >= since)
        .collect();
    let known = cx.snapshot.services.log.value().is_some();
    let compared = format!("{} changes of the start type in the window", changes.len());
    let holds = known.then_some(!changes.is_empty());
    let rule = judge.rule(Verdict::Warning, "start-changed", compared, holds);
    if let (Some(problem), Some(last)) = (rule, changes.last()) {
        let part = |index: usize| last.texts.get(index).map_or("?", String::as_str);
        problem
            .headline(format!(
                "the start type of TermService was changed from \"{}\" to \"{}\"",
                part(1),
                part(2)
            ))
            .because("find out who changed it; the value in force now decides, and may be right")
            .exhibits(
                "event 7040: start type changed",
                std::slice::from_ref(&last.evidence),
            )
            .evidence("Start now", &service.start)
            .confidence(Confidence::Medium)
            .remedy(remedies::review_start(service));
    }
}

/// The service must have been seen running: in the live table, or on a disk in the log.
pub(super) fn seen_running(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    const TABLE: &str = "the table of services (services.table), from the running machine";
    if let Some(state) = service.runtime.state.value() {
        if *state == RUNNING {
            judge.exhibit("TermService runs", &service.runtime.state);
            listener(judge, cx, service);
        }
        return;
    }
    judge.would_help(TABLE);
    // In a live snapshot the log is no substitute for the table that should be there.
    let sign = (cx.snapshot.capture.kind == CaptureKind::DiskOnly)
        .then(|| sign_of_life(cx, service))
        .flatten();
    match sign {
        Some((says, evidence)) => {
            judge.exhibit_evidence(says, &[evidence]);
            judge.note(
                "the log's last word of this boot is that it ran; the running machine was not seen",
            );
            judge.at_most(Confidence::Medium);
        }
        None => judge.lacks("whether it runs is not known", TABLE),
    }
}

/// The newest sign in the current boot that the service ran.
fn sign_of_life(cx: &Context<'_>, service: &Service) -> Option<(String, Evidence)> {
    let services = &cx.snapshot.services;
    let boot = services.boot.value()?;
    let last = services.in_current_boot(service)?;
    if let Some(event) = last_word(&last) {
        let says = "the last event of the service is its start".to_owned();
        return (event.entered == Some(RUNNING)).then(|| (says, event.evidence.clone()));
    }
    let logged = &cx.snapshot.remote_desktop.logged;
    let newest = |kind: Kind| logged.newest(kind).filter(|event| event.time >= boot.time);
    let stopped = newest(Kind::ListenerStopped);
    let started: Option<&RdpEvent> = [
        Kind::ListenerStarted,
        Kind::Authenticated,
        Kind::LoggedOn,
        Kind::Reconnected,
    ]
    .into_iter()
    .filter_map(newest)
    .max_by_key(|event| event.time);
    started
        .filter(|event| stopped.is_none_or(|stopped| stopped.time < event.time))
        .map(|event| {
            let says = format!("event {}: Remote Desktop was at work", event.event_id);
            (says, event.evidence.clone())
        })
}

/// Who listens on Remote Desktop's ports. A missing listener is for the check `rdp-port` to judge.
fn listener(judge: &mut Judge, cx: &Context<'_>, service: &Service) {
    let Some(pid) = service.runtime.pid.value().copied() else {
        return;
    };
    let desktop = &cx.snapshot.remote_desktop;
    let Some(port) = desktop.rdp_tcp().and_then(Listener::port_number) else {
        return;
    };
    let Some(found) = cx.snapshot.sockets.on_port(port) else {
        judge.would_help("the TCP table (network/tcp.json)");
        return;
    };
    let own: Vec<_> = found.iter().filter(|one| one.pid == Some(pid)).collect();
    for one in &own {
        let says = format!("process {pid}, which hosts TermService, listens on port {port}");
        judge.exhibit_evidence(says, std::slice::from_ref(&one.evidence));
    }
    if own.is_empty() {
        let who = if found.is_empty() {
            "nothing"
        } else {
            "another process"
        };
        judge.note(format!(
            "{who} listens on port {port}; see the check rdp-port"
        ));
    }
}
