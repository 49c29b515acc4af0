//! Access to the machine's key files, without their content.

use std::path::{Path, PathBuf};
use std::time::Duration;

use snapdiag_bundle::records::MachineKeys;

use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::os_error;

const METHOD: &str = "GetNamedSecurityInfoW";
/// Start of the name of the key of the Remote Desktop certificate; the machine's GUID follows.
const RDP_KEY: &str = "f686aace6942fb7f7ceb231212eef4a4_";

/// The key files of the machine.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "system.machine-keys",
    phase: Phase::Quick,
    limit: Duration::from_secs(10),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    let system = job.system.clone();
    let files = system.files();
    let Some(data) = files.variable("ProgramData") else {
        // ERROR_ENVVAR_NOT_FOUND
        return Outcome::failed(os_error("GetEnvironmentVariableW", 203)).by(METHOD);
    };
    let folder = ["Microsoft", "Crypto", "RSA", "MachineKeys"]
        .iter()
        .fold(PathBuf::from(data), |path, name| path.join(name));
    let mut parts = Parts::default();
    let folder_sddl = parts.take(files.sddl(&folder));
    let key = rdp_key(job, &mut parts, &folder);
    let record = MachineKeys {
        folder_sddl,
        rdp_key_exists: match &key {
            Key::Found(_) => Some(true),
            Key::Missing => Some(false),
            Key::Unknown => None,
        },
        rdp_key_sddl: match key {
            Key::Found(name) => parts.take(files.sddl(&folder.join(name))),
            Key::Missing | Key::Unknown => None,
        },
    };
    parts.finish(job, "system/machine-keys.json", &record, METHOD)
}

/// The file of the key of Remote Desktop.
enum Key {
    /// Its name.
    Found(String),
    Missing,
    /// The folder was not read to its end.
    Unknown,
}

fn rdp_key(job: &Job, parts: &mut Parts, folder: &Path) -> Key {
    let Some(list) = parts.take(job.system.files().list(folder)) else {
        return Key::Unknown;
    };
    for found in list {
        let Some(found) = parts.take(found) else {
            return Key::Unknown;
        };
        if found.name.to_ascii_lowercase().starts_with(RDP_KEY) {
            return Key::Found(found.name);
        }
        if job.is_over() {
            parts.cut("the folder has too many files to look through");
            return Key::Unknown;
        }
    }
    Key::Missing
}

#[cfg(test)]
mod tests;
