//! Files through `std`, which calls what [`Files`] names; the rest by hand.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::windows::ffi::OsStringExt;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::ptr;

use jiff::Timestamp;
use windows_sys::Win32::Foundation::LocalFree;
use windows_sys::Win32::Security::Authorization::{
    ConvertSecurityDescriptorToStringSecurityDescriptorW, GetNamedSecurityInfoW, SDDL_REVISION_1,
    SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, OWNER_SECURITY_INFORMATION,
    PSECURITY_DESCRIPTOR,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_DIRECTORY, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_SEQUENTIAL_SCAN,
    FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, GetFileAttributesW,
    INVALID_FILE_ATTRIBUTES,
};
use windows_sys::Win32::System::SystemInformation::GetSystemWindowsDirectoryW;

use super::Windows;
use super::wide::{checked, last_error, text, wide};
use crate::system::SysResult;
use crate::system::files::{Files, Found, Listing, SharedFile, io_error};

impl Files for Windows {
    fn system_root(&self) -> SysResult<PathBuf> {
        // The folder of Windows lies below a root; MAX_PATH holds it.
        let mut buffer = [0_u16; 260];
        // SAFETY: the buffer is as long as the call is told.
        let length = unsafe { GetSystemWindowsDirectoryW(buffer.as_mut_ptr(), 260) };
        match buffer.get(..length as usize) {
            Some(units) if length > 0 => Ok(OsString::from_wide(units).into()),
            _ => Err(last_error("GetSystemWindowsDirectoryW")),
        }
    }

    fn open_shared(&self, path: &Path) -> SysResult<SharedFile> {
        let file = OpenOptions::new()
            .read(true)
            .share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_SEQUENTIAL_SCAN)
            .open(path)
            .map_err(|error| io_error("CreateFileW", &error))?;
        let metadata = file
            .metadata()
            .map_err(|error| io_error("GetFileInformationByHandle", &error))?;
        Ok(SharedFile {
            reader: Box::new(file),
            size_bytes: metadata.len(),
        })
    }

    fn list(&self, folder: &Path) -> SysResult<Listing> {
        let failed = |error: io::Error| io_error("FindFirstFileW", &error);
        let entries = fs::read_dir(folder).map_err(failed)?;
        Ok(Box::new(entries.map(move |entry| {
            let entry = entry.map_err(failed)?;
            // On Windows this is what the folder said; nothing is opened.
            let metadata = entry.metadata().map_err(failed)?;
            Ok(found(entry.file_name(), &metadata))
        })))
    }

    fn look_up(&self, path: &Path) -> SysResult<Found> {
        let metadata =
            fs::symlink_metadata(path).map_err(|error| io_error("CreateFileW", &error))?;
        Ok(found(
            path.file_name().unwrap_or_default().to_owned(),
            &metadata,
        ))
    }

    fn is_directory(&self, path: &Path) -> SysResult<bool> {
        let path = wide(path);
        // SAFETY: the text ends in a zero.
        match unsafe { GetFileAttributesW(path.as_ptr()) } {
            INVALID_FILE_ATTRIBUTES => Err(last_error("GetFileAttributesW")),
            attributes => Ok(attributes & FILE_ATTRIBUTE_DIRECTORY != 0),
        }
    }

    fn sddl(&self, path: &Path) -> SysResult<String> {
        const PARTS: u32 =
            OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
        let path = wide(path);
        let mut descriptor: PSECURITY_DESCRIPTOR = ptr::null_mut();
        // SAFETY: the text ends in a zero; parts that are not wanted on their own may be null.
        let code = unsafe {
            GetNamedSecurityInfoW(
                path.as_ptr(),
                SE_FILE_OBJECT,
                PARTS,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                &raw mut descriptor,
            )
        };
        checked("GetNamedSecurityInfoW", code)?;
        let mut written: *mut u16 = ptr::null_mut();
        let mut length = 0;
        // SAFETY: the descriptor is the one that the call above allocated.
        let done = unsafe {
            ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor,
                SDDL_REVISION_1,
                PARTS,
                &raw mut written,
                &raw mut length,
            )
        };
        let answer = if done == 0 || written.is_null() {
            Err(last_error(
                "ConvertSecurityDescriptorToStringSecurityDescriptorW",
            ))
        } else {
            // SAFETY: the call allocated that many units.
            Ok(text(unsafe {
                std::slice::from_raw_parts(written, length as usize)
            }))
        };
        // SAFETY: both were allocated by the calls above for LocalFree, which takes null as well.
        unsafe {
            LocalFree(written.cast());
            LocalFree(descriptor);
        }
        answer
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }
}

fn found(name: OsString, metadata: &Metadata) -> Found {
    let modified = metadata.modified().ok();
    Found {
        name: name.to_string_lossy().into_owned(),
        directory: metadata.is_dir(),
        size_bytes: metadata.len(),
        modified_at: modified.and_then(|time| Timestamp::try_from(time).ok()),
    }
}
