//! `network/tcp.json` and `network/udp.json`: who is bound to and connected with what.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Internet protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum AddressFamily {
    /// `AF_INET`
    Ipv4,
    /// `AF_INET6`
    Ipv6,
}

/// The TCP table, taken twice so that what stays can be told from what passes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TcpTables {
    /// In order of time; two at least 30 s apart in a full run.
    pub samples: Vec<TcpSample>,
}

/// The TCP table at one moment (`GetExtendedTcpTable`, `TCP_TABLE_OWNER_PID_ALL`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TcpSample {
    /// When.
    pub taken_at: Timestamp,
    /// The families whose table was read; rows of another are unknown, not none.
    pub families: Vec<AddressFamily>,
    /// The rows, in the order of Windows.
    pub rows: Vec<TcpRow>,
}

/// `MIB_TCPROW_OWNER_PID` or `MIB_TCP6ROW_OWNER_PID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TcpRow {
    /// Local address; unspecified for all.
    pub local_address: IpAddr,
    /// Local port, host byte order.
    pub local_port: u16,
    /// Remote address; unspecified for a listener.
    pub remote_address: IpAddr,
    /// Remote port; 0 for a listener.
    pub remote_port: u16,
    /// `MIB_TCP_STATE`: 1 CLOSED, 2 LISTEN, 3 `SYN_SENT`, 4 `SYN_RCVD`, 5 ESTABLISHED, 6 `FIN_WAIT1`,
    /// 7 `FIN_WAIT2`, 8 `CLOSE_WAIT`, 9 CLOSING, 10 `LAST_ACK`, 11 `TIME_WAIT`, 12 `DELETE_TCB`.
    pub state: u32,
    /// Owning process; 0 for rows that outlived theirs (`TIME_WAIT`).
    pub pid: u32,
    /// Scope id of a link-local local address.
    pub local_scope_id: Option<u32>,
    /// Scope id of a link-local remote address.
    pub remote_scope_id: Option<u32>,
}

/// The UDP table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UdpTables {
    /// In order of time.
    pub samples: Vec<UdpSample>,
}

/// The UDP table at one moment (`GetExtendedUdpTable`, `UDP_TABLE_OWNER_PID`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UdpSample {
    /// When.
    pub taken_at: Timestamp,
    /// The families whose table was read.
    pub families: Vec<AddressFamily>,
    /// The rows, in the order of Windows.
    pub rows: Vec<UdpRow>,
}

/// `MIB_UDPROW_OWNER_PID` or `MIB_UDP6ROW_OWNER_PID`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UdpRow {
    /// Local address; unspecified for all.
    pub local_address: IpAddr,
    /// Local port, host byte order.
    pub local_port: u16,
    /// Owning process.
    pub pid: u32,
    /// Scope id of a link-local local address.
    pub local_scope_id: Option<u32>,
}
