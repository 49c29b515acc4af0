//! The collector itself, on mounted disks: how it ends, and what it leaves.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![cfg(unix)]

#[path = "collector/cut.rs"]
mod cut;
#[path = "collector/disk.rs"]
mod disk;
#[path = "collector/full.rs"]
mod full;
#[path = "collector/memory.rs"]
mod memory;
#[path = "collector/volume.rs"]
mod volume;
