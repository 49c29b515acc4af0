//! Services.

/// Services.
pub trait Services: Send + Sync {}
