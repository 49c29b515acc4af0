//! `network/port-ranges.json`: the ports that Windows hands out and those it must not.

use serde::{Deserialize, Serialize};

use super::{AddressFamily, Transport};

/// Dynamic and excluded ranges by protocol and family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PortRanges {
    /// At most one a protocol and family; a missing one could not be read.
    pub dynamic: Vec<DynamicRange>,
    /// All excluded ranges, or `null` if they could not be read.
    pub excluded: Option<Vec<ExcludedRange>>,
}

/// `netsh int ipv4|ipv6 show dynamicport tcp|udp`: the numbers by position, whatever the language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DynamicRange {
    /// Protocol.
    pub protocol: Transport,
    /// Family.
    pub family: AddressFamily,
    /// First port; Windows takes 1025 and up, and starts with 49152.
    pub start: u16,
    /// Number of ports; Windows takes 255 and up, and starts with 16384.
    pub count: u16,
}

/// `netsh int ipv4|ipv6 show excludedportrange tcp|udp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExcludedRange {
    /// Protocol.
    pub protocol: Transport,
    /// Family.
    pub family: AddressFamily,
    /// First port, included.
    pub start: u16,
    /// Last port, included.
    pub end: u16,
    /// Marked `*`: set by an administrator, kept over restarts.
    pub administered: bool,
}
