//! Volumes, their space, and what the metafiles of NTFS take of it.

mod metafiles;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use snapdiag_bundle::records::{self, VolumeKind};

pub use self::metafiles::Metafile;
use super::document;
use super::evidence::Evidence;
use super::fact::{Fact, State};
use super::sources::Sources;

/// `ERROR_JOURNAL_NOT_ACTIVE`: the volume has no change journal.
const JOURNAL_NOT_ACTIVE: u32 = 1179;
/// How many volumes are kept.
const KEPT: usize = 256;

/// The volumes of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Volumes {
    /// In the order of Windows.
    pub list: Fact<Vec<Volume>>,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// `C:`, or a mount point, or the GUID.
    pub name: String,
    /// Drive letter, upper case.
    pub letter: Option<char>,
    /// Whether it is on a fixed disk; `None` where Windows does not know.
    pub fixed: Option<bool>,
    /// File system, such as `NTFS`.
    pub file_system: Option<String>,
    /// Whether the running Windows is on it.
    pub system: Option<bool>,
    /// Capacity, bytes.
    pub size_bytes: Fact<u64>,
    /// Free, bytes.
    pub free_bytes: Fact<u64>,
    /// For NTFS: its own figures.
    pub ntfs: Fact<Ntfs>,
    /// For NTFS: its change journal; absent where there is none.
    pub journal: Fact<Journal>,
    /// For NTFS: metafiles by their FILE records.
    pub metafiles: Vec<Metafile>,
    /// What shadow copies take on it, bytes.
    pub shadow_bytes: Fact<u64>,
}

/// `NTFS_VOLUME_DATA_BUFFER`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ntfs {
    /// Valid length of `$MFT`, bytes.
    pub mft_bytes: u64,
    /// Bytes in a FILE record.
    pub record_bytes: u32,
    /// Size by clusters, bytes.
    pub size_bytes: u64,
    /// Free by clusters, bytes.
    pub free_bytes: u64,
}

/// The change journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Journal {
    /// Target size, bytes.
    pub maximum_bytes: u64,
    /// Step by which it grows and is cut, bytes.
    pub step_bytes: u64,
    /// From the first entry kept to the next one, bytes.
    pub used_bytes: u64,
}

impl Volume {
    /// Whether its file system is NTFS; `None` where it is not known.
    pub fn is_ntfs(&self) -> Option<bool> {
        let name = self.file_system.as_ref()?;
        Some(name.eq_ignore_ascii_case("NTFS"))
    }

    /// Capacity, from Windows or from NTFS itself.
    pub fn size(&self) -> Option<u64> {
        let ntfs = || self.ntfs.value().map(|ntfs| ntfs.size_bytes);
        self.size_bytes.value().copied().or_else(ntfs)
    }

    /// Free space, likewise.
    pub fn free(&self) -> Option<u64> {
        let ntfs = || self.ntfs.value().map(|ntfs| ntfs.free_bytes);
        self.free_bytes.value().copied().or_else(ntfs)
    }

    /// The metafile of that record number.
    pub fn metafile(&self, number: u64) -> Option<&Metafile> {
        self.metafiles.iter().find(|file| file.number == number)
    }
}

impl Volumes {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let record: Fact<Json> = sources.record("volumes.volumes");
        let typed: Fact<records::Volumes> = document::typed(&record);
        let (Some(volumes), Some(json), Some(place)) =
            (typed.value(), record.value(), record.evidence.first())
        else {
            let list = typed
                .carry()
                .unwrap_or_else(|| Fact::not_collected("no list of volumes"));
            return Self { list };
        };
        let row = |(number, volume)| {
            let row = Row {
                json,
                place,
                pointer: format!("/volumes/{number}"),
                volume,
            };
            row.volume()
        };
        let list = volumes.volumes.iter().enumerate().take(KEPT).map(row);
        Self {
            list: Fact::known(list.collect(), []),
        }
    }

    /// The volume with that letter; `None` where the list is not known.
    pub fn with_letter(&self, letter: char) -> Option<&Volume> {
        let list = self.list.value()?;
        list.iter().find(|volume| volume.letter == Some(letter))
    }
}

/// One volume of the record, and where it stands.
struct Row<'a> {
    json: &'a Json,
    place: &'a Evidence,
    pointer: String,
    volume: &'a records::Volume,
}

impl Row<'_> {
    fn at(&self, rest: &str) -> Evidence {
        let pointer = format!("{}{rest}", self.pointer);
        let raw = self.json.pointer(&pointer).cloned().unwrap_or_default();
        document::at(self.place, pointer, raw)
    }

    /// What Windows gave or not.
    fn given<T>(&self, value: Option<T>, name: &str) -> Fact<T> {
        match value {
            Some(value) => Fact::known(value, [self.at(&format!("/{name}"))]),
            None => Fact::unreadable("Windows did not give it", []),
        }
    }

    fn volume(&self) -> Volume {
        let volume = self.volume;
        let letter = volume.letter.map(|letter| letter.to_ascii_uppercase());
        let name = letter
            .map(|letter| format!("{letter}:"))
            .or_else(|| volume.mount_points.first().cloned())
            .or_else(|| volume.guid.clone())
            .unwrap_or_else(|| "a volume without a name".to_owned());
        Volume {
            name,
            letter,
            fixed: match volume.kind {
                VolumeKind::Unknown | VolumeKind::NoRoot => None,
                kind => Some(kind == VolumeKind::Fixed),
            },
            file_system: volume.file_system.clone(),
            system: volume.system,
            size_bytes: self.given(volume.size_bytes, "size_bytes"),
            free_bytes: self.given(volume.free_bytes, "free_bytes"),
            ntfs: self.given(volume.ntfs.as_ref().map(ntfs), "ntfs"),
            journal: self.journal(),
            metafiles: self.metafiles(),
            shadow_bytes: self.given(volume.shadow_used_bytes, "shadow_used_bytes"),
        }
    }

    fn journal(&self) -> Fact<Journal> {
        if let Some(journal) = &self.volume.usn_journal {
            let used = journal.next_usn.saturating_sub(journal.first_usn);
            let journal = Journal {
                maximum_bytes: journal.maximum_bytes,
                step_bytes: journal.allocation_delta_bytes,
                used_bytes: u64::try_from(used).unwrap_or(0),
            };
            return Fact::known(journal, [self.at("/usn_journal")]);
        }
        let errors = &self.volume.errors;
        let none = errors
            .iter()
            .position(|error| error.code == JOURNAL_NOT_ACTIVE);
        match none {
            Some(number) => Fact::new(State::Absent, [self.at(&format!("/errors/{number}"))]),
            None => Fact::unreadable("Windows did not give it", []),
        }
    }

    fn metafiles(&self) -> Vec<Metafile> {
        let records = self.volume.metafiles.iter().enumerate();
        records
            .take(metafiles::KEPT)
            .map(|(number, record)| {
                metafiles::read(record, self.at(&format!("/metafiles/{number}/data_hex")))
            })
            .collect()
    }
}

fn ntfs(data: &records::NtfsVolumeData) -> Ntfs {
    let bytes = |clusters: u64| clusters.saturating_mul(u64::from(data.bytes_per_cluster));
    Ntfs {
        mft_bytes: data.mft_valid_bytes,
        record_bytes: data.bytes_per_file_record,
        size_bytes: bytes(data.total_clusters),
        free_bytes: bytes(data.free_clusters),
    }
}

#[cfg(test)]
mod tests;
