//! Single keys: volatile ones, which no hive file holds, and the environment of users.

use std::time::Duration;

use serde_json::Value as Json;
use snapdiag_bundle::State;
use snapdiag_bundle::records::{RegistryExport, RegistryKey, RegistryValue};

use super::filetime::timestamp;
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::registry::{Root, Value};

const METHOD: &str = "RegEnumValueW";
/// `ERROR_FILE_NOT_FOUND`: no such key.
const NO_SUCH_KEY: u32 = 2;

/// Single keys of the registry.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "registry.volatile",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: volatile,
    },
    Collector {
        item: "registry.users",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: users,
    },
];

/// Keys below `HKEY_LOCAL_MACHINE` that are volatile, or may be.
const VOLATILE: &[&str] = &[
    // SystemStartOptions: what the kernel was started with.
    "SYSTEM\\CurrentControlSet\\Control",
    "SYSTEM\\CurrentControlSet\\Control\\SafeBoot\\Option",
    "SYSTEM\\CurrentControlSet\\Control\\SystemInformation",
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending",
    "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired",
    "HARDWARE\\DESCRIPTION\\System",
    "HARDWARE\\DESCRIPTION\\System\\BIOS",
    "HARDWARE\\DESCRIPTION\\System\\CentralProcessor\\0",
];

/// Keys below each user's hive.
const OF_A_USER: &[&str] = &["Environment", "Software\\Microsoft\\Command Processor"];
/// Another name of `.DEFAULT`.
const LOCAL_SYSTEM: &str = "S-1-5-18";

fn volatile(job: &mut Job) -> Outcome {
    let keys = VOLATILE
        .iter()
        .map(|key| (Root::LocalMachine, (*key).to_owned()));
    export(job, "registry/volatile.json", keys.collect())
}

fn users(job: &mut Job) -> Outcome {
    let users = match job.system.registry().subkeys(Root::Users, "") {
        Ok(users) => users,
        Err(error) => return Outcome::failed(error).by("RegEnumKeyExW"),
    };
    let own = |user: &&String| *user != LOCAL_SYSTEM && !user.ends_with("_Classes");
    let keys = users.iter().filter(own).flat_map(|user| {
        OF_A_USER
            .iter()
            .map(move |key| (Root::Users, format!("{user}\\{key}")))
    });
    export(job, "registry/users.json", keys.collect())
}

fn export(job: &mut Job, entry: &str, wanted: Vec<(Root, String)>) -> Outcome {
    if wanted.is_empty() {
        return Outcome::new(State::Empty).by(METHOD);
    }
    let mut parts = Parts::default();
    let mut keys = Vec::new();
    for (root, path) in wanted {
        if job.is_over() {
            parts.cut("out of time");
            break;
        }
        keys.push(read(job, &mut parts, root, &path));
    }
    parts.finish(job, entry, &RegistryExport { keys }, METHOD)
}

fn read(job: &Job, parts: &mut Parts, root: Root, path: &str) -> RegistryKey {
    let mut key = RegistryKey {
        path: format!("{}\\{path}", root.name()),
        exists: Some(false),
        code: None,
        last_write: None,
        values: Vec::new(),
    };
    let answer = match job.system.registry().key(root, path) {
        Err(error) if error.code == NO_SUCH_KEY => Ok(None),
        Err(error) => {
            (key.exists, key.code) = (None, Some(error.code));
            Err(error)
        }
        Ok(found) => Ok(Some(found)),
    };
    if let Some(Some(found)) = parts.take(answer) {
        key.exists = Some(true);
        key.last_write = timestamp(found.last_write);
        key.values = found.values.iter().map(row).collect();
    }
    key
}

fn row(value: &Value) -> RegistryValue {
    RegistryValue {
        name: value.name.clone(),
        value_type: value.value_type,
        data: data(value),
    }
}

/// The data by its type; hex where it does not fit.
fn data(value: &Value) -> Json {
    let bytes = value.data.as_slice();
    let fitting = match value.value_type {
        1 | 2 => value.as_text().map(Json::from),
        4 => bytes
            .try_into()
            .ok()
            .map(u32::from_le_bytes)
            .map(Json::from),
        7 => value.as_texts().map(Json::from),
        11 => bytes
            .try_into()
            .ok()
            .map(u64::from_le_bytes)
            .map(Json::from),
        _ => None,
    };
    fitting.unwrap_or_else(|| snapdiag_bundle::hex(bytes).into())
}

#[cfg(test)]
mod tests;
