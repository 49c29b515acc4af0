//! `processes/processes.json`: the process table, taken twice.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The process table at two moments at least 20 s apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessTables {
    /// In order of time.
    pub samples: Vec<ProcessSample>,
}

/// The process table at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessSample {
    /// When.
    pub taken_at: Timestamp,
    /// The rows, in the order of Windows.
    pub rows: Vec<ProcessRow>,
}

/// One process (`NtQuerySystemInformation(SystemProcessInformation)`). No command line: it may hold
/// secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessRow {
    /// Process id; 0 is idle time, 4 the kernel.
    pub pid: u32,
    /// Process id of the parent, which may have ended and been given to another.
    pub parent_pid: Option<u32>,
    /// File name of the image, such as `svchost.exe`; `System` and `Idle` have none of their own.
    pub image: String,
    /// Start time.
    pub created_at: Option<Timestamp>,
    /// Terminal session.
    pub session_id: Option<u32>,
    /// Open handles.
    pub handles: Option<u32>,
    /// Threads.
    pub threads: Option<u32>,
    /// Working set, bytes.
    pub working_set_bytes: Option<u64>,
    /// Part of the working set that is not shared, bytes (`WorkingSetPrivateSize`).
    pub private_working_set_bytes: Option<u64>,
    /// Committed private memory, bytes (`PagefileUsage`).
    pub private_bytes: Option<u64>,
    /// Time in the kernel since the start, milliseconds.
    pub kernel_time_ms: Option<u64>,
    /// Time in user mode since the start, milliseconds.
    pub user_time_ms: Option<u64>,
    /// GDI objects (`GetGuiResources`).
    pub gdi_objects: Option<u32>,
    /// USER objects (`GetGuiResources`).
    pub user_objects: Option<u32>,
    /// Short names of the services inside, sorted (by process id from `EnumServicesStatusExW`).
    #[serde(default)]
    pub services: Vec<String>,
}
