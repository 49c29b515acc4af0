//! Sessions of Remote Desktop Services.

/// Sessions of Remote Desktop Services.
pub trait Sessions: Send + Sync {}
