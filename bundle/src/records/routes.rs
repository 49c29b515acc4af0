//! `network/routes.json` and `network/neighbours.json`: where packets go next.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The routing table of both families (`GetIpForwardTable2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Routes {
    /// In the order of Windows.
    pub routes: Vec<Route>,
}

/// `MIB_IPFORWARD_ROW2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Route {
    /// Destination prefix.
    pub destination: IpAddr,
    /// Length of the prefix, bits; 0 for a default route.
    pub prefix_length: u8,
    /// Next hop; unspecified for an on-link route.
    pub next_hop: IpAddr,
    /// Interface index.
    pub interface_index: u32,
    /// Route metric, to which the interface's metric is added.
    pub metric: u32,
    /// `NL_ROUTE_PROTOCOL`: 2 local, 3 static (netmgmt), 10006 DHCP or autostatic.
    pub protocol: Option<u32>,
    /// `NL_ROUTE_ORIGIN`: 0 manual, 1 well known, 2 DHCP, 3 router advertisement.
    pub origin: Option<u32>,
}

/// Neighbour table (ARP and neighbour discovery) of both families (`GetIpNetTable2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbours {
    /// In the order of Windows.
    pub neighbours: Vec<Neighbour>,
}

/// `MIB_IPNET_ROW2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbour {
    /// Address of the neighbour.
    pub address: IpAddr,
    /// Interface index.
    pub interface_index: u32,
    /// MAC address, lower-case hex without separators; `null` while unresolved.
    pub mac: Option<String>,
    /// `NL_NEIGHBOR_STATE`: 0 unreachable, 1 incomplete, 2 probe, 3 delay, 4 stale, 5 reachable,
    /// 6 permanent.
    pub state: u32,
    /// Whether it is a router.
    pub router: Option<bool>,
}
