//! Checks of the operating system.


pub mod os_status;
