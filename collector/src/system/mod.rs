//! What items ask of the machine: one trait a family, answered by `win32` on a running Windows and
//! by small fakes in tests. Answers are plain data, as near to what the API gives as can be;
//! deciding what they mean for an item is the item's work.
//!
//! Every method has a default that answers [`NOT_IMPLEMENTED`], so that a fake answers only what
//! its test is about.

pub mod accounts;
pub mod commands;
pub mod event_logs;
pub mod files;
pub mod firewall;
pub mod hardware;
pub mod host;
pub mod licensing;
pub mod network;
pub mod performance;
pub mod probes;
pub mod processes;
pub mod registry;
pub mod services;
pub mod sessions;
pub mod sockets;
pub mod volumes;

use snapdiag_bundle::OsError;

pub use accounts::Accounts;
pub use commands::Commands;
pub use event_logs::EventLogs;
pub use files::Files;
pub use firewall::Firewall;
pub use hardware::Hardware;
pub use host::Host;
pub use licensing::Licensing;
pub use network::Network;
pub use performance::Performance;
pub use probes::Probing;
pub use processes::Processes;
pub use registry::Registry;
pub use services::Services;
pub use sessions::Sessions;
pub use sockets::Sockets;
pub use volumes::Volumes;

/// An answer of the machine, or the error of the call that failed.
pub type SysResult<T> = Result<T, OsError>;

/// `ERROR_CALL_NOT_IMPLEMENTED`.
pub const NOT_IMPLEMENTED: u32 = 120;

/// The machine.
pub trait System: Send + Sync {
    /// The registry of the running machine: saving hives, reading single keys.
    fn registry(&self) -> &dyn Registry {
        &Unanswered
    }

    /// Files of the machine: shared reading of what is in use, what exists, access control.
    fn files(&self) -> &dyn Files {
        &Unanswered
    }

    /// Event logs: export, what the live log holds.
    fn event_logs(&self) -> &dyn EventLogs {
        &Unanswered
    }

    /// Volumes and the raw figures of NTFS.
    fn volumes(&self) -> &dyn Volumes {
        &Unanswered
    }

    /// TCP and UDP tables.
    fn sockets(&self) -> &dyn Sockets {
        &Unanswered
    }

    /// Adapters, addresses, routes, neighbours.
    fn network(&self) -> &dyn Network {
        &Unanswered
    }

    /// Asking others: neighbours, echoes, HTTP without a proxy.
    fn probing(&self) -> &dyn Probing {
        &Unanswered
    }

    /// Console programs of Windows whose output is evidence.
    fn commands(&self) -> &dyn Commands {
        &Unanswered
    }

    /// The effective state of Windows Firewall.
    fn firewall(&self) -> &dyn Firewall {
        &Unanswered
    }

    /// Firmware tables, memory and processors as Windows sees them.
    fn hardware(&self) -> &dyn Hardware {
        &Unanswered
    }

    /// Performance counters and the native figures behind them.
    fn performance(&self) -> &dyn Performance {
        &Unanswered
    }

    /// Processes.
    fn processes(&self) -> &dyn Processes {
        &Unanswered
    }

    /// Services.
    fn services(&self) -> &dyn Services {
        &Unanswered
    }

    /// Sessions of Remote Desktop Services.
    fn sessions(&self) -> &dyn Sessions {
        &Unanswered
    }

    /// Activation, and licensing of Remote Desktop Services.
    fn licensing(&self) -> &dyn Licensing {
        &Unanswered
    }

    /// Accounts, groups, logon rights, lockout policy.
    fn accounts(&self) -> &dyn Accounts {
        &Unanswered
    }

    /// The machine under its name, and what the collector costs it.
    fn host(&self) -> &dyn Host {
        &Unanswered
    }
}

/// A machine that answers nothing.
pub struct Unanswered;

impl System for Unanswered {}
impl Registry for Unanswered {}
impl Files for Unanswered {}
impl EventLogs for Unanswered {}
impl Volumes for Unanswered {}
impl Sockets for Unanswered {}
impl Network for Unanswered {}
impl Probing for Unanswered {}
impl Commands for Unanswered {}
impl Firewall for Unanswered {}
impl Hardware for Unanswered {}
impl Performance for Unanswered {}
impl Processes for Unanswered {}
impl Services for Unanswered {}
impl Sessions for Unanswered {}
impl Licensing for Unanswered {}
impl Accounts for Unanswered {}
impl Host for Unanswered {}

/// An error of a call.
pub fn os_error(call: &str, code: u32) -> OsError {
    OsError {
        code,
        call: call.to_owned(),
    }
}

/// The answer of a machine that lacks the call.
///
/// # Errors
/// Always [`NOT_IMPLEMENTED`].
pub fn not_implemented<T>(call: &str) -> SysResult<T> {
    Err(os_error(call, NOT_IMPLEMENTED))
}
