//! What is asked of whom.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use snapdiag_bundle::records::{Adapter, ProbeKind, Transport};

use super::dns::{A, SRV};
use crate::items::clouds::{Cloud, KMS_PORT};

/// A name that exists everywhere: Windows itself asks for it to see whether it has the Internet
/// (`ActiveDnsProbeHost` of `NlaSvc`).
const PUBLIC_NAME: &str = "dns.msftncsi.com";
const DNS_PORT: u16 = 53;
const HTTP_PORT: u16 = 80;
/// `IF_OPER_STATUS`: up.
const UP: u32 = 1;
/// `IF_TYPE` of loopback and of tunnels, which have no neighbours.
const NO_LINK: [u32; 2] = [24, 131];
/// Most gateways, name servers, own addresses that are asked.
const GATEWAYS: usize = 4;
const SERVERS: usize = 4;
const OWN_ADDRESSES: usize = 2;

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    /// As the record shows it.
    pub(super) probe: ProbeKind,
    /// The socket address of a name server or a connection.
    pub(super) to: Option<SocketAddr>,
}

impl Planned {
    /// The same question to a name server, over TCP.
    pub(super) fn over_tcp(&self) -> Self {
        let mut again = self.clone();
        if let ProbeKind::Dns { transport, .. } = &mut again.probe {
            *transport = Transport::Tcp;
        }
        again
    }
}

/// What was read of the machine to choose targets.
pub(super) struct Known {
    pub(super) adapters: Vec<Adapter>,
    /// Domain of a member.
    pub(super) domain: Option<String>,
    pub(super) cloud: Option<&'static Cloud>,
    pub(super) rdp_port: u16,
}

/// The questions, in order.
pub(super) fn plan(known: &Known) -> Vec<Planned> {
    let up: Vec<&Adapter> = known
        .adapters
        .iter()
        .filter(|adapter| adapter.oper_status == UP && !NO_LINK.contains(&adapter.if_type))
        .collect();
    let mut plan = Vec::new();
    gateways(&up, &mut plan);
    names(&up, known, &mut plan);
    plan.push(connect(
        [127, 0, 0, 1].into(),
        known.rdp_port,
        "rdp-loopback",
    ));
    let own = up.iter().filter_map(|adapter| {
        let mut addresses = adapter.addresses.iter().map(|one| one.address);
        addresses.find(|address| matches!(address, IpAddr::V4(v4) if !v4.is_link_local()))
    });
    plan.extend(
        own.take(OWN_ADDRESSES)
            .map(|address| connect(address, known.rdp_port, "rdp-own-address")),
    );
    if let Some(cloud) = known.cloud {
        let address = cloud.metadata.address.into();
        plan.push(connect(address, HTTP_PORT, "metadata"));
    }
    plan
}

/// A connection to the cloud's activation service, whose address came from a name server.
pub(super) fn kms(address: IpAddr) -> Planned {
    connect(address, KMS_PORT, "kms")
}

fn connect(target: IpAddr, port: u16, purpose: &str) -> Planned {
    Planned {
        probe: ProbeKind::Connect {
            target,
            port,
            purpose: purpose.to_owned(),
        },
        to: Some(SocketAddr::new(target, port)),
    }
}

fn gateways(up: &[&Adapter], plan: &mut Vec<Planned>) {
    let gateways = up.iter().flat_map(|adapter| {
        adapter.gateways.iter().map(|gateway| {
            let index = match gateway.address {
                IpAddr::V4(_) => Some(adapter.index),
                IpAddr::V6(_) => adapter.ipv6_index,
            };
            (gateway.address, index)
        })
    });
    for (target, interface_index) in gateways.take(GATEWAYS) {
        plan.push(Planned {
            probe: ProbeKind::Neighbour {
                target,
                interface_index,
            },
            to: None,
        });
        if target.is_ipv4() {
            plan.push(Planned {
                probe: ProbeKind::Echo { target },
                to: None,
            });
        }
    }
}

/// Every name over UDP, and the first one over TCP too.
fn names(up: &[&Adapter], known: &Known, plan: &mut Vec<Planned>) {
    let mut names = vec![(PUBLIC_NAME.to_owned(), A)];
    let of_cloud = known.cloud.map(|cloud| cloud.names).unwrap_or_default();
    names.extend(of_cloud.iter().map(|name| ((*name).to_owned(), A)));
    if let Some(domain) = &known.domain {
        names.push((format!("_ldap._tcp.dc._msdcs.{domain}"), SRV));
    }
    for server in servers(up) {
        let question = |(name, record_type): &(String, u16), transport| Planned {
            probe: ProbeKind::Dns {
                server: server.ip(),
                transport,
                name: name.clone(),
                record_type: *record_type,
            },
            to: Some(server),
        };
        plan.extend(names.iter().map(|name| question(name, Transport::Udp)));
        plan.extend(names.first().map(|name| question(name, Transport::Tcp)));
    }
}

/// The configured servers, each once.
fn servers(up: &[&Adapter]) -> Vec<SocketAddr> {
    let mut servers: Vec<SocketAddr> = Vec::new();
    for adapter in up {
        for server in &adapter.dns_servers {
            let known = servers.iter().any(|one| one.ip() == server.address);
            if !known && !is_placeholder(server.address) && servers.len() < SERVERS {
                servers.push(reached(server.address, adapter));
            }
        }
    }
    servers
}

/// A link-local server is reached by the interface that names it.
fn reached(server: IpAddr, adapter: &Adapter) -> SocketAddr {
    match (server, adapter.ipv6_index) {
        (IpAddr::V6(address), Some(scope)) if address.is_unicast_link_local() => {
            SocketAddrV6::new(address, DNS_PORT, 0, scope).into()
        }
        _ => SocketAddr::new(server, DNS_PORT),
    }
}

/// Windows lists `fec0:0:0:ffff::1` to `::3` where no server is set for IPv6.
fn is_placeholder(server: IpAddr) -> bool {
    matches!(server, IpAddr::V6(address) if address.segments().starts_with(&[0xfec0, 0, 0, 0xffff]))
}
