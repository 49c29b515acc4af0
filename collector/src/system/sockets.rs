//! TCP and UDP tables.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{SysResult, not_implemented};

/// TCP and UDP tables with owning processes, in the order of Windows.
pub trait Sockets: Send + Sync {
    /// TCP over IPv4 (`TCP_TABLE_OWNER_PID_ALL`).
    ///
    /// # Errors
    /// That of `GetExtendedTcpTable`.
    fn tcp4(&self) -> SysResult<Vec<TcpEntry<Ipv4Addr>>> {
        not_implemented("GetExtendedTcpTable")
    }

    /// TCP over IPv6.
    ///
    /// # Errors
    /// That of `GetExtendedTcpTable`.
    fn tcp6(&self) -> SysResult<Vec<TcpEntry<Ipv6Addr>>> {
        not_implemented("GetExtendedTcpTable")
    }

    /// UDP over IPv4 (`UDP_TABLE_OWNER_PID`).
    ///
    /// # Errors
    /// That of `GetExtendedUdpTable`.
    fn udp4(&self) -> SysResult<Vec<UdpEntry<Ipv4Addr>>> {
        not_implemented("GetExtendedUdpTable")
    }

    /// UDP over IPv6.
    ///
    /// # Errors
    /// That of `GetExtendedUdpTable`.
    fn udp6(&self) -> SysResult<Vec<UdpEntry<Ipv6Addr>>> {
        not_implemented("GetExtendedUdpTable")
    }
}

/// An address and port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint<A> {
    /// The address.
    pub address: A,
    /// The port, host byte order.
    pub port: u16,
    /// Scope id of an IPv6 address; 0 where there is none.
    pub scope_id: u32,
}

/// A row of a TCP table. About as small as what Windows gives: on a machine out of ports there are
/// 65,000 of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpEntry<A> {
    /// This machine's end.
    pub local: Endpoint<A>,
    /// The other end.
    pub remote: Endpoint<A>,
    /// `MIB_TCP_STATE`.
    pub state: u32,
    /// Owning process.
    pub pid: u32,
}

/// A row of a UDP table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdpEntry<A> {
    /// This machine's end.
    pub local: Endpoint<A>,
    /// Owning process.
    pub pid: u32,
}
