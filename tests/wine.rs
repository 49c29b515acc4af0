//! The collector's .exe for real, under Wine: a sick, half-answering machine, whose bundle the
//! analyzer reads here.
//!
//! `SNAPDIAG_COLLECTOR_EXE` names the .exe (`collector/build.sh` builds it). Without it the tests
//! say so and pass, unless `SNAPDIAG_REQUIRE_WINE` is 1.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "a test that is left out says so")]
#![cfg(target_os = "linux")]

#[path = "wine/collects.rs"]
mod collects;
#[path = "wine/killed.rs"]
mod killed;
#[path = "wine/machine.rs"]
mod machine;
#[path = "wine/program.rs"]
mod program;
#[path = "wine/sends.rs"]
mod sends;
