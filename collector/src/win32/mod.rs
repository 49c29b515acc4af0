//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

pub mod console;
mod event_logs;
mod files;
mod host;
mod registry;
mod token;
mod volumes;
mod wide;

use crate::system::{EventLogs, Files, Host, Registry, System, Volumes};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn registry(&self) -> &dyn Registry {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }

    fn event_logs(&self) -> &dyn EventLogs {
        self
    }

    fn volumes(&self) -> &dyn Volumes {
        self
    }

    fn host(&self) -> &dyn Host {
        self
    }
}
