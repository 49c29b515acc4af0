//! Volumes and the raw figures of NTFS.

/// Volumes and the raw figures of NTFS.
pub trait Volumes: Send + Sync {}
