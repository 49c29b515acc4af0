//! Where a policy comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// The group policy objects that each client-side extension applied last, in order.
const HISTORY: &str = "Microsoft\\Windows\\CurrentVersion\\Group Policy\\History";
/// The client-side extension that applies registry settings (MS-GPREG 1.9).
const REGISTRY_EXTENSION: &str = "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}";
/// Settings of device management, by area (MS-MDM, Policy CSP).
const DEVICE: &str = "Microsoft\\PolicyManager\\current\\device\\RemoteDesktopServices";
/// How many objects are read.
const MAX_OBJECTS: usize = 64;

/// A group policy object that was applied to the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyObject {
    /// The name that administrators gave it.
    pub name: String,
    /// The value that names it.
    pub evidence: Vec<Evidence>,
}

/// The objects with registry settings. Which of them holds a setting is not recorded.
pub(super) fn objects(sources: &Sources) -> Fact<Vec<PolicyObject>> {
    objects_of(sources, REGISTRY_EXTENSION)
}

/// The objects with settings of a client-side extension.
pub(in crate::facts) fn objects_of(sources: &Sources, extension: &str) -> Fact<Vec<PolicyObject>> {
    let history = sources.software().below(HISTORY).below(extension);
    let objects = history.subkeys("").map(|keys| {
        keys.into_iter()
            .take(MAX_OBJECTS)
            .filter_map(|key| {
                let name = history.text(&key, "DisplayName");
                Some(PolicyObject {
                    name: name.value()?.text.clone(),
                    evidence: name.evidence,
                })
            })
            .collect()
    });
    bare(objects)
}

/// What device management set, as text whatever its type.
pub(super) fn device_management(sources: &Sources) -> Fact<String> {
    sources
        .software()
        .below(DEVICE)
        .value("", "AllowUsersToConnectRemotely")
        .map(|value| {
            value
                .as_string()
                .or_else(|| value.as_u64().map(|number| number.to_string()))
                .unwrap_or_else(|| value.display())
        })
}
