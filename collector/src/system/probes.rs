//! Asking others: neighbours and echoes. Names and connections need no more than sockets.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::{SysResult, not_implemented};

/// Asking others.
pub trait Probing: Send + Sync {
    /// Asks the link for the physical address of a neighbour (`SendARP`, for IPv6
    /// `ResolveIpNetEntry2`, which needs the interface). Takes about 3 s where nobody answers.
    ///
    /// # Errors
    /// That of the call: 67 (`ERROR_BAD_NET_NAME`) where nobody answered.
    fn resolve(&self, target: IpAddr, interface_index: Option<u32>) -> SysResult<Vec<u8>> {
        let _ = (target, interface_index);
        not_implemented("SendARP")
    }

    /// Sends one ICMP echo (`IcmpSendEcho2`); the answer's `IP_STATUS`: 0 for a reply.
    ///
    /// # Errors
    /// That of the call, which is an `IP_STATUS` (11001 and up) where nothing came.
    fn echo(&self, target: Ipv4Addr, time: Duration) -> SysResult<u32> {
        let _ = (target, time);
        not_implemented("IcmpSendEcho2")
    }
}
