//! What several wrappers need of the system beneath Win32: answers of the kernel in buffers of
//! their own size, plain structures in buffers, functions that only newer versions have.

use std::ffi::CStr;

use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SYSTEM_INFORMATION_CLASS,
};
use windows_sys::Win32::Foundation::{
    ERROR_PROC_NOT_FOUND, HMODULE, STATUS_BUFFER_TOO_SMALL, STATUS_INFO_LENGTH_MISMATCH,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress, LoadLibraryW};
use windows_sys::Win32::System::SystemInformation::GetSystemDirectoryW;

use super::wide::{last_error, wide};
use crate::system::{SysResult, os_error};

/// Rounds in which a buffer may grow.
const ROUNDS: u32 = 8;
/// The largest answer taken, bytes.
const MOST: usize = 64 << 20;

/// Bytes aligned for every structure of Windows.
pub(super) struct Buffer {
    words: Vec<u64>,
    bytes: usize,
}

impl Buffer {
    /// A buffer of zeros.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            words: vec![0; bytes.div_ceil(8)],
            bytes,
        }
    }

    /// The first byte, to be written.
    pub(super) fn as_mut_ptr<T>(&mut self) -> *mut T {
        self.words.as_mut_ptr().cast()
    }

    /// Its size for a call.
    pub(super) fn size(&self) -> u32 {
        u32::try_from(self.bytes).unwrap_or(u32::MAX)
    }

    /// Forgets what lies behind that many bytes.
    pub(super) fn cut(&mut self, bytes: usize) {
        self.bytes = self.bytes.min(bytes);
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the words are initialised and hold at least that many bytes.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.bytes) }
    }

    /// The structure at an offset, where it lies within the buffer.
    pub(super) fn read<T: Plain>(&self, offset: usize) -> Option<T> {
        let end = offset.checked_add(size_of::<T>())?;
        let bytes = self.bytes().get(offset..end)?;
        // SAFETY: there are as many bytes as the structure needs, and any bytes are one.
        Some(unsafe { bytes.as_ptr().cast::<T>().read_unaligned() })
    }

    /// The UTF-16 text at that address, where it lies within the buffer. Windows puts texts behind
    /// the structures that point to them.
    pub(super) fn text(&self, address: *const u16, bytes: usize) -> Option<String> {
        let start = address.addr().checked_sub(self.words.as_ptr().addr())?;
        let units = self.bytes().get(start..start.checked_add(bytes)?)?;
        let units: Vec<u16> = units
            .as_chunks()
            .0
            .iter()
            .map(|unit| u16::from_le_bytes(*unit))
            .collect();
        Some(super::wide::text(&units))
    }
}

/// A structure for which every pattern of bits is a value.
///
/// # Safety
/// Only numbers and raw pointers are in it.
pub(super) unsafe trait Plain: Copy {}
// SAFETY: a number.
unsafe impl Plain for u32 {}
// SAFETY: a number.
unsafe impl Plain for u64 {}

/// A copy of a text that ends with a zero; `None` for null.
///
/// # Safety
/// The pointer is null or a text that ends with a zero.
pub(super) unsafe fn owned_text(text: *const u16) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let mut length = 0;
    // SAFETY: the caller promises a zero at the end, and nothing behind it is read.
    while unsafe { *text.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: so many units were just read.
    let units = unsafe { std::slice::from_raw_parts(text, length) };
    Some(String::from_utf16_lossy(units))
}

/// The size of a structure for a field or a parameter.
pub(super) fn size_of_u32<T>() -> u32 {
    u32::try_from(size_of::<T>()).unwrap_or(u32::MAX)
}

/// The answer of `NtQuerySystemInformation` of that class.
pub(super) fn query_system(class: SYSTEM_INFORMATION_CLASS, guess: usize) -> SysResult<Buffer> {
    const CALL: &str = "NtQuerySystemInformation";
    let mut bytes = guess;
    let mut status = STATUS_INFO_LENGTH_MISMATCH;
    for _ in 0..ROUNDS {
        let mut buffer = Buffer::new(bytes);
        let mut needed = 0;
        // SAFETY: the buffer is as large as said and aligned for every class.
        status = unsafe {
            NtQuerySystemInformation(class, buffer.as_mut_ptr(), buffer.size(), &raw mut needed)
        };
        if status >= 0 {
            buffer.cut(needed as usize);
            return Ok(buffer);
        }
        if status != STATUS_INFO_LENGTH_MISMATCH && status != STATUS_BUFFER_TOO_SMALL {
            break;
        }
        // What is listed grows between two calls.
        bytes = (needed as usize + (16 << 10)).max(bytes * 2).min(MOST);
    }
    Err(os_error(CALL, status.cast_unsigned()))
}

/// A DLL that stays loaded.
pub(super) struct Library(HMODULE);

impl Library {
    /// The kernel's Win32 library, which every program has loaded.
    pub(super) fn kernel32() -> SysResult<Self> {
        let name = wide("kernel32.dll");
        // SAFETY: the name ends with a zero.
        Self::checked("GetModuleHandleW", unsafe {
            GetModuleHandleW(name.as_ptr())
        })
    }

    /// Loads a DLL of Windows from its own directory, so that none of that name beside the program
    /// is taken.
    pub(super) fn system(name: &str) -> SysResult<Self> {
        let mut units = [0_u16; 260];
        let room = u32::try_from(units.len()).unwrap_or(0);
        // SAFETY: the buffer is as large as said.
        let length = unsafe { GetSystemDirectoryW(units.as_mut_ptr(), room) };
        if length == 0 || length >= room {
            return Err(last_error("GetSystemDirectoryW"));
        }
        let path = wide(format!("{}\\{name}", super::wide::text(&units)));
        // SAFETY: the path ends with a zero.
        Self::checked("LoadLibraryW", unsafe { LoadLibraryW(path.as_ptr()) })
    }

    fn checked(call: &str, handle: HMODULE) -> SysResult<Self> {
        if handle.is_null() {
            return Err(last_error(call));
        }
        Ok(Self(handle))
    }

    /// The address of a function; `ERROR_PROC_NOT_FOUND` where this version has none.
    pub(super) fn procedure(&self, name: &CStr) -> SysResult<Procedure> {
        // SAFETY: the module stays loaded, and the name ends with a zero.
        let address = unsafe { GetProcAddress(self.0, name.as_ptr().cast()) };
        address.ok_or_else(|| os_error(&name.to_string_lossy(), ERROR_PROC_NOT_FOUND))
    }
}

/// A function whose type its user knows.
pub(super) type Procedure = unsafe extern "system" fn() -> isize;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_a_buffer_is_read() {
        let mut buffer = Buffer::new(10);
        // SAFETY: the buffer holds ten bytes.
        unsafe { buffer.as_mut_ptr::<u16>().write(u16::from(b'A')) };
        let start = buffer.as_mut_ptr::<u16>().cast_const();
        assert_eq!(buffer.text(start, 4).as_deref(), Some("A"));
        assert_eq!(buffer.text(start, 12), None);
        assert_eq!(buffer.text(std::ptr::null(), 2), None);
        assert_eq!(buffer.read::<u32>(6), Some(0));
        assert_eq!(
            (buffer.read::<u32>(7), buffer.read::<u32>(usize::MAX)),
            (None, None)
        );
        buffer.cut(8);
        assert_eq!(buffer.read::<u32>(6), None);
    }

    #[test]
    fn a_function_that_is_missing_is_told_from_one_that_is_there() {
        let kernel32 = Library::kernel32().unwrap();
        assert!(kernel32.procedure(c"GetTickCount64").is_ok());
        let missing = kernel32.procedure(c"NoSuchFunction").err().unwrap();
        assert_eq!(
            (missing.call.as_str(), missing.code),
            ("NoSuchFunction", 127)
        );
        assert!(Library::system("no-such.dll").is_err());
    }
}
