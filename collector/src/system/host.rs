//! The machine under its name, and what the collector costs it.

use std::path::Path;

use snapdiag_bundle::OsVersion;

use super::{SysResult, not_implemented};

/// What names the machine and tells how to read what it wrote. What it does not give is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// `GetComputerNameExW`, physical DNS host name.
    pub name: Option<String>,
    /// `RtlGetVersion` and `GetNativeSystemInfo`.
    pub os: Option<OsVersion>,
    /// `GetOEMCP`.
    pub oem_code_page: Option<u32>,
    /// `GetACP`.
    pub ansi_code_page: Option<u32>,
    /// `GetSystemDefaultUILanguage`, as a BCP 47 tag.
    pub ui_language: Option<String>,
    /// `TokenElevation`.
    pub elevated: Option<bool>,
    /// Minutes to add to local time to get UTC, with the bias in force.
    pub time_zone_bias_minutes: Option<i32>,
    /// Key name of the time zone.
    pub time_zone_key: Option<String>,
    /// `GetTickCount64`.
    pub uptime_ms: Option<u64>,
}

/// What the collector has used so far. What the system does not give is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and kernel time, milliseconds.
    pub cpu_ms: Option<u64>,
    /// Largest working set, bytes.
    pub peak_rss_bytes: Option<u64>,
    /// Bytes read.
    pub read_bytes: Option<u64>,
}

/// The machine under its name, and what the collector costs it.
pub trait Host: Send + Sync {
    /// Name, version, language, time zone.
    fn facts(&self) -> HostFacts {
        HostFacts::default()
    }

    /// Enables those of the named privileges that the collector may enable, and names all that are
    /// enabled then, sorted.
    ///
    /// # Errors
    /// When the token cannot be read.
    fn enable_privileges(&self, _names: &[&str]) -> SysResult<Vec<String>> {
        not_implemented("AdjustTokenPrivileges")
    }

    /// Makes the collector give way to others.
    ///
    /// # Errors
    /// The system's.
    fn lower_priority(&self) -> SysResult<()> {
        not_implemented("SetPriorityClass")
    }

    /// Bytes that may still be written into a folder.
    ///
    /// # Errors
    /// The system's.
    fn free_bytes(&self, _folder: &Path) -> SysResult<u64> {
        not_implemented("GetDiskFreeSpaceExW")
    }

    /// Creates a folder that the system and administrators alone can open; the owner too, where
    /// the collector is not elevated and is none of these.
    ///
    /// # Errors
    /// The system's; one of them that something of this name is there.
    fn create_private_folder(&self, _path: &Path, _elevated: bool) -> SysResult<()> {
        not_implemented("CreateDirectoryW")
    }

    /// What the collector has used so far.
    fn usage(&self) -> Usage {
        Usage::default()
    }
}
