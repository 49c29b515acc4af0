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
        rdp_key_exists: key.as_ref().map(Option::is_some),
        rdp_key_sddl: key
            .flatten()
            .and_then(|name| parts.take(files.sddl(&folder.join(name)))),
    };
    parts.finish(job, "system/machine-keys.json", &record, METHOD)
}

/// The name of the key's file if there is one; the outer `None` where the folder was not read to
/// its end.
fn rdp_key(job: &Job, parts: &mut Parts, folder: &Path) -> Option<Option<String>> {
    for found in parts.take(job.system.files().list(folder))? {
        let name = parts.take(found)?.name;
        if name.to_ascii_lowercase().starts_with(RDP_KEY) {
            return Some(Some(name));
        }
        if job.is_over() {
            parts.cut("the folder has too many files to look through");
            return None;
        }
    }
    Some(None)
}

#[cfg(test)]
mod tests;
