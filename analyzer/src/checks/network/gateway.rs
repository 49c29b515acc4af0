//! `gateway`: whether the machine has an address and a way out.

mod config;
pub(super) mod links;
mod remedies;

use std::net::Ipv4Addr;

use serde_json::json;
use snapdiag_bundle::records::{ProbeKind, ProbeOutcome};

use self::links::{Link, Source};
use super::logs;
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
use crate::checks::words;
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
/// `NL_NEIGHBOR_STATE`: unreachable, incomplete.
const LOST: [u32; 2] = [0, 1];

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
    no_link(&mut judge, &links, seen);
    no_address(&mut judge, &up, seen);
    no_gateway(&mut judge, network, &up, seen);
    outside(&mut judge, network, &up);
    unreachable(&mut judge, network, &up);
    duplicate(&mut judge, cx, &up);
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

fn no_link(judge: &mut Judge, links: &[Link<'_>], seen: bool) {
    let up = links.iter().filter(|link| link.up).count();
    let compared = format!("{up} of {} links are up", links.len());
    // On a bare disk disabled cards have a rule of their own.
    let holds = seen.then_some(up == 0 && !links.is_empty());
    if let Some(problem) = judge.rule(Verdict::Critical, "no-link", compared, holds) {
        let labels: Vec<&str> = links.iter().map(|link| link.label.as_str()).collect();
        problem.headline(format!("no network link is up ({})", labels.join(", ")));
        for link in links {
            problem.exhibits(words(link), &link.evidence);
        }
        problem.remedy(remedies::enable());
    }
}

fn no_address(judge: &mut Judge, up: &[&Link<'_>], seen: bool) {
    let with = up
        .iter()
        .filter(|link| link.real_addresses().next().is_some())
        .count();
    let compared = format!(
        "{with} of {} links have an IPv4 address that was given",
        up.len()
    );
    // A card of a bare disk may wait for its first lease.
    let known = up
        .iter()
        .any(|link| link.index.is_some() || !link.addresses.is_empty());
    let holds = seen.then_some(with == 0 && !up.is_empty() && known);
    let Some(problem) = judge.rule(Verdict::Critical, "no-address", compared, holds) else {
        return;
    };
    let own_made = up.iter().find_map(|link| {
        let mut addresses = link.addresses.iter();
        addresses.find(|(address, _)| address.is_link_local())
    });
    problem.headline(match own_made {
        Some((address, _)) => format!("the machine has only the address {address} that it gave itself: no DHCP server answered"),
        None => "no network link has an IPv4 address".to_owned(),
    });
    for link in up {
        problem.exhibits(words(link), &link.evidence);
        problem.remedy(remedies::renew(link));
    }
}

fn no_gateway(judge: &mut Judge, network: &Network, up: &[&Link<'_>], seen: bool) {
    let with = up.iter().filter(|link| !link.gateways.is_empty()).count();
    let routes = network.routes.value();
    let default_route = routes
        .into_iter()
        .flatten()
        .any(|route| route.row.prefix_length == 0 && links::v4(route.row.destination).is_some());
    let addressed = up.iter().any(|link| link.real_addresses().next().is_some());
    let compared =
        format!("{with} links have a gateway; a default route is in force: {default_route}");
    let holds = seen.then_some(with == 0 && !default_route && addressed);
    if let Some(problem) = judge.rule(Verdict::Critical, "no-gateway", compared, holds) {
        problem.headline("the machine has an address and no default gateway");
        for link in up {
            problem.exhibits(words(link), &link.evidence);
            problem.remedy(remedies::renew(link));
        }
    }
}

/// A gateway outside the subnet, with no route that makes it on-link.
fn outside(judge: &mut Judge, network: &Network, up: &[&Link<'_>]) {
    for link in up
        .iter()
        .filter(|link| link.real_addresses().next().is_some())
    {
        for gateway in &link.gateways {
            let on_link = is_on_link(network, link, *gateway);
            let compared = format!(
                "{gateway} of {}, on-link by a route: {on_link}",
                words(link)
            );
            let outside = !link.reaches(*gateway) && !link.is_single_host() && !on_link;
            let problem = judge.rule(
                Verdict::Critical,
                "outside-the-subnet",
                compared,
                Some(outside),
            );
            if let Some(problem) = problem {
                problem.headline(format!(
                    "the gateway {gateway} is outside the subnet ({})",
                    words(link)
                ));
                problem.because("Windows cannot send to a gateway that is not on the link: address, mask or gateway is wrong.");
                problem.exhibits(words(link), &link.evidence);
                problem.remedy(remedies::renew(link));
            }
        }
    }
}

/// Whether a route without a next hop covers the gateway.
fn is_on_link(network: &Network, link: &Link<'_>, gateway: Ipv4Addr) -> bool {
    let live = network.routes.value().into_iter().flatten().any(|route| {
        let row = &route.row;
        row.next_hop.is_unspecified()
            && row.prefix_length > 0
            && link
                .index
                .is_none_or(|index| row.interface_index == index || row.interface_index == 0)
            && links::v4(row.destination)
                .is_some_and(|to| links::covers(to, u32::from(row.prefix_length), gateway))
    });
    let own = |hop: Ipv4Addr| {
        hop.is_unspecified() || link.addresses.iter().any(|(address, _)| *address == hop)
    };
    live || network
        .persistent_routes
        .value()
        .into_iter()
        .flatten()
        .any(|route| {
            route.prefix_length > 0
                && own(route.gateway)
                && links::covers(route.destination, route.prefix_length, gateway)
        })
}

/// The outcome of the probe of a gateway that decides: address resolution, not ICMP.
fn resolution(network: &Network, gateway: Ipv4Addr) -> Option<&Probe> {
    let mut probes = network.probes.value()?.iter();
    probes.find(|probe| match &probe.row.probe {
        ProbeKind::Neighbour { target, .. } => links::v4(*target) == Some(gateway),
        _ => false,
    })
}

fn echoed(network: &Network, gateway: Ipv4Addr) -> Option<bool> {
    let mut probes = network.probes.value()?.iter();
    let probe = probes.find(|probe| match &probe.row.probe {
        ProbeKind::Echo { target } => links::v4(*target) == Some(gateway),
        _ => false,
    })?;
    Some(matches!(probe.row.outcome, ProbeOutcome::Answered { .. }))
}

fn unreachable(judge: &mut Judge, network: &Network, up: &[&Link<'_>]) {
    for link in up {
        for gateway in &link.gateways {
            let echo = echoed(network, *gateway);
            let probe = resolution(network, *gateway);
            let neighbour = network
                .neighbours
                .value()
                .into_iter()
                .flatten()
                .find(|one| {
                    links::v4(one.row.address) == Some(*gateway)
                        && link
                            .index
                            .is_none_or(|index| index == one.row.interface_index)
                });
            let silent = probe.and_then(|probe| match probe.row.outcome {
                ProbeOutcome::Answered { .. } => Some(false),
                ProbeOutcome::Timeout | ProbeOutcome::Unreachable { .. } => Some(true),
                _ => None,
            });
            let lost = neighbour.map(|one| LOST.contains(&one.row.state) && one.row.mac.is_none());
            let holds = silent.or(lost).map(|silent| silent && echo != Some(true));
            let compared = format!(
                "address resolution of {gateway} failed: {}; ICMP answered: {}",
                words::answer(silent.or(lost)),
                words::answer(echo)
            );
            let problem = judge.rule(Verdict::Critical, "gateway-silent", compared, holds);
            if let Some(problem) = problem {
                problem.headline(format!(
                    "the gateway {gateway} does not answer on the link {}",
                    link.label
                ));
                problem.because("Address resolution failed, which every gateway answers, also those that ignore ping.");
                if let Some(probe) = probe {
                    problem.exhibits(
                        "address resolution of the gateway",
                        std::slice::from_ref(&probe.evidence),
                    );
                }
                if let Some(neighbour) = neighbour {
                    let place = neighbour.at("state", json!(neighbour.row.state));
                    problem.exhibits("the gateway in the neighbour table", &[place]);
                }
                if let Some(hardware) = link.interface.and_then(|one| one.gateway_hardware.value())
                {
                    problem.because(format!(
                        "The gateway that was learned last is {} with the MAC address {}.",
                        hardware.address, hardware.mac
                    ));
                }
                problem.remedy(remedies::renew(link));
            } else if silent == Some(false) && echo == Some(false) {
                judge.note(format!("The gateway {gateway} ignores ping, as those of clouds do; it answers address resolution."));
            }
        }
    }
}

/// Another machine has the address.
fn duplicate(judge: &mut Judge, cx: &Context<'_>, up: &[&Link<'_>]) {
    let found = up
        .iter()
        .find_map(|link| Some((link, link.duplicate.as_ref()?)));
    let compared = "Windows marks an address as duplicate";
    if let Some(problem) = judge.rule(
        Verdict::Critical,
        "duplicate",
        compared,
        Some(found.is_some()),
    ) && let Some((link, (address, evidence))) = found
    {
        problem.headline(format!(
            "another machine has the address {address} of {}",
            link.label
        ));
        problem.exhibits(
            "the state of the address is 2 (duplicate)",
            std::slice::from_ref(evidence),
        );
        problem.remedy(remedies::renew(link));
    }
    let events = &cx.snapshot.network_events;
    let present = |subject: &str| {
        let address = subject.split(' ').next().and_then(|word| word.parse().ok());
        address.is_some_and(|address: Ipv4Addr| {
            up.iter()
                .any(|link| link.addresses.iter().any(|(own, _)| *own == address))
        })
    };
    let since = |hours| logs::before_capture(cx.snapshot, hours);
    let newest = events
        .of(Kind::DuplicateAddress)
        .filter(|event| event.subject.as_deref().is_some_and(present))
        .max_by_key(|event| event.time);
    for (verdict, after, until) in [
        (Verdict::Critical, since(cx.limit(&CONFLICT_CRITICAL)), None),
        (
            Verdict::Warning,
            since(cx.limit(&CONFLICT_WARNING)),
            since(cx.limit(&CONFLICT_CRITICAL)),
        ),
    ] {
        let within = newest.filter(|event| {
            let undated = after.is_none() && verdict == Verdict::Warning;
            undated
                || after.is_some_and(|after| event.time >= after)
                    && until.is_none_or(|until| event.time < until)
        });
        let compared = "Tcpip 4198 or 4199 names a present address";
        let holds =
            (events.system.value().is_some() || within.is_some()).then_some(within.is_some());
        let Some(problem) = judge.rule(verdict, "conflict", compared, holds) else {
            continue;
        };
        let Some(event) = within else { continue };
        let subject = event.subject.as_deref().unwrap_or_default();
        problem.headline(format!(
            "another machine used the same address ({subject}) at {}",
            event.time
        ));
        problem.exhibits(
            "Tcpip reports the conflict",
            std::slice::from_ref(&event.evidence),
        );
        problem.confidence(Confidence::Medium);
        problem.remedy(remedies::find_the_rival(subject));
    }
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
