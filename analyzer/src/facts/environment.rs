//! Environment variables of the machine, what overrides them for users, and what hooks into the
//! programs that are found through them.

mod hooks;
mod live;
mod users;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::hooks::{DEBUGGED, Hook};
pub use self::live::PathElement;
pub use self::users::{UserEnvironment, UserVariable};
use super::fact::{Fact, State};
use super::sources::Sources;
use super::sources::registry::{Below, KeyFact, Text};

/// The machine's variables, below the control set.
const KEY: &str = "Control\\Session Manager\\Environment";

/// Environment variables of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// The key that holds the machine's variables.
    pub key: Fact<KeyFact>,
    /// `Path`.
    pub path: Fact<Text>,
    /// `PATHEXT`: the endings of programs that are found without them.
    pub pathext: Fact<Text>,
    /// `ComSpec`: the command interpreter.
    pub comspec: Fact<Text>,
    /// `windir`.
    pub windir: Fact<Text>,
    /// `SystemRoot`, which belongs elsewhere: Windows sets it from SOFTWARE.
    pub system_root: Fact<Text>,
    /// `TEMP` of services.
    pub temp: Fact<Text>,
    /// `TMP` of services.
    pub tmp: Fact<Text>,
    /// All variables by upper-case name, as stored; for the expansion of others.
    pub variables: BTreeMap<String, String>,
    /// Debuggers of the command programs, and what `cmd.exe` runs at every start.
    pub hooks: Vec<Hook>,
    /// Which elements of `Path`, and `TEMP`, `TMP`, `windir`, `ComSpec`, exist at capture.
    pub elements: Fact<Vec<PathElement>>,
    /// `Path` as the running services have it.
    pub service_path: Fact<String>,
    /// What the default and the logged-on users set for themselves.
    pub users: Fact<Vec<UserEnvironment>>,
}

impl Environment {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control_set = sources.system().control_set();
        let key = control_set.below(KEY);
        let variable = |name: &str| variable(&key, name);
        let live = live::Live::gather(sources);
        Self {
            path: variable("Path"),
            pathext: variable("PATHEXT"),
            comspec: variable("ComSpec"),
            windir: variable("windir"),
            system_root: variable("SystemRoot"),
            temp: variable("TEMP"),
            tmp: variable("TMP"),
            variables: variables(&key),
            key: key.key(""),
            hooks: hooks::gather(sources),
            elements: live.elements,
            service_path: live.service_path,
            users: users::gather(sources),
        }
    }
}

/// A variable as stored. Data of another type is no text for Windows: an empty text of that type.
fn variable(key: &Below<'_>, name: &str) -> Fact<Text> {
    let value = key.value("", name);
    value.map(|value| Text {
        kind: value.kind.name(),
        text: value.as_string().unwrap_or_default(),
    })
}

fn variables(key: &Below<'_>) -> BTreeMap<String, String> {
    let State::Known(list) = key.values("").state else {
        return BTreeMap::new();
    };
    list.into_iter()
        .filter_map(|entry| Some((entry.value.name.to_uppercase(), entry.value.as_string()?)))
        .collect()
}

#[cfg(test)]
mod tests;
