//! Offline analysis of Windows snapshots: bytes to formats, facts, checks and reports.
#![forbid(unsafe_code)]

pub mod formats;
