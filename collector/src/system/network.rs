//! Adapters, addresses, routes, neighbours.

/// Adapters, addresses, routes, neighbours.
pub trait Network: Send + Sync {}
