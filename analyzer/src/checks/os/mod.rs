//! Checks of the operating system.

pub mod brute_force;
pub mod environment_variables;
pub mod os_status;

#[cfg(test)]
mod built;
