//! Asking others: neighbours, echoes, HTTP without a proxy.

/// Asking others: neighbours, echoes, HTTP without a proxy.
pub trait Probing: Send + Sync {}
