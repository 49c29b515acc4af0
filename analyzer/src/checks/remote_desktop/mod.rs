//! Checks of the way in by Remote Desktop.

pub mod rdp_allowed;
pub mod rdp_firewall;
pub mod rdp_port;
pub mod rds_service;
pub(in crate::checks) mod registry;
