//! Adapters, addresses, routes, neighbours.

use snapdiag_bundle::records::{Adapter, Neighbour, Route};

use super::{SysResult, not_implemented};

/// Adapters, addresses, routes, neighbours of both families, in the order of Windows.
pub trait Network: Send + Sync {
    /// Every interface with what `GetAdaptersAddresses` knows of it; the other fields are `None`.
    ///
    /// # Errors
    /// That of the call.
    fn adapters(&self) -> SysResult<Vec<Adapter>> {
        not_implemented("GetAdaptersAddresses")
    }

    /// What `GetIfTable2` adds.
    ///
    /// # Errors
    /// That of the call.
    fn interfaces(&self) -> SysResult<Vec<Interface>> {
        not_implemented("GetIfTable2")
    }

    /// The routing table (`GetIpForwardTable2`).
    ///
    /// # Errors
    /// That of the call.
    fn routes(&self) -> SysResult<Vec<Route>> {
        not_implemented("GetIpForwardTable2")
    }

    /// The neighbour table (`GetIpNetTable2`).
    ///
    /// # Errors
    /// That of the call.
    fn neighbours(&self) -> SysResult<Vec<Neighbour>> {
        not_implemented("GetIpNetTable2")
    }
}

/// A row of `MIB_IF_TABLE2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// `NET_LUID.Value`.
    pub luid: u64,
    /// `NET_IF_ADMIN_STATUS`.
    pub admin_status: u32,
    /// `NET_IF_MEDIA_CONNECT_STATE`.
    pub media_state: u32,
    /// `HardwareInterface`.
    pub hardware: bool,
    /// `FilterInterface`.
    pub filter: bool,
    /// `ConnectorPresent`.
    pub connector_present: bool,
    /// `PermanentPhysicalAddress`.
    pub permanent_mac: Option<String>,
}

/// A physical address as records write it: lower-case hex without separators; `None` for none.
pub fn mac_text(bytes: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| {
        DIGITS
            .get(usize::from(nibble))
            .map_or('0', |&digit| digit.into())
    };
    let text: String = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect();
    (!text.is_empty()).then_some(text)
}
