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
mod licensing;
mod native;
mod network;
mod performance;
mod processes;
mod services;
mod sessions;
mod sockets;
mod token;
mod wide;
mod wmi;

use crate::system::{
<<<<<<< HEAD
    Accounts, Commands, Files, Firewall, Hardware, Host, Licensing, Network, Performance,
    Processes, Services, Sessions, Sockets, System,
=======
    Accounts, Commands, Files, Firewall, Hardware, Host, Network, Performance, Processes, Services,
    Sessions, Sockets, System,
>>>>>>> main
};

/// The running Windows.
pub struct Windows;

impl System for Windows {
<<<<<<< HEAD
=======
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

>>>>>>> main
    fn hardware(&self) -> &dyn Hardware {
        self
    }

    fn host(&self) -> &dyn Host {
        self
    }

    fn licensing(&self) -> &dyn Licensing {
        self
    }

    fn accounts(&self) -> &dyn Accounts {
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

    fn network(&self) -> &dyn Network {
        self
    }

    fn commands(&self) -> &dyn Commands {
        self
    }

    fn firewall(&self) -> &dyn Firewall {
        self
    }

    fn host(&self) -> &dyn Host {
        self
    }
        self
    }

}
