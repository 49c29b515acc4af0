use std::collections::BTreeMap;
use std::path::PathBuf;

use snapdiag_bundle::State;
use snapdiag_bundle::records::UsnJournal;

use super::*;
use crate::items::testing::{Ran, run};
use crate::system::files::Files;
use crate::system::volumes::Space;
use crate::system::{System, os_error};

const ROOT: &str = "\\\\?\\Volume{0a1b2c3d-0000-0000-0000-100000000000}\\";

/// A volume without a letter.
const OTHER: &str = "\\\\?\\Volume{0a1b2c3d-0000-0000-0000-200000000000}\\";

/// A machine with a volume C:, one without a letter, a network drive Z:, and FILE records.
#[derive(Default)]
struct Host {
    file_system: &'static str,
    records: BTreeMap<u64, Vec<u8>>,
    journal: u32,
    refuses: bool,
}

impl System for Host {
    fn volumes(&self) -> &dyn Machine {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Files for Host {
    fn system_root(&self) -> SysResult<PathBuf> {
        Ok("c:\\Windows".into())
    }
}

impl Host {
    fn touched(&self, place: &str) -> SysResult<()> {
        let known = ["C:\\", "\\\\.\\C:", OTHER, OTHER.trim_end_matches('\\')];
        assert!(known.contains(&place), "{place} was touched");
        if self.refuses {
            return Err(os_error("CreateFileW", 5));
        }
        Ok(())
    }
}

impl Machine for Host {
    fn volumes(&self) -> SysResult<Vec<String>> {
        Ok(vec![ROOT.to_owned(), OTHER.to_owned()])
    }

    fn mount_points(&self, root: &str) -> SysResult<Vec<String>> {
        if root == OTHER {
            return Ok(Vec::new());
        }
        Ok(vec!["D:\\mnt\\".to_owned(), "C:\\".to_owned()])
    }

    fn letters(&self) -> SysResult<Vec<char>> {
        Ok(vec!['A', 'C', 'Z'])
    }

    fn kind(&self, root: &str) -> VolumeKind {
        match root {
            "A:\\" => VolumeKind::Removable,
            "Z:\\" => VolumeKind::Remote,
            "C:\\" | OTHER => VolumeKind::Fixed,
            _ => VolumeKind::Unknown,
        }
    }

    fn file_system(&self, root: &str) -> SysResult<String> {
        self.touched(root)?;
        Ok(self.file_system.to_owned())
    }

    fn space(&self, root: &str) -> SysResult<Space> {
        self.touched(root)?;
        Ok(Space {
            size_bytes: 100,
            free_bytes: 40,
        })
    }

    fn dirty(&self, device: &str) -> SysResult<bool> {
        self.touched(device)?;
        Ok(true)
    }

    fn ntfs(&self, device: &str) -> SysResult<NtfsVolumeData> {
        self.touched(device)?;
        Ok(NtfsVolumeData {
            bytes_per_sector: 512,
            bytes_per_cluster: 4096,
            bytes_per_file_record: 1024,
            total_clusters: 10,
            free_clusters: 5,
            reserved_clusters: None,
            mft_valid_bytes: 4096,
            mft_start_lcn: None,
            mft_zone_start_lcn: None,
            mft_zone_end_lcn: None,
        })
    }

    fn usn_journal(&self, device: &str) -> SysResult<UsnJournal> {
        self.touched(device)?;
        Err(os_error("FSCTL_QUERY_USN_JOURNAL", self.journal))
    }

    fn file_record(&self, device: &str, number: u64, bytes: u32) -> SysResult<FileRecord> {
        self.touched(device)?;
        assert_eq!(bytes, 1024);
        // Windows gives the nearest record below that is in use.
        let (number, data) = self.records.range(..=number).next_back().unwrap();
        Ok(FileRecord {
            number: *number,
            data: data.clone(),
        })
    }
}

fn read(host: Host) -> (Ran, Volumes) {
    let ran = run(host, collect);
    let record = ran.record("volumes/volumes.json");
    (ran, record)
}

#[test]
fn a_volume_is_described_and_the_network_left_alone() {
    let (ran, record) = read(Host {
        file_system: "ReFS",
        ..Host::default()
    });
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
    let [c, other, a, z] = record.volumes.as_slice() else {
        panic!("{record:?}");
    };
    assert_eq!(
        c.guid.as_deref(),
        Some("{0A1B2C3D-0000-0000-0000-100000000000}")
    );
    assert_eq!((c.letter, c.system), (Some('C'), Some(true)));
    assert_eq!(c.mount_points, ["D:\\mnt\\", "C:\\"]);
    assert_eq!((c.size_bytes, c.free_bytes), (Some(100), Some(40)));
    assert_eq!(c.dirty, Some(true));
    // Of another file system no figures of NTFS are asked for.
    assert_eq!((&c.ntfs, &c.usn_journal), (&None, &None));
    assert_eq!((other.letter, other.size_bytes), (None, Some(100)));
    assert_eq!((a.letter, a.kind), (Some('A'), VolumeKind::Removable));
    assert_eq!((z.letter, z.kind), (Some('Z'), VolumeKind::Remote));
    assert_eq!((z.size_bytes, &z.file_system), (None, &None));
}

#[test]
fn the_metafiles_come_with_the_children_of_extend() {
    let file = |folder: u64, name: &str| extend::tests::named(folder, name);
    let records = [
        (0, file(5, "$MFT")),
        (2, file(5, "$LogFile")),
        (9, file(5, "$Secure")),
        (11, extend::tests::folder(&[25, 4000])),
        (25, file(11, "$ObjId")),
        // Formatting put it there; the folder lists it elsewhere.
        (27, file(11, "$Reparse")),
        (30, file(5, "pagefile.sys")),
        (4000, file(11, "$UsnJrnl")),
    ];
    let (ran, record) = read(Host {
        file_system: "NTFS",
        records: records.into(),
        journal: NO_JOURNAL,
        ..Host::default()
    });
    let metafiles = &record.volumes[0].metafiles;
    let found: Vec<(u64, Option<&str>)> = metafiles
        .iter()
        .map(|file| (file.record_number, file.name.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (0, Some("$MFT")),
            (2, Some("$LogFile")),
            (9, Some("$Secure")),
            (11, None),
            (25, Some("$ObjId")),
            (27, Some("$Reparse")),
            (4000, Some("$UsnJrnl")),
        ]
    );
    assert!(metafiles[0].data_hex.starts_with("46494c45"));
    // That there is no journal is an answer.
    assert_eq!(record.volumes[0].errors[0].code, NO_JOURNAL);
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
}

#[test]
fn what_windows_refuses_is_a_row_of_the_volume_and_cuts_the_item() {
    let (ran, record) = read(Host {
        refuses: true,
        ..Host::default()
    });
    let volume = &record.volumes[0];
    assert_eq!(volume.errors, [os_error("CreateFileW", 5)]);
    assert_eq!((volume.size_bytes, volume.dirty), (None, None));
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("CreateFileW", 5)));
}

#[test]
fn a_machine_that_lists_nothing_has_failed() {
    struct Nothing;
    impl System for Nothing {}
    let ran = run(Nothing, collect);
    assert_eq!(ran.outcome.state, State::Failed);
    assert!(ran.artifacts.is_empty());
}

#[test]
fn a_letter_is_that_of_a_root() {
    assert_eq!(letter_of("c:\\"), Some('C'));
    assert_eq!(letter_of("C:\\mnt\\"), None);
    assert_eq!(letter_of("\\\\server\\share"), None);
    assert_eq!(letter_of(""), None);
}
