//! Checks: facts in, verdict out. Pure functions of the snapshot: no file, no clock, no thread.
//!
//! One file a check, with its page beside it; [`table::TABLE`] lists them all.

pub mod causes;
pub mod check;
pub mod figures;
pub mod network;
pub mod os;
pub mod remedy;
pub mod remote_desktop;
pub mod resources;
pub mod table;
pub mod thresholds;
pub mod verdict;
pub mod words;

#[cfg(test)]
mod readable;
