//! Firmware tables, memory and processors.

use std::ffi::c_void;
use std::ptr::null_mut;

use windows_sys::Wdk::System::SystemInformation::SystemTimeOfDayInformation;
use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_DATA, GetLastError};
use windows_sys::Win32::NetworkManagement::NetManagement::{
    NetApiBufferFree, NetGetJoinInformation,
};
use windows_sys::Win32::System::ProcessStatus::{
    ENUM_PAGE_FILE_INFORMATION, EnumPageFilesW, GetPerformanceInfo, PERFORMANCE_INFORMATION,
};
use windows_sys::Win32::System::SystemInformation::{
    GetLogicalProcessorInformationEx, GetPhysicallyInstalledSystemMemory, GetSystemFirmwareTable,
    GetTickCount64, GlobalMemoryStatusEx, MEMORYSTATUSEX, RSMB, RelationAll,
};
use windows_sys::Win32::System::Threading::{
    ALL_PROCESSOR_GROUPS, GetActiveProcessorCount, GetActiveProcessorGroupCount,
    GetMaximumProcessorCount,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{GetSystemMetrics, SM_CLEANBOOT};
use windows_sys::core::{BOOL, PCWSTR};

use super::Windows;
use super::native::{Buffer, Library, owned_text, query_system, size_of_u32};
use super::wide::{checked, last_error};
use crate::system::hardware::{Join, MemoryStatus, PageFileUse, PerformanceInfo, ProcessorCounts};
use crate::system::{Hardware, SysResult, os_error};

/// The largest firmware table taken; the specification's 64 KiB with much room.
const MOST_FIRMWARE: u32 = 4 << 20;
/// The most page files listed; Windows has 16 at most.
const MOST_PAGE_FILES: usize = 64;

impl Hardware for Windows {
    fn firmware_table(&self) -> SysResult<Vec<u8>> {
        const CALL: &str = "GetSystemFirmwareTable";
        // SAFETY: without a buffer, the call tells the size.
        let size = unsafe { GetSystemFirmwareTable(RSMB, 0, null_mut(), 0) };
        if size == 0 {
            return Err(last_error(CALL));
        }
        let mut table = vec![0; size.min(MOST_FIRMWARE) as usize];
        // SAFETY: the buffer is as large as said.
        let size =
            unsafe { GetSystemFirmwareTable(RSMB, 0, table.as_mut_ptr(), size.min(MOST_FIRMWARE)) };
        match size as usize {
            0 => Err(last_error(CALL)),
            size if size > table.len() => Err(os_error(CALL, ERROR_INSUFFICIENT_BUFFER)),
            size => {
                table.truncate(size);
                Ok(table)
            }
        }
    }

    fn firmware_type(&self) -> SysResult<u32> {
        type GetFirmwareType = unsafe extern "system" fn(*mut i32) -> BOOL;
        let address = Library::kernel32()?.procedure(c"GetFirmwareType")?;
        // SAFETY: this is the function's documented type.
        let get: GetFirmwareType = unsafe { std::mem::transmute(address) };
        let mut kind = 0;
        // SAFETY: the number lives through the call.
        if unsafe { get(&raw mut kind) } == 0 {
            return Err(last_error("GetFirmwareType"));
        }
        Ok(kind.cast_unsigned())
    }

    fn uptime_ms(&self) -> SysResult<u64> {
        // SAFETY: takes nothing and cannot fail.
        Ok(unsafe { GetTickCount64() })
    }

    fn boot_filetime(&self) -> SysResult<u64> {
        // BootTime is the first field of SYSTEM_TIMEOFDAY_INFORMATION, 48 bytes.
        let time = query_system(SystemTimeOfDayInformation, 48)?;
        let boot = time.bytes().first_chunk().copied().map(u64::from_le_bytes);
        boot.ok_or_else(|| os_error("NtQuerySystemInformation", ERROR_INVALID_DATA))
    }

    #[cfg(target_arch = "x86_64")]
    fn cpuid(&self, leaf: u32) -> SysResult<[u32; 4]> {
        // SAFETY: every 64-bit processor has CPUID. Newer compilers know that.
        #[allow(unused_unsafe)]
        let answer = unsafe { std::arch::x86_64::__cpuid(leaf) };
        Ok([answer.eax, answer.ebx, answer.ecx, answer.edx])
    }

    fn join(&self) -> SysResult<Join> {
        let mut name = null_mut();
        let mut status = 0;
        // SAFETY: both out parameters live through the call.
        let code =
            unsafe { NetGetJoinInformation(std::ptr::null(), &raw mut name, &raw mut status) };
        checked("NetGetJoinInformation", code)?;
        // SAFETY: on success the name is null or ends with a zero.
        let text = unsafe { owned_text(name) };
        // SAFETY: the buffer is ours, and null is allowed.
        unsafe { NetApiBufferFree(name.cast()) };
        Ok(Join {
            status: status.cast_unsigned(),
            name: text,
        })
    }

    fn clean_boot(&self) -> SysResult<u32> {
        // SAFETY: takes a number and cannot fail.
        Ok(unsafe { GetSystemMetrics(SM_CLEANBOOT) }.cast_unsigned())
    }

    fn installed_kib(&self) -> SysResult<u64> {
        let mut kib = 0;
        // SAFETY: the number lives through the call.
        if unsafe { GetPhysicallyInstalledSystemMemory(&raw mut kib) } == 0 {
            return Err(last_error("GetPhysicallyInstalledSystemMemory"));
        }
        Ok(kib)
    }

    fn memory_status(&self) -> SysResult<MemoryStatus> {
        let mut status = MEMORYSTATUSEX {
            dwLength: size_of_u32::<MEMORYSTATUSEX>(),
            ..MEMORYSTATUSEX::default()
        };
        // SAFETY: the structure says its size.
        if unsafe { GlobalMemoryStatusEx(&raw mut status) } == 0 {
            return Err(last_error("GlobalMemoryStatusEx"));
        }
        Ok(MemoryStatus {
            total_bytes: status.ullTotalPhys,
            available_bytes: status.ullAvailPhys,
        })
    }

    fn performance_info(&self) -> SysResult<PerformanceInfo> {
        let mut info = PERFORMANCE_INFORMATION::default();
        let size = size_of_u32::<PERFORMANCE_INFORMATION>();
        // SAFETY: the structure is as large as said.
        if unsafe { GetPerformanceInfo(&raw mut info, size) } == 0 {
            return Err(last_error("GetPerformanceInfo"));
        }
        Ok(PerformanceInfo {
            page_bytes: info.PageSize as u64,
            commit_total: info.CommitTotal as u64,
            commit_limit: info.CommitLimit as u64,
            commit_peak: info.CommitPeak as u64,
            paged_pool: info.KernelPaged as u64,
            nonpaged_pool: info.KernelNonpaged as u64,
            handles: info.HandleCount.into(),
        })
    }

    fn page_files(&self) -> SysResult<Vec<PageFileUse>> {
        let mut files: Vec<PageFileUse> = Vec::new();
        // SAFETY: the callback gets the list back, which outlives the call.
        if unsafe { EnumPageFilesW(Some(page_file), (&raw mut files).cast()) } == 0 {
            return Err(last_error("EnumPageFilesW"));
        }
        Ok(files)
    }

    fn processor_counts(&self) -> SysResult<ProcessorCounts> {
        // SAFETY: these take a group and answer a number.
        let (active, maximum, groups) = unsafe {
            (
                GetActiveProcessorCount(ALL_PROCESSOR_GROUPS),
                GetMaximumProcessorCount(ALL_PROCESSOR_GROUPS),
                GetActiveProcessorGroupCount(),
            )
        };
        if active == 0 {
            return Err(last_error("GetActiveProcessorCount"));
        }
        Ok(ProcessorCounts {
            active,
            maximum: Some(maximum).filter(|count| *count > 0),
            groups: Some(groups.into()).filter(|count| *count > 0),
        })
    }

    fn processor_relations(&self) -> SysResult<Vec<u32>> {
        const CALL: &str = "GetLogicalProcessorInformationEx";
        let mut size = 0;
        // SAFETY: without a buffer, the call tells the size.
        unsafe { GetLogicalProcessorInformationEx(RelationAll, null_mut(), &raw mut size) };
        // SAFETY: reads a number that belongs to this thread.
        if unsafe { GetLastError() } != ERROR_INSUFFICIENT_BUFFER {
            return Err(last_error(CALL));
        }
        let mut buffer = Buffer::new(size as usize);
        // SAFETY: the buffer is as large as said and aligned.
        let done = unsafe {
            GetLogicalProcessorInformationEx(RelationAll, buffer.as_mut_ptr(), &raw mut size)
        };
        if done == 0 {
            return Err(last_error(CALL));
        }
        buffer.cut(size as usize);
        Ok(relations(buffer.bytes()))
    }
}

/// The relationship of each structure; each begins with it and with its own size.
fn relations(mut rest: &[u8]) -> Vec<u32> {
    let mut list = Vec::new();
    while let Some((head, _)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, size @ ..] = *head;
        let size = u32::from_le_bytes(size) as usize;
        list.push(u32::from_le_bytes([a, b, c, d]));
        match rest.get(size..) {
            Some(next) if size >= head.len() => rest = next,
            _ => break,
        }
    }
    list
}

/// Takes a page file into the list that `context` points to.
unsafe extern "system" fn page_file(
    context: *mut c_void,
    info: *mut ENUM_PAGE_FILE_INFORMATION,
    path: PCWSTR,
) -> BOOL {
    // SAFETY: `context` is the list that `page_files` lends for the call; Windows gives a valid
    // structure and a text that ends with a zero.
    let (files, info, path) = unsafe {
        (
            &mut *context.cast::<Vec<PageFileUse>>(),
            *info,
            owned_text(path),
        )
    };
    files.push(PageFileUse {
        path: path.unwrap_or_default(),
        total: info.TotalSize as u64,
        used: info.TotalInUse as u64,
        peak: info.PeakUsage as u64,
    });
    BOOL::from(files.len() < MOST_PAGE_FILES)
}
