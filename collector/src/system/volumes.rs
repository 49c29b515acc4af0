//! Volumes and the raw figures of NTFS.

use snapdiag_bundle::records::{NtfsVolumeData, UsnJournal, VolumeKind};

use super::{SysResult, not_implemented};

/// Volumes and the raw figures of NTFS. A *root* is a path with a backslash at its end, such as
/// `C:\` or `\\?\Volume{…}\`; a *device* is the same without it, below `\\.\` or `\\?\`.
pub trait Volumes: Send + Sync {
    /// The roots of all volumes by GUID (`FindFirstVolumeW`).
    ///
    /// # Errors
    /// That of the call.
    fn volumes(&self) -> SysResult<Vec<String>> {
        not_implemented("FindFirstVolumeW")
    }

    /// Where a volume is mounted, such as `C:\` (`GetVolumePathNamesForVolumeNameW`).
    ///
    /// # Errors
    /// That of the call.
    fn mount_points(&self, root: &str) -> SysResult<Vec<String>> {
        let _ = root;
        not_implemented("GetVolumePathNamesForVolumeNameW")
    }

    /// The drive letters in use, also of the network and of `subst` (`GetLogicalDrives`).
    ///
    /// # Errors
    /// That of the call.
    fn letters(&self) -> SysResult<Vec<char>> {
        not_implemented("GetLogicalDrives")
    }

    /// Kind of a drive; does not touch what is in it (`GetDriveTypeW`).
    fn kind(&self, root: &str) -> VolumeKind {
        let _ = root;
        VolumeKind::Unknown
    }

    /// Name of the file system (`GetVolumeInformationW`).
    ///
    /// # Errors
    /// That of the call.
    fn file_system(&self, root: &str) -> SysResult<String> {
        let _ = root;
        not_implemented("GetVolumeInformationW")
    }

    /// Capacity and free bytes, quotas aside (`GetDiskFreeSpaceExW`).
    ///
    /// # Errors
    /// That of the call.
    fn space(&self, root: &str) -> SysResult<Space> {
        let _ = root;
        not_implemented("GetDiskFreeSpaceExW")
    }

    /// Whether the volume is checked at the next start (`FSCTL_IS_VOLUME_DIRTY`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn dirty(&self, device: &str) -> SysResult<bool> {
        let _ = device;
        not_implemented("FSCTL_IS_VOLUME_DIRTY")
    }

    /// Figures of NTFS (`FSCTL_GET_NTFS_VOLUME_DATA`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn ntfs(&self, device: &str) -> SysResult<NtfsVolumeData> {
        let _ = device;
        not_implemented("FSCTL_GET_NTFS_VOLUME_DATA")
    }

    /// The change journal (`FSCTL_QUERY_USN_JOURNAL`).
    ///
    /// # Errors
    /// That of the call that failed: 1179 where there is none.
    fn usn_journal(&self, device: &str) -> SysResult<UsnJournal> {
        let _ = device;
        not_implemented("FSCTL_QUERY_USN_JOURNAL")
    }

    /// The FILE record of a number, or the nearest one below that is in use, of a volume with
    /// records of so many bytes (`FSCTL_GET_NTFS_FILE_RECORD`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn file_record(&self, device: &str, number: u64, bytes: u32) -> SysResult<FileRecord> {
        let _ = (device, number, bytes);
        not_implemented("FSCTL_GET_NTFS_FILE_RECORD")
    }
}

/// Space of a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Capacity, bytes.
    pub size_bytes: u64,
    /// Free, bytes.
    pub free_bytes: u64,
}

/// A FILE record as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRecord {
    /// Its own number.
    pub number: u64,
    /// The record.
    pub data: Vec<u8>,
}
