//! `ntfs-metafiles`: whether NTFS itself takes much of a volume.

mod remedies;

use crate::checks::check::{Check, Context, Decision, Input, Judge, Problem};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Verdict};
use crate::facts::fact::Fact;
use crate::facts::units::{GIB, bytes, float};
use crate::facts::volumes::Volume;

const MFT: Threshold = Threshold {
    key: "ntfs-metafiles.mft",
    default: 10.0,
    unit: "GiB",
    meaning: "a master file table of that size or more is a warning",
    source: "Alibaba Cloud's diagnosis",
};
const SHARE: Threshold = Threshold {
    key: "ntfs-metafiles.share",
    default: 10.0,
    unit: "percent of the volume",
    meaning: "metafiles that take more, and more than size, are a warning",
    source: "ours",
};
const SIZE: Threshold = Threshold {
    key: "ntfs-metafiles.size",
    default: 4.0,
    unit: "GiB",
    meaning: "metafiles that take more, and more than share, are a warning",
    source: "ours",
};
const CRITICAL_SHARE: Threshold = Threshold {
    key: "ntfs-metafiles.critical-share",
    default: 20.0,
    unit: "percent of the volume",
    meaning: "metafiles that take more, with less than critical-free, are critical",
    source: "ours",
};
const CRITICAL_FREE: Threshold = Threshold {
    key: "ntfs-metafiles.critical-free",
    default: 10.0,
    unit: "percent of the volume",
    meaning: "less free, with more than critical-share, is critical",
    source: "ours",
};
const JOURNAL: Threshold = Threshold {
    key: "ntfs-metafiles.journal",
    default: 8.0,
    unit: "GiB",
    meaning: "a change journal that may grow larger, or is larger, is a warning",
    source: "ours",
};

/// `$LogFile` and `$Secure`, the metafiles of every volume beside `$MFT`.
const REQUIRED: [(u64, &str); 2] = [(2, "$LogFile"), (9, "$Secure")];
/// `$MFT`, whose size the volume's own figures tell.
const MFT_RECORD: u64 = 0;
/// Counted by the journal's own figures.
const JOURNAL_NAME: &str = "$UsnJrnl";
const COLLECT: &str = "a live bundle made by an administrator, with volumes.volumes";
/// FILE records of this size come with sectors of 4 KiB.
const LARGE_RECORD: u32 = 4096;

/// The check.
pub const CHECK: Check = Check {
    id: "ntfs-metafiles",
    category: Category::Resources,
    title: "Size of NTFS metafiles",
    page: include_str!("ntfs_metafiles.md"),
    inputs: &[Input::required("volumes.volumes")],
    thresholds: &[MFT, SHARE, SIZE, CRITICAL_SHARE, CRITICAL_FREE, JOURNAL],
    decide,
};

/// What the metafiles of a volume take, bytes.
struct Metafiles {
    /// `None` where Windows did not tell.
    mft: Option<u64>,
    journal: Option<u64>,
    /// All that is known, the two included.
    total: u64,
}

fn decide(cx: &Context<'_>) -> Decision {
    let mut judge = Judge::new();
    let list = &cx.snapshot.volumes.list;
    judge.require(list, "what the metafiles take", COLLECT);
    let Some(volumes) = list.value() else {
        return judge.finish("", "");
    };
    let fixed: Vec<&Volume> = volumes
        .iter()
        .filter(|volume| volume.fixed != Some(false))
        .collect();
    if fixed.is_empty() {
        judge.lacks("no volume on a fixed disk is listed", COLLECT);
    } else if fixed.iter().all(|volume| volume.is_ntfs() == Some(false)) {
        let names: Vec<String> = fixed
            .iter()
            .map(|volume| {
                let system = volume.file_system.clone().unwrap_or_default();
                format!("{} {system}", volume.name)
            })
            .collect();
        return judge.not_applicable(format!("no volume has NTFS ({})", names.join(", ")));
    }
    let mut states = Vec::new();
    for volume in fixed {
        match volume.is_ntfs() {
            Some(true) => states.push(examine(&mut judge, cx, volume)),
            Some(false) => {}
            None => judge.lacks(
                format!("the file system of {} is not known", volume.name),
                COLLECT,
            ),
        }
    }
    let state = states.join(", ");
    judge.finish(
        format!("NTFS takes little for itself: {state}"),
        state.clone(),
    )
}

fn examine(judge: &mut Judge, cx: &Context<'_>, volume: &Volume) -> String {
    let metafiles = add_up(volume);
    let state = state(volume, &metafiles);
    let share = volume
        .size()
        .filter(|size| *size > 0)
        .map(|size| float(metafiles.total) * 100.0 / float(size));
    shares(judge, cx, volume, &metafiles, share);
    large_table(judge, cx, volume, &metafiles);
    large_journal(judge, cx, volume);
    demand(judge, volume);
    judge.exhibit(format!("{state}: volume"), &volume.ntfs);
    shadows(judge, volume, &metafiles);
    if volume
        .ntfs
        .value()
        .is_some_and(|ntfs| ntfs.record_bytes == LARGE_RECORD)
    {
        judge.note(format!(
            "{} has FILE records of 4 KiB: its table is four times as large for the same files",
            volume.name
        ));
    }
    state
}

fn add_up(volume: &Volume) -> Metafiles {
    let own = volume
        .metafile(MFT_RECORD)
        .and_then(|file| file.allocated_bytes.value().copied());
    let mft = volume.ntfs.value().map(|ntfs| ntfs.mft_bytes).or(own);
    let journal = match (volume.journal.value(), volume.journal.is_absent()) {
        (Some(journal), _) => Some(journal.used_bytes),
        (None, true) => Some(0),
        (None, false) => None,
    };
    let others = volume
        .metafiles
        .iter()
        .filter(|file| file.number != MFT_RECORD && file.name != JOURNAL_NAME)
        .filter_map(|file| file.allocated_bytes.value().copied());
    let total = others
        .chain(mft)
        .chain(journal)
        .fold(0, u64::saturating_add);
    Metafiles {
        mft,
        journal,
        total,
    }
}

/// `C: 600 MiB of 40.0 GiB`.
fn state(volume: &Volume, metafiles: &Metafiles) -> String {
    let total = bytes(float(metafiles.total));
    match volume.size() {
        Some(size) => format!("{} {total} of {}", volume.name, bytes(float(size))),
        None => format!("{} {total}", volume.name),
    }
}

fn shares(
    judge: &mut Judge,
    cx: &Context<'_>,
    volume: &Volume,
    metafiles: &Metafiles,
    share: Option<f64>,
) {
    let name = &volume.name;
    let free = volume
        .free()
        .zip(volume.size().filter(|size| *size > 0))
        .map(|(free, size)| float(free) * 100.0 / float(size));
    let total = float(metafiles.total);
    let shown = |value: Option<f64>| {
        value.map_or_else(|| "not known".to_owned(), |value| format!("{value:.1} %"))
    };
    let large = share.map(|share| share > cx.limit(&CRITICAL_SHARE));
    let full = free.map(|free| free < cx.limit(&CRITICAL_FREE));
    let critical = match (large, full) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let compared = format!(
        "{name} metafiles {} of the volume, more than {} %, and {} free, less than {} %",
        shown(share),
        cx.limit(&CRITICAL_SHARE),
        shown(free),
        cx.limit(&CRITICAL_FREE)
    );
    if let Some(problem) = judge.rule(
        Verdict::Critical,
        "metafiles-fill-volume",
        compared,
        critical,
    ) {
        problem.headline(format!(
            "NTFS itself takes {} of {name} ({}), and {} are free",
            bytes(total),
            shown(share),
            shown(free)
        ));
        problem.evidence(format!("{} free", shown(free)), &volume.free_bytes);
        describe(problem, cx, volume, metafiles);
    }
    let holds = share.map(|share| {
        share > cx.limit(&SHARE) && total > cx.limit(&SIZE) * GIB && critical != Some(true)
    });
    let compared = format!(
        "{name} metafiles {} of the volume, more than {} %, and {}, more than {} GiB",
        shown(share),
        cx.limit(&SHARE),
        bytes(total),
        cx.limit(&SIZE)
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "metafiles-large", compared, holds) {
        problem.headline(format!(
            "NTFS itself takes {} of {name} ({})",
            bytes(total),
            shown(share)
        ));
        describe(problem, cx, volume, metafiles);
    }
}

fn large_table(judge: &mut Judge, cx: &Context<'_>, volume: &Volume, metafiles: &Metafiles) {
    let limit = cx.limit(&MFT);
    let holds = metafiles.mft.map(|mft| float(mft) >= limit * GIB);
    let size = bytes(float(metafiles.mft.unwrap_or_default()));
    let compared = format!("{} $MFT {size}, {limit} GiB or more", volume.name);
    if let Some(problem) = judge.rule(Verdict::Warning, "mft-large", compared, holds) {
        problem.headline(format!(
            "the master file table of {} has {size}",
            volume.name
        ));
        describe(problem, cx, volume, metafiles);
    }
}

fn large_journal(judge: &mut Judge, cx: &Context<'_>, volume: &Volume) {
    let limit = cx.limit(&JOURNAL);
    let largest = volume
        .journal
        .value()
        .map(|journal| journal.maximum_bytes.max(journal.used_bytes));
    let holds = match largest {
        Some(largest) => Some(float(largest) > limit * GIB),
        None => volume.journal.is_absent().then_some(false),
    };
    let size = bytes(float(largest.unwrap_or_default()));
    let compared = format!(
        "{} change journal {size}, more than {limit} GiB",
        volume.name
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "journal-large", compared, holds) {
        problem
            .headline(format!(
                "the change journal of {} may take {size}",
                volume.name
            ))
            .evidence(format!("change journal: {size}"), &volume.journal);
        if let Some(remedy) = remedies::journal(cx.snapshot, volume) {
            problem.remedy(remedy);
        }
    }
}

/// The parts, largest first, and what helps.
fn describe(problem: &mut Problem, cx: &Context<'_>, volume: &Volume, metafiles: &Metafiles) {
    if let Some(mft) = metafiles.mft {
        let records = volume
            .ntfs
            .value()
            .filter(|ntfs| ntfs.record_bytes > 0)
            .map(|ntfs| {
                format!(
                    ", room for {} files and folders",
                    ntfs.mft_bytes / u64::from(ntfs.record_bytes)
                )
            });
        problem
            .because(format!(
                "$MFT has {}{}",
                bytes(float(mft)),
                records.unwrap_or_default()
            ))
            .evidence(format!("$MFT: {}", bytes(float(mft))), &volume.ntfs);
    }
    if let Some(journal) = metafiles.journal.filter(|journal| *journal > 0) {
        problem
            .because(format!("the change journal has {}", bytes(float(journal))))
            .evidence(
                format!("change journal: {}", bytes(float(journal))),
                &volume.journal,
            );
    }
    for file in &volume.metafiles {
        if file.number == MFT_RECORD || file.name == JOURNAL_NAME {
            continue;
        }
        if let Some(size) = file.allocated_bytes.value() {
            problem.evidence(
                format!("{}: {}", file.name, bytes(float(*size))),
                &file.allocated_bytes,
            );
        }
    }
    problem
        .remedy(remedies::look_first(volume))
        .remedy(remedies::fewer_files(volume));
    let journal = volume.journal.value();
    if journal.is_some_and(|journal| journal.used_bytes > metafiles.total / 2)
        && let Some(remedy) = remedies::journal(cx.snapshot, volume)
    {
        problem.remedy(remedy);
    }
}

/// What must have been seen before `ok`.
fn demand(judge: &mut Judge, volume: &Volume) {
    let name = &volume.name;
    judge.require(
        &volume.ntfs,
        &format!("the size of $MFT on {name}"),
        COLLECT,
    );
    judge.require(
        &volume.journal,
        &format!("the change journal of {name}"),
        COLLECT,
    );
    if volume.size().is_none_or(|size| size == 0) || volume.free().is_none() {
        judge.lacks(
            format!("size and free space of {name} are not known"),
            COLLECT,
        );
    }
    for (number, file) in REQUIRED {
        if volume.metafile(number).is_none() {
            judge.lacks(
                format!("the size of {file} on {name} was not collected"),
                COLLECT,
            );
        }
    }
    for file in volume
        .metafiles
        .iter()
        .filter(|file| file.number != MFT_RECORD)
    {
        judge.require(
            &file.allocated_bytes,
            &format!("the size of {} on {name}", file.name),
            COLLECT,
        );
    }
}

/// Shadow copies are the usual culprit.
fn shadows(judge: &mut Judge, volume: &Volume, metafiles: &Metafiles) {
    let shadows: &Fact<u64> = &volume.shadow_bytes;
    let Some(used) = shadows.value().copied() else {
        return;
    };
    if float(used) > GIB && used > metafiles.total {
        judge.note(format!(
            "shadow copies take {} of {}: look there before the metafiles (vssadmin list shadowstorage)",
            bytes(float(used)),
            volume.name
        ));
        judge.exhibit(format!("shadow copies: {}", bytes(float(used))), shadows);
    }
}

#[cfg(test)]
mod tests;
