//! The registry of the running machine: saving hives, reading single keys.

/// The registry of the running machine: saving hives, reading single keys.
pub trait Registry: Send + Sync {}
