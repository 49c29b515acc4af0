//! The rules on what the machine uses now: link, address, gateway.

use std::net::Ipv4Addr;

use serde_json::json;
use snapdiag_bundle::records::{ProbeKind, ProbeOutcome};

use super::links::{self, Link};
use super::{CONFLICT_CRITICAL, CONFLICT_WARNING, remedies, resolution, words};
use crate::checks::check::{Context, Judge};
use crate::checks::network::logs;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::network::Network;
use crate::facts::network_events::Kind;

/// `NL_NEIGHBOR_STATE`: unreachable, incomplete.
const LOST: [u32; 2] = [0, 1];

pub(super) fn no_link(judge: &mut Judge, links: &[Link<'_>], seen: bool) {
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

pub(super) fn no_address(judge: &mut Judge, up: &[&Link<'_>], seen: bool) {
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

pub(super) fn no_gateway(judge: &mut Judge, network: &Network, up: &[&Link<'_>], seen: bool) {
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
pub(super) fn outside(judge: &mut Judge, network: &Network, up: &[&Link<'_>]) {
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

fn echoed(network: &Network, gateway: Ipv4Addr) -> Option<bool> {
    let mut probes = network.probes.value()?.iter();
    let probe = probes.find(|probe| match &probe.row.probe {
        ProbeKind::Echo { target } => links::v4(*target) == Some(gateway),
        _ => false,
    })?;
    Some(matches!(probe.row.outcome, ProbeOutcome::Answered { .. }))
}

pub(super) fn unreachable(judge: &mut Judge, network: &Network, up: &[&Link<'_>]) {
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
pub(super) fn duplicate(judge: &mut Judge, cx: &Context<'_>, up: &[&Link<'_>]) {
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
