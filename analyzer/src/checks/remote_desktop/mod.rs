//! Checks of the way in by Remote Desktop.
pub mod rdp_firewall;
pub mod rds_service;
