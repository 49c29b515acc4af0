//! Drive letters: which are known, and which belong to a fixed disk.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use snapdiag_bundle::records::{VolumeKind, Volumes};

use super::document;
use super::evidence::Evidence;
use super::fact::{Fact, State};
use super::sources::Sources;
use super::sources::registry::{Entry, data};

/// A drive letter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drive {
    /// The letter, upper case.
    pub letter: char,
    /// Whether it belongs to a fixed disk: in `MountedDevices` its data is a disk signature with
    /// an offset (12 bytes, MBR) or `DMIO:ID:` with the partition's GUID (24 bytes, GPT); data
    /// of removable and optical drives is a device path.
    pub fixed: bool,
    /// Where it stands.
    pub evidence: Evidence,
}

/// What is known of the drive letters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drives {
    /// The letters that Windows has given, by letter: `SYSTEM\MountedDevices`. A letter stays
    /// there after its disk is gone.
    pub assigned: Fact<Vec<Drive>>,
    /// The letters that were there at capture, by letter: the collector's list of volumes.
    pub mounted: Fact<Vec<Drive>>,
    /// The letters that own each volume GUID (lower case, in braces), by `MountedDevices`.
    pub volumes: BTreeMap<String, char>,
}

impl Drives {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let values = sources.system().root().values("MountedDevices");
        let volumes = values
            .value()
            .map_or_else(BTreeMap::new, |list| owners(list));
        Self {
            assigned: assigned(values),
            mounted: mounted(sources),
            volumes,
        }
    }

    /// Whether the drive belongs to a fixed disk; `None` where nothing tells.
    pub fn is_fixed(&self, letter: char) -> Option<bool> {
        let in_list = |list: &Fact<Vec<Drive>>| {
            let list = list.value()?;
            let drive = list.iter().find(|drive| drive.letter == letter);
            Some(drive.is_some_and(|drive| drive.fixed))
        };
        match (in_list(&self.assigned), in_list(&self.mounted)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, None) => None,
        }
    }

    /// Whether there is such a drive; `None` where nothing tells. The list of the capture decides
    /// over the assignments of the past.
    pub fn exists(&self, letter: char) -> Option<bool> {
        let list = self.mounted.value().or(self.assigned.value())?;
        Some(list.iter().any(|drive| drive.letter == letter))
    }
}

/// The letter in `C:`, `C:\` or `\DosDevices\C:`, upper case.
pub fn letter_of(text: &str) -> Option<char> {
    let text = text.trim().trim_end_matches('\\');
    let text = text.strip_prefix("\\DosDevices\\").unwrap_or(text);
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(letter), Some(':'), None) if letter.is_ascii_alphabetic() => {
            Some(letter.to_ascii_uppercase())
        }
        _ => None,
    }
}

/// The volume GUID in `\??\Volume{…}` or `\\?\Volume{…}\`, lower case, in braces.
pub fn volume_guid(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("Volume{")?;
    let (guid, _) = rest.split_once('}')?;
    Some(format!("{{{}}}", guid.to_lowercase()))
}

fn is_fixed(data: &[u8]) -> bool {
    data.len() == 12 || (data.len() == 24 && data.starts_with(b"DMIO:ID:"))
}

fn assigned(values: Fact<Vec<Entry>>) -> Fact<Vec<Drive>> {
    let holder = values.evidence.first().cloned();
    let mut fact = values.map(|list| {
        let mut drives: Vec<Drive> = list
            .into_iter()
            .filter_map(|entry| {
                let holder = holder.as_ref()?;
                let letter = letter_of(&entry.value.name)?;
                let evidence =
                    Evidence::new(holder.artifact.as_str(), entry.locator, data(&entry.value))
                        .at(holder.time)
                        .doubted(holder.doubt.clone());
                Some(Drive {
                    letter,
                    fixed: is_fixed(&entry.value.data),
                    evidence,
                })
            })
            .collect();
        drives.sort_by_key(|drive| drive.letter);
        drives
    });
    if fact.value().is_some_and(Vec::is_empty) {
        fact.state = State::Absent;
    }
    fact
}

/// Which letter has the same data as each volume's own name.
fn owners(list: &[Entry]) -> BTreeMap<String, char> {
    list.iter()
        .filter_map(|volume| {
            let guid = volume_guid(&volume.value.name)?;
            let owner = list.iter().find(|other| {
                other.value.data == volume.value.data && letter_of(&other.value.name).is_some()
            })?;
            Some((guid, letter_of(&owner.value.name)?))
        })
        .collect()
}

fn mounted(sources: &Sources) -> Fact<Vec<Drive>> {
    let record: Fact<Json> = sources.record("volumes.volumes");
    let Some(document) = record.evidence.first().cloned() else {
        return record.carry().unwrap_or_else(|| Fact::absent([]));
    };
    document::typed::<Volumes>(&record).map(|table| {
        let mut drives: Vec<Drive> = table
            .volumes
            .iter()
            .enumerate()
            .filter_map(|(index, volume)| {
                let letter = volume.letter?.to_ascii_uppercase();
                let pointer = format!("/volumes/{index}/letter");
                Some(Drive {
                    letter,
                    fixed: volume.kind == VolumeKind::Fixed,
                    evidence: document::at(&document, pointer, volume.letter?.to_string()),
                })
            })
            .collect();
        drives.sort_by_key(|drive| drive.letter);
        drives
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_told_from_what_looks_like_one() {
        assert_eq!(letter_of("c:"), Some('C'));
        assert_eq!(letter_of("D:\\"), Some('D'));
        assert_eq!(letter_of("\\DosDevices\\E:"), Some('E'));
        assert_eq!(letter_of("C:\\data"), None);
        assert_eq!(letter_of("\\Device\\HarddiskVolume3"), None);
        assert_eq!(letter_of(""), None);
        assert_eq!(letter_of("1:"), None);
    }

    #[test]
    fn fixed_disks_are_told_by_their_data() {
        assert!(is_fixed(&[0; 12]));
        assert!(is_fixed(b"DMIO:ID:0123456789abcdef"));
        assert!(!is_fixed(b"DMIO:ID:0123456789abcde"));
        assert!(!is_fixed(&[0; 24]));
        assert!(!is_fixed(b"_??_USBSTOR#Disk"));
    }
}
