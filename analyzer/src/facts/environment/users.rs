//! What users set for themselves: `Path` is appended to the machine's, other names replace.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use snapdiag_bundle::records::{RegistryExport, RegistryKey};

use crate::facts::document;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// One key of one user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserEnvironment {
    /// The user's SID, or the name under `HKU` (`.DEFAULT`).
    pub user: String,
    /// The key below the user's hive: `Environment`, `Software\Microsoft\Command Processor`.
    pub key: String,
    /// Its texts.
    pub variables: Vec<UserVariable>,
}

/// One value of a user's key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UserVariable {
    /// The name as stored.
    pub name: String,
    /// The text as stored.
    pub text: String,
    /// Where it stands.
    pub evidence: Evidence,
}

impl UserEnvironment {
    /// The variable of that name, compared without case.
    pub fn variable(&self, name: &str) -> Option<&UserVariable> {
        self.variables
            .iter()
            .find(|variable| variable.name.eq_ignore_ascii_case(name))
    }

    /// Whether this is the user's key of that name.
    pub fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

pub(super) fn gather(sources: &Sources) -> Fact<Vec<UserEnvironment>> {
    let record: Fact<Json> = sources.record("registry.users");
    let whole = record.evidence.first().cloned();
    let users = document::typed::<RegistryExport>(&record).map(|export| {
        let keys = export.keys.iter().enumerate();
        keys.filter_map(|(index, key)| user(index, key, whole.as_ref()?))
            .collect()
    });
    document::bare(users)
}

fn user(index: usize, key: &RegistryKey, whole: &Evidence) -> Option<UserEnvironment> {
    let mut names = key.path.splitn(3, '\\');
    let (_, user, below) = (names.next()?, names.next()?, names.next()?);
    let values = key.values.iter().enumerate();
    let variables = values
        .filter_map(|(at, value)| {
            let pointer = format!("/keys/{index}/values/{at}/data");
            Some(UserVariable {
                name: value.name.clone(),
                text: value.data.as_str()?.to_owned(),
                evidence: document::at(whole, pointer, value.data.clone()).at(key.last_write),
            })
        })
        .collect();
    Some(UserEnvironment {
        user: user.to_owned(),
        key: below.to_owned(),
        variables,
    })
}
