//! Checks of the operating system.

pub mod brute_force;
