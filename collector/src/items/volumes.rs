//! Volumes: space, the dirty bit, and for NTFS what its metafiles take. Drives that are not fixed
//! are named and left alone: one of the network that does not answer holds everything up.

mod extend;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use snapdiag_bundle::OsError;
use snapdiag_bundle::records::{MetafileRecord, NtfsVolumeData, Volume, VolumeKind, Volumes};

use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::SysResult;
use crate::system::volumes::{FileRecord, Volumes as Machine};

const METHOD: &str = "FindFirstVolumeW";
/// `ERROR_JOURNAL_NOT_ACTIVE`: an answer, and no fault.
const NO_JOURNAL: u32 = 1179;
/// FILE records of metafiles at fixed places: `$MFT`, `$LogFile`, `$Secure`, `$Extend`.
const FIXED: [u64; 4] = [0, 2, 9, EXTEND];
const EXTEND: u64 = 11;
/// Where formatting puts the children of `$Extend`; later ones lie anywhere.
const FIRST_CHILDREN: std::ops::Range<u64> = 12..64;

/// The volumes.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "volumes.volumes",
    phase: Phase::Quick,
    limit: Duration::from_secs(15),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    let system = job.system.clone();
    let machine = system.volumes();
    let windows = system.files().system_root().ok();
    let windows = windows.and_then(|root| letter_of(root.to_string_lossy().get(..3)?));
    let mut parts = Parts::default();
    let mut volumes = Vec::new();
    for root in parts.take(machine.volumes()).unwrap_or_default() {
        volumes.push(bare(machine, &root));
    }
    let mounted: BTreeSet<char> = volumes.iter().filter_map(|volume| volume.letter).collect();
    let letters = parts.take(machine.letters()).unwrap_or_default();
    for letter in letters.into_iter().filter(|one| !mounted.contains(one)) {
        volumes.push(of_letter(machine, letter));
    }
    for volume in volumes.iter_mut().filter(|v| v.kind == VolumeKind::Fixed) {
        if job.is_over() {
            parts.cut("out of time");
            break;
        }
        volume.system = volume.letter.zip(windows).map(|(own, root)| own == root);
        look_into(machine, volume);
        for error in volume.errors.iter().filter(|one| one.code != NO_JOURNAL) {
            parts.fault(error.clone());
        }
    }
    let record = Volumes {
        taken_at: Timestamp::now(),
        volumes,
    };
    parts.finish(job, "volumes/volumes.json", &record, METHOD)
}

/// A volume by its root `\\?\Volume{GUID}\`, untouched.
fn bare(machine: &dyn Machine, root: &str) -> Volume {
    let mut errors = Vec::new();
    let mount_points = kept(machine.mount_points(root), &mut errors).unwrap_or_default();
    let letter = mount_points.iter().find_map(|point| letter_of(point));
    let guid = root.split(['{', '}']).nth(1);
    let mut volume = Volume {
        guid: guid.map(|guid| format!("{{{}}}", guid.to_ascii_uppercase())),
        letter,
        mount_points,
        errors,
        ..nameless()
    };
    volume.kind = root_of(&volume).map_or(VolumeKind::Unknown, |root| machine.kind(&root));
    volume
}

/// What has a letter and is no volume: a drive of the network, of `subst`.
fn of_letter(machine: &dyn Machine, letter: char) -> Volume {
    let root = format!("{letter}:\\");
    Volume {
        letter: Some(letter),
        kind: machine.kind(&root),
        mount_points: vec![root],
        ..nameless()
    }
}

fn nameless() -> Volume {
    Volume {
        guid: None,
        letter: None,
        mount_points: Vec::new(),
        kind: VolumeKind::Unknown,
        file_system: None,
        system: None,
        size_bytes: None,
        free_bytes: None,
        dirty: None,
        ntfs: None,
        usn_journal: None,
        metafiles: Vec::new(),
        // Only the COM interfaces of VSS tell, which start its service.
        shadow_used_bytes: None,
        shadow_maximum_bytes: None,
        errors: Vec::new(),
    }
}

/// The letter of a root `C:\`, upper case; of a folder on another volume there is none.
fn letter_of(root: &str) -> Option<char> {
    let letter = root.strip_suffix(":\\")?.parse::<char>().ok()?;
    letter
        .is_ascii_alphabetic()
        .then(|| letter.to_ascii_uppercase())
}

/// The root by letter where there is one: every system understands it.
fn root_of(volume: &Volume) -> Option<String> {
    match (volume.letter, &volume.guid) {
        (Some(letter), _) => Some(format!("{letter}:\\")),
        (None, Some(guid)) => Some(format!("\\\\?\\Volume{}\\", guid.to_ascii_lowercase())),
        (None, None) => None,
    }
}

fn look_into(machine: &dyn Machine, volume: &mut Volume) {
    let Some(root) = root_of(volume) else {
        return;
    };
    // The device is the root without its last backslash.
    let device = match volume.letter {
        Some(letter) => format!("\\\\.\\{letter}:"),
        None => root.trim_end_matches('\\').to_owned(),
    };
    let errors = &mut volume.errors;
    volume.file_system = kept(machine.file_system(&root), errors);
    let space = kept(machine.space(&root), errors);
    volume.size_bytes = space.map(|space| space.size_bytes);
    volume.free_bytes = space.map(|space| space.free_bytes);
    volume.dirty = kept(machine.dirty(&device), errors);
    let name = volume.file_system.as_deref().unwrap_or_default();
    if !name.eq_ignore_ascii_case("NTFS") {
        return;
    }
    volume.ntfs = kept(machine.ntfs(&device), errors);
    volume.usn_journal = kept(machine.usn_journal(&device), errors);
    if let Some(ntfs) = &volume.ntfs {
        volume.metafiles = metafiles(machine, &device, ntfs, errors);
    }
}

fn metafiles(
    machine: &dyn Machine,
    device: &str,
    ntfs: &NtfsVolumeData,
    errors: &mut Vec<OsError>,
) -> Vec<MetafileRecord> {
    let mut read = |number| {
        let record = machine.file_record(device, number, ntfs.bytes_per_file_record);
        // Windows gives the nearest record below when the one asked for is free.
        kept(record, errors).filter(|record| record.number == number)
    };
    let mut found: Vec<FileRecord> = FIXED.into_iter().filter_map(&mut read).collect();
    let extend = found.iter().find(|record| record.number == EXTEND);
    let listed = extend.map_or_else(Vec::new, |record| extend::listed(&record.data));
    let candidates: BTreeSet<u64> = listed.into_iter().chain(FIRST_CHILDREN).collect();
    let children = candidates.into_iter().filter_map(read);
    found.extend(
        children.filter(|record| {
            extend::place(&record.data).is_some_and(|(folder, _)| folder == EXTEND)
        }),
    );
    found
        .into_iter()
        .map(|record| MetafileRecord {
            record_number: record.number,
            name: extend::place(&record.data).map(|(_, name)| name),
            data_hex: snapdiag_bundle::hex(&record.data),
        })
        .collect()
}

/// The answer, or `None` and a row in the volume's errors.
fn kept<T>(answer: SysResult<T>, errors: &mut Vec<OsError>) -> Option<T> {
    match answer {
        Ok(value) => Some(value),
        Err(error) => {
            if !errors.contains(&error) {
                errors.push(error);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests;
