//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod address;
pub mod com;
mod commands;
mod files;
mod firewall;
mod network;
mod sockets;
mod wide;

use crate::system::{Commands, Files, Firewall, Network, Sockets, System};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn files(&self) -> &dyn Files {
        self
    }

    fn sockets(&self) -> &dyn Sockets {
        self
    }

    fn network(&self) -> &dyn Network {
        self
    }

    fn commands(&self) -> &dyn Commands {
        self
    }

    fn firewall(&self) -> &dyn Firewall {
        self
    }
}
