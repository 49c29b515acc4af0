//! The checklist: every check, in the order in which people go through it.

use super::check::Check;
use super::verdict::Category::{Os, RemoteDesktop, Resources};
use super::{network, os, remote_desktop};

/// Every check, in the checklist's order. Ids are stable and never reused.
pub static TABLE: &[Check] = &[
    Check::planned("os-status", Os, "State of the operating system"),
    Check::planned("memory-limit", Os, "Memory limit"),
    Check::planned("cpu-limit", Os, "CPU limit"),
    Check::planned("handle-leak", Os, "Handle leak"),
    os::brute_force::CHECK,
    Check::planned("environment-variables", Os, "System environment variables"),
    Check::planned("memory-usage", Resources, "Memory usage"),
    Check::planned("virtual-memory-usage", Resources, "Virtual memory usage"),
    Check::planned("cpu-usage", Resources, "CPU usage"),
    Check::planned("single-cpu-usage", Resources, "Usage of a single CPU"),
    Check::planned("ntfs-metafiles", Resources, "Size of NTFS metafiles"),
    remote_desktop::rds_service::CHECK,
    remote_desktop::rdp_port::CHECK,
    Check::planned("rdp-tcp", RemoteDesktop, "RDP-Tcp listener"),
    remote_desktop::rdp_allowed::CHECK,
    Check::planned(
        "rdp-certificate",
        RemoteDesktop,
        "Remote Desktop certificate",
    ),
    Check::planned("rds-licensing", RemoteDesktop, "Remote Desktop licensing"),
    Check::planned(
        "network-access-account",
        RemoteDesktop,
        "Network access account",
    ),
    remote_desktop::rdp_firewall::CHECK,
    network::port_exhaustion::CHECK,
    network::tcp_wait_states::CHECK,
    network::gateway::CHECK,
    network::mac_address::CHECK,
    network::intranet_dns::CHECK,
];

/// The check with that id.
pub fn find(id: &str) -> Option<&'static Check> {
    TABLE.iter().find(|check| check.id == id)
}
