//! Firmware tables, memory and processors as Windows sees them.

use super::{SysResult, not_implemented};

/// Firmware tables, memory and processors as Windows sees them.
pub trait Hardware: Send + Sync {
    /// The SMBIOS tables behind their `RawSMBIOSData` header.
    ///
    /// # Errors
    /// The error of `GetSystemFirmwareTable`.
    fn firmware_table(&self) -> SysResult<Vec<u8>> {
        not_implemented("GetSystemFirmwareTable")
    }

    /// 1 BIOS, 2 UEFI. Windows 8 and later.
    ///
    /// # Errors
    /// The error of `GetFirmwareType`; `ERROR_PROC_NOT_FOUND` where Windows is older.
    fn firmware_type(&self) -> SysResult<u32> {
        not_implemented("GetFirmwareType")
    }

    /// Milliseconds since boot.
    ///
    /// # Errors
    /// None on Windows.
    fn uptime_ms(&self) -> SysResult<u64> {
        not_implemented("GetTickCount64")
    }

    /// Time of boot by the kernel, as a FILETIME.
    ///
    /// # Errors
    /// The NTSTATUS of `NtQuerySystemInformation`.
    fn boot_filetime(&self) -> SysResult<u64> {
        not_implemented("NtQuerySystemInformation")
    }

    /// EAX, EBX, ECX and EDX of that CPUID leaf.
    ///
    /// # Errors
    /// `ERROR_CALL_NOT_IMPLEMENTED` where the processor has no such instruction.
    fn cpuid(&self, _leaf: u32) -> SysResult<[u32; 4]> {
        not_implemented("CPUID")
    }

    /// Whether the machine belongs to a domain.
    ///
    /// # Errors
    /// The error of `NetGetJoinInformation`.
    fn join(&self) -> SysResult<Join> {
        not_implemented("NetGetJoinInformation")
    }

    /// `SM_CLEANBOOT`: 0 normal, 1 safe mode, 2 safe mode with network.
    ///
    /// # Errors
    /// None on Windows.
    fn clean_boot(&self) -> SysResult<u32> {
        not_implemented("GetSystemMetrics")
    }

    /// Physical memory, installed; KiB.
    ///
    /// # Errors
    /// The error of `GetPhysicallyInstalledSystemMemory`, such as odd firmware tables.
    fn installed_kib(&self) -> SysResult<u64> {
        not_implemented("GetPhysicallyInstalledSystemMemory")
    }

    /// Physical memory in use by Windows.
    ///
    /// # Errors
    /// The error of `GlobalMemoryStatusEx`.
    fn memory_status(&self) -> SysResult<MemoryStatus> {
        not_implemented("GlobalMemoryStatusEx")
    }

    /// Commit charge, pools and handles.
    ///
    /// # Errors
    /// The error of `GetPerformanceInfo`.
    fn performance_info(&self) -> SysResult<PerformanceInfo> {
        not_implemented("GetPerformanceInfo")
    }

    /// The page files of the running system.
    ///
    /// # Errors
    /// The error of `EnumPageFilesW`.
    fn page_files(&self) -> SysResult<Vec<PageFileUse>> {
        not_implemented("EnumPageFilesW")
    }

    /// Logical processors and their groups.
    ///
    /// # Errors
    /// The error of `GetActiveProcessorCount`.
    fn processor_counts(&self) -> SysResult<ProcessorCounts> {
        not_implemented("GetActiveProcessorCount")
    }

    /// `LOGICAL_PROCESSOR_RELATIONSHIP` of every structure that Windows tells of its processors:
    /// 0 a core, 1 a NUMA node, 3 a package.
    ///
    /// # Errors
    /// The error of `GetLogicalProcessorInformationEx`.
    fn processor_relations(&self) -> SysResult<Vec<u32>> {
        not_implemented("GetLogicalProcessorInformationEx")
    }
}

/// Answer of `NetGetJoinInformation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// 0 unknown, 1 unjoined, 2 workgroup, 3 domain.
    pub status: u32,
    /// Name of the domain or workgroup.
    pub name: Option<String>,
}

/// Part of `MEMORYSTATUSEX`, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStatus {
    /// `ullTotalPhys`.
    pub total_bytes: u64,
    /// `ullAvailPhys`.
    pub available_bytes: u64,
}

/// Part of `PERFORMANCE_INFORMATION`, pages where nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerformanceInfo {
    /// `PageSize`, bytes.
    pub page_bytes: u64,
    /// `CommitTotal`.
    pub commit_total: u64,
    /// `CommitLimit`.
    pub commit_limit: u64,
    /// `CommitPeak`.
    pub commit_peak: u64,
    /// `KernelPaged`.
    pub paged_pool: u64,
    /// `KernelNonpaged`.
    pub nonpaged_pool: u64,
    /// `HandleCount`, handles.
    pub handles: u64,
}

impl PerformanceInfo {
    /// Pages in bytes.
    pub fn bytes(&self, pages: u64) -> u64 {
        pages.saturating_mul(self.page_bytes)
    }
}

/// `ENUM_PAGE_FILE_INFORMATION`, pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFileUse {
    /// Path; on some versions with the prefix `\??\`.
    pub path: String,
    /// `TotalSize`.
    pub total: u64,
    /// `TotalInUse`.
    pub used: u64,
    /// `PeakUsage`.
    pub peak: u64,
}

/// Logical processors of all groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorCounts {
    /// In use (`GetActiveProcessorCount`).
    pub active: u32,
    /// That the machine can have (`GetMaximumProcessorCount`); `None` where Windows told 0.
    pub maximum: Option<u32>,
    /// Groups in use (`GetActiveProcessorGroupCount`).
    pub groups: Option<u32>,
}
