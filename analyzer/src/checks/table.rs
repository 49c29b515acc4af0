//! The checklist: every check, in the order in which people go through it.

use super::check::Check;
use super::{network, os, remote_desktop, resources};

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
    remote_desktop::rdp_tcp::CHECK,
    remote_desktop::rdp_allowed::CHECK,
    remote_desktop::rdp_certificate::CHECK,
    remote_desktop::rds_licensing::CHECK,
    remote_desktop::network_access_account::CHECK,
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
