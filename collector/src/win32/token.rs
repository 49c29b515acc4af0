//! The rights of the collector: the token of its process.

use std::ptr;

use windows_sys::Win32::Foundation::{CloseHandle, GetLastError, HANDLE, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, GetTokenInformation, LUID_AND_ATTRIBUTES, LookupPrivilegeNameW,
    LookupPrivilegeValueW, SE_PRIVILEGE_ENABLED, TOKEN_ADJUST_PRIVILEGES, TOKEN_ELEVATION,
    TOKEN_INFORMATION_CLASS, TOKEN_PRIVILEGES, TOKEN_QUERY, TokenElevation, TokenPrivileges,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::wide::{last_error, text, wide};
use crate::system::SysResult;

/// Longest name of a privilege, UTF-16 units; the longest that there is has 43.
const NAME_UNITS: usize = 128;

/// The token of this process, closed when dropped.
pub(super) struct Token(HANDLE);

impl Drop for Token {
    fn drop(&mut self) {
        // SAFETY: the handle is this struct's own and is used no more.
        unsafe { CloseHandle(self.0) };
    }
}

impl Token {
    pub(super) fn open() -> SysResult<Self> {
        let mut token = ptr::null_mut();
        // SAFETY: the pseudo handle of this process is always valid, `token` is a place for a
        // handle.
        let opened = unsafe {
            OpenProcessToken(
                GetCurrentProcess(),
                TOKEN_QUERY | TOKEN_ADJUST_PRIVILEGES,
                &raw mut token,
            )
        };
        match opened {
            0 => Err(last_error("OpenProcessToken")),
            _ => Ok(Self(token)),
        }
    }

    pub(super) fn elevated(&self) -> SysResult<bool> {
        let mut elevation = TOKEN_ELEVATION::default();
        let mut size = 0;
        // SAFETY: the buffer is a TOKEN_ELEVATION of the size that is given.
        let got = unsafe {
            GetTokenInformation(
                self.0,
                TokenElevation,
                (&raw mut elevation).cast(),
                size_of::<TOKEN_ELEVATION>() as u32,
                &raw mut size,
            )
        };
        match got {
            0 => Err(last_error("GetTokenInformation")),
            _ => Ok(elevation.TokenIsElevated != 0),
        }
    }

    /// Enables a privilege, if the token has it.
    pub(super) fn enable(&self, name: &str) -> SysResult<()> {
        let name = wide(name);
        let mut luid = LUID::default();
        // SAFETY: the name ends with a zero, `luid` is a place for an id.
        let known = unsafe { LookupPrivilegeValueW(ptr::null(), name.as_ptr(), &raw mut luid) };
        if known == 0 {
            return Err(last_error("LookupPrivilegeValueW"));
        }
        let wanted = TOKEN_PRIVILEGES {
            PrivilegeCount: 1,
            Privileges: [LUID_AND_ATTRIBUTES {
                Luid: luid,
                Attributes: SE_PRIVILEGE_ENABLED,
            }],
        };
        // SAFETY: `wanted` holds one privilege, as it says; the old state is not asked for.
        let adjusted = unsafe {
            AdjustTokenPrivileges(
                self.0,
                0,
                &raw const wanted,
                0,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        // It succeeds too when the token does not have the privilege, and says so here.
        // SAFETY: reads a number that belongs to this thread.
        let code = unsafe { GetLastError() };
        match (adjusted, code) {
            (0, _) => Err(last_error("AdjustTokenPrivileges")),
            (_, code) => super::wide::checked("AdjustTokenPrivileges", code),
        }
    }

    /// The names of the enabled privileges, sorted.
    pub(super) fn enabled(&self) -> SysResult<Vec<String>> {
        let table = self.information(TokenPrivileges)?;
        let count = table.first().copied().unwrap_or_default() as usize;
        // A count, then for each: the two halves of its id, its attributes. All are 32 bits.
        let rows = table.get(1..).unwrap_or_default().chunks_exact(3);
        let mut names: Vec<String> = rows
            .take(count)
            .filter(|row| matches!(row, [.., attributes] if attributes & SE_PRIVILEGE_ENABLED != 0))
            .filter_map(|row| match row {
                [low, high, _] => name(LUID {
                    LowPart: *low,
                    HighPart: high.cast_signed(),
                }),
                _ => None,
            })
            .collect();
        names.sort();
        Ok(names)
    }

    /// Information of the token that is made of 32-bit numbers.
    fn information(&self, class: TOKEN_INFORMATION_CLASS) -> SysResult<Vec<u32>> {
        let mut size = 0;
        // SAFETY: without a buffer it only says which size it needs.
        unsafe { GetTokenInformation(self.0, class, ptr::null_mut(), 0, &raw mut size) };
        let mut table = vec![0u32; (size as usize).div_ceil(size_of::<u32>())];
        let room = (table.len() * size_of::<u32>()) as u32;
        // SAFETY: the buffer has the size that is given, and 32-bit alignment, which its structure
        // asks for.
        let got = unsafe {
            GetTokenInformation(
                self.0,
                class,
                table.as_mut_ptr().cast(),
                room,
                &raw mut size,
            )
        };
        match got {
            0 => Err(last_error("GetTokenInformation")),
            _ => Ok(table),
        }
    }
}

fn name(luid: LUID) -> Option<String> {
    let mut buffer = [0u16; NAME_UNITS];
    let mut units = NAME_UNITS as u32;
    // SAFETY: `buffer` has the number of units that is given.
    let got = unsafe {
        LookupPrivilegeNameW(
            ptr::null(),
            &raw const luid,
            buffer.as_mut_ptr(),
            &raw mut units,
        )
    };
    (got != 0).then(|| text(&buffer))
}
