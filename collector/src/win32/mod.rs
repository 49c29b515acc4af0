//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod accounts;
mod hardware;
mod native;
mod performance;
mod processes;
mod services;
mod sessions;
mod wide;

use crate::system::{Accounts, Hardware, Performance, Processes, Services, Sessions, System};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn hardware(&self) -> &dyn Hardware {
        self
    }

    fn sessions(&self) -> &dyn Sessions {
        self
    }

    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn performance(&self) -> &dyn Performance {
        self
    }

    fn processes(&self) -> &dyn Processes {
        self
    }

    fn services(&self) -> &dyn Services {
        self
    }
}
