//! `snapdiag`: diagnoses a snapshot of a Windows machine.
#![forbid(unsafe_code)]

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::main()
}
