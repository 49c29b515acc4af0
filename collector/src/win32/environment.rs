//! The environment of another process, out of its memory.

use std::ptr;

use windows_sys::Wdk::System::Threading::{NtQueryInformationProcess, ProcessBasicInformation};
use windows_sys::Win32::Foundation::{CloseHandle, ERROR_INVALID_DATA, HANDLE};
use windows_sys::Win32::System::Diagnostics::Debug::ReadProcessMemory;
use windows_sys::Win32::System::Threading::{
    OpenProcess, PROCESS_QUERY_INFORMATION, PROCESS_VM_READ,
};

use super::native::Buffer;
use super::wide::last_error;
use crate::system::{SysResult, os_error};

/// Bytes of `PROCESS_BASIC_INFORMATION` in a process of 64 bits.
const BASIC: usize = 48;
/// Where in it the address of the process environment block (PEB) stands.
const PEB: usize = 8;
/// Where in the PEB the address of `RTL_USER_PROCESS_PARAMETERS` stands.
const PARAMETERS: u64 = 0x20;
/// Where in those the address of the environment stands, and its size (Vista and later).
const ENVIRONMENT: u64 = 0x80;
const ENVIRONMENT_SIZE: u64 = 0x3F0;
/// Largest environment that is read, bytes.
const LARGEST: u64 = 256 * 1024;

/// The environment of a process of 64 bits, text by text.
pub(super) fn of(pid: u32) -> SysResult<Vec<String>> {
    let process = Process::open(pid)?;
    let parameters = process.number(process.peb()? + PARAMETERS)?;
    let environment = process.number(parameters + ENVIRONMENT)?;
    let size = process.number(parameters + ENVIRONMENT_SIZE)?.min(LARGEST);
    let block = process.read(environment, usize::try_from(size).unwrap_or(0))?;
    let (units, _) = block.bytes().as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    let texts = units.split(|unit| *unit == 0);
    Ok(texts
        .take_while(|text| !text.is_empty())
        .map(String::from_utf16_lossy)
        .collect())
}

struct Process(HANDLE);

impl Process {
    fn open(pid: u32) -> SysResult<Self> {
        const ACCESS: u32 = PROCESS_QUERY_INFORMATION | PROCESS_VM_READ;
        // SAFETY: takes numbers and answers a handle or null.
        let process = unsafe { OpenProcess(ACCESS, 0, pid) };
        if process.is_null() {
            return Err(last_error("OpenProcess"));
        }
        Ok(Self(process))
    }

    fn peb(&self) -> SysResult<u64> {
        let call = "NtQueryInformationProcess";
        let mut answer = Buffer::new(BASIC);
        // SAFETY: the process is open and the buffer as long as the call is told.
        let status = unsafe {
            NtQueryInformationProcess(
                self.0,
                ProcessBasicInformation,
                answer.as_mut_ptr(),
                answer.size(),
                ptr::null_mut(),
            )
        };
        if status < 0 {
            return Err(os_error(call, status.cast_unsigned()));
        }
        answer
            .read(PEB)
            .ok_or_else(|| os_error(call, ERROR_INVALID_DATA))
    }

    fn number(&self, address: u64) -> SysResult<u64> {
        let answer = self.read(address, size_of::<u64>())?;
        answer
            .read(0)
            .ok_or_else(|| os_error("ReadProcessMemory", ERROR_INVALID_DATA))
    }

    fn read(&self, address: u64, bytes: usize) -> SysResult<Buffer> {
        let mut answer = Buffer::new(bytes);
        let mut got = 0;
        // SAFETY: the process is open, the address is one of that process, which the call checks,
        // and the buffer is as long as the call is told.
        let done = unsafe {
            ReadProcessMemory(
                self.0,
                ptr::with_exposed_provenance(usize::try_from(address).unwrap_or(0)),
                answer.as_mut_ptr(),
                bytes,
                &raw mut got,
            )
        };
        if done == 0 {
            return Err(last_error("ReadProcessMemory"));
        }
        answer.cut(got);
        Ok(answer)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `open` and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}
