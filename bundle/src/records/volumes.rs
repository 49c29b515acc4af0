//! `volumes/volumes.json`: volumes, their space and the raw figures of their NTFS metafiles.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::manifest::OsError;

/// All mounted volumes (`FindFirstVolumeW`, `GetVolumePathNamesForVolumeNameW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Volumes {
    /// When.
    pub taken_at: Timestamp,
    /// In the order of Windows.
    pub volumes: Vec<Volume>,
}

/// `GetDriveTypeW`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum VolumeKind {
    /// `DRIVE_UNKNOWN`
    Unknown,
    /// `DRIVE_NO_ROOT_DIR`
    NoRoot,
    /// `DRIVE_REMOVABLE`
    Removable,
    /// `DRIVE_FIXED`
    Fixed,
    /// `DRIVE_REMOTE`
    Remote,
    /// `DRIVE_CDROM`
    Optical,
    /// `DRIVE_RAMDISK`
    RamDisk,
}

/// One volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Volume {
    /// Volume GUID in braces, upper case.
    pub guid: Option<String>,
    /// Drive letter, upper case, such as `C`.
    pub letter: Option<char>,
    /// All mount points, such as `C:\` or `C:\mnt\data\`.
    #[serde(default)]
    pub mount_points: Vec<String>,
    /// Kind of drive.
    pub kind: VolumeKind,
    /// File system, such as `NTFS`, `ReFS`, `FAT32` (`GetVolumeInformationW`).
    pub file_system: Option<String>,
    /// The volume holds the running Windows.
    pub system: Option<bool>,
    /// Capacity, bytes (`GetDiskFreeSpaceExW`).
    pub size_bytes: Option<u64>,
    /// Free, bytes.
    pub free_bytes: Option<u64>,
    /// The dirty bit: a check at the next start (`FSCTL_IS_VOLUME_DIRTY`, `VOLUME_IS_DIRTY`).
    pub dirty: Option<bool>,
    /// For NTFS: its figures.
    pub ntfs: Option<NtfsVolumeData>,
    /// For NTFS: its change journal; `null` also when there is none (then `errors` has 1179,
    /// `ERROR_JOURNAL_NOT_ACTIVE`).
    pub usn_journal: Option<UsnJournal>,
    /// For NTFS: raw FILE records of metafiles, fixups as on disk or applied by Windows.
    #[serde(default)]
    pub metafiles: Vec<MetafileRecord>,
    /// Storage that shadow copies use on this volume, bytes (VSS).
    pub shadow_used_bytes: Option<u64>,
    /// Cap on that storage, bytes.
    pub shadow_maximum_bytes: Option<u64>,
    /// Calls that failed on this volume.
    #[serde(default)]
    pub errors: Vec<OsError>,
}

/// `NTFS_VOLUME_DATA_BUFFER` (`FSCTL_GET_NTFS_VOLUME_DATA`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NtfsVolumeData {
    /// Bytes in a sector.
    pub bytes_per_sector: u32,
    /// Bytes in a cluster.
    pub bytes_per_cluster: u32,
    /// Bytes in a FILE record: 1024 or 4096.
    pub bytes_per_file_record: u32,
    /// Clusters of the volume.
    pub total_clusters: u64,
    /// Free clusters.
    pub free_clusters: u64,
    /// Reserved clusters.
    pub reserved_clusters: Option<u64>,
    /// Valid length of `$MFT`, bytes.
    pub mft_valid_bytes: u64,
    /// First cluster of `$MFT`.
    pub mft_start_lcn: Option<u64>,
    /// First cluster of the zone kept free for `$MFT`.
    pub mft_zone_start_lcn: Option<u64>,
    /// End of that zone.
    pub mft_zone_end_lcn: Option<u64>,
}

/// `USN_JOURNAL_DATA_V0` (`FSCTL_QUERY_USN_JOURNAL`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsnJournal {
    /// Journal id.
    pub journal_id: u64,
    /// First USN kept: an offset, bytes.
    pub first_usn: i64,
    /// Next USN: an offset, bytes.
    pub next_usn: i64,
    /// Target size, bytes.
    pub maximum_bytes: u64,
    /// Step by which it grows and is cut, bytes.
    pub allocation_delta_bytes: u64,
}

/// One raw FILE record (`FSCTL_GET_NTFS_FILE_RECORD`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MetafileRecord {
    /// Record number: 0 `$MFT`, 2 `$LogFile`, 9 `$Secure`, 11 `$Extend`, or that of a child.
    pub record_number: u64,
    /// Name, for people; the record has its own.
    pub name: Option<String>,
    /// The record, lower-case hex.
    pub data_hex: String,
}
