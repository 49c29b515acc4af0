//! Processes.

use windows_sys::Wdk::System::SystemInformation::SystemProcessInformation;
use windows_sys::Win32::Foundation::{CloseHandle, ERROR_SUCCESS, GetLastError, SetLastError};
use windows_sys::Win32::System::Threading::{
    GR_GDIOBJECTS, GR_USEROBJECTS, GetGuiResources, OpenProcess, PROCESS_QUERY_INFORMATION,
};

use super::native::{Buffer, Plain, query_system};
use super::wide::last_error;
use super::{Windows, environment};
use crate::system::processes::{GuiResources, ProcessInfo};
use crate::system::{Processes, SysResult, os_error};

/// A first guess of the table's size, bytes.
const GUESS: usize = 512 << 10;

/// `SYSTEM_PROCESS_INFORMATION` of Windows 7 and later, as far as it is read; the reserved fields
/// of the SDK's header by the names that the kernel's symbols give them.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "fields that only hold the place of others")]
struct Entry {
    next: u32,
    threads: u32,
    private_working_set: u64,
    hard_faults: u32,
    most_threads: u32,
    cycles: u64,
    created: u64,
    user_time: u64,
    kernel_time: u64,
    image_bytes: u16,
    image_room: u16,
    image: *const u16,
    base_priority: i32,
    pid: usize,
    parent: usize,
    handles: u32,
    session: u32,
    unique_key: usize,
    peak_virtual: usize,
    virtual_size: usize,
    page_faults: u32,
    peak_working_set: usize,
    working_set: usize,
    peak_paged_pool: usize,
    paged_pool: usize,
    peak_nonpaged_pool: usize,
    nonpaged_pool: usize,
    page_file_use: usize,
}

// SAFETY: numbers and a raw pointer.
unsafe impl Plain for Entry {}

impl Processes for Windows {
    fn list(&self) -> SysResult<Vec<ProcessInfo>> {
        let table = query_system(SystemProcessInformation, GUESS)?;
        Ok(entries(&table))
    }

    fn gui_resources(&self, pid: u32) -> SysResult<GuiResources> {
        // SAFETY: takes numbers and answers a handle or null.
        let process = unsafe { OpenProcess(PROCESS_QUERY_INFORMATION, 0, pid) };
        if process.is_null() {
            return Err(last_error("OpenProcess"));
        }
        // SAFETY: the handle is open. 0 may be an answer or an error; the last error tells.
        let (gdi, user, error) = unsafe {
            SetLastError(ERROR_SUCCESS);
            let gdi = GetGuiResources(process, GR_GDIOBJECTS);
            let user = GetGuiResources(process, GR_USEROBJECTS);
            let error = GetLastError();
            CloseHandle(process);
            (gdi, user, error)
        };
        match error {
            ERROR_SUCCESS => Ok(GuiResources { gdi, user }),
            error => Err(os_error("GetGuiResources", error)),
        }
    }

    fn environment(&self, pid: u32) -> SysResult<Vec<String>> {
        environment::of(pid)
    }
}

fn entries(table: &Buffer) -> Vec<ProcessInfo> {
    let mut list = Vec::new();
    let mut offset = 0;
    while let Some(entry) = table.read::<Entry>(offset) {
        list.push(ProcessInfo {
            pid: u32::try_from(entry.pid).unwrap_or(u32::MAX),
            parent_pid: u32::try_from(entry.parent).unwrap_or(u32::MAX),
            image: table
                .text(entry.image, entry.image_bytes.into())
                .unwrap_or_default(),
            created: entry.created,
            session_id: entry.session,
            handles: entry.handles,
            threads: entry.threads,
            working_set_bytes: entry.working_set as u64,
            private_working_set_bytes: entry.private_working_set,
            private_bytes: entry.page_file_use as u64,
            kernel_time: entry.kernel_time,
            user_time: entry.user_time,
        });
        if entry.next == 0 {
            break;
        }
        offset = offset.saturating_add(entry.next as usize);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_the_table() {
        let list = Windows.list().unwrap();
        let ours = list.iter().find(|one| one.pid == std::process::id());
        let ours = ours.unwrap();
        let program = std::env::current_exe().unwrap();
        let image = program.file_name().unwrap().to_string_lossy();
        assert!(ours.image.eq_ignore_ascii_case(&image), "{}", ours.image);
        assert!(ours.threads > 0 && ours.handles > 0 && ours.created > 0);
        assert!(ours.working_set_bytes > 1 << 20 && ours.private_bytes > 0);
    }
}
