//! TCP/IP settings in the registry.

use std::net::Ipv4Addr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Below, Number, data, hex};

const INTERFACES: &str = "Services\\Tcpip\\Parameters\\Interfaces";
const PERSISTENT: &str = "Services\\Tcpip\\Parameters\\PersistentRoutes";
/// How many interfaces are looked at.
const MAX_INTERFACES: usize = 2048;
/// How many routes are kept.
const MAX_ROUTES: usize = 4096;

/// The settings of an interface; the device may be gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interface {
    /// The interface's GUID in braces.
    pub guid: String,
    /// `EnableDHCP`.
    pub dhcp: Fact<Number>,
    /// `IPAddress`: static addresses.
    pub addresses: Fact<Vec<String>>,
    /// `SubnetMask` of each.
    pub masks: Fact<Vec<String>>,
    /// `DefaultGateway`: static gateways.
    pub gateways: Fact<Vec<String>>,
    /// `DhcpIPAddress`: the address of the last lease.
    pub dhcp_address: Fact<String>,
    /// `DhcpSubnetMask`.
    pub dhcp_mask: Fact<String>,
    /// `DhcpDefaultGateway`.
    pub dhcp_gateways: Fact<Vec<String>>,
    /// `DhcpServer`.
    pub dhcp_server: Fact<String>,
    /// `LeaseTerminatesTime`, Unix seconds.
    pub lease_ends: Fact<Number>,
    /// `DhcpGatewayHardware`: the MAC address of the gateway that was learned last.
    pub gateway_hardware: Fact<GatewayHardware>,
    /// `NameServer`: static name servers, which stand before those of DHCP.
    pub name_servers: Fact<String>,
    /// `DhcpNameServer`.
    pub dhcp_name_servers: Fact<String>,
}

/// A gateway and its MAC address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GatewayHardware {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its MAC address, lower-case hex.
    pub mac: String,
}

/// A route that is set at every start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PersistentRoute {
    /// Destination.
    pub destination: Ipv4Addr,
    /// Length of the prefix, bits.
    pub prefix_length: u32,
    /// Next hop.
    pub gateway: Ipv4Addr,
    /// Metric; -1 stands for the default.
    pub metric: i64,
    /// The value, whose name is the route.
    pub evidence: Evidence,
}

impl Interface {
    /// Whether DHCP is on; absent stands for off.
    pub fn uses_dhcp(&self) -> Option<bool> {
        self.dhcp
            .value_or(Number {
                value: Some(0),
                wrong_type: None,
            })
            .map(|dhcp| dhcp.value == Some(1))
    }

    /// The static addresses that are one; an interface under DHCP keeps `0.0.0.0`.
    pub fn static_addresses(&self) -> impl Iterator<Item = Ipv4Addr> {
        usable(&self.addresses)
    }

    /// The static gateways that are an address.
    pub fn static_gateways(&self) -> impl Iterator<Item = Ipv4Addr> {
        usable(&self.gateways)
    }

    /// The gateways of the lease.
    pub fn lease_gateways(&self) -> impl Iterator<Item = Ipv4Addr> {
        usable(&self.dhcp_gateways)
    }
}

fn usable(texts: &Fact<Vec<String>>) -> impl Iterator<Item = Ipv4Addr> {
    let texts = texts.value().into_iter().flatten();
    texts
        .filter_map(|text| text.trim().parse().ok())
        .filter(|address: &Ipv4Addr| !address.is_unspecified())
}

pub(super) fn gather(sources: &Sources) -> Fact<Vec<Interface>> {
    let interfaces = sources.system().control_set().below(INTERFACES);
    interfaces.subkeys("").map(|guids| {
        guids
            .into_iter()
            .take(MAX_INTERFACES)
            .map(|guid| interface(&interfaces, guid))
            .collect()
    })
}

fn interface(interfaces: &Below<'_>, guid: String) -> Interface {
    let texts = |name: &str| interfaces.texts(&guid, name);
    let text = |name: &str| interfaces.text(&guid, name).map(|text| text.text);
    let hardware = interfaces.bytes(&guid, "DhcpGatewayHardware");
    Interface {
        dhcp: interfaces.number(&guid, "EnableDHCP"),
        addresses: texts("IPAddress"),
        masks: texts("SubnetMask"),
        gateways: texts("DefaultGateway"),
        dhcp_address: text("DhcpIPAddress"),
        dhcp_mask: text("DhcpSubnetMask"),
        dhcp_gateways: texts("DhcpDefaultGateway"),
        dhcp_server: text("DhcpServer"),
        lease_ends: interfaces.number(&guid, "LeaseTerminatesTime"),
        gateway_hardware: hardware.and_then(|bytes| gateway_hardware(&bytes)),
        name_servers: text("NameServer"),
        dhcp_name_servers: text("DhcpNameServer"),
        guid,
    }
}

/// Four bytes of address, the length 6 in four bytes, the MAC address; more may follow.
fn gateway_hardware(bytes: &[u8]) -> Result<GatewayHardware, String> {
    let address: Option<[u8; 4]> = bytes.get(..4).and_then(|part| part.try_into().ok());
    match (address, bytes.get(4..8), bytes.get(8..14)) {
        (Some(address), Some([6, 0, 0, 0]), Some(mac)) => Ok(GatewayHardware {
            address: address.into(),
            mac: hex(mac),
        }),
        _ => Err(format!(
            "{} bytes that are no gateway's address",
            bytes.len()
        )),
    }
}

/// Persistent routes: the value's name is `destination,mask,gateway,metric`.
pub(super) fn persistent_routes(sources: &Sources) -> Fact<Vec<PersistentRoute>> {
    let values = sources.system().control_set().values(PERSISTENT);
    let key = values.evidence.first().cloned();
    values.map(|entries| {
        entries
            .into_iter()
            .take(MAX_ROUTES)
            .filter_map(|entry| {
                let key = key.as_ref()?;
                let mut parts = entry.value.name.split(',').map(str::trim);
                let destination = parts.next()?.parse().ok()?;
                let mask: Ipv4Addr = parts.next()?.parse().ok()?;
                let gateway = parts.next()?.parse().ok()?;
                let metric = parts
                    .next()
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(-1);
                let raw = data(&entry.value);
                Some(PersistentRoute {
                    destination,
                    prefix_length: u32::from(mask).leading_ones(),
                    gateway,
                    metric,
                    evidence: Evidence::new(key.artifact.as_str(), entry.locator, raw)
                        .at(key.time)
                        .doubted(key.doubt.clone()),
                })
            })
            .collect()
    })
}
