//! Hives: saved by Windows, else copied with their transaction logs.

use std::path::PathBuf;
use std::time::Duration;

use snapdiag_bundle::{OsError, State};

use super::exported::{COPY, Exported, both_failed, copy, ended};
use super::{Collector, Job, Outcome, Phase};
use crate::system::registry::Root;
use crate::system::{SysResult, os_error};

const SAVE: &str = "RegSaveKeyExW";
/// Where Windows says which file holds a hive.
const HIVE_LIST: &str = "SYSTEM\\CurrentControlSet\\Control\\hivelist";
/// `ERROR_FILE_NOT_FOUND`.
const NOT_FOUND: u32 = 2;

/// Every hive. Never SAM or SECURITY: they hold secrets.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "registry.system",
        phase: Phase::Heavy,
        limit: Duration::from_secs(45),
        collect: |job| collect(job, &SYSTEM),
    },
    Collector {
        item: "registry.software",
        phase: Phase::Heavy,
        limit: Duration::from_secs(90),
        collect: |job| collect(job, &SOFTWARE),
    },
    Collector {
        item: "registry.bcd",
        phase: Phase::Heavy,
        limit: Duration::from_secs(20),
        collect: |job| collect(job, &BCD),
    },
];

/// A hive below `HKEY_LOCAL_MACHINE`.
struct Hive {
    key: &'static str,
    /// Its file in `System32\config`; the boot store lies elsewhere.
    file: Option<&'static str>,
    entries: [&'static str; 3],
}

const SYSTEM: Hive = Hive {
    key: "SYSTEM",
    file: Some("SYSTEM"),
    entries: [
        "registry/SYSTEM",
        "registry/SYSTEM.LOG1",
        "registry/SYSTEM.LOG2",
    ],
};
const SOFTWARE: Hive = Hive {
    key: "SOFTWARE",
    file: Some("SOFTWARE"),
    entries: [
        "registry/SOFTWARE",
        "registry/SOFTWARE.LOG1",
        "registry/SOFTWARE.LOG2",
    ],
};
const BCD: Hive = Hive {
    key: "BCD00000000",
    file: None,
    entries: ["registry/BCD", "registry/BCD.LOG1", "registry/BCD.LOG2"],
};

fn collect(job: &mut Job, hive: &Hive) -> Outcome {
    save(job, hive).unwrap_or_else(|first| copy_with_logs(job, hive, first))
}

fn save(job: &mut Job, hive: &Hive) -> SysResult<Outcome> {
    let export = Exported::place(job);
    job.system.registry().save_hive(hive.key, export.path())?;
    let [entry, ..] = hive.entries;
    Ok(ended(export.send(job, entry)?, SAVE))
}

fn copy_with_logs(job: &mut Job, hive: &Hive, first: OsError) -> Outcome {
    let [entry, logs @ ..] = hive.entries;
    let copied = file_of(job, hive).and_then(|file| Ok((copy(job, entry, &file)?, file)));
    let (mut outcome, file) = match copied {
        Ok((sent, file)) => (ended(sent, COPY), file),
        Err(second) => return both_failed(first, SAVE, &second),
    };
    for (entry, ending) in logs.into_iter().zip([".LOG1", ".LOG2"]) {
        if outcome.state != State::Ok {
            break;
        }
        let mut log = file.clone().into_os_string();
        log.push(ending);
        match copy(job, entry, log.as_ref()) {
            // An empty log is usual, and so is none for a hive that was closed in order.
            Ok(Ok(sent)) if sent.source_error.is_none() => {}
            Err(error) if error.code == NOT_FOUND => {}
            Ok(sent) => outcome = ended(sent, COPY),
            Err(error) => {
                outcome.state = State::Truncated;
                outcome.reason = Some(format!("its log {ending}: {error}"));
            }
        }
    }
    outcome.after(Some(first))
}

/// The file that holds a hive: where the kernel says, else where it usually is.
fn file_of(job: &Job, hive: &Hive) -> SysResult<PathBuf> {
    let listed = job.system.registry().key(Root::LocalMachine, HIVE_LIST);
    let name = format!("\\REGISTRY\\MACHINE\\{}", hive.key);
    let listed = listed.ok().and_then(|list| list.value(&name)?.as_text());
    if let Some(device_path) = listed {
        return Ok(format!("\\\\?\\GLOBALROOT{device_path}").into());
    }
    match hive.file {
        Some(file) => {
            let root = job.system.files().system_root()?;
            Ok(root.join("System32").join("config").join(file))
        }
        None => Err(os_error("RegQueryValueExW", NOT_FOUND)),
    }
}

#[cfg(test)]
mod tests;
