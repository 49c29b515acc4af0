//! `services/services.json`: the service control manager's table.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// All services and drivers (`EnumServicesStatusExW`, `QueryServiceConfigW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Services {
    /// When.
    pub taken_at: Timestamp,
    /// In the order of Windows.
    pub services: Vec<ServiceRow>,
}

/// One service: `SERVICE_STATUS_PROCESS` and `QUERY_SERVICE_CONFIG`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServiceRow {
    /// Short name, such as `TermService`: the key name under `Services`.
    pub name: String,
    /// Display name, translated.
    pub display_name: Option<String>,
    /// `dwServiceType`, bits: 0x1 kernel driver, 0x2 file system driver, 0x10 own process,
    /// 0x20 shared process, 0x40 and 0x80 per-user template and instance, 0x100 interactive.
    pub service_type: u32,
    /// `dwCurrentState`: 1 stopped, 2 start pending, 3 stop pending, 4 running, 5 continue
    /// pending, 6 pause pending, 7 paused.
    pub state: u32,
    /// Process id; 0 when stopped and for drivers.
    pub pid: u32,
    /// `dwWin32ExitCode` of the last end: 0 none, 1066 see `service_exit_code`,
    /// 1077 never started since boot.
    pub win32_exit_code: u32,
    /// `dwServiceSpecificExitCode`.
    pub service_exit_code: u32,
    /// `dwCheckPoint`: rises while a pending start or stop makes progress.
    pub check_point: Option<u32>,
    /// `dwWaitHint`: milliseconds that a pending start or stop says it needs.
    pub wait_hint_ms: Option<u32>,
    /// Milliseconds for which the collector saw a pending state, with several looks at it.
    pub pending_for_ms: Option<u64>,
    /// `dwStartType`: 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled.
    pub start_type: Option<u32>,
    /// Automatic with delay (`SERVICE_CONFIG_DELAYED_AUTO_START_INFO`).
    pub delayed_start: Option<bool>,
    /// `dwServiceFlags` bit 0: runs in a process that the system needs.
    pub in_system_process: Option<bool>,
}
