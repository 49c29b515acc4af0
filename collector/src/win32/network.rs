//! Adapters, routes and neighbours of iphlpapi.

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use snapdiag_bundle::records::{
    Adapter, AdapterAddress, DnsServer, GatewayAddress, Neighbour, Route,
};
use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_NO_DATA, ERROR_NOT_FOUND, NO_ERROR,
};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    FreeMibTable, GAA_FLAG_INCLUDE_ALL_INTERFACES, GAA_FLAG_INCLUDE_GATEWAYS,
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_MULTICAST, GetAdaptersAddresses, GetIfTable2,
    GetIpForwardTable2, GetIpNetTable2, IP_ADAPTER_ADDRESSES_LH, IP_ADAPTER_DHCP_ENABLED,
    IP_ADAPTER_UNICAST_ADDRESS_LH, MIB_IF_ROW2, MIB_IF_TABLE2, MIB_IPFORWARD_ROW2,
    MIB_IPFORWARD_TABLE2, MIB_IPNET_ROW2, MIB_IPNET_TABLE2,
};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;
use windows_sys::core::{PCWSTR, PSTR};

use super::Windows;
use super::address::{of_inet, of_socket_address};
use crate::system::network::{Interface, Network, mac_text};
use crate::system::{SysResult, os_error};

/// The list grows between two calls.
const TRIES: u32 = 4;
/// First guess of the size of the list of adapters, bytes, as its documentation recommends.
const FIRST_SIZE: u32 = 16 * 1024;
/// No list of interfaces, addresses or servers is longer; ends a list that is a ring.
const MOST: usize = 4096;
/// How the tables of routes and neighbours say that they are empty.
const NO_ENTRIES: u32 = ERROR_NOT_FOUND;
/// Bits of `InterfaceAndOperStatusFlags`: `HardwareInterface`, `FilterInterface`,
/// `ConnectorPresent`.
const HARDWARE: u8 = 1;
const FILTER: u8 = 2;
const CONNECTOR: u8 = 4;

impl Network for Windows {
    fn adapters(&self) -> SysResult<Vec<Adapter>> {
        const CALL: &str = "GetAdaptersAddresses";
        let flags = GAA_FLAG_INCLUDE_GATEWAYS
            | GAA_FLAG_INCLUDE_ALL_INTERFACES
            | GAA_FLAG_SKIP_ANYCAST
            | GAA_FLAG_SKIP_MULTICAST;
        let mut size = FIRST_SIZE;
        let mut result = NO_ERROR;
        for _ in 0..TRIES {
            let mut buffer = vec![0_u64; (size as usize).div_ceil(size_of::<u64>())];
            let list: *mut IP_ADAPTER_ADDRESSES_LH = buffer.as_mut_ptr().cast();
            // SAFETY: the buffer has `size` bytes and the alignment of the structure.
            result = unsafe {
                GetAdaptersAddresses(
                    AF_UNSPEC.into(),
                    flags,
                    std::ptr::null(),
                    list,
                    &raw mut size,
                )
            };
            match result {
                // SAFETY: the list lies in the buffer, which is alive.
                NO_ERROR => {
                    return Ok(unsafe { items(list, |one| one.Next) }
                        .map(adapter)
                        .collect());
                }
                ERROR_NO_DATA => return Ok(Vec::new()),
                ERROR_BUFFER_OVERFLOW => {}
                _ => break,
            }
        }
        Err(os_error(CALL, result))
    }

    fn interfaces(&self) -> SysResult<Vec<Interface>> {
        let mut table: *mut MIB_IF_TABLE2 = null_mut();
        // SAFETY: `table` receives a table to free.
        let result = unsafe { GetIfTable2(&raw mut table) };
        let table = Table::new("GetIfTable2", result, table)?;
        // SAFETY: the table holds as many rows as it says.
        let rows =
            unsafe { table.rows(|table| (table.NumEntries, (&raw const table.Table).cast())) };
        Ok(rows.iter().map(interface).collect())
    }

    fn routes(&self) -> SysResult<Vec<Route>> {
        let mut table: *mut MIB_IPFORWARD_TABLE2 = null_mut();
        // SAFETY: `table` receives a table to free.
        let result = unsafe { GetIpForwardTable2(AF_UNSPEC, &raw mut table) };
        if result == NO_ENTRIES {
            return Ok(Vec::new());
        }
        let table = Table::new("GetIpForwardTable2", result, table)?;
        // SAFETY: the table holds as many rows as it says.
        let rows =
            unsafe { table.rows(|table| (table.NumEntries, (&raw const table.Table).cast())) };
        Ok(rows.iter().filter_map(route).collect())
    }

    fn neighbours(&self) -> SysResult<Vec<Neighbour>> {
        let mut table: *mut MIB_IPNET_TABLE2 = null_mut();
        // SAFETY: `table` receives a table to free.
        let result = unsafe { GetIpNetTable2(AF_UNSPEC, &raw mut table) };
        if result == NO_ENTRIES {
            return Ok(Vec::new());
        }
        let table = Table::new("GetIpNetTable2", result, table)?;
        // SAFETY: the table holds as many rows as it says.
        let rows =
            unsafe { table.rows(|table| (table.NumEntries, (&raw const table.Table).cast())) };
        Ok(rows.iter().filter_map(neighbour).collect())
    }
}

/// A table that iphlpapi allocated.
struct Table<T>(*mut T);

impl<T> Table<T> {
    fn new(call: &str, result: u32, table: *mut T) -> SysResult<Self> {
        // Even a success without a table is none.
        if result != NO_ERROR || table.is_null() {
            return Err(os_error(call, result));
        }
        Ok(Self(table))
    }

    /// The rows.
    ///
    /// # Safety
    /// `parts` gives the number of rows in the table and the first of them.
    unsafe fn rows<R>(&self, parts: impl Fn(&T) -> (u32, *const R)) -> &[R] {
        // SAFETY: the table is alive and, by the caller's word, as long as it says.
        unsafe {
            let (count, first) = parts(&*self.0);
            std::slice::from_raw_parts(first, count as usize)
        }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        // SAFETY: iphlpapi allocated it, and nothing else frees it.
        unsafe { FreeMibTable(self.0.cast::<c_void>()) };
    }
}

/// The items of a linked list.
///
/// # Safety
/// Every pointer of the list is null or valid for `'a`.
unsafe fn items<'a, T: 'a>(
    first: *const T,
    next: impl Fn(&T) -> *mut T,
) -> impl Iterator<Item = &'a T> {
    // SAFETY: the caller's word.
    let first = unsafe { first.as_ref() };
    // SAFETY: the same.
    std::iter::successors(first, move |item| unsafe { next(item).as_ref() }).take(MOST)
}

fn adapter(one: &IP_ADAPTER_ADDRESSES_LH) -> Adapter {
    // SAFETY: pointers of the structure are null or lie in the buffer of the list, which is alive
    // while its items are read; both members of the unions are always set.
    unsafe {
        let length = one.PhysicalAddressLength as usize;
        Adapter {
            guid: narrow(one.AdapterName).to_ascii_uppercase(),
            index: one.Anonymous1.Anonymous.IfIndex,
            ipv6_index: Some(one.Ipv6IfIndex).filter(|index| *index != 0),
            luid: Some(one.Luid.Value),
            name: wide(one.FriendlyName).unwrap_or_default(),
            description: wide(one.Description).unwrap_or_default(),
            component_id: None,
            driver: None,
            instance_id: None,
            if_type: one.IfType,
            oper_status: one.OperStatus.cast_unsigned(),
            admin_status: None,
            media_state: None,
            hardware: None,
            connector_present: None,
            mac: one.PhysicalAddress.get(..length).and_then(mac_text),
            permanent_mac: None,
            mtu_bytes: Some(one.Mtu),
            receive_bits_per_second: known(one.ReceiveLinkSpeed, u64::MAX),
            addresses: items(one.FirstUnicastAddress, |one| one.Next)
                .filter_map(unicast)
                .collect(),
            gateways: items(one.FirstGatewayAddress, |one| one.Next)
                .filter_map(|one| of_socket_address(&one.Address))
                .map(|address| GatewayAddress { address })
                .collect(),
            dns_servers: items(one.FirstDnsServerAddress, |one| one.Next)
                .filter_map(|one| of_socket_address(&one.Address))
                .map(|address| DnsServer { address })
                .collect(),
            dns_suffix: wide(one.DnsSuffix),
            dhcp_enabled: Some(one.Anonymous2.Flags & IP_ADAPTER_DHCP_ENABLED != 0),
            dhcp_server: of_socket_address(&one.Dhcpv4Server),
            ipv4_metric: Some(one.Ipv4Metric),
            team: None,
            team_member: None,
            virtual_switch: None,
            load_balanced: None,
        }
    }
}

fn unicast(one: &IP_ADAPTER_UNICAST_ADDRESS_LH) -> Option<AdapterAddress> {
    // SAFETY: the pointer lies in the buffer of the list, which is alive.
    let address = unsafe { of_socket_address(&one.Address) }?;
    Some(AdapterAddress {
        address,
        prefix_length: one.OnLinkPrefixLength,
        prefix_origin: Some(one.PrefixOrigin.cast_unsigned()),
        suffix_origin: Some(one.SuffixOrigin.cast_unsigned()),
        dad_state: Some(one.DadState.cast_unsigned()),
        lease_s: known(one.LeaseLifetime, u32::MAX),
    })
}

/// The number, unless it is the one that stands for none.
fn known<T: PartialEq>(number: T, none: T) -> Option<T> {
    (number != none).then_some(number)
}

fn interface(row: &MIB_IF_ROW2) -> Interface {
    let flags = row.InterfaceAndOperStatusFlags._bitfield;
    let length = row.PhysicalAddressLength as usize;
    // SAFETY: all members of the union are the same eight bytes.
    let luid = unsafe { row.InterfaceLuid.Value };
    Interface {
        luid,
        admin_status: row.AdminStatus.cast_unsigned(),
        media_state: row.MediaConnectState.cast_unsigned(),
        hardware: flags & HARDWARE != 0,
        filter: flags & FILTER != 0,
        connector_present: flags & CONNECTOR != 0,
        permanent_mac: row
            .PermanentPhysicalAddress
            .get(..length)
            .filter(|address| address.iter().any(|byte| *byte != 0))
            .and_then(mac_text),
    }
}

fn route(row: &MIB_IPFORWARD_ROW2) -> Option<Route> {
    Some(Route {
        destination: of_inet(&row.DestinationPrefix.Prefix)?,
        prefix_length: row.DestinationPrefix.PrefixLength,
        next_hop: of_inet(&row.NextHop)?,
        interface_index: row.InterfaceIndex,
        metric: row.Metric,
        protocol: Some(row.Protocol.cast_unsigned()),
        origin: Some(row.Origin.cast_unsigned()),
    })
}

fn neighbour(row: &MIB_IPNET_ROW2) -> Option<Neighbour> {
    /// `IsRouter` of the bit field.
    const ROUTER: u8 = 1;
    let length = row.PhysicalAddressLength as usize;
    // SAFETY: all members of the union are the same byte.
    let flags = unsafe { row.Anonymous.Flags };
    Some(Neighbour {
        address: of_inet(&row.Address)?,
        interface_index: row.InterfaceIndex,
        mac: row
            .PhysicalAddress
            .get(..length)
            .filter(|address| address.iter().any(|byte| *byte != 0))
            .and_then(mac_text),
        state: row.State.cast_unsigned(),
        router: Some(flags & ROUTER != 0),
    })
}

/// A text with a final zero.
///
/// # Safety
/// The pointer is null or valid up to that zero.
unsafe fn narrow(text: PSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's word.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    text.to_string_lossy().into_owned()
}

/// A text of UTF-16 with a final zero; `None` for null.
///
/// # Safety
/// The pointer is null or valid up to that zero.
unsafe fn wide(text: PCWSTR) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: the caller's word.
    let units = unsafe {
        let length = (0..).take_while(|&index| *text.add(index) != 0).count();
        std::slice::from_raw_parts(text, length)
    };
    Some(String::from_utf16_lossy(units))
}
