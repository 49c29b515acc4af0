//! The machine under its name, and what the collector costs it.

use std::path::Path;
use std::ptr;

use snapdiag_bundle::OsVersion;
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::{FILETIME, LocalFree};
use windows_sys::Win32::Globalization::{
    GetACP, GetOEMCP, GetSystemDefaultUILanguage, LCIDToLocaleName,
};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{CreateDirectoryW, GetDiskFreeSpaceExW};
use windows_sys::Win32::System::ProcessStatus::{K32GetProcessMemoryInfo, PROCESS_MEMORY_COUNTERS};
use windows_sys::Win32::System::SystemInformation::{
    ComputerNamePhysicalDnsHostname, GetComputerNameExW, GetNativeSystemInfo, GetTickCount64,
    OSVERSIONINFOEXW, PROCESSOR_ARCHITECTURE_AMD64, PROCESSOR_ARCHITECTURE_ARM64,
    PROCESSOR_ARCHITECTURE_INTEL, SYSTEM_INFO,
};
use windows_sys::Win32::System::Threading::{
    BELOW_NORMAL_PRIORITY_CLASS, GetCurrentProcess, GetProcessIoCounters, GetProcessTimes,
    IO_COUNTERS, SetPriorityClass,
};
use windows_sys::Win32::System::Time::{
    DYNAMIC_TIME_ZONE_INFORMATION, GetDynamicTimeZoneInformation,
};

use super::Windows;
use super::token::Token;
use super::wide::{last_error, text, wide};
use crate::system::SysResult;
use crate::system::host::{Host, HostFacts, Usage};

/// Full access for the system and administrators, inherited by what is made inside; nothing from
/// above.
const ADMINISTRATORS: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// The same, and for whoever made it: a collector that is no administrator.
const AND_OWNER: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)";

/// `TIME_ZONE_ID_STANDARD` and `TIME_ZONE_ID_DAYLIGHT`.
const STANDARD: u32 = 1;
const DAYLIGHT: u32 = 2;

/// `TIME_ZONE_ID_INVALID`.
const NO_ZONE: u32 = u32::MAX;

impl Host for Windows {
    fn facts(&self) -> HostFacts {
        let zone = time_zone();
        HostFacts {
            name: computer_name(),
            os: version(),
            // SAFETY: takes nothing and gives a number.
            oem_code_page: Some(unsafe { GetOEMCP() }),
            // SAFETY: as above.
            ansi_code_page: Some(unsafe { GetACP() }),
            ui_language: ui_language(),
            elevated: Token::open().and_then(|token| token.elevated()).ok(),
            time_zone_bias_minutes: zone.as_ref().map(|(bias, _)| *bias),
            time_zone_key: zone.map(|(_, key)| key).filter(|key| !key.is_empty()),
            // SAFETY: as above.
            uptime_ms: Some(unsafe { GetTickCount64() }),
        }
    }

    fn enable_privileges(&self, names: &[&str]) -> SysResult<Vec<String>> {
        let token = Token::open()?;
        for name in names {
            // One that the token lacks is missing from the answer.
            drop(token.enable(name));
        }
        token.enabled()
    }

    fn lower_priority(&self) -> SysResult<()> {
        // SAFETY: the pseudo handle of this process is always valid.
        match unsafe { SetPriorityClass(GetCurrentProcess(), BELOW_NORMAL_PRIORITY_CLASS) } {
            0 => Err(last_error("SetPriorityClass")),
            _ => Ok(()),
        }
    }

    fn free_bytes(&self, folder: &Path) -> SysResult<u64> {
        let folder = wide(folder);
        let mut free = 0;
        // SAFETY: the name ends with a zero, `free` is a place for 64 bits, the other figures are
        // not asked for.
        let got = unsafe {
            GetDiskFreeSpaceExW(
                folder.as_ptr(),
                &raw mut free,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        match got {
            0 => Err(last_error("GetDiskFreeSpaceExW")),
            _ => Ok(free),
        }
    }

    fn create_private_folder(&self, path: &Path, elevated: bool) -> SysResult<()> {
        let sddl = wide(if elevated { ADMINISTRATORS } else { AND_OWNER });
        let path = wide(path);
        let mut descriptor = ptr::null_mut();
        // SAFETY: the text ends with a zero; `descriptor` becomes a block that is freed below.
        let made = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                sddl.as_ptr(),
                SDDL_REVISION_1,
                &raw mut descriptor,
                ptr::null_mut(),
            )
        };
        if made == 0 {
            return Err(last_error(
                "ConvertStringSecurityDescriptorToSecurityDescriptorW",
            ));
        }
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: descriptor,
            bInheritHandle: 0,
        };
        // SAFETY: the name ends with a zero, the descriptor is valid until it is freed below.
        let created = unsafe { CreateDirectoryW(path.as_ptr(), &raw const attributes) };
        let outcome = match created {
            0 => Err(last_error("CreateDirectoryW")),
            _ => Ok(()),
        };
        // SAFETY: the block that was given above, used no more.
        unsafe { LocalFree(descriptor) };
        outcome
    }

    fn usage(&self) -> Usage {
        Usage {
            cpu_ms: cpu_ms(),
            peak_rss_bytes: peak_working_set(),
            read_bytes: read_bytes(),
        }
    }
}

fn computer_name() -> Option<String> {
    // The longest DNS label has 63 characters; Windows allows its names 63 too.
    let mut buffer = [0u16; 256];
    let mut units = buffer.len() as u32;
    // SAFETY: `buffer` has the number of units that is given.
    let got = unsafe {
        GetComputerNameExW(
            ComputerNamePhysicalDnsHostname,
            buffer.as_mut_ptr(),
            &raw mut units,
        )
    };
    (got != 0).then(|| text(&buffer))
}

fn version() -> Option<OsVersion> {
    let mut version = OSVERSIONINFOEXW {
        dwOSVersionInfoSize: size_of::<OSVERSIONINFOEXW>() as u32,
        ..OSVERSIONINFOEXW::default()
    };
    // SAFETY: the call takes this longer structure too, whose size says so.
    if unsafe { RtlGetVersion((&raw mut version).cast()) } != 0 {
        return None;
    }
    Some(OsVersion {
        major: version.dwMajorVersion,
        minor: version.dwMinorVersion,
        build: version.dwBuildNumber,
        product_type: Some(version.wProductType.into()),
        service_pack: Some(version.wServicePackMajor.into()),
        architecture: architecture().map(str::to_owned),
    })
}

fn architecture() -> Option<&'static str> {
    let mut system = SYSTEM_INFO::default();
    // SAFETY: `system` is a place for what is asked.
    unsafe { GetNativeSystemInfo(&raw mut system) };
    // SAFETY: every bit pattern of this union is a valid number.
    match unsafe { system.Anonymous.Anonymous.wProcessorArchitecture } {
        PROCESSOR_ARCHITECTURE_AMD64 => Some("x64"),
        PROCESSOR_ARCHITECTURE_ARM64 => Some("arm64"),
        PROCESSOR_ARCHITECTURE_INTEL => Some("x86"),
        _ => None,
    }
}

fn ui_language() -> Option<String> {
    // LOCALE_NAME_MAX_LENGTH
    let mut buffer = [0u16; 85];
    // SAFETY: takes nothing and gives a number.
    let language = unsafe { GetSystemDefaultUILanguage() };
    // SAFETY: `buffer` has the number of units that is given. A language in its default sort order
    // is the locale id of that number.
    let got =
        unsafe { LCIDToLocaleName(language.into(), buffer.as_mut_ptr(), buffer.len() as i32, 0) };
    (got > 0).then(|| text(&buffer))
}

/// Minutes to add to local time to get UTC, and the key name of the zone.
fn time_zone() -> Option<(i32, String)> {
    let mut zone = DYNAMIC_TIME_ZONE_INFORMATION::default();
    // SAFETY: `zone` is a place for what is asked.
    let in_force = unsafe { GetDynamicTimeZoneInformation(&raw mut zone) };
    let more = match in_force {
        NO_ZONE => return None,
        STANDARD => zone.StandardBias,
        DAYLIGHT => zone.DaylightBias,
        _ => 0,
    };
    Some((zone.Bias.saturating_add(more), text(&zone.TimeZoneKeyName)))
}

fn cpu_ms() -> Option<u64> {
    let [mut created, mut ended, mut kernel, mut user] = [FILETIME::default(); 4];
    // SAFETY: the pseudo handle of this process is always valid; four places for times.
    let got = unsafe {
        GetProcessTimes(
            GetCurrentProcess(),
            &raw mut created,
            &raw mut ended,
            &raw mut kernel,
            &raw mut user,
        )
    };
    // Times count in 100 ns.
    let ticks =
        |time: FILETIME| (u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime);
    (got != 0).then(|| (ticks(kernel) + ticks(user)) / 10_000)
}

fn peak_working_set() -> Option<u64> {
    let size = size_of::<PROCESS_MEMORY_COUNTERS>() as u32;
    let mut counters = PROCESS_MEMORY_COUNTERS::default();
    // SAFETY: the pseudo handle of this process is always valid, the structure has that size.
    let got = unsafe { K32GetProcessMemoryInfo(GetCurrentProcess(), &raw mut counters, size) };
    (got != 0).then_some(counters.PeakWorkingSetSize as u64)
}

fn read_bytes() -> Option<u64> {
    let mut counters = IO_COUNTERS::default();
    // SAFETY: the pseudo handle of this process is always valid; a place for the counters.
    let got = unsafe { GetProcessIoCounters(GetCurrentProcess(), &raw mut counters) };
    (got != 0).then_some(counters.ReadTransferCount)
}
