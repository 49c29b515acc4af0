//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod files;
mod wide;

use crate::system::{Files, System};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn files(&self) -> &dyn Files {
        self
    }
}
