//! `snapdiag-collector`: collects a snapshot of a Windows machine.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    snapdiag_collector::program::main()
}
