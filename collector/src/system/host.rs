//! The machine under its name, and what the collector costs it.

/// The machine under its name, and what the collector costs it.
pub trait Host: Send + Sync {}
