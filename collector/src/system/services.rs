//! Services.

use super::{SysResult, not_implemented};

/// Services.
pub trait Services: Send + Sync {
    /// Every service and driver, in the order of Windows.
    ///
    /// # Errors
    /// The error of `OpenSCManagerW` or `EnumServicesStatusExW`.
    fn list(&self) -> SysResult<Vec<ServiceStatus>> {
        not_implemented("EnumServicesStatusExW")
    }

    /// The configuration of a service.
    ///
    /// # Errors
    /// The error of `OpenServiceW` or `QueryServiceConfigW`.
    fn config(&self, _name: &str) -> SysResult<ServiceConfig> {
        not_implemented("QueryServiceConfigW")
    }

    /// `dwCurrentState` of a service, without starting it: 1 stopped, 4 running.
    ///
    /// # Errors
    /// The error of `OpenServiceW` or `QueryServiceStatus`.
    fn state(&self, _name: &str) -> SysResult<u32> {
        not_implemented("QueryServiceStatus")
    }
}

/// `dwCurrentState` of a service that runs.
pub const RUNNING: u32 = 4;

/// `ENUM_SERVICE_STATUS_PROCESSW`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceStatus {
    /// Short name.
    pub name: String,
    /// Display name.
    pub display_name: Option<String>,
    /// `dwServiceType`.
    pub service_type: u32,
    /// `dwCurrentState`.
    pub state: u32,
    /// `dwProcessId`.
    pub pid: u32,
    /// `dwWin32ExitCode`.
    pub win32_exit_code: u32,
    /// `dwServiceSpecificExitCode`.
    pub service_exit_code: u32,
    /// `dwCheckPoint`.
    pub check_point: u32,
    /// `dwWaitHint`, milliseconds.
    pub wait_hint_ms: u32,
    /// `dwServiceFlags`.
    pub flags: u32,
}

/// Parts of `QUERY_SERVICE_CONFIGW` and `SERVICE_DELAYED_AUTO_START_INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceConfig {
    /// `dwStartType`.
    pub start_type: u32,
    /// `fDelayedAutostart`; `None` where Windows does not tell it, as of drivers.
    pub delayed_start: Option<bool>,
}
