//! What is not as Windows sets a listener up.

use jiff::SignedDuration;

use super::{FEW, WINDOW, gates, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::remote_desktop::registry::shown;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::fact::{Fact, State};
use crate::facts::records;
use crate::facts::remote_desktop::{Kind, Listener, RDP_TCP, RemoteDesktop, Trouble};
use crate::facts::sources::registry::Text;

/// What the names of Microsoft's protocol begin with: `Microsoft RDP 7.1`, `Microsoft RDP 8.0`.
const PROTOCOL: &str = "Microsoft RDP";
/// A listener that Windows 7 and 8 bring along, switched off or on, beside RDP-Tcp.
const LEGACY: &str = "EH-Tcp";
/// What the names of Azure Virtual Desktop's own listeners begin with.
const VIRTUAL_DESKTOP: &str = "rdp-sxs";

/// Oddities of the listener itself.
pub(super) fn listener(judge: &mut Judge, cx: &Context<'_>, listener: &Listener) {
    few_instances(judge, cx, listener);
    protocol(judge, listener);
    transport(judge, listener);
    security(judge, listener);
}

/// A session host whose listener takes hardly a session.
fn few_instances(judge: &mut Judge, cx: &Context<'_>, listener: &Listener) {
    let rdp = &cx.snapshot.remote_desktop;
    let few = cx.limit(&FEW);
    let limit = listener.max_instances.effective.value();
    let host = match rdp.application_mode.state {
        State::Absent => Some(false),
        State::Known(ref mode) => Some(mode.value == Some(1)),
        _ => None,
    };
    let is_few = limit
        .and_then(|limit| u32::try_from(*limit).ok())
        .map(|limit| limit > 0 && f64::from(limit) <= few);
    let holds = match (is_few, host) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let value = limit.map_or_else(|| "not known".to_owned(), ToString::to_string);
    let compared = format!("MaxInstanceCount = {value} (1 to {few}) on a session host");
    if let Some(problem) = judge.rule(Verdict::Warning, "few-instances", compared, holds) {
        problem
            .headline(format!(
                "this session host takes at most {value} sessions (MaxInstanceCount)"
            ))
            .evidence_expected(
                format!("MaxInstanceCount = {value}"),
                "4294967295",
                gates::deciding(listener).1,
            )
            .evidence("TSAppCompat = 1: a session host", &rdp.application_mode)
            .remedy(remedies::instances(listener));
    }
}

fn text(fact: &Fact<Text>) -> &str {
    match &fact.state {
        State::Known(text) => &text.text,
        State::Absent => "absent",
        _ => "not known",
    }
}

fn protocol(judge: &mut Judge, listener: &Listener) {
    let fact = &listener.protocol;
    let holds = fact
        .is_settled()
        .then(|| !fact.value().is_some_and(|name| is_microsoft(&name.text)));
    let name = text(fact);
    let compared = format!("WdName = {name} (does not begin with {PROTOCOL})");
    if let Some(problem) = judge.rule(Verdict::Warning, "foreign-protocol", compared, holds) {
        problem
            .headline(format!(
                "the protocol of {} is not Microsoft's (WdName = {name})",
                listener.name
            ))
            .because("another product took over the listener, or its key is damaged")
            .evidence_expected(format!("WdName = {name}"), "Microsoft RDP 8.0", fact)
            .remedy(remedies::restore(listener));
    }
}

fn is_microsoft(name: &str) -> bool {
    name.get(..PROTOCOL.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PROTOCOL))
}

/// The transport's name and driver.
fn transport(judge: &mut Judge, listener: &Listener) {
    for (value, healthy, fact) in [
        ("PdName", "tcp", &listener.transport),
        ("PdDLL", "tdtcp", &listener.transport_driver),
    ] {
        let holds = fact.is_settled().then(|| {
            !fact
                .value()
                .is_some_and(|name| name.text.eq_ignore_ascii_case(healthy))
        });
        let name = text(fact);
        let compared = format!("{value} = {name} (not {healthy})");
        if let Some(problem) = judge.rule(Verdict::Warning, "foreign-driver", compared, holds) {
            problem
                .headline(format!(
                    "the transport of {} is not the one Windows sets up ({value} = {name})",
                    listener.name
                ))
                .evidence_expected(format!("{value} = {name}"), healthy, fact)
                .remedy(remedies::restore(listener));
        }
    }
}

/// RDP's own encryption, without proof of the server.
fn security(judge: &mut Judge, listener: &Listener) {
    let layer = &listener.security_layer;
    let holds = if layer.effective.is_absent() {
        Some(false)
    } else {
        layer.effective.value().map(|layer| *layer == 0)
    };
    let compared = format!(
        "SecurityLayer = {} by policy, {} locally (0)",
        shown(&layer.policy),
        shown(&layer.local)
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "no-tls", compared, holds) {
        problem
            .headline("Remote Desktop runs without TLS (SecurityLayer = 0): clients cannot tell whom they talk to")
            .because("network level authentication is not possible without TLS, and current clients may refuse")
            .evidence_expected("SecurityLayer = 0", "2 (TLS)", &layer.effective)
            .remedy(remedies::tls(listener));
    }
}

/// Listeners beside RDP-Tcp.
pub(super) fn others(judge: &mut Judge, rdp: &RemoteDesktop) {
    let listeners = || rdp.listeners.value().into_iter().flatten();
    let known = |name: &str| {
        name.eq_ignore_ascii_case(RDP_TCP)
            || name.eq_ignore_ascii_case(LEGACY)
            || name
                .get(..VIRTUAL_DESKTOP.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(VIRTUAL_DESKTOP))
    };
    let extra: Vec<&Listener> = listeners()
        .filter(|one| !known(&one.name) && one.is_enabled() != Some(false))
        .collect();
    let class = |one: &Listener| {
        let class = one.protocol_object.value()?;
        Some(class.text.to_ascii_lowercase())
    };
    let own = rdp.rdp_tcp().and_then(class);
    let (copies, foreign): (Vec<&Listener>, Vec<&Listener>) = extra
        .into_iter()
        .partition(|one| own.is_some() && class(one) == own);
    for (rule, list, headline) in [
        (
            "duplicate-listener",
            copies,
            "there is a second listener of Remote Desktop beside RDP-Tcp",
        ),
        (
            "extra-listener",
            foreign,
            "there is another listener beside RDP-Tcp",
        ),
    ] {
        let names: Vec<&str> = list.iter().map(|one| one.name.as_str()).collect();
        let names = names.join(", ");
        let compared = format!("enabled listeners: {names}");
        let holds = rdp.listeners.is_settled().then_some(!list.is_empty());
        if let Some(problem) = judge.rule(Verdict::Warning, rule, compared, holds) {
            problem
                .headline(format!("{headline}: {names}"))
                .because("the listener of a product you know needs nothing; one that nobody knows is a second way in")
                .remedy(remedies::look_at(&list));
            for one in list {
                problem.evidence(format!("the listener {}", one.name), &one.key);
            }
        }
    }
    for one in listeners() {
        if known(&one.name) && !one.name.eq_ignore_ascii_case(RDP_TCP) {
            judge.exhibit(
                format!(
                    "the listener {}, which belongs to Windows or Azure Virtual Desktop",
                    one.name
                ),
                &one.key,
            );
        }
    }
}

/// A listener that failed and was not started since.
pub(super) fn failed(judge: &mut Judge, cx: &Context<'_>) {
    let rdp = &cx.snapshot.remote_desktop;
    let troubles = &rdp.logged.troubles;
    let failed = records::newest(troubles, |one| {
        matches!(one.kind, Trouble::ListenerFailed | Trouble::StackDown)
    });
    let started = rdp.logged.newest(Kind::ListenerStarted);
    let window = SignedDuration::try_from_secs_f64(cx.limit(&WINDOW) * 86_400.0).ok();
    let recent = |time: jiff::Timestamp| {
        let capture = cx.snapshot.capture.time?;
        Some(capture.duration_since(time) <= window?)
    };
    let down = rdp
        .sessions
        .value()
        .into_iter()
        .flatten()
        .find(|station| station.is_down() && station.name.eq_ignore_ascii_case(RDP_TCP));
    let holds = match (failed, down) {
        (_, Some(_)) => Some(true),
        (None, None) => Some(false),
        (Some(failed), None) => {
            let open = started.is_none_or(|started| started.time < failed.time);
            if open {
                recent(failed.time)
            } else {
                Some(false)
            }
        }
    };
    let compared = match failed {
        Some(failed) => format!(
            "event {} at {}, no later start of the listener",
            failed.event_id, failed.time
        ),
        None => "no event 260 or 1035, no listener that is down".to_owned(),
    };
    if let Some(problem) = judge.rule(Verdict::Warning, "listener-failed", compared, holds) {
        problem
            .headline("the listener of Remote Desktop failed and was not started since")
            .confidence(Confidence::Medium)
            .remedy(remedies::restart());
        if let Some(failed) = failed {
            let status = failed.subject.as_deref().unwrap_or("no status");
            problem.exhibits(
                format!("event {} at {}: {status}", failed.event_id, failed.time),
                std::slice::from_ref(&failed.evidence),
            );
        }
        if let Some(down) = down {
            problem.exhibits(
                "the listener is down (state 8)",
                std::slice::from_ref(&down.evidence),
            );
        }
    }
    let session = records::newest(troubles, |one| one.kind == Trouble::SessionFailed);
    if let Some(session) = session.filter(|one| recent(one.time) == Some(true)) {
        let status = session.subject.as_deref().unwrap_or("no status");
        judge.note(format!(
            "a session could not be made at {} (event 1036, {status})",
            session.time
        ));
        judge.exhibit_evidence(
            "a session could not be made",
            std::slice::from_ref(&session.evidence),
        );
    }
    let asked = records::newest(troubles, |one| one.kind == Trouble::AskedToStop);
    if let Some(asked) = asked.filter(|one| started.is_none_or(|started| started.time < one.time)) {
        judge.note(format!("the listener was asked to stop at {} and did not start again since, as far as the log reaches", asked.time));
        judge.exhibit_evidence(
            "the listener was asked to stop",
            std::slice::from_ref(&asked.evidence),
        );
    }
}
