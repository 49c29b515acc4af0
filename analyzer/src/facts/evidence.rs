//! Evidence: the artifact, the place in it, and what stood there.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::locator::Locator;

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// The artifact's name in the snapshot.
    pub artifact: String,
    /// The place; exactly what `snapdiag show` takes to read it back.
    #[schemars(with = "String")]
    pub locator: Locator,
    /// What stood there, as `show --format json` gives it: a registry value's data, an event's
    /// fields, the count of a query over several records, a line of text, a JSON value.
    /// `null` when nothing stood there.
    pub raw: Value,
    /// When: a key's last write, an event's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Why this place is to be trusted less ("hive is dirty and its logs are missing").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

impl Evidence {
    /// Evidence without time or doubt.
    pub fn new(artifact: impl Into<String>, locator: Locator, raw: impl Into<Value>) -> Self {
        Self {
            artifact: artifact.into(),
            locator,
            raw: raw.into(),
            time: None,
            doubt: None,
        }
    }

    /// With the time the place itself carries.
    #[must_use]
    pub fn at(mut self, time: Option<Timestamp>) -> Self {
        self.time = time;
        self
    }

    /// With a reason to trust it less.
    #[must_use]
    pub fn doubted(mut self, doubt: Option<String>) -> Self {
        self.doubt = doubt;
        self
    }
}
