//! The name servers in force, and how they answered.

use std::net::IpAddr;

use serde_json::json;
use snapdiag_bundle::records::{ProbeKind, ProbeOutcome};

use super::clouds;
use crate::facts::evidence::Evidence;
use crate::facts::network::{Interface, Network, Probe};

const UP: u32 = 1;
const KINDS: [u32; 2] = [6, 71];

/// A configured server.
pub(super) struct Server {
    pub(super) address: IpAddr,
    /// The connection's name.
    pub(super) link: String,
    pub(super) evidence: Vec<Evidence>,
}

/// What an outcome says of the server that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It gave the name's records.
    Resolved,
    /// It says that there is no such name, or no such record.
    NoSuchName,
    /// It answered that it cannot or will not say (SERVFAIL, REFUSED).
    Fails,
    /// Nothing came.
    Silent,
    /// The question could not be put.
    NotAsked,
}

impl Answer {
    /// The answer in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::NoSuchName => "no such name",
            Self::Fails => "failed",
            Self::Silent => "silent",
            Self::NotAsked => "not asked",
        }
    }
}

/// The configured servers, in order: of the running machine, else of the registry's cards.
pub(super) fn configured(network: &Network) -> Option<Vec<Server>> {
    if let Some(adapters) = network.adapters.value() {
        let up = adapters
            .iter()
            .filter(|one| one.row.oper_status == UP && KINDS.contains(&one.row.if_type));
        let servers = up.flat_map(|adapter| {
            adapter
                .row
                .dns_servers
                .iter()
                .enumerate()
                .map(|(number, server)| Server {
                    address: server.address,
                    link: adapter.row.name.clone(),
                    evidence: vec![adapter.at(
                        &format!("dns_servers/{number}/address"),
                        json!(server.address),
                    )],
                })
        });
        return Some(
            servers
                .filter(|server| !clouds::is_placeholder(server.address))
                .collect(),
        );
    }
    let (devices, _) = (network.devices.value()?, network.interfaces.value()?);
    let mut servers: Vec<Server> = Vec::new();
    let cards = devices
        .iter()
        .filter(|one| one.is_card() && one.is_disabled() != Some(true));
    for device in cards {
        let Some(interface) = network.interface(&device.guid) else {
            continue;
        };
        let fact = if set_by_hand(interface).is_empty() {
            &interface.dhcp_name_servers
        } else {
            &interface.name_servers
        };
        for address in list(fact.value()) {
            servers.push(Server {
                address,
                link: device.label(),
                evidence: fact.evidence.clone(),
            });
        }
    }
    if servers.is_empty() {
        let fact = &network.dns.name_servers;
        servers.extend(list(fact.value()).into_iter().map(|address| Server {
            address,
            link: "every connection".to_owned(),
            evidence: fact.evidence.clone(),
        }));
    }
    Some(servers)
}

/// The static servers of an interface.
pub(super) fn set_by_hand(interface: &Interface) -> Vec<IpAddr> {
    list(interface.name_servers.value())
}

/// A list with commas or spaces.
pub(super) fn list(text: Option<&String>) -> Vec<IpAddr> {
    let parts = text
        .into_iter()
        .flat_map(|text| text.split([',', ' ', ';']));
    parts.filter_map(|part| part.trim().parse().ok()).collect()
}

/// Server, name and outcome of the questions that were put.
pub(super) fn asked(network: &Network) -> Vec<(IpAddr, &str, &Probe)> {
    let probes = network.probes.value().into_iter().flatten();
    probes
        .filter_map(|probe| match &probe.row.probe {
            ProbeKind::Dns { server, name, .. } => {
                Some((*server, name.trim_end_matches('.'), probe))
            }
            _ => None,
        })
        .collect()
}

pub(super) fn answer(probe: &Probe) -> Answer {
    match probe.row.outcome {
        ProbeOutcome::Answered { .. } => Answer::Resolved,
        ProbeOutcome::Nxdomain | ProbeOutcome::NoData => Answer::NoSuchName,
        ProbeOutcome::Servfail
        | ProbeOutcome::Refused { .. }
        | ProbeOutcome::OtherAnswer { .. }
        | ProbeOutcome::Malformed => Answer::Fails,
        ProbeOutcome::Timeout | ProbeOutcome::Unreachable { .. } => Answer::Silent,
        ProbeOutcome::Failed { .. } => Answer::NotAsked,
    }
}

/// An outcome in words.
pub(super) fn words(probe: &Probe) -> &'static str {
    match probe.row.outcome {
        ProbeOutcome::Answered { .. } => "answered",
        ProbeOutcome::Nxdomain => "says that the name does not exist (NXDOMAIN)",
        ProbeOutcome::NoData => "says that the name has no such record",
        ProbeOutcome::Servfail => "failed (SERVFAIL)",
        ProbeOutcome::Refused { .. } => "refused to answer",
        ProbeOutcome::OtherAnswer { .. } => "answered with an error",
        ProbeOutcome::Malformed => "sent what is no answer",
        ProbeOutcome::Timeout => "did not answer in time",
        ProbeOutcome::Unreachable { .. } => "cannot be reached",
        ProbeOutcome::Failed { .. } => "could not be asked",
    }
}
