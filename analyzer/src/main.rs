//! Being built.
#![forbid(unsafe_code)]
fn main() {}
