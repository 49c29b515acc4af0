//! Services.

use windows_sys::Win32::Foundation::{ERROR_INVALID_DATA, ERROR_MORE_DATA, GetLastError};
use windows_sys::Win32::System::Services::{
    CloseServiceHandle, ENUM_SERVICE_STATUS_PROCESSW, EnumServicesStatusExW, OpenSCManagerW,
    OpenServiceW, QUERY_SERVICE_CONFIGW, QueryServiceConfig2W, QueryServiceConfigW,
    QueryServiceStatus, SC_ENUM_PROCESS_INFO, SC_HANDLE, SC_MANAGER_CONNECT,
    SC_MANAGER_ENUMERATE_SERVICE, SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
    SERVICE_DELAYED_AUTO_START_INFO, SERVICE_DRIVER, SERVICE_QUERY_CONFIG, SERVICE_QUERY_STATUS,
    SERVICE_STATE_ALL, SERVICE_STATUS, SERVICE_WIN32,
};

use super::Windows;
use super::native::{Buffer, Plain, owned_text, size_of_u32};
use super::wide::{last_error, wide};
use crate::system::services::{ServiceConfig, ServiceStatus};
use crate::system::{Services, SysResult, os_error};

/// Bytes for one round of the list: the most that Windows fills at once.
const ROUND: usize = 256 << 10;
/// Most rounds; the list has some hundred entries.
const ROUNDS: u32 = 64;
/// The largest configuration that Windows gives, bytes.
const CONFIG: usize = 8 << 10;

// SAFETY: numbers and raw pointers.
unsafe impl Plain for ENUM_SERVICE_STATUS_PROCESSW {}
// SAFETY: numbers and raw pointers.
unsafe impl Plain for QUERY_SERVICE_CONFIGW {}

/// An open service or the open manager.
struct Handle(SC_HANDLE);

impl Handle {
    fn manager(access: u32) -> SysResult<Self> {
        // SAFETY: null names this machine and its database.
        let handle = unsafe { OpenSCManagerW(std::ptr::null(), std::ptr::null(), access) };
        Self::checked("OpenSCManagerW", handle)
    }

    fn service(name: &str, access: u32) -> SysResult<Self> {
        let manager = Self::manager(SC_MANAGER_CONNECT)?;
        let name = wide(name);
        // SAFETY: the manager is open, and the name ends with a zero.
        let handle = unsafe { OpenServiceW(manager.0, name.as_ptr(), access) };
        Self::checked("OpenServiceW", handle)
    }

    fn checked(call: &str, handle: SC_HANDLE) -> SysResult<Self> {
        if handle.is_null() {
            return Err(last_error(call));
        }
        Ok(Self(handle))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is open and ours.
        unsafe { CloseServiceHandle(self.0) };
    }
}

impl Services for Windows {
    fn list(&self) -> SysResult<Vec<ServiceStatus>> {
        const CALL: &str = "EnumServicesStatusExW";
        let manager = Handle::manager(SC_MANAGER_CONNECT | SC_MANAGER_ENUMERATE_SERVICE)?;
        let mut list = Vec::new();
        let mut resume = 0;
        for _ in 0..ROUNDS {
            let mut buffer = Buffer::new(ROUND);
            let (mut needed, mut returned) = (0, 0);
            // SAFETY: the manager is open, the buffer as large as said and aligned.
            let done = unsafe {
                EnumServicesStatusExW(
                    manager.0,
                    SC_ENUM_PROCESS_INFO,
                    SERVICE_WIN32 | SERVICE_DRIVER,
                    SERVICE_STATE_ALL,
                    buffer.as_mut_ptr(),
                    buffer.size(),
                    &raw mut needed,
                    &raw mut returned,
                    &raw mut resume,
                    std::ptr::null(),
                )
            };
            // SAFETY: reads a number that belongs to this thread.
            if done == 0 && unsafe { GetLastError() } != ERROR_MORE_DATA {
                return Err(last_error(CALL));
            }
            take(&buffer, returned, &mut list);
            if done != 0 || returned == 0 {
                return Ok(list);
            }
        }
        Err(os_error(CALL, ERROR_MORE_DATA))
    }

    fn config(&self, name: &str) -> SysResult<ServiceConfig> {
        const CALL: &str = "QueryServiceConfigW";
        let service = Handle::service(name, SERVICE_QUERY_CONFIG)?;
        let mut buffer = Buffer::new(CONFIG);
        let mut needed = 0;
        // SAFETY: the service is open, the buffer as large as said and aligned.
        let done = unsafe {
            QueryServiceConfigW(
                service.0,
                buffer.as_mut_ptr(),
                buffer.size(),
                &raw mut needed,
            )
        };
        if done == 0 {
            return Err(last_error(CALL));
        }
        let config = buffer.read::<QUERY_SERVICE_CONFIGW>(0);
        let config = config.ok_or_else(|| os_error(CALL, ERROR_INVALID_DATA))?;
        Ok(ServiceConfig {
            start_type: config.dwStartType,
            delayed_start: delayed_start(&service),
        })
    }

    fn state(&self, name: &str) -> SysResult<u32> {
        let service = Handle::service(name, SERVICE_QUERY_STATUS)?;
        let mut status = SERVICE_STATUS::default();
        // SAFETY: the service is open, and the structure lives through the call.
        if unsafe { QueryServiceStatus(service.0, &raw mut status) } == 0 {
            return Err(last_error("QueryServiceStatus"));
        }
        Ok(status.dwCurrentState)
    }
}

/// Copies one round of the list.
fn take(buffer: &Buffer, returned: u32, list: &mut Vec<ServiceStatus>) {
    for index in 0..returned as usize {
        let offset = index.saturating_mul(size_of::<ENUM_SERVICE_STATUS_PROCESSW>());
        let Some(entry) = buffer.read::<ENUM_SERVICE_STATUS_PROCESSW>(offset) else {
            return;
        };
        let status = entry.ServiceStatusProcess;
        // SAFETY: both texts lie in the buffer, which is alive, and end with a zero.
        let (name, display_name) = unsafe {
            (
                owned_text(entry.lpServiceName),
                owned_text(entry.lpDisplayName),
            )
        };
        list.push(ServiceStatus {
            name: name.unwrap_or_default(),
            display_name,
            service_type: status.dwServiceType,
            state: status.dwCurrentState,
            pid: status.dwProcessId,
            win32_exit_code: status.dwWin32ExitCode,
            service_exit_code: status.dwServiceSpecificExitCode,
            check_point: status.dwCheckPoint,
            wait_hint_ms: status.dwWaitHint,
            flags: status.dwServiceFlags,
        });
    }
}

/// Whether an automatic service starts with delay; `None` where Windows does not tell.
fn delayed_start(service: &Handle) -> Option<bool> {
    let mut info = SERVICE_DELAYED_AUTO_START_INFO::default();
    let mut needed = 0;
    // SAFETY: the service is open, and the structure is as large as said.
    let done = unsafe {
        QueryServiceConfig2W(
            service.0,
            SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
            (&raw mut info).cast(),
            size_of_u32::<SERVICE_DELAYED_AUTO_START_INFO>(),
            &raw mut needed,
        )
    };
    (done != 0).then_some(info.fDelayedAutostart != 0)
}
