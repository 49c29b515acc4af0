//! Performance counters and the native figures behind them.

/// Performance counters and the native figures behind them.
pub trait Performance: Send + Sync {}
