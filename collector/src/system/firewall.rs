//! The effective state of Windows Firewall.

/// The effective state of Windows Firewall.
pub trait Firewall: Send + Sync {}
