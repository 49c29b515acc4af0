//! `network/adapters.json`: network adapters with addresses, gateways and DNS servers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// All interfaces but those of filter drivers, which repeat the adapter below them
/// (`GetAdaptersAddresses` with `GAA_FLAG_INCLUDE_GATEWAYS` and `GAA_FLAG_INCLUDE_ALL_INTERFACES`,
/// joined with `GetIfTable2` by LUID).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Adapters {
    /// In the order of Windows.
    pub adapters: Vec<Adapter>,
}

/// One interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Adapter {
    /// Interface GUID in braces, upper case: the key name under `Tcpip\Parameters\Interfaces`.
    pub guid: String,
    /// IPv4 interface index (`IfIndex`).
    pub index: u32,
    /// IPv6 interface index (`Ipv6IfIndex`).
    pub ipv6_index: Option<u32>,
    /// Locally unique id (`NET_LUID.Value`).
    pub luid: Option<u64>,
    /// Name of the connection (`FriendlyName`), such as `Ethernet`. Given by the user or translated.
    pub name: String,
    /// Description of the device, such as `Red Hat VirtIO Ethernet Adapter`.
    pub description: String,
    /// `ComponentId` from the class key: the hardware id that the driver matched, such as
    /// `PCI\VEN_1AF4&DEV_1000` or `ms_implat` of a team.
    pub component_id: Option<String>,
    /// Service name of the driver, such as `netkvm`.
    pub driver: Option<String>,
    /// Device instance id (`PnpInstanceID`).
    pub instance_id: Option<String>,
    /// `IF_TYPE`: 6 Ethernet, 24 loopback, 71 Wi-Fi, 131 tunnel, 53 virtual.
    pub if_type: u32,
    /// `IF_OPER_STATUS`: 1 up, 2 down, 3 testing, 4 unknown, 5 dormant, 6 not present,
    /// 7 lower layer down.
    pub oper_status: u32,
    /// `NET_IF_ADMIN_STATUS`: 1 up, 2 down, 3 testing.
    pub admin_status: Option<u32>,
    /// `NET_IF_MEDIA_CONNECT_STATE`: 0 unknown, 1 connected, 2 disconnected.
    pub media_state: Option<u32>,
    /// Hardware interface, not a filter or virtual one (`InterfaceAndOperStatusFlags`).
    pub hardware: Option<bool>,
    /// `ConnectorPresent` of the same flags: a physical or emulated device is there.
    pub connector_present: Option<bool>,
    /// MAC address in use, lower-case hex without separators, such as `525400aabbcc`.
    pub mac: Option<String>,
    /// MAC address of the device (`PermanentPhysicalAddress`), same form.
    pub permanent_mac: Option<String>,
    /// Maximum transmission unit, bytes.
    pub mtu_bytes: Option<u32>,
    /// Receive speed, bits per second; `null` where Windows says all ones.
    pub receive_bits_per_second: Option<u64>,
    /// Unicast addresses.
    pub addresses: Vec<AdapterAddress>,
    /// Default gateways.
    pub gateways: Vec<GatewayAddress>,
    /// DNS servers in the order in which they are asked.
    pub dns_servers: Vec<DnsServer>,
    /// DNS suffix of the connection.
    pub dns_suffix: Option<String>,
    /// Whether DHCP is on for IPv4 (`IP_ADAPTER_DHCP_ENABLED`).
    pub dhcp_enabled: Option<bool>,
    /// The DHCP server that gave the lease.
    pub dhcp_server: Option<IpAddr>,
    /// IPv4 interface metric.
    pub ipv4_metric: Option<u32>,
    /// A team (`ms_implat`, or a team interface of LBFO).
    pub team: Option<bool>,
    /// Member of a team or bridge (`ms_implat` or `ms_bridge` bound to it).
    pub team_member: Option<bool>,
    /// A port or an uplink of a virtual switch (`vms_mp`, `vms_pp`).
    pub virtual_switch: Option<bool>,
    /// Network Load Balancing is bound (`ms_nlb`).
    pub load_balanced: Option<bool>,
}

/// `IP_ADAPTER_UNICAST_ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AdapterAddress {
    /// The address.
    pub address: IpAddr,
    /// Length of the on-link prefix, bits.
    pub prefix_length: u8,
    /// `IP_PREFIX_ORIGIN`: 0 other, 1 manual, 2 well known, 3 DHCP, 4 router advertisement.
    pub prefix_origin: Option<u32>,
    /// `IP_SUFFIX_ORIGIN`: 0 other, 1 manual, 2 well known, 3 DHCP, 4 link layer, 5 random.
    pub suffix_origin: Option<u32>,
    /// `IP_DAD_STATE`: 0 invalid, 1 tentative, 2 duplicate, 3 deprecated, 4 preferred.
    pub dad_state: Option<u32>,
    /// Seconds left of the lease.
    pub lease_s: Option<u32>,
}

/// `IP_ADAPTER_GATEWAY_ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GatewayAddress {
    /// The address.
    pub address: IpAddr,
}

/// `IP_ADAPTER_DNS_SERVER_ADDRESS`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DnsServer {
    /// The address.
    pub address: IpAddr,
}
