//! Accounts, groups, logon rights, lockout policy.

/// Accounts, groups, logon rights, lockout policy.
pub trait Accounts: Send + Sync {}
