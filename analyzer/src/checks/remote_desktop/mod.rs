//! Checks of the way in by Remote Desktop.

pub mod rdp_allowed;
pub mod rdp_port;
mod registry;
