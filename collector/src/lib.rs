//! The collector: copies evidence of a sick Windows machine, or of a mounted Windows disk, into one
//! bundle. It judges nothing and changes nothing.
//!
//! From below: [`system`] says what can be asked of the machine, `win32` answers it on Windows;
//! [`items`] turns answers into artifacts, one file a family, and knows no Win32; the engine runs
//! the items under their time limits and writes the bundle.
#![deny(unsafe_code)]

pub mod items;
pub mod system;
pub mod upload;
#[cfg(windows)]
#[allow(unsafe_code)]
pub mod win32;
