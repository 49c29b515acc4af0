//! Files of the machine: shared reading of what is in use, what exists, access control.

use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use snapdiag_bundle::OsError;

use super::{SysResult, not_implemented, os_error};

/// Files of the machine: shared reading of what is in use, what exists, access control.
pub trait Files: Send + Sync {
    /// The folder of Windows, such as `C:\Windows` (`GetSystemWindowsDirectoryW`).
    ///
    /// # Errors
    /// That of the call.
    fn system_root(&self) -> SysResult<PathBuf> {
        not_implemented("GetSystemWindowsDirectoryW")
    }

    /// Opens a file for reading whatever others do with it, and past its access control where the
    /// backup privilege is enabled (`CreateFileW`, shared for reading, writing and deleting).
    ///
    /// # Errors
    /// That of the call: 32 where another program denies sharing.
    fn open_shared(&self, path: &Path) -> SysResult<SharedFile> {
        let _ = path;
        not_implemented("CreateFileW")
    }

    /// What is in a folder, in the order of the file system (`FindFirstFileW`).
    ///
    /// # Errors
    /// That of the call: 2 or 3 where there is no such folder.
    fn list(&self, folder: &Path) -> SysResult<Listing> {
        let _ = folder;
        not_implemented("FindFirstFileW")
    }

    /// One file or folder; a link is not followed (`CreateFileW` without access).
    ///
    /// # Errors
    /// That of the call: 2 or 3 where there is no such file.
    fn look_up(&self, path: &Path) -> SysResult<Found> {
        let _ = path;
        not_implemented("CreateFileW")
    }

    /// Whether a path is a directory (`GetFileAttributesW`).
    ///
    /// # Errors
    /// That of the call: 2 or 3 where it does not exist.
    fn is_directory(&self, path: &Path) -> SysResult<bool> {
        let _ = path;
        not_implemented("GetFileAttributesW")
    }

    /// Owner, group and access control list as SDDL (`GetNamedSecurityInfoW`,
    /// `ConvertSecurityDescriptorToStringSecurityDescriptorW`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn sddl(&self, path: &Path) -> SysResult<String> {
        let _ = path;
        not_implemented("GetNamedSecurityInfoW")
    }

    /// An environment variable of the collector itself.
    fn variable(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }
}

/// What is in a folder, one by one; an error ends it.
pub type Listing = Box<dyn Iterator<Item = SysResult<Found>>>;

/// A file that was opened for shared reading.
pub struct SharedFile {
    /// Its bytes, read from the start.
    pub reader: Box<dyn Read + Send>,
    /// Its size when it was opened, bytes.
    pub size_bytes: u64,
}

impl fmt::Debug for SharedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedFile")
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// A file or folder as its folder lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name without the folder.
    pub name: String,
    /// Whether it is a folder.
    pub directory: bool,
    /// Size, bytes.
    pub size_bytes: u64,
    /// Last write.
    pub modified_at: Option<Timestamp>,
}

/// The error of a call that `std` made: the code of Windows, or `ERROR_GEN_FAILURE` (31) where
/// there is none.
pub fn io_error(call: &str, error: &io::Error) -> OsError {
    const GENERAL_FAILURE: u32 = 31;
    let code = error
        .raw_os_error()
        .and_then(|code| u32::try_from(code).ok());
    os_error(call, code.unwrap_or(GENERAL_FAILURE))
}
