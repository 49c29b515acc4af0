//! Processes.

/// Processes.
pub trait Processes: Send + Sync {}
