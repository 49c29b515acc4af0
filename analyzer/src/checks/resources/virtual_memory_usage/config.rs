//! The configuration of page files: what will happen, whatever the counters say.

use super::{FREE_GIB, FREE_PERCENT, SMALL_FILE, SMALL_MACHINE, remedies, usage};
use crate::checks::check::{Context, Judge};
use crate::checks::verdict::Verdict;
use crate::checks::words;
use crate::facts::counters::Series;
use crate::facts::page_files::{PageFiles, Setting};
use crate::facts::units::{GIB, bytes, float};
use crate::facts::volumes::Volume;

/// With a commit limit of at most this many times the memory, no page file is in use.
const MEMORY_ALONE: f64 = 1.05;
/// From this share on a missing page file is felt.
const FELT_PERCENT: f64 = 80.0;

pub(super) fn judge(judge: &mut Judge, cx: &Context<'_>) {
    none(judge, cx);
    small(judge, cx);
    missing_drive(judge, cx);
    temporary(judge, cx);
    full_volume(judge, cx);
    let files = &cx.snapshot.page_files;
    judge.require(
        &files.configured,
        "the configuration of page files",
        "the SYSTEM hive (registry.system)",
    );
    if files.configured.is_absent() {
        judge.lacks(
            "PagingFiles is absent, and what Windows does then is not confirmed",
            "the output of: Get-CimInstance Win32_PageFileUsage",
        );
    }
}

/// No page file is configured.
pub(super) fn without_page_file(files: &PageFiles) -> Option<bool> {
    files.settings().map(|settings| settings.is_empty())
}

/// Windows chooses the size of one page file at least.
pub(super) fn is_managed(files: &PageFiles) -> Option<bool> {
    let settings = files.settings()?;
    Some(settings.iter().any(|setting| setting.managed))
}

fn none(judge: &mut Judge, cx: &Context<'_>) {
    let files = &cx.snapshot.page_files;
    let none = without_page_file(files);
    let visible = cx
        .snapshot
        .counters
        .visible_bytes
        .value()
        .copied()
        .map(float);
    let limit = cx.limit(&SMALL_MACHINE) * GIB;
    let small = visible.map(|visible| visible < limit);
    let holds = both(none, small);
    let memory = visible.map_or_else(|| "not known".to_owned(), bytes);
    let compared = format!(
        "no page file, and memory {memory} is less than {}",
        bytes(limit)
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "no-page-file", compared, holds) {
        problem
            .headline(format!(
                "there is no page file on a machine with {memory} of memory"
            ))
            .evidence_expected(
                "PagingFiles is empty",
                r"?:\pagefile.sys",
                &files.configured,
            )
            .remedy(remedies::automatic(files));
    }
    let dump = files
        .crash_dump
        .value()
        .and_then(|number| number.value)
        .map(|kind| kind != 0);
    let dedicated = files.dedicated_dump.value().is_some();
    let holds = both(none, dump).map(|holds| holds && !dedicated);
    let compared = "no page file, CrashDumpEnabled not 0, and no DedicatedDumpFile";
    if let Some(problem) = judge.rule(Verdict::Warning, "no-page-file-for-dumps", compared, holds) {
        problem
            .headline("a crash dump is asked for and cannot be written: there is no page file")
            .evidence("PagingFiles is empty", &files.configured)
            .evidence("CrashDumpEnabled", &files.crash_dump)
            .remedy(remedies::automatic(files));
    }
    if none == Some(true) && (small.is_none() || dump.is_none()) && small != Some(true) {
        judge.lacks(
            "there is no page file, and whether the machine is large enough for that is not known",
            "a live bundle with system.memory, and the SYSTEM hive",
        );
    }
}

fn both(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn small(judge: &mut Judge, cx: &Context<'_>) {
    let files = &cx.snapshot.page_files;
    let limit = cx.limit(&SMALL_FILE);
    let maximum = files
        .settings()
        .filter(|settings| !settings.is_empty())
        .and_then(|settings| {
            let fixed = settings.iter().all(|setting| !setting.managed);
            let sum = settings
                .iter()
                .filter_map(|s| s.maximum_mb)
                .fold(0, u64::saturating_add);
            fixed.then_some(sum)
        });
    let holds = files
        .configured
        .value()
        .map(|_| maximum.is_some_and(|maximum| float(maximum) < limit));
    let compared = format!(
        "fixed maximum: {}, warning below {limit} MB",
        maximum.map_or_else(|| "none".to_owned(), |maximum| format!("{maximum} MB"))
    );
    if let Some(problem) = judge.rule(Verdict::Warning, "page-file-too-small", compared, holds) {
        problem
            .headline(format!(
                "page files may grow to {} MB only, whatever is needed",
                maximum.unwrap_or_default()
            ))
            .evidence_expected(
                "PagingFiles has a fixed maximum",
                r"?:\pagefile.sys",
                &files.configured,
            )
            .remedy(remedies::automatic(files));
    }
}

/// A page file on a drive that is gone, as after a change of size that took the temporary disk.
fn missing_drive(judge: &mut Judge, cx: &Context<'_>) {
    let files = &cx.snapshot.page_files;
    let settings = files.settings().unwrap_or_default();
    let letters: Vec<char> = settings
        .iter()
        .filter_map(|setting| setting.letter)
        .collect();
    let gone: Vec<char> = letters
        .iter()
        .copied()
        .filter(|letter| exists(cx, *letter) == Some(false))
        .collect();
    let unseen = letters.iter().any(|letter| exists(cx, *letter).is_none());
    let holds = match (files.configured.value(), gone.is_empty(), unseen) {
        (None, _, _) | (Some(_), true, true) => None,
        (Some(_), gone, _) => Some(!gone),
    };
    if holds.is_none() && files.configured.value().is_some() {
        judge.lacks(
            "whether the drive of the page file exists is not known",
            "the list of volumes (volumes.volumes), or MountedDevices of the SYSTEM hive",
        );
    }
    let felt = memory_alone(cx);
    let verdict = if felt {
        Verdict::Critical
    } else {
        Verdict::Warning
    };
    let compared = format!(
        "drives that PagingFiles names and that do not exist: {}",
        words::list(&gone)
    );
    let Some(problem) = judge.rule(verdict, "page-file-drive-missing", compared, holds) else {
        return;
    };
    let names: Vec<String> = gone.iter().map(|letter| format!("{letter}:")).collect();
    problem
        .headline(format!(
            "a page file is configured on {}, which does not exist",
            names.join(", ")
        ))
        .evidence("PagingFiles", &files.configured)
        .evidence(
            "drive letters that Windows has given",
            &cx.snapshot.drives.assigned,
        )
        .remedy(remedies::automatic(files));
    if felt {
        problem.because("memory alone is the commit limit, and more than 80 % of it are committed");
    }
}

/// By the volumes at capture, else by the letters that Windows has ever given.
fn exists(cx: &Context<'_>, letter: char) -> Option<bool> {
    let volumes = &cx.snapshot.volumes;
    if volumes.list.value().is_some() {
        return Some(volumes.with_letter(letter).is_some());
    }
    let assigned = cx.snapshot.drives.assigned.value()?;
    // A letter stays in the registry after its disk is gone: only its absence proves something.
    let known = assigned.iter().any(|drive| drive.letter == letter);
    (!known).then_some(false)
}

fn memory_alone(cx: &Context<'_>) -> bool {
    let counters = &cx.snapshot.counters;
    let limit = counters
        .memory
        .commit_limit_bytes
        .value()
        .and_then(Series::last);
    let visible = counters.visible_bytes.value().copied().map(float);
    let alone = limit
        .zip(visible)
        .is_some_and(|(limit, visible)| limit <= visible * MEMORY_ALONE);
    let felt = usage::sustained(&counters.memory.commit_percent, |percent| {
        percent > FELT_PERCENT
    });
    alone && felt == Some(true)
}

fn temporary(judge: &mut Judge, cx: &Context<'_>) {
    let files = &cx.snapshot.page_files;
    let holds = files
        .temporary
        .value_or(crate::facts::sources::registry::Number {
            value: Some(0),
            wrong_type: None,
        })
        .map(|number| number.value.is_some_and(|value| value != 0));
    let problem = judge.rule(
        Verdict::Warning,
        "temporary-page-file",
        "TempPageFile is not 0",
        holds,
    );
    if let Some(problem) = problem {
        problem
            .headline("Windows runs on a temporary page file: it could not make the one configured")
            .evidence_expected("TempPageFile", "absent or 0", &files.temporary)
            .evidence("PagingFiles", &files.configured)
            .remedy(remedies::automatic(files));
    }
}

/// A page file that Windows may grow, on a volume without room.
fn full_volume(judge: &mut Judge, cx: &Context<'_>) {
    let files = &cx.snapshot.page_files;
    let Some(settings) = files.settings() else {
        return;
    };
    for setting in settings.iter().filter(|setting| setting.managed) {
        let Some(volume) = volume_of(cx, setting) else {
            if setting
                .letter
                .is_none_or(|letter| exists(cx, letter) != Some(false))
            {
                judge.lacks(
                    "whether the page file has room to grow is not known",
                    "a live bundle with volumes.volumes",
                );
            }
            continue;
        };
        let room = volume.free().zip(volume.size());
        let full = room.map(|(free, size)| {
            float(free) < cx.limit(&FREE_GIB) * GIB
                && float(free) * 100.0 < cx.limit(&FREE_PERCENT) * float(size)
        });
        let free = room.map_or_else(|| "not known".to_owned(), |(free, _)| bytes(float(free)));
        let compared = format!(
            "{} has {free} free, less than {} GiB and {} %",
            volume.name,
            cx.limit(&FREE_GIB),
            cx.limit(&FREE_PERCENT)
        );
        if full.is_none() {
            judge.lacks(
                format!("how much of {} is free is not known", volume.name),
                "a live bundle with volumes.volumes",
            );
        }
        if let Some(problem) = judge.rule(Verdict::Warning, "page-file-cannot-grow", compared, full)
        {
            problem
                .headline(format!(
                    "Windows manages the page file, and {} has no room for it to grow: {free} free",
                    volume.name
                ))
                .evidence(format!("{free} free"), &volume.free_bytes)
                .evidence("PagingFiles", &files.configured)
                .remedy(remedies::make_room(&volume.name));
        }
    }
}

/// The volume of a page file: by its letter, else by what the system opened, else the system's.
fn volume_of<'a>(cx: &'a Context<'_>, setting: &Setting) -> Option<&'a Volume> {
    let volumes = &cx.snapshot.volumes;
    let files = &cx.snapshot.page_files;
    let path_letter = |path: &str| {
        let path = path.strip_prefix(r"\??\").unwrap_or(path);
        path.chars()
            .next()
            .map(|letter| letter.to_ascii_uppercase())
    };
    let in_use = || {
        let file = files.in_use.value()?.first()?;
        path_letter(&file.path)
    };
    let opened = || path_letter(files.opened.value()?.first()?);
    let letter = setting.letter.or_else(in_use).or_else(opened);
    match letter {
        Some(letter) => volumes.with_letter(letter),
        None => volumes
            .list
            .value()?
            .iter()
            .find(|volume| volume.system == Some(true)),
    }
}
