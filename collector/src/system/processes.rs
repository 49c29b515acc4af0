//! Processes.

use super::{SysResult, not_implemented};

/// Processes.
pub trait Processes: Send + Sync {
    /// Every process, in the order of Windows.
    ///
    /// # Errors
    /// The NTSTATUS of `NtQuerySystemInformation(SystemProcessInformation)`.
    fn list(&self) -> SysResult<Vec<ProcessInfo>> {
        not_implemented("NtQuerySystemInformation")
    }

    /// GDI and USER objects of a process.
    ///
    /// # Errors
    /// The error of `OpenProcess` or `GetGuiResources`: other sessions and protected processes do
    /// not tell.
    fn gui_resources(&self, _pid: u32) -> SysResult<GuiResources> {
        not_implemented("GetGuiResources")
    }

    /// The environment of a process as it is now, text by text, such as `ComSpec=C:\…\cmd.exe`.
    ///
    /// # Errors
    /// The error of `OpenProcess`, `NtQueryInformationProcess` or `ReadProcessMemory`.
    fn environment(&self, _pid: u32) -> SysResult<Vec<String>> {
        not_implemented("ReadProcessMemory")
    }
}

/// `SYSTEM_PROCESS_INFORMATION`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// File name of the image; empty for the idle process.
    pub image: String,
    /// FILETIME of the start; 0 for idle.
    pub created: u64,
    /// Terminal session.
    pub session_id: u32,
    /// Open handles.
    pub handles: u32,
    /// Threads.
    pub threads: u32,
    /// Working set, bytes.
    pub working_set_bytes: u64,
    /// `WorkingSetPrivateSize`, bytes.
    pub private_working_set_bytes: u64,
    /// `PagefileUsage`, bytes.
    pub private_bytes: u64,
    /// Time in the kernel, units of 100 ns.
    pub kernel_time: u64,
    /// Time in user mode, units of 100 ns.
    pub user_time: u64,
}

/// Answers of `GetGuiResources`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuiResources {
    /// `GR_GDIOBJECTS`.
    pub gdi: u32,
    /// `GR_USEROBJECTS`.
    pub user: u32,
}
