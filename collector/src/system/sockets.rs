//! TCP and UDP tables.

/// TCP and UDP tables.
pub trait Sockets: Send + Sync {}
