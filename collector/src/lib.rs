//! The collector: copies evidence of a sick Windows machine, or of a mounted Windows disk, into one
//! bundle. It judges nothing and changes nothing.
//!
//! From below: [`system`] says what can be asked of the machine, `win32` answers it on Windows;
//! [`items`] turns answers into artifacts, one file a family, and knows no Win32; [`disk`] does so
//! for a mounted disk; [`engine`] runs the items under their time limits and writes the bundle;
//! [`program`] is the whole way in one screen.
#![deny(unsafe_code)]

pub mod cli;
pub mod collection;
pub mod disk;
pub mod engine;
pub mod items;
pub mod listing;
pub mod machine;
pub mod output;
pub mod plan;
pub mod profile;
pub mod program;
pub mod progress;
pub mod scratch;
pub mod stop;
pub mod system;
#[cfg(unix)]
pub mod unix;
pub mod upload;
#[cfg(windows)]
#[allow(unsafe_code)]
pub mod win32;
