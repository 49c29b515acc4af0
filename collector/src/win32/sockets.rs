//! TCP and UDP tables of iphlpapi.

use std::ffi::c_void;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, NO_ERROR};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    GetExtendedTcpTable, GetExtendedUdpTable, MIB_TCP6ROW_OWNER_PID, MIB_TCPROW_OWNER_PID,
    MIB_UDP6ROW_OWNER_PID, MIB_UDPROW_OWNER_PID, TCP_TABLE_OWNER_PID_ALL, UDP_TABLE_OWNER_PID,
};
use windows_sys::Win32::Networking::WinSock::{AF_INET, AF_INET6};

use super::Windows;
use crate::system::sockets::{Endpoint, Sockets, TcpEntry, UdpEntry};
use crate::system::{SysResult, os_error};

/// A table grows between the question for its size and the question for its rows.
const TRIES: u32 = 6;

impl Sockets for Windows {
    fn tcp4(&self) -> SysResult<Vec<TcpEntry<Ipv4Addr>>> {
        // SAFETY: the class and family make a MIB_TCPTABLE_OWNER_PID.
        unsafe { rows("GetExtendedTcpTable", tcp(AF_INET), tcp4) }
    }

    fn tcp6(&self) -> SysResult<Vec<TcpEntry<Ipv6Addr>>> {
        // SAFETY: the class and family make a MIB_TCP6TABLE_OWNER_PID.
        unsafe { rows("GetExtendedTcpTable", tcp(AF_INET6), tcp6) }
    }

    fn udp4(&self) -> SysResult<Vec<UdpEntry<Ipv4Addr>>> {
        // SAFETY: the class and family make a MIB_UDPTABLE_OWNER_PID.
        unsafe { rows("GetExtendedUdpTable", udp(AF_INET), udp4) }
    }

    fn udp6(&self) -> SysResult<Vec<UdpEntry<Ipv6Addr>>> {
        // SAFETY: the class and family make a MIB_UDP6TABLE_OWNER_PID.
        unsafe { rows("GetExtendedUdpTable", udp(AF_INET6), udp6) }
    }
}

fn tcp(family: u16) -> impl Fn(*mut c_void, *mut u32) -> u32 {
    move |table, size| {
        // SAFETY: `rows` gives a buffer of `size` bytes, or null and 0.
        unsafe { GetExtendedTcpTable(table, size, 0, family.into(), TCP_TABLE_OWNER_PID_ALL, 0) }
    }
}

fn udp(family: u16) -> impl Fn(*mut c_void, *mut u32) -> u32 {
    move |table, size| {
        // SAFETY: `rows` gives a buffer of `size` bytes, or null and 0.
        unsafe { GetExtendedUdpTable(table, size, 0, family.into(), UDP_TABLE_OWNER_PID, 0) }
    }
}

/// Asks for a table: its number of rows, then the rows, which are all made of 32-bit numbers.
///
/// # Safety
/// The question fills the buffer with a count and as many rows of type `R`, whose alignment is 4.
unsafe fn rows<R, T>(
    call: &str,
    ask: impl Fn(*mut c_void, *mut u32) -> u32,
    read: impl Fn(&R) -> T,
) -> SysResult<Vec<T>> {
    const UNIT: usize = size_of::<u32>();
    let mut size = 0;
    let mut result = ask(null_mut(), &raw mut size);
    for _ in 0..TRIES {
        if result != ERROR_INSUFFICIENT_BUFFER {
            break;
        }
        // A little room for what opens meanwhile.
        size = size.saturating_add(size / 8);
        let mut buffer = vec![0_u32; (size as usize).div_ceil(UNIT).max(1)];
        result = ask(buffer.as_mut_ptr().cast(), &raw mut size);
        if result == NO_ERROR {
            let (count, table) = buffer.split_first().unwrap_or((&0, &[]));
            let count = (*count as usize).min(table.len() * UNIT / size_of::<R>());
            // SAFETY: the rows follow the count; `count` of them lie within the buffer.
            let rows = unsafe { std::slice::from_raw_parts(table.as_ptr().cast::<R>(), count) };
            return Ok(rows.iter().map(read).collect());
        }
    }
    // No rows at all need no buffer.
    if result == NO_ERROR {
        return Ok(Vec::new());
    }
    Err(os_error(call, result))
}

fn tcp4(row: &MIB_TCPROW_OWNER_PID) -> TcpEntry<Ipv4Addr> {
    TcpEntry {
        local: v4(row.dwLocalAddr, row.dwLocalPort),
        remote: v4(row.dwRemoteAddr, row.dwRemotePort),
        state: row.dwState,
        pid: row.dwOwningPid,
    }
}

fn tcp6(row: &MIB_TCP6ROW_OWNER_PID) -> TcpEntry<Ipv6Addr> {
    TcpEntry {
        local: v6(row.ucLocalAddr, row.dwLocalPort, row.dwLocalScopeId),
        remote: v6(row.ucRemoteAddr, row.dwRemotePort, row.dwRemoteScopeId),
        state: row.dwState,
        pid: row.dwOwningPid,
    }
}

fn udp4(row: &MIB_UDPROW_OWNER_PID) -> UdpEntry<Ipv4Addr> {
    UdpEntry {
        local: v4(row.dwLocalAddr, row.dwLocalPort),
        pid: row.dwOwningPid,
    }
}

fn udp6(row: &MIB_UDP6ROW_OWNER_PID) -> UdpEntry<Ipv6Addr> {
    UdpEntry {
        local: v6(row.ucLocalAddr, row.dwLocalPort, row.dwLocalScopeId),
        pid: row.dwOwningPid,
    }
}

/// Address and port are in network byte order; the upper half of the port is not defined.
fn v4(address: u32, port: u32) -> Endpoint<Ipv4Addr> {
    Endpoint {
        address: address.to_ne_bytes().into(),
        port: host_port(port),
        scope_id: 0,
    }
}

fn v6(address: [u8; 16], port: u32, scope_id: u32) -> Endpoint<Ipv6Addr> {
    Endpoint {
        address: address.into(),
        port: host_port(port),
        scope_id,
    }
}

fn host_port(port: u32) -> u16 {
    let [first, second, ..] = port.to_ne_bytes();
    u16::from_be_bytes([first, second])
}
