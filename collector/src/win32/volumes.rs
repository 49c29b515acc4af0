//! Volumes.

use std::mem::offset_of;
use std::ptr;

use snapdiag_bundle::records::{NtfsVolumeData, UsnJournal, VolumeKind};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_INVALID_DATA, ERROR_MORE_DATA, ERROR_NO_MORE_FILES, GENERIC_READ, HANDLE,
    INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_SHARE_READ, FILE_SHARE_WRITE, FindFirstVolumeW, FindNextVolumeW,
    FindVolumeClose, GetDiskFreeSpaceExW, GetDriveTypeW, GetLogicalDrives, GetVolumeInformationW,
    GetVolumePathNamesForVolumeNameW, OPEN_EXISTING,
};
use windows_sys::Win32::System::IO::DeviceIoControl;
use windows_sys::Win32::System::Ioctl::{
    FSCTL_GET_NTFS_FILE_RECORD, FSCTL_GET_NTFS_VOLUME_DATA, FSCTL_IS_VOLUME_DIRTY,
    FSCTL_QUERY_USN_JOURNAL, NTFS_FILE_RECORD_OUTPUT_BUFFER, NTFS_VOLUME_DATA_BUFFER,
    USN_JOURNAL_DATA_V0, VOLUME_IS_DIRTY,
};

use super::Windows;
use super::native::{Buffer, Plain};
use super::wide::{last_error, text, wide};
use crate::system::volumes::{FileRecord, Space, Volumes};
use crate::system::{SysResult, os_error};

/// Units of a volume's name by GUID, with its zero.
const NAME: u32 = 50;
/// Most units that the mount points of one volume may take together.
const MOUNT_POINTS: usize = 64 * 1024;
/// Largest FILE record of NTFS.
const LARGEST_RECORD: u32 = 4096;

impl Volumes for Windows {
    fn volumes(&self) -> SysResult<Vec<String>> {
        let mut name = [0; NAME as usize];
        // SAFETY: the buffer is as long as the call is told.
        let search = unsafe { FindFirstVolumeW(name.as_mut_ptr(), NAME) };
        if search == INVALID_HANDLE_VALUE {
            return Err(last_error("FindFirstVolumeW"));
        }
        let mut names = vec![text(&name)];
        // SAFETY: the search is open and the buffer as long as the call is told.
        while unsafe { FindNextVolumeW(search, name.as_mut_ptr(), NAME) } != 0 {
            names.push(text(&name));
        }
        let end = last_error("FindNextVolumeW");
        // SAFETY: the search was opened above and is closed once.
        unsafe { FindVolumeClose(search) };
        match end.code {
            ERROR_NO_MORE_FILES => Ok(names),
            _ => Err(end),
        }
    }

    fn mount_points(&self, root: &str) -> SysResult<Vec<String>> {
        let root = wide(root);
        let mut buffer = vec![0_u16; 1024];
        loop {
            let size = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
            let mut used = 0;
            // SAFETY: the name ends in a zero and the buffer is as long as the call is told.
            let done = unsafe {
                GetVolumePathNamesForVolumeNameW(
                    root.as_ptr(),
                    buffer.as_mut_ptr(),
                    size,
                    &raw mut used,
                )
            };
            if done != 0 {
                let texts = buffer.split(|unit| *unit == 0);
                return Ok(texts.take_while(|one| !one.is_empty()).map(text).collect());
            }
            let error = last_error("GetVolumePathNamesForVolumeNameW");
            if error.code != ERROR_MORE_DATA || buffer.len() >= MOUNT_POINTS {
                return Err(error);
            }
            buffer.resize(MOUNT_POINTS, 0);
        }
    }

    fn letters(&self) -> SysResult<Vec<char>> {
        // SAFETY: takes nothing and gives a number.
        let mask = unsafe { GetLogicalDrives() };
        if mask == 0 {
            return Err(last_error("GetLogicalDrives"));
        }
        let letters = ('A'..='Z').enumerate();
        let used = letters.filter(|(bit, _)| mask & (1 << bit) != 0);
        Ok(used.map(|(_, letter)| letter).collect())
    }

    fn kind(&self, root: &str) -> VolumeKind {
        let root = wide(root);
        // SAFETY: the path ends in a zero.
        match unsafe { GetDriveTypeW(root.as_ptr()) } {
            1 => VolumeKind::NoRoot,
            2 => VolumeKind::Removable,
            3 => VolumeKind::Fixed,
            4 => VolumeKind::Remote,
            5 => VolumeKind::Optical,
            6 => VolumeKind::RamDisk,
            _ => VolumeKind::Unknown,
        }
    }

    fn file_system(&self, root: &str) -> SysResult<String> {
        let root = wide(root);
        let mut name = [0; 261];
        // SAFETY: the path ends in a zero, what is not asked for may be null, and the buffer is as
        // long as the call is told.
        let done = unsafe {
            GetVolumeInformationW(
                root.as_ptr(),
                ptr::null_mut(),
                0,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                name.as_mut_ptr(),
                261,
            )
        };
        match done {
            0 => Err(last_error("GetVolumeInformationW")),
            _ => Ok(text(&name)),
        }
    }

    fn space(&self, root: &str) -> SysResult<Space> {
        let root = wide(root);
        let (mut size_bytes, mut free_bytes) = (0, 0);
        // SAFETY: the path ends in a zero; the caller's quota is not asked for.
        let done = unsafe {
            GetDiskFreeSpaceExW(
                root.as_ptr(),
                ptr::null_mut(),
                &raw mut size_bytes,
                &raw mut free_bytes,
            )
        };
        match done {
            0 => Err(last_error("GetDiskFreeSpaceExW")),
            _ => Ok(Space {
                size_bytes,
                free_bytes,
            }),
        }
    }

    fn dirty(&self, device: &str) -> SysResult<bool> {
        let call = "FSCTL_IS_VOLUME_DIRTY";
        let flags: u32 = Device::open(device)?.ask(call, FSCTL_IS_VOLUME_DIRTY)?;
        Ok(flags & VOLUME_IS_DIRTY != 0)
    }

    fn ntfs(&self, device: &str) -> SysResult<NtfsVolumeData> {
        let call = "FSCTL_GET_NTFS_VOLUME_DATA";
        let data: NTFS_VOLUME_DATA_BUFFER =
            Device::open(device)?.ask(call, FSCTL_GET_NTFS_VOLUME_DATA)?;
        let whole = |number: i64| u64::try_from(number);
        let needed = |number: i64| whole(number).map_err(|_| os_error(call, ERROR_INVALID_DATA));
        Ok(NtfsVolumeData {
            bytes_per_sector: data.BytesPerSector,
            bytes_per_cluster: data.BytesPerCluster,
            bytes_per_file_record: data.BytesPerFileRecordSegment,
            total_clusters: needed(data.TotalClusters)?,
            free_clusters: needed(data.FreeClusters)?,
            reserved_clusters: whole(data.TotalReserved).ok(),
            mft_valid_bytes: needed(data.MftValidDataLength)?,
            mft_start_lcn: whole(data.MftStartLcn).ok(),
            mft_zone_start_lcn: whole(data.MftZoneStart).ok(),
            mft_zone_end_lcn: whole(data.MftZoneEnd).ok(),
        })
    }

    fn usn_journal(&self, device: &str) -> SysResult<UsnJournal> {
        let call = "FSCTL_QUERY_USN_JOURNAL";
        let data: USN_JOURNAL_DATA_V0 = Device::open(device)?.ask(call, FSCTL_QUERY_USN_JOURNAL)?;
        Ok(UsnJournal {
            journal_id: data.UsnJournalID,
            first_usn: data.FirstUsn,
            next_usn: data.NextUsn,
            maximum_bytes: data.MaximumSize,
            allocation_delta_bytes: data.AllocationDelta,
        })
    }

    fn file_record(&self, device: &str, number: u64, bytes: u32) -> SysResult<FileRecord> {
        const DATA: usize = offset_of!(NTFS_FILE_RECORD_OUTPUT_BUFFER, FileRecordBuffer);
        let call = "FSCTL_GET_NTFS_FILE_RECORD";
        let device = Device::open(device)?;
        // Windows wants room for the whole structure, its padding included.
        let mut answer = Buffer::new(DATA + 8 + bytes.min(LARGEST_RECORD) as usize);
        let wanted = number.to_le_bytes();
        device.control(call, FSCTL_GET_NTFS_FILE_RECORD, &wanted, &mut answer)?;
        let reference = answer.read::<u64>(0);
        let length = answer.read::<u32>(8);
        let record = reference.zip(length).and_then(|(reference, length)| {
            let end = DATA.checked_add(length as usize)?;
            Some(FileRecord {
                // The upper 16 bits of a reference are its sequence number.
                number: reference & 0xFFFF_FFFF_FFFF,
                data: answer.bytes().get(DATA..end)?.to_vec(),
            })
        });
        record.ok_or_else(|| os_error(call, ERROR_INVALID_DATA))
    }
}

/// An open volume.
struct Device(HANDLE);

impl Device {
    fn open(path: &str) -> SysResult<Self> {
        let path = wide(path);
        // SAFETY: the path ends in a zero; no security attributes and no template are given.
        let handle = unsafe {
            CreateFileW(
                path.as_ptr(),
                GENERIC_READ,
                FILE_SHARE_READ | FILE_SHARE_WRITE,
                ptr::null(),
                OPEN_EXISTING,
                0,
                ptr::null_mut(),
            )
        };
        if handle == INVALID_HANDLE_VALUE {
            return Err(last_error("CreateFileW"));
        }
        Ok(Self(handle))
    }

    /// Asks for a structure.
    fn ask<T: Plain>(&self, call: &str, code: u32) -> SysResult<T> {
        let mut answer = Buffer::new(size_of::<T>());
        self.control(call, code, &[], &mut answer)?;
        answer
            .read(0)
            .ok_or_else(|| os_error(call, ERROR_INVALID_DATA))
    }

    /// Sends a control code; the answer is cut to what was filled.
    fn control(&self, call: &str, code: u32, input: &[u8], answer: &mut Buffer) -> SysResult<()> {
        let mut filled = 0;
        // SAFETY: the device is open and both buffers are as long as the call is told.
        let done = unsafe {
            DeviceIoControl(
                self.0,
                code,
                input.as_ptr().cast(),
                u32::try_from(input.len()).unwrap_or(u32::MAX),
                answer.as_mut_ptr(),
                answer.size(),
                &raw mut filled,
                ptr::null_mut(),
            )
        };
        if done == 0 {
            return Err(last_error(call));
        }
        answer.cut(filled as usize);
        Ok(())
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: the handle was opened by `open` and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

// SAFETY: numbers of 8 bytes and an even count of numbers of 4.
unsafe impl Plain for NTFS_VOLUME_DATA_BUFFER {}
// SAFETY: numbers of 8 bytes.
unsafe impl Plain for USN_JOURNAL_DATA_V0 {}
