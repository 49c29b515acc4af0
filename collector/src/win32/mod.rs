//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod address;
pub mod com;
mod firewall;
mod network;
mod sockets;

use crate::system::{Firewall, Network, Sockets, System};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn sockets(&self) -> &dyn Sockets {
        self
    }

    fn network(&self) -> &dyn Network {
        self
    }

    fn firewall(&self) -> &dyn Firewall {
        self
    }
}
