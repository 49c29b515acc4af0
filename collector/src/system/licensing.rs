//! Activation, and licensing of Remote Desktop Services.

/// Activation, and licensing of Remote Desktop Services.
pub trait Licensing: Send + Sync {}
