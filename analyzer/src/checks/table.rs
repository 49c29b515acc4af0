//! The checklist: every check, in the order in which people go through it.

use super::check::Check;
use super::verdict::Category::{Network, RemoteDesktop};
use super::{os, remote_desktop, resources};

/// Every check, in the checklist's order. Ids are stable and never reused.
pub static TABLE: &[Check] = &[
    os::os_status::CHECK,
    os::memory_limit::CHECK,
    os::cpu_limit::CHECK,
    os::handle_leak::CHECK,
    os::brute_force::CHECK,
    os::environment_variables::CHECK,
    resources::memory_usage::CHECK,
    resources::virtual_memory_usage::CHECK,
    resources::cpu_usage::CHECK,
    resources::single_cpu_usage::CHECK,
    resources::ntfs_metafiles::CHECK,
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
    Check::planned("port-exhaustion", Network, "Port exhaustion"),
    Check::planned(
        "tcp-wait-states",
        Network,
        "TIME_WAIT and CLOSE_WAIT connections",
    ),
    Check::planned("gateway", Network, "Gateway"),
    Check::planned("mac-address", Network, "MAC address"),
    Check::planned("intranet-dns", Network, "Intranet DNS"),
];

/// The check with that id.
pub fn find(id: &str) -> Option<&'static Check> {
    TABLE.iter().find(|check| check.id == id)
}

/// The key of every threshold, in the order of the table.
pub fn threshold_keys() -> Vec<&'static str> {
    let thresholds = TABLE.iter().flat_map(|check| check.thresholds);
    thresholds.map(|threshold| threshold.key).collect()
}
