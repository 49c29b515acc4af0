//! Texts of Win32: UTF-16 with a zero at the end. And the error of the last call.

use std::ffi::OsStr;
use std::os::windows::ffi::OsStrExt;

use snapdiag_bundle::OsError;
use windows_sys::Win32::Foundation::GetLastError;

use crate::system::os_error;

/// A text for Win32, with its zero.
pub(super) fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// A text of Win32 up to its first zero; what is no UTF-16 becomes U+FFFD.
pub(super) fn text(units: &[u16]) -> String {
    let end = units.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(units.get(..end.unwrap_or(units.len())).unwrap_or_default())
}

/// The error of the call that has just failed on this thread.
pub(super) fn last_error(call: &str) -> OsError {
    // SAFETY: reads a number that belongs to this thread.
    os_error(call, unsafe { GetLastError() })
}

/// Nothing, or the error that a call gave as its answer.
pub(super) fn checked(call: &str, code: u32) -> Result<(), OsError> {
    match code {
        0 => Ok(()),
        code => Err(os_error(call, code)),
    }
}
