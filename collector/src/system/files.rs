//! Files of the machine: shared reading of what is in use, what exists, access control.

/// Files of the machine: shared reading of what is in use, what exists, access control.
pub trait Files: Send + Sync {}
