//! `snapdiag-collector`: collects a snapshot of a Windows machine.
#![forbid(unsafe_code)]

fn main() {}
