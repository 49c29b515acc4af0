//! Disks and file systems.

use super::remedies;
use super::view::{View, count, stamp};
use crate::checks::check::Judge;
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::boot::LoggedEvent;
use crate::facts::drives::{letter_of, volume_guid};

/// How many pieces of evidence are shown of one kind.
const SHOWN: usize = 3;

/// What is known of the volume that an event names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A fixed volume with a letter.
    Fixed(char),
    /// A letter, and nothing tells whether its volume is fixed.
    Open(char),
    /// A shadow copy, a backup's mount, a removable disk, or a device without a letter.
    Other,
}

pub(super) fn critical(judge: &mut Judge, view: &View<'_>) {
    let days = view.critical_days;
    let errors = view.events(&view.boot.file_systems, &[55, 137], days);
    let fixed: Vec<&LoggedEvent> = on(view, &errors, |place| matches!(place, Place::Fixed(_)));
    let rule = judge.rule(
        Verdict::Critical,
        "file-system-damaged",
        format!(
            "{} (Ntfs 55, 137) on fixed volumes in {days} days",
            count(fixed.len(), "error")
        ),
        view.found(!fixed.is_empty()),
    );
    if let Some(problem) = rule {
        let last = fixed.last().map_or(("", String::new()), |last| {
            (last.subject.as_str(), stamp(last.time))
        });
        problem.headline(format!(
            "the file system of {} is damaged, last seen on {}",
            last.0, last.1
        ));
        for event in fixed.iter().rev().take(SHOWN) {
            let says = format!("Ntfs {} on {}", event.id, event.subject);
            problem.exhibits(says, std::slice::from_ref(&event.evidence));
        }
        for letter in letters(view, &fixed) {
            problem.remedy(remedies::check_volume(letter));
        }
    }
    let blocks = view.events(&view.boot.disks, &[7], days);
    let rule = judge.rule(
        Verdict::Critical,
        "bad-block",
        format!(
            "{} (disk 7) in {days} days",
            count(blocks.len(), "bad block")
        ),
        view.found(!blocks.is_empty()),
    );
    if let Some(problem) = rule {
        let last = blocks.last().map_or(("", String::new()), |last| {
            (last.subject.as_str(), stamp(last.time))
        });
        problem
            .headline(format!(
                "{} has bad blocks, last seen on {}",
                last.0, last.1
            ))
            .remedy(remedies::save_disk());
        for event in blocks.iter().rev().take(SHOWN) {
            let says = format!("bad block on {}", event.subject);
            problem.exhibits(says, std::slice::from_ref(&event.evidence));
        }
    }
}

pub(super) fn warning(judge: &mut Judge, view: &View<'_>) {
    maybe_damaged(judge, view);
    wants_check(judge, view);
    dirty(judge, view);
}

/// An error on a letter, where nothing tells whether that is a fixed volume.
fn maybe_damaged(judge: &mut Judge, view: &View<'_>) {
    let errors = view.events(&view.boot.file_systems, &[55, 137], view.critical_days);
    let open = on(view, &errors, |place| matches!(place, Place::Open(_)));
    let rule = judge.rule(
        Verdict::Warning,
        "file-system-maybe-damaged",
        format!(
            "{} (Ntfs 55, 137) on letters that nothing else tells of",
            count(open.len(), "error")
        ),
        view.found(!open.is_empty()),
    );
    if let (Some(problem), Some(last)) = (rule, open.last()) {
        problem
            .headline(format!("the file system of {} is damaged", last.subject))
            .because("whether that is a fixed volume is not known: MountedDevices was not read")
            .confidence(Confidence::Medium)
            .exhibits("damaged file system", std::slice::from_ref(&last.evidence));
        for letter in letters(view, &open) {
            problem.remedy(remedies::check_volume(letter));
        }
    }
}

/// Volumes that Ntfs wants checked: the newest 98 of the volume has a state other than 0, or
/// 131 says that a repair failed.
fn wants_check(judge: &mut Judge, view: &View<'_>) {
    let reports = view.events(&view.boot.file_systems, &[98, 131], view.warning_days);
    let asks: Vec<&LoggedEvent> = on(view, &reports, |place| place != Place::Other)
        .into_iter()
        .filter(|event| {
            let newer = reports.iter().any(|other| {
                other.id == 98
                    && other.subject == event.subject
                    && other.record_id > event.record_id
            });
            let sick = event.id == 131 || !matches!(event.detail.trim(), "0" | "");
            sick && !newer
        })
        .collect();
    let rule = judge.rule(
        Verdict::Warning,
        "volume-wants-check",
        format!(
            "{} whose newest report is not healthy (Ntfs 98, 131)",
            count(asks.len(), "volume")
        ),
        view.found(!asks.is_empty()),
    );
    if let (Some(problem), Some(last)) = (rule, asks.last()) {
        problem.headline(format!("Ntfs asks for a check of {}", last.subject));
        for event in asks.iter().rev().take(SHOWN) {
            let says = format!("Ntfs {} on {}", event.id, event.subject);
            problem.exhibits(says, std::slice::from_ref(&event.evidence));
        }
        for letter in letters(view, &asks) {
            problem.remedy(remedies::check_volume(letter));
        }
    }
}

fn dirty(judge: &mut Judge, view: &View<'_>) {
    let volumes = &view.boot.volumes;
    let dirty: Vec<_> = volumes
        .value()
        .into_iter()
        .flatten()
        .filter(|volume| volume.dirty)
        .collect();
    let rule = judge.rule(
        Verdict::Warning,
        "volume-dirty",
        format!("{} with the dirty bit", count(dirty.len(), "volume")),
        volumes.is_settled().then_some(!dirty.is_empty()),
    );
    if let (Some(problem), Some(first)) = (rule, dirty.first()) {
        problem.headline(format!(
            "volume {} is marked dirty: it is checked at the next start",
            first.name
        ));
        for volume in &dirty {
            let says = format!("dirty bit of {}", volume.name);
            problem.exhibits(says, std::slice::from_ref(&volume.evidence));
            if let Some(letter) = letter_of(&volume.name) {
                problem.remedy(remedies::check_volume(letter));
            }
        }
    }
}

pub(super) fn notes(judge: &mut Judge, view: &View<'_>) {
    let days = view.critical_days;
    let errors = view.events(&view.boot.file_systems, &[55, 137], days);
    if let Some(last) = on(view, &errors, |place| place == Place::Other).last() {
        judge.note(format!(
            "file system errors on {}, which has no fixed letter: shadow copies and backups do that",
            last.subject
        ));
        judge.exhibit_evidence("not a fixed volume", std::slice::from_ref(&last.evidence));
    }
    for (id, what) in [
        (11, "controller errors"),
        (51, "errors while paging"),
        (153, "retried requests, often a throttled cloud disk"),
    ] {
        let events = view.events(&view.boot.disks, &[id], days);
        if let Some(last) = events.last() {
            judge.note(format!(
                "disk {id} ({what}) {} times in {days} days",
                events.len()
            ));
            judge.exhibit_evidence(what, std::slice::from_ref(&last.evidence));
        }
    }
    let repaired = view.events(&view.boot.file_systems, &[130], view.warning_days);
    if let Some(last) = repaired.last() {
        judge.note(format!(
            "Ntfs repaired {} on {}",
            last.subject,
            stamp(last.time)
        ));
        judge.exhibit_evidence("repaired (Ntfs 130)", std::slice::from_ref(&last.evidence));
    }
    if let Some(check) = view
        .events(&view.boot.disk_checks, &[1001], view.warning_days)
        .last()
    {
        judge.note(format!(
            "a disk was checked at the start on {}",
            stamp(check.time)
        ));
        judge.exhibit_evidence(
            "output of the disk check",
            std::slice::from_ref(&check.evidence),
        );
    }
}

fn on<'e>(
    view: &View<'_>,
    events: &[&'e LoggedEvent],
    wanted: impl Fn(Place) -> bool,
) -> Vec<&'e LoggedEvent> {
    events
        .iter()
        .filter(|event| wanted(place(view, &event.subject)))
        .copied()
        .collect()
}

/// Where an event's volume is. The system's drive is fixed whatever else is known.
fn place(view: &View<'_>, volume: &str) -> Place {
    let drives = &view.snapshot.drives;
    let by_guid = || drives.volumes.get(&volume_guid(volume)?).copied();
    let Some(letter) = letter_of(volume).or_else(by_guid) else {
        return Place::Other;
    };
    let root = view.snapshot.machine.system_root.value();
    let system = root.and_then(|root| letter_of(root.get(..2)?));
    match drives.is_fixed(letter) {
        _ if system == Some(letter) => Place::Fixed(letter),
        Some(true) => Place::Fixed(letter),
        Some(false) => Place::Other,
        None => Place::Open(letter),
    }
}

fn letters(view: &View<'_>, events: &[&LoggedEvent]) -> Vec<char> {
    let mut letters: Vec<char> = events
        .iter()
        .filter_map(|event| match place(view, &event.subject) {
            Place::Fixed(letter) | Place::Open(letter) => Some(letter),
            Place::Other => None,
        })
        .collect();
    letters.sort_unstable();
    letters.dedup();
    letters
}
