//! Event logs: export, what the live log holds.

/// Event logs: export, what the live log holds.
pub trait EventLogs: Send + Sync {}
