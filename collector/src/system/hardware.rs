//! Firmware tables, memory and processors as Windows sees them.

/// Firmware tables, memory and processors as Windows sees them.
pub trait Hardware: Send + Sync {}
