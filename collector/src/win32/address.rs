//! Socket addresses of Windows as addresses of `std`, and back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_INET, SOCKET_ADDRESS,
};

/// The address in a union of both families.
pub(super) fn of_inet(address: &SOCKADDR_INET) -> Option<IpAddr> {
    // SAFETY: every member begins with the family, which says which of them is set.
    unsafe {
        match address.si_family {
            AF_INET => Some(v4(&address.Ipv4)),
            AF_INET6 => Some(v6(&address.Ipv6)),
            _ => None,
        }
    }
}

/// The address behind a pointer; `None` for null, another family, or one that is cut.
///
/// # Safety
/// The pointer is null or valid for the length that stands beside it.
pub(super) unsafe fn of_socket_address(address: &SOCKET_ADDRESS) -> Option<IpAddr> {
    let pointer = address.lpSockaddr;
    let length = usize::try_from(address.iSockaddrLength).ok()?;
    if pointer.is_null() || length < size_of::<SOCKADDR_IN>() {
        return None;
    }
    // SAFETY: it is long enough for the family and for the shorter of both structures; the longer
    // one is read only when it is long enough for that.
    unsafe {
        match (*pointer).sa_family {
            AF_INET => Some(v4(&pointer.cast::<SOCKADDR_IN>().read_unaligned())),
            AF_INET6 if length >= size_of::<SOCKADDR_IN6>() => {
                Some(v6(&pointer.cast::<SOCKADDR_IN6>().read_unaligned()))
            }
            _ => None,
        }
    }
}

/// An address without port and scope.
pub(super) fn to_inet(address: IpAddr) -> SOCKADDR_INET {
    let mut inet = SOCKADDR_INET::default();
    match address {
        IpAddr::V4(address) => {
            inet.Ipv4 = SOCKADDR_IN::default();
            inet.Ipv4.sin_family = AF_INET;
            inet.Ipv4.sin_addr.S_un.S_addr = to_network(address);
        }
        IpAddr::V6(address) => {
            inet.Ipv6 = SOCKADDR_IN6::default();
            inet.Ipv6.sin6_family = AF_INET6;
            inet.Ipv6.sin6_addr.u.Byte = address.octets();
        }
    }
    inet
}

/// An IPv4 address as the number in network byte order that Windows takes.
pub(super) fn to_network(address: Ipv4Addr) -> u32 {
    u32::from_ne_bytes(address.octets())
}

fn v4(address: &SOCKADDR_IN) -> IpAddr {
    // SAFETY: all members of the union are the same four bytes.
    let bytes = unsafe { address.sin_addr.S_un.S_addr };
    Ipv4Addr::from(bytes.to_ne_bytes()).into()
}

fn v6(address: &SOCKADDR_IN6) -> IpAddr {
    // SAFETY: all members of the union are the same sixteen bytes.
    let bytes = unsafe { address.sin6_addr.u.Byte };
    Ipv6Addr::from(bytes).into()
}
