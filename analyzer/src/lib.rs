//! The snapdiag analyzer: from a bundle's bytes to facts, verdicts and reports.
#![forbid(unsafe_code)]

pub mod formats;
