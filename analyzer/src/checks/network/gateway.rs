//! `gateway`: whether the machine has an address and a way out.

mod config;
pub(super) mod links;
mod remedies;
mod way_out;

use std::net::Ipv4Addr;

use snapdiag_bundle::records::{ProbeKind, ProbeOutcome};

use self::links::{Link, Source};
use super::logs;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence};
use crate::facts::capture::CaptureKind;
use crate::facts::network::{Network, Probe};
use crate::facts::network_events::Kind;

/// The check.
pub const CHECK: Check = Check {
    id: "gateway",
    category: Category::Network,
    title: "Gateway",
    page: include_str!("gateway.md"),
    inputs: &[
        Input::required("registry.system"),
        Input::required("eventlog.system"),
        Input::helpful("network.adapters"),
        Input::helpful("network.routes"),
        Input::helpful("network.neighbours"),
        Input::helpful("network.probes"),
        Input::helpful("network.ipconfig-text"),
        Input::helpful("network.route-text"),
        Input::helpful("eventlog.dhcp-client-admin"),
    ],
    thresholds: &[CONFLICT_CRITICAL, CONFLICT_WARNING],
    decide,
};

const CONFLICT_CRITICAL: Threshold = Threshold {
    key: "gateway.conflict-critical",
    default: 24.0,
    unit: "hours before the capture",
    meaning: "a conflict of a present address (Tcpip 4198, 4199) no older than this is critical",
    source: "ours",
};
const CONFLICT_WARNING: Threshold = Threshold {
    key: "gateway.conflict-warning",
    default: 168.0,
    unit: "hours before the capture",
    meaning: "such a conflict no older than this is a warning",
    source: "ours",
};

const LIVE: &str = "a live capture: adapters, routes and probes (network.adapters, network.routes, network.probes)";

fn decide(cx: &Context<'_>) -> Decision {
    let network = &cx.snapshot.network;
    let (source, links) = links::of(network);
    let seen = match source {
        Source::Registry => {
            network.devices.value().is_some() && network.interfaces.value().is_some()
        }
        Source::Record | Source::Text => true,
    };
    let up: Vec<&Link<'_>> = links.iter().filter(|link| link.up).collect();
    let mut judge = Judge::new();
    config::disabled(&mut judge, network);
    way_out::no_link(&mut judge, &links, seen);
    way_out::no_address(&mut judge, &up, seen);
    way_out::no_gateway(&mut judge, network, &up, seen);
    way_out::outside(&mut judge, network, &up);
    way_out::unreachable(&mut judge, network, &up);
    way_out::duplicate(&mut judge, cx, &up);
    config::dhcp_disabled(&mut judge, cx.snapshot, &up);
    config::static_on_a_cloud(&mut judge, cx.snapshot, &up);
    config::equal_routes(&mut judge, network, &links);
    config::persistent_defaults(&mut judge, network, &up);
    config::expired(&mut judge, cx.snapshot, &up);
    config::gone_card(&mut judge, network);
    notes(&mut judge, cx, &up);
    demand(&mut judge, cx, source, &up);
    for link in &up {
        judge.exhibit_evidence(words(link), &link.evidence);
    }
    if source != Source::Record {
        judge.at_most(Confidence::Medium);
    }
    let way = up.iter().find(|link| !link.gateways.is_empty());
    let known = way.map(|link| words(link)).unwrap_or_default();
    judge.finish(format!("the machine has a way out: {known}"), known)
}

/// `Ethernet: 10.0.0.4/24 by 10.0.0.1`.
fn words(link: &Link<'_>) -> String {
    let addresses: Vec<String> = link
        .addresses
        .iter()
        .map(|(address, length)| format!("{address}/{length}"))
        .collect();
    let gateways: Vec<String> = link.gateways.iter().map(ToString::to_string).collect();
    let addresses = if addresses.is_empty() {
        "no IPv4 address".to_owned()
    } else {
        addresses.join(", ")
    };
    let by = if gateways.is_empty() {
        String::new()
    } else {
        format!(" by {}", gateways.join(", "))
    };
    format!("{}: {addresses}{by}", link.label)
}

/// The outcome of the probe of a gateway that decides: address resolution, not ICMP.
fn resolution(network: &Network, gateway: Ipv4Addr) -> Option<&Probe> {
    let mut probes = network.probes.value()?.iter();
    probes.find(|probe| match &probe.row.probe {
        ProbeKind::Neighbour { target, .. } => links::v4(*target) == Some(gateway),
        _ => false,
    })
}

fn notes(judge: &mut Judge, cx: &Context<'_>, up: &[&Link<'_>]) {
    for (kind, says) in [
        (
            Kind::LeaseFailed,
            "a DHCP lease could not be got or renewed",
        ),
        (
            Kind::LeaseFailedOld,
            "a DHCP lease could not be got or renewed",
        ),
        (Kind::MediaDisconnected, "the link was lost"),
    ] {
        if let Some(event) = logs::recent(cx.snapshot, kind, cx.limit(&CONFLICT_CRITICAL)) {
            judge.note(format!("At {} {says}.", event.time));
            judge.exhibit_evidence(says, std::slice::from_ref(&event.evidence));
        }
    }
    for link in up
        .iter()
        .filter(|link| link.is_single_host() && !link.gateways.is_empty())
    {
        judge.note(format!(
            "{} has single-host addresses; its gateway is on-link by a route, as some clouds do.",
            link.label
        ));
    }
}

/// What must have been seen before the check may say `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, source: Source, up: &[&Link<'_>]) {
    let network = &cx.snapshot.network;
    let hive = "the SYSTEM hive (registry.system)";
    judge.require(&network.interfaces, "the TCP/IP settings", hive);
    judge.require(&network.devices, "the network devices", hive);
    judge.require(&network.persistent_routes, "the persistent routes", hive);
    let log = &cx.snapshot.network_events.system;
    logs::require(
        judge,
        cx.snapshot,
        log,
        "System",
        cx.limit(&CONFLICT_CRITICAL),
    );
    let live = cx.snapshot.capture.kind == CaptureKind::Live;
    if live {
        if source == Source::Registry {
            judge.require(
                &network.adapters,
                "the adapters of the running machine",
                LIVE,
            );
        }
        judge.require(&network.routes, "the routes of the running machine", LIVE);
        judge.require(&network.probes, "whether the gateway answers", LIVE);
        for gateway in up.iter().flat_map(|link| &link.gateways) {
            let asked = resolution(network, *gateway).is_some_and(|probe| {
                !matches!(
                    probe.row.outcome,
                    ProbeOutcome::Failed { .. } | ProbeOutcome::Malformed
                )
            });
            if network.probes.value().is_some() && !asked {
                judge.lacks(format!("the gateway {gateway} was not asked"), LIVE);
            }
        }
    }
    if up.iter().all(|link| link.gateways.is_empty()) {
        judge.lacks("no lease and no static gateway is known", LIVE);
    }
}

#[cfg(test)]
mod tests;
