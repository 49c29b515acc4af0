//! The registry.

use std::path::Path;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_MORE_DATA, ERROR_NO_MORE_ITEMS, FILETIME};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, HKEY_USERS, KEY_READ, REG_LATEST_FORMAT, RegCloseKey, RegEnumKeyExW,
    RegEnumValueW, RegOpenKeyExW, RegQueryInfoKeyW, RegSaveKeyExW,
};

use super::Windows;
use super::wide::{checked, text, wide};
use crate::system::registry::{Key, Registry, Root, Value};
use crate::system::{SysResult, os_error};

/// Longest name of a value, in UTF-16 units with its zero; one of a key has at most 255.
const LONGEST_NAME: usize = 16_384;
/// Values with more data than this are not read.
const LARGEST_VALUE: usize = 1024 * 1024;

impl Registry for Windows {
    fn save_hive(&self, key: &str, file: &Path) -> SysResult<()> {
        let key = Opened::at(Root::LocalMachine, key)?;
        let file = wide(file);
        // SAFETY: the key is open and the file name ends in a zero.
        let code = unsafe { RegSaveKeyExW(key.0, file.as_ptr(), ptr::null(), REG_LATEST_FORMAT) };
        checked("RegSaveKeyExW", code)
    }

    fn key(&self, root: Root, path: &str) -> SysResult<Key> {
        let key = Opened::at(root, path)?;
        let (last_write, largest) = key.info()?;
        let mut values = Vec::new();
        let mut name = vec![0; LONGEST_NAME];
        let mut data = vec![0; largest];
        while let Some(value) = key.value(values.len(), &mut name, &mut data)? {
            values.push(value);
        }
        Ok(Key { last_write, values })
    }

    fn subkeys(&self, root: Root, path: &str) -> SysResult<Vec<String>> {
        let key = Opened::at(root, path)?;
        let mut names = Vec::new();
        while let Some(name) = key.subkey(names.len())? {
            names.push(name);
        }
        Ok(names)
    }
}

/// An open key.
struct Opened(HKEY);

impl Opened {
    fn at(root: Root, path: &str) -> SysResult<Self> {
        let root = match root {
            Root::LocalMachine => HKEY_LOCAL_MACHINE,
            Root::Users => HKEY_USERS,
        };
        let path = wide(path);
        let mut key = ptr::null_mut();
        // SAFETY: the path ends in a zero and the answer goes to a handle of our own.
        let code = unsafe { RegOpenKeyExW(root, path.as_ptr(), 0, KEY_READ, &raw mut key) };
        checked("RegOpenKeyExW", code)?;
        Ok(Self(key))
    }

    /// Last write, and the bytes of the largest value.
    fn info(&self) -> SysResult<(u64, usize)> {
        let mut largest = 0;
        let mut time = FILETIME::default();
        // SAFETY: the key is open; what is not asked for may be null.
        let code = unsafe {
            RegQueryInfoKeyW(
                self.0,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &raw mut largest,
                ptr::null_mut(),
                &raw mut time,
            )
        };
        checked("RegQueryInfoKeyW", code)?;
        let last_write = (u64::from(time.dwHighDateTime) << 32) | u64::from(time.dwLowDateTime);
        Ok((last_write, (largest as usize).min(LARGEST_VALUE)))
    }

    /// The value at a position, `None` past the last. The buffer grows when a value has grown.
    fn value(
        &self,
        position: usize,
        name: &mut [u16],
        data: &mut Vec<u8>,
    ) -> SysResult<Option<Value>> {
        loop {
            let mut name_length = length(name.len());
            let mut data_length = length(data.len());
            let mut value_type = 0;
            // SAFETY: both buffers are as long as the call is told.
            let code = unsafe {
                RegEnumValueW(
                    self.0,
                    length(position),
                    name.as_mut_ptr(),
                    &raw mut name_length,
                    ptr::null(),
                    &raw mut value_type,
                    data.as_mut_ptr(),
                    &raw mut data_length,
                )
            };
            if code == ERROR_NO_MORE_ITEMS {
                return Ok(None);
            }
            if code == ERROR_MORE_DATA && data.len() < LARGEST_VALUE {
                data.resize((data.len() * 2).clamp(4096, LARGEST_VALUE), 0);
                continue;
            }
            checked("RegEnumValueW", code)?;
            let data = data.get(..data_length as usize).unwrap_or_default();
            return Ok(Some(Value {
                name: text(name),
                value_type,
                data: data.to_vec(),
            }));
        }
    }

    /// The name of the subkey at a position, `None` past the last.
    fn subkey(&self, position: usize) -> SysResult<Option<String>> {
        let mut name = [0; 256];
        let mut name_length = 256;
        // SAFETY: the buffer is as long as the call is told; what is not asked for may be null.
        let code = unsafe {
            RegEnumKeyExW(
                self.0,
                length(position),
                name.as_mut_ptr(),
                &raw mut name_length,
                ptr::null(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        match code {
            0 => Ok(Some(text(&name))),
            ERROR_NO_MORE_ITEMS => Ok(None),
            code => Err(os_error("RegEnumKeyExW", code)),
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // SAFETY: the key was opened by `at` and is closed once.
        unsafe { RegCloseKey(self.0) };
    }
}

fn length(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
