//! The only unsafe code of the workspace: thin safe wrappers around Win32, one file a family of
//! [`crate::system`]'s traits. A wrapper calls, copies the answer out and reports the error; it
//! decides nothing. Every `unsafe` block says why it is sound.

mod accounts;
mod address;
pub mod com;
mod commands;
pub mod console;
mod environment;
mod event_logs;
mod files;
mod firewall;
mod hardware;
mod host;
pub(crate) mod http;
mod licensing;
mod native;
mod network;
mod performance;
mod probes;
mod processes;
mod registry;
mod services;
mod sessions;
mod sockets;
mod token;
mod volumes;
mod wide;
mod wmi;

use crate::system::{
    Accounts, Commands, EventLogs, Files, Firewall, Hardware, Host, Licensing, Network,
    Performance, Probing, Processes, Registry, Services, Sessions, Sockets, System, Volumes,
};

/// The running Windows.
pub struct Windows;

impl System for Windows {
    fn accounts(&self) -> &dyn Accounts {
        self
    }

    fn probing(&self) -> &dyn Probing {
        self
    }

    fn commands(&self) -> &dyn Commands {
        self
    }

    fn event_logs(&self) -> &dyn EventLogs {
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

    fn licensing(&self) -> &dyn Licensing {
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

    fn registry(&self) -> &dyn Registry {
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

    fn volumes(&self) -> &dyn Volumes {
        self
    }
}
