//! Links: what can carry IPv4 traffic, from the best source there is.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use crate::facts::evidence::Evidence;
use crate::facts::network::{Interface, Network};

/// `IF_TYPE`: Ethernet (teams and virtual switches, too), Wi-Fi.
const KINDS: [u32; 2] = [6, 71];
/// `IF_OPER_STATUS`: up.
const UP: u32 = 1;
/// `IP_DAD_STATE`: duplicate.
const DUPLICATE: u32 = 2;

/// By what the links are known, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::checks::network) enum Source {
    /// The collector's record.
    Record,
    /// The text of ipconfig.
    Text,
    /// The registry: what will be, not what is.
    Registry,
}

/// A link.
pub(in crate::checks::network) struct Link<'a> {
    pub(super) label: String,
    pub(super) index: Option<u32>,
    pub(in crate::checks::network) up: bool,
    pub(super) addresses: Vec<(Ipv4Addr, u8)>,
    /// An address that another machine has, too.
    pub(super) duplicate: Option<(Ipv4Addr, Evidence)>,
    pub(in crate::checks::network) gateways: Vec<Ipv4Addr>,
    pub(super) metric: u32,
    /// Its settings in the registry.
    pub(super) interface: Option<&'a Interface>,
    pub(super) evidence: Vec<Evidence>,
}

/// The links. Members of a team or bridge and uplinks of a virtual switch carry no addresses of
/// their own; the team and the switch's own port stand for them.
pub(in crate::checks::network) fn of(network: &Network) -> (Source, Vec<Link<'_>>) {
    if let Some(adapters) = network.adapters.value() {
        let links = adapters
            .iter()
            .filter(|adapter| KINDS.contains(&adapter.row.if_type));
        let links = links.filter_map(|adapter| {
            let row = &adapter.row;
            let mut evidence = vec![adapter.evidence.clone()];
            let mut duplicate = None;
            let mut addresses = Vec::new();
            for (number, one) in row.addresses.iter().enumerate() {
                let IpAddr::V4(address) = one.address else {
                    continue;
                };
                let place = adapter.at(&format!("addresses/{number}/address"), json!(one.address));
                evidence.push(place);
                if one.dad_state == Some(DUPLICATE) {
                    let state = format!("addresses/{number}/dad_state");
                    duplicate = Some((address, adapter.at(&state, json!(DUPLICATE))));
                }
                addresses.push((address, one.prefix_length));
            }
            let borrows = row.team_member == Some(true) || row.virtual_switch == Some(true);
            if borrows && addresses.is_empty() {
                return None;
            }
            let gateways = row
                .gateways
                .iter()
                .filter_map(|gateway| v4(gateway.address));
            Some(Link {
                label: row.name.clone(),
                index: Some(row.index),
                up: row.oper_status == UP,
                addresses,
                duplicate,
                gateways: gateways.collect(),
                metric: row.ipv4_metric.unwrap_or_default(),
                interface: network.interface(&row.guid),
                evidence,
            })
        });
        return (Source::Record, links.collect());
    }
    if let Some(adapters) = network.text_adapters.value() {
        let with_mac = adapters.iter().filter(|adapter| adapter.mac.is_some());
        let links = with_mac.map(|adapter| Link {
            label: adapter.heading.clone(),
            index: None,
            up: !adapter.addresses.is_empty(),
            addresses: adapter.addresses.clone(),
            duplicate: None,
            gateways: adapter.gateways.clone(),
            metric: 0,
            interface: None,
            evidence: vec![adapter.evidence.clone()],
        });
        return (Source::Text, links.collect());
    }
    (Source::Registry, of_registry(network))
}

/// Only cards that the registry knows and that are not disabled: the key of interfaces holds
/// tunnels, Wi-Fi and cards that are long gone.
fn of_registry(network: &Network) -> Vec<Link<'_>> {
    let devices = network.devices.value().into_iter().flatten();
    devices
        .filter(|device| device.is_card() && device.is_disabled() != Some(true))
        .filter_map(|device| {
            let interface = network.interface(&device.guid)?;
            let dhcp = interface.uses_dhcp() == Some(true);
            let (addresses, gateways): (Vec<_>, Vec<_>) = if dhcp {
                let address = interface
                    .dhcp_address
                    .value()
                    .and_then(|text| text.parse().ok());
                let mask = interface
                    .dhcp_mask
                    .value()
                    .and_then(|text| text.parse().ok());
                let both = address
                    .zip(mask)
                    .map(|(address, mask)| (address, length(mask)));
                (
                    both.into_iter().collect(),
                    interface.lease_gateways().collect(),
                )
            } else {
                let masks = interface.masks.value().into_iter().flatten();
                let masks = masks.filter_map(|text| text.parse().ok()).map(length);
                (
                    interface.static_addresses().zip(masks).collect(),
                    interface.static_gateways().collect(),
                )
            };
            let places = if dhcp {
                [
                    &interface.dhcp_address.evidence,
                    &interface.dhcp_gateways.evidence,
                ]
            } else {
                [&interface.addresses.evidence, &interface.gateways.evidence]
            };
            Some(Link {
                label: device.label(),
                index: None,
                up: true,
                addresses,
                duplicate: None,
                gateways,
                metric: 0,
                interface: Some(interface),
                evidence: places.into_iter().flatten().cloned().collect(),
            })
        })
        .collect()
}

fn length(mask: Ipv4Addr) -> u8 {
    // At most 32.
    u8::try_from(u32::from(mask).leading_ones()).unwrap_or(32)
}

pub(super) fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// Whether an address lies within a prefix.
pub(in crate::checks::network) fn covers(
    network: Ipv4Addr,
    length: u32,
    address: Ipv4Addr,
) -> bool {
    let mask = u32::MAX
        .checked_shl(32_u32.saturating_sub(length))
        .unwrap_or(0);
    u32::from(network) & mask == u32::from(address) & mask
}

impl Link<'_> {
    /// Its addresses that somebody gave it: not those of 169.254.0.0/16.
    pub(super) fn real_addresses(&self) -> impl Iterator<Item = &(Ipv4Addr, u8)> {
        self.addresses
            .iter()
            .filter(|(address, _)| !address.is_link_local() && !address.is_unspecified())
    }

    /// Whether a gateway lies on the link by its addresses.
    pub(super) fn reaches(&self, gateway: Ipv4Addr) -> bool {
        let mut addresses = self.addresses.iter();
        addresses.any(|(address, length)| covers(*address, u32::from(*length), gateway))
    }

    /// Whether all addresses are single hosts, as some clouds give them: the gateway is on-link
    /// then by a route.
    pub(super) fn is_single_host(&self) -> bool {
        !self.addresses.is_empty() && self.addresses.iter().all(|(_, length)| *length == 32)
    }
}
