//! `rdp-tcp`: whether the listener of Remote Desktop is there, switched on and its own.

mod gates;
mod oddities;
mod protocol;
mod remedies;

use super::registry::{is_mistyped, shown};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Verdict};
use crate::facts::remote_desktop::{Listener, RDP_TCP, RemoteDesktop};

const SYSTEM: &str = "the SYSTEM hive (registry.system)";
const SOFTWARE: &str = "the SOFTWARE hive (registry.software)";

/// How many sessions are few on a session host.
const FEW: Threshold = Threshold {
    key: "rdp-tcp.few-instances",
    default: 2.0,
    unit: "sessions",
    meaning: "a session host whose listener takes this many or fewer is a warning",
    source: "Alibaba's troubleshooting skill; two are what Windows permits without the role",
};

/// How far back a failed listener counts.
const WINDOW: Threshold = Threshold {
    key: "rdp-tcp.window",
    default: 7.0,
    unit: "days",
    meaning: "a listener that failed at most this long before the capture, and was not started since, is a warning",
    source: "ours: the recency of events in all checks",
};

/// The check.
pub const CHECK: Check = Check {
    id: "rdp-tcp",
    category: Category::RemoteDesktop,
    title: "RDP-Tcp listener",
    page: include_str!("rdp_tcp.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("registry.software"),
        Input::helpful("system.sessions"),
        Input::helpful("network.tcp"),
        Input::helpful("eventlog.rcm-operational"),
        Input::helpful("eventlog.rcm-admin"),
        Input::helpful("eventlog.system"),
        Input::helpful("eventlog.rdpcorets-operational"),
    ],
    thresholds: &[FEW, WINDOW],
    decide,
};

fn decide(cx: &Context<'_>) -> Decision {
    if let Some(decision) = cx.unsupported() {
        return decision;
    }
    let rdp = &cx.snapshot.remote_desktop;
    let mut judge = Judge::new();
    if rdp.edition_may_host.value() == Some(&false) {
        judge.exhibit(
            "ProductPolicy: AllowRemoteConnections = 0",
            &rdp.edition_may_host,
        );
        return judge
            .not_applicable("this edition of Windows cannot accept Remote Desktop connections");
    }
    judge.require(&rdp.listeners, "which listeners there are", SYSTEM);
    missing(&mut judge, rdp);
    gates::server(&mut judge, rdp);
    if let Some(listener) = rdp.rdp_tcp() {
        gates::disabled(&mut judge, listener);
        gates::logons_disabled(&mut judge, listener);
        gates::no_instances(&mut judge, listener);
        protocol::judge(&mut judge, cx.snapshot, listener);
        oddities::listener(&mut judge, cx, listener);
        demand_listener(&mut judge, listener);
        show(&mut judge, rdp, listener);
    }
    oddities::others(&mut judge, rdp);
    oddities::failed(&mut judge, cx);
    demand(&mut judge, rdp);
    judge.finish(
        "the listener RDP-Tcp is there, switched on and as Windows sets it up",
        known(rdp),
    )
}

fn missing(judge: &mut Judge, rdp: &RemoteDesktop) {
    let listeners = rdp.listeners.value();
    let holds = rdp.listeners.is_settled().then(|| rdp.rdp_tcp().is_none());
    let names: Vec<&str> = listeners
        .into_iter()
        .flatten()
        .map(|listener| listener.name.as_str())
        .collect();
    let others = if names.is_empty() {
        "there is no other".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    let compared = format!("no listener {RDP_TCP}; {others}");
    let Some(problem) = judge.rule(Verdict::Critical, "missing", compared, holds) else {
        return;
    };
    problem
        .headline("the listener RDP-Tcp is missing: nothing takes Remote Desktop connections")
        .because(format!("of other listeners {others}"))
        .evidence("the list of listeners", &rdp.listeners)
        .remedy(remedies::import(rdp));
    for other in listeners.into_iter().flatten() {
        problem.evidence(format!("the listener {}", other.name), &other.key);
    }
}

/// What of the listener must have been seen before `ok`.
fn demand_listener(judge: &mut Judge, listener: &Listener) {
    let name = &listener.name;
    for (fact, value) in [
        (&listener.enabled, "fEnableWinStation"),
        (&listener.logon_disabled, "fLogonDisabled"),
    ] {
        judge.require(fact, &format!("{value} of {name}"), SYSTEM);
    }
    for (layered, value) in [
        (&listener.max_instances, "MaxInstanceCount"),
        (&listener.security_layer, "SecurityLayer"),
    ] {
        judge.require(&layered.local, &format!("{value} of {name}"), SYSTEM);
        judge.require(
            &layered.policy,
            &format!("the policy for {value}"),
            SOFTWARE,
        );
    }
    for (fact, value) in [
        (&listener.transport, "PdName"),
        (&listener.transport_driver, "PdDLL"),
        (&listener.protocol, "WdName"),
        (&listener.protocol_object, "LoadableProtocol_Object"),
    ] {
        judge.require(fact, &format!("{value} of {name}"), SYSTEM);
    }
    if listener.protocol_object.value().is_some() {
        let what = format!("the library registered for the class of {name}");
        judge.require(&listener.protocol_library, &what, SOFTWARE);
    }
}

/// What of the server must have been seen before `ok`.
fn demand(judge: &mut Judge, rdp: &RemoteDesktop) {
    for (fact, value) in [
        (&rdp.enabled, "TSEnabled"),
        (&rdp.logons_disabled, "TSUserEnabled"),
        (&rdp.drain_mode, "TSServerDrainMode"),
    ] {
        judge.require(fact, value, SYSTEM);
    }
}

/// Evidence and notes whatever the verdict.
fn show(judge: &mut Judge, rdp: &RemoteDesktop, listener: &Listener) {
    judge.exhibit(format!("the listener {}", listener.name), &listener.key);
    judge.exhibit(
        format!("fEnableWinStation = {}", shown(&listener.enabled)),
        &listener.enabled,
    );
    let stations = rdp.sessions.value().into_iter().flatten();
    let row = stations
        .clone()
        .find(|station| station.name.eq_ignore_ascii_case(&listener.name));
    if let Some(row) = row {
        let state = if row.listens() {
            "listens"
        } else {
            "does not listen"
        };
        judge.exhibit_evidence(
            format!("{} {state} (state {})", row.name, row.state),
            std::slice::from_ref(&row.evidence),
        );
    } else if rdp.sessions.value().is_some() {
        judge.note(format!(
            "the table of sessions shows no listener {}: see rds-service and rdp-port",
            listener.name
        ));
    }
    if let Some(event) = rdp.logged.newest_connection() {
        judge.exhibit_evidence(
            format!("the listener took a connection at {}", event.time),
            std::slice::from_ref(&event.evidence),
        );
    }
}

/// What is known where the whole is not.
fn known(rdp: &RemoteDesktop) -> &'static str {
    match rdp.rdp_tcp().map(Listener::is_enabled) {
        Some(Some(true)) => "the listener RDP-Tcp is there and switched on",
        Some(_) => "the listener RDP-Tcp is there",
        None => "",
    }
}

/// "since A" for a value whose key was written at A, or that a connection came in afterwards.
fn since(rdp: &RemoteDesktop, changed: Option<jiff::Timestamp>) -> Option<String> {
    let changed = changed?;
    let connection = rdp.logged.newest_connection()?;
    Some(if connection.time < changed {
        format!(
            "connections came in until {}; the key was written at {changed}",
            connection.time
        )
    } else {
        format!(
            "a connection came in at {}, after the key was written at {changed}: the change may wait for a restart of the service",
            connection.time
        )
    })
}

/// A rule for a number that is not a `REG_DWORD`.
fn wrong_type(
    judge: &mut Judge,
    key: &str,
    name: &str,
    healthy: u64,
    fact: &crate::facts::fact::Fact<crate::facts::sources::registry::Number>,
) {
    let holds = fact.is_settled().then(|| is_mistyped(fact));
    let compared = format!("type of {name} is not REG_DWORD");
    if let Some(problem) = judge.rule(Verdict::Warning, "wrong-type", compared, holds) {
        problem
            .headline(format!(
                "{name} is not the REG_DWORD that Windows expects, so what it does is not certain"
            ))
            .evidence_expected(
                format!("{name} = {}", shown(fact)),
                format!("REG_DWORD {healthy}"),
                fact,
            )
            .remedy(remedies::retype(key, name, healthy, fact));
    }
}

#[cfg(test)]
mod tests;
