//! Checks of the operating system.

mod boot_store;
pub mod brute_force;
pub mod cpu_limit;
pub mod handle_leak;
pub mod memory_limit;
