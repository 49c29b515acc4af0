//! Checks of the way in by Remote Desktop.

pub mod network_access_account;
pub mod rdp_allowed;
pub mod rdp_certificate;
pub mod rdp_firewall;
pub mod rdp_port;
pub mod rdp_tcp;
pub mod rds_licensing;
pub mod rds_service;
pub(in crate::checks) mod registry;
