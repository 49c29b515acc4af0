//! Checks of the operating system.
