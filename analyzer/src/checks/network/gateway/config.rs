//! What the configuration says: disabled cards, DHCP, static addresses, routes.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::links::{Link, v4};
use super::remedies;
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::Snapshot;
use crate::facts::network::{Interface, Network, Route};

/// `Start` of a disabled service.
const DISABLED: u64 = 4;

/// Every card is disabled in the Device Manager.
pub(super) fn disabled(judge: &mut Judge, network: &Network) {
    let devices = network.devices.value();
    let cards: Vec<_> = devices
        .into_iter()
        .flatten()
        .filter(|one| one.is_card())
        .collect();
    let off = cards
        .iter()
        .filter(|card| card.is_disabled() == Some(true))
        .count();
    let compared = format!("{off} of {} network cards are disabled", cards.len());
    let holds = devices.map(|_| off > 0 && off == cards.len());
    if let Some(problem) = judge.rule(Verdict::Critical, "disabled", compared, holds) {
        problem.headline(format!("every network card is disabled ({off})"));
        for card in cards {
            problem.evidence_expected(
                format!("ConfigFlags of {}", card.label()),
                "bit 0 clear",
                &card.config_flags,
            );
        }
        problem.remedy(remedies::enable());
    }
}

/// The address is to come from DHCP, and its client cannot start.
pub(super) fn dhcp_disabled(judge: &mut Judge, snapshot: &Snapshot, up: &[&Link<'_>]) {
    let Some(service) = snapshot.services.service("Dhcp") else {
        return;
    };
    let start = service.start_number();
    let link = up
        .iter()
        .find(|link| link.interface.and_then(Interface::uses_dhcp) == Some(true));
    let compared = format!(
        "EnableDHCP of a link: {}; Start of Dhcp: {} (4 is disabled)",
        words::answer(Some(link.is_some())),
        words::value(start)
    );
    let holds = start.map(|start| start == DISABLED && link.is_some());
    let problem = judge.rule(Verdict::Critical, "dhcp-disabled", compared, holds);
    if let (Some(problem), Some(link)) = (problem, link) {
        problem.headline(format!(
            "{} gets its address by DHCP, and the DHCP client is disabled",
            link.label
        ));
        problem.evidence_expected("Start of the service Dhcp", "2", &service.start);
        if let Some(interface) = link.interface {
            problem.evidence("EnableDHCP", &interface.dhcp);
        }
        problem.remedy(remedies::enable_dhcp_client(&service.start));
    }
}

/// A static address on a cloud that gave another one, or the same, by DHCP before.
pub(super) fn static_on_a_cloud(judge: &mut Judge, snapshot: &Snapshot, up: &[&Link<'_>]) {
    let Some(cloud) = snapshot.machine.cloud.value() else {
        return;
    };
    for link in up {
        let Some(interface) = link.interface.filter(|one| one.uses_dhcp() == Some(false)) else {
            continue;
        };
        let lease = interface
            .dhcp_address
            .value()
            .and_then(|text| text.parse::<Ipv4Addr>().ok());
        let lease = lease.filter(|lease| !lease.is_unspecified() && !lease.is_link_local());
        let set: Vec<Ipv4Addr> = interface.static_addresses().collect();
        let (Some(lease), Some(first)) = (lease, set.first()) else {
            continue;
        };
        let same = set.contains(&lease);
        let compared = format!("{}: static {first}, the last lease {lease}", link.label);
        if same && set.len() > 1 {
            judge.note(format!("{} has several static addresses, which clouds ask for when a card has secondary addresses.", link.label));
            continue;
        }
        let verdict = if same {
            Verdict::Warning
        } else {
            Verdict::Critical
        };
        if let Some(problem) = judge.rule(verdict, "static-on-a-cloud", compared, Some(true)) {
            problem.headline(format!(
                "{} has the static address {first}; {} gave {lease} by DHCP",
                link.label,
                cloud.name()
            ));
            problem.because(if same {
                "It works until the cloud gives another address, or the image is started elsewhere."
            } else {
                "The cloud does not carry packets of an address that it did not give."
            });
            problem.evidence("IPAddress", &interface.addresses);
            problem.evidence("DhcpIPAddress of the last lease", &interface.dhcp_address);
            problem.remedy(remedies::renew(link));
        }
    }
}

/// Two default routes with one metric.
pub(super) fn equal_routes(judge: &mut Judge, network: &Network, links: &[Link<'_>]) {
    let routes = network.routes.value();
    let mut by_metric: BTreeMap<u64, Vec<&Route>> = BTreeMap::new();
    for route in routes.into_iter().flatten() {
        if route.row.prefix_length == 0 && v4(route.row.destination).is_some() {
            let link = links
                .iter()
                .find(|link| link.index == Some(route.row.interface_index));
            let metric =
                u64::from(route.row.metric) + link.map_or(0, |link| u64::from(link.metric));
            by_metric.entry(metric).or_default().push(route);
        }
    }
    let clash = by_metric.iter().find(|(_, routes)| routes.len() > 1);
    let compared = format!(
        "{} default routes have the metric of another",
        clash.map_or(0, |(_, routes)| routes.len())
    );
    let problem = judge.rule(
        Verdict::Warning,
        "equal-routes",
        compared,
        routes.map(|_| clash.is_some()),
    );
    if let (Some(problem), Some((metric, routes))) = (problem, clash) {
        let hops: Vec<String> = routes
            .iter()
            .map(|route| route.row.next_hop.to_string())
            .collect();
        problem.headline(format!(
            "{} default routes have the same metric {metric} ({})",
            routes.len(),
            hops.join(", ")
        ));
        problem.because("Which one Windows takes is left to chance.");
        for route in routes {
            problem.exhibits(
                format!("default route by {}", route.row.next_hop),
                std::slice::from_ref(&route.evidence),
            );
        }
        problem.remedy(remedies::one_default_route());
    }
}

/// Persistent default routes: several, or one that is not the present gateway.
pub(super) fn persistent_defaults(judge: &mut Judge, network: &Network, up: &[&Link<'_>]) {
    let persistent = network.persistent_routes.value();
    let defaults: Vec<_> = persistent
        .into_iter()
        .flatten()
        .filter(|route| route.prefix_length == 0 && route.destination.is_unspecified())
        .collect();
    let mut hops: Vec<Ipv4Addr> = defaults.iter().map(|route| route.gateway).collect();
    hops.sort_unstable();
    hops.dedup();
    let current: Vec<Ipv4Addr> = up
        .iter()
        .flat_map(|link| link.gateways.iter().copied())
        .collect();
    let live = up.iter().any(|link| link.index.is_some());
    let stale: Vec<_> = defaults
        .iter()
        .filter(|route| !current.is_empty() && !current.contains(&route.gateway))
        .collect();
    let compared = format!(
        "persistent default routes by: {}; present gateways: {}",
        words::list(&hops),
        words::list(&current)
    );
    let several = hops.len() > 1;
    let holds = persistent.map(|_| several || !stale.is_empty());
    let Some(problem) = judge.rule(Verdict::Warning, "persistent-default", compared, holds) else {
        return;
    };
    let listed: Vec<String> = hops.iter().map(ToString::to_string).collect();
    problem.headline(if several {
        format!(
            "{} persistent default routes: by {}",
            hops.len(),
            listed.join(", ")
        )
    } else {
        format!(
            "a persistent default route leads to {}, which is not the present gateway",
            listed.join(", ")
        )
    });
    problem.because(
        "Leftovers of another network: after a restart they compete with the gateway of the lease.",
    );
    if !live {
        problem.confidence(Confidence::Medium);
    }
    for route in &defaults {
        problem.exhibits(
            format!("persistent default route by {}", route.gateway),
            std::slice::from_ref(&route.evidence),
        );
    }
    let gone = if stale.is_empty() {
        defaults.iter().collect()
    } else {
        stale
    };
    problem.remedy(remedies::delete_routes(gone.into_iter().copied()));
}

/// The lease ran out before the capture.
pub(super) fn expired(judge: &mut Judge, snapshot: &Snapshot, up: &[&Link<'_>]) {
    for link in up {
        let Some(interface) = link.interface.filter(|one| one.uses_dhcp() == Some(true)) else {
            continue;
        };
        let ends = interface.lease_ends.value().and_then(|ends| ends.value);
        let ends =
            ends.and_then(|ends| jiff::Timestamp::from_second(i64::try_from(ends).ok()?).ok());
        let holds = ends
            .zip(snapshot.capture.time)
            .map(|(ends, now)| ends < now);
        let shown = ends.map_or_else(|| "not known".to_owned(), |ends| ends.to_string());
        let compared = format!("{}: the lease ends {shown}", link.label);
        let problem = judge.rule(Verdict::Warning, "lease-expired", compared, holds);
        if let Some(problem) = problem {
            problem.headline(format!(
                "the lease of {} ended at {shown}, before the capture",
                link.label
            ));
            problem.evidence("LeaseTerminatesTime", &interface.lease_ends);
            problem.confidence(Confidence::Medium);
            problem.remedy(remedies::renew(link));
        }
    }
}

/// A card that is gone keeps a static address.
pub(super) fn gone_card(judge: &mut Judge, network: &Network) {
    if network.adapters.value().is_none() {
        return;
    }
    let devices = network.devices.value().into_iter().flatten();
    for device in devices.filter(|device| device.is_card() && device.is_disabled() != Some(true)) {
        let Some(interface) = network.interface(&device.guid) else {
            continue;
        };
        let address = interface.static_addresses().next();
        let gone = network.adapter(&device.guid).is_none();
        let compared = format!(
            "{}: gone: {}, static address: {}",
            device.label(),
            words::answer(Some(gone)),
            words::list(address)
        );
        let set = interface.uses_dhcp() == Some(false);
        let holds = Some(gone && set && address.is_some());
        let problem = judge.rule(Verdict::Warning, "gone-card", compared, holds);
        if let (Some(problem), Some(address)) = (problem, address) {
            problem.headline(format!(
                "the card {}, which is gone, keeps the static address {address}",
                device.label()
            ));
            problem.because("Windows refuses the address to the present card, or gives it a second default gateway.");
            problem.evidence("IPAddress", &interface.addresses);
            problem.remedy(remedies::remove_device(device));
        }
    }
}
