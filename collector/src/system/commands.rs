//! Console programs of Windows whose output is evidence.

/// Console programs of Windows whose output is evidence.
pub trait Commands: Send + Sync {}
