//! Checks of the operating system.

mod boot_store;
pub mod brute_force;
pub mod cpu_limit;
pub mod environment_variables;
pub mod handle_leak;
pub mod memory_limit;
pub mod os_status;

#[cfg(test)]
mod built;
