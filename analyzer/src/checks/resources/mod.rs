//! Memory, processors, disk space.

pub mod cpu_usage;
#[cfg(test)]
mod fixture;
pub mod memory_usage;
pub mod ntfs_metafiles;
pub mod single_cpu_usage;
mod usage;

pub mod virtual_memory_usage;
