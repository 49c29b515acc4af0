//! Every registry value and event record that facts of a healthy machine rest on is read with the
//! same content by readers that are not ours: hivex and regipy, evtxexport and python-evtx.
//!
//! Without a reader its test says so and passes, unless `SNAPDIAG_REQUIRE_PEERS` is 1.
#![forbid(unsafe_code)]

#[cfg(test)]
#[path = "foreign_fields/compare.rs"]
mod compare;
