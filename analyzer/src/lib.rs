//! Offline analysis of Windows snapshots: bytes to formats, facts, checks and reports.
#![forbid(unsafe_code)]

pub mod analyze;
pub mod checks;
pub mod docs;
pub mod facts;
pub mod formats;
pub mod inspect;
pub mod report;
