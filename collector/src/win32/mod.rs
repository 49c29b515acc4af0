//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod accounts;
mod address;
pub mod com;
mod commands;
pub mod console;
mod files;
mod firewall;
mod hardware;
mod host;
pub(crate) mod http;
mod native;
mod network;
mod performance;
mod processes;
mod services;
mod sessions;
mod sockets;
mod token;
mod wide;

use crate::system::{
    Accounts, Commands, Files, Firewall, Hardware, Host, Network, Performance, Processes, Services,
    Sessions, Sockets, System,
};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn commands(&self) -> &dyn Commands {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }

    fn firewall(&self) -> &dyn Firewall {
        self
    }

    fn hardware(&self) -> &dyn Hardware {
        self
    }

    fn host(&self) -> &dyn Host {
        self
    }

    fn network(&self) -> &dyn Network {
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

    fn sessions(&self) -> &dyn Sessions {
        self
    }

    fn sockets(&self) -> &dyn Sockets {
        self
    }
}
