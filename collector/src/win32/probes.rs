//! Neighbours and echoes of iphlpapi.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ptr::{null, null_mut};
use std::time::Duration;

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::NetworkManagement::IpHelper::{
    ICMP_ECHO_REPLY, IcmpCloseHandle, IcmpCreateFile, IcmpSendEcho2, MIB_IPNET_ROW2,
    ResolveIpNetEntry2, SendARP,
};
use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::Windows;
use super::address::{to_inet, to_network};
use super::wide::{checked, last_error};
use crate::system::SysResult;
use crate::system::probes::Probing;

impl Probing for Windows {
    fn resolve(&self, target: IpAddr, interface_index: Option<u32>) -> SysResult<Vec<u8>> {
        match target {
            IpAddr::V4(target) => send_arp(target),
            IpAddr::V6(target) => resolve(target, interface_index.unwrap_or_default()),
        }
    }

    fn echo(&self, target: Ipv4Addr, time: Duration) -> SysResult<u32> {
        let handle = Icmp::open()?;
        let data = [0_u8; 32];
        let mut replies = [Reply::default(); 2];
        let size = size_of_val(&replies).try_into().unwrap_or(u32::MAX);
        // SAFETY: the handle is open; the data is 32 bytes; the buffer has `size` bytes, which is
        // more than one reply with its data, 8 bytes of an ICMP error and an IO_STATUS_BLOCK.
        let count = unsafe {
            IcmpSendEcho2(
                handle.0,
                null_mut(),
                None,
                null(),
                to_network(target),
                data.as_ptr().cast(),
                32,
                null(),
                replies.as_mut_ptr().cast(),
                size,
                time.as_millis().try_into().unwrap_or(u32::MAX),
            )
        };
        match replies.first() {
            Some(reply) if count > 0 => Ok(reply.reply.Status),
            _ => Err(last_error("IcmpSendEcho2")),
        }
    }
}

/// Room for a reply with its data, and what Windows needs behind it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Reply {
    reply: ICMP_ECHO_REPLY,
    data: [u64; 5],
    status: IO_STATUS_BLOCK,
}

struct Icmp(HANDLE);

impl Icmp {
    fn open() -> SysResult<Self> {
        // SAFETY: takes nothing.
        let handle = unsafe { IcmpCreateFile() };
        if handle == INVALID_HANDLE_VALUE || handle.is_null() {
            return Err(last_error("IcmpCreateFile"));
        }
        Ok(Self(handle))
    }
}

impl Drop for Icmp {
    fn drop(&mut self) {
        // SAFETY: the handle is open and ours.
        unsafe { IcmpCloseHandle(self.0) };
    }
}

fn send_arp(target: Ipv4Addr) -> SysResult<Vec<u8>> {
    let mut mac = [0_u8; 8];
    let mut length = 8;
    // SAFETY: the buffer has as many bytes as `length` says; Windows chooses the source.
    let result = unsafe {
        SendARP(
            to_network(target),
            0,
            mac.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    checked("SendARP", result)?;
    Ok(mac.iter().copied().take(length as usize).collect())
}

fn resolve(target: Ipv6Addr, interface_index: u32) -> SysResult<Vec<u8>> {
    let mut row = MIB_IPNET_ROW2 {
        Address: to_inet(target.into()),
        InterfaceIndex: interface_index,
        ..MIB_IPNET_ROW2::default()
    };
    // SAFETY: the row names an address and an interface; Windows chooses the source.
    let result = unsafe { ResolveIpNetEntry2(&raw mut row, null()) };
    checked("ResolveIpNetEntry2", result)?;
    let length = row.PhysicalAddressLength as usize;
    Ok(row.PhysicalAddress.iter().copied().take(length).collect())
}
