//! Environment variables of the machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sources::Sources;

/// Environment variables of the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {}

impl Environment {
    /// Gathers the facts of this family.
    pub fn gather(_sources: &Sources) -> Self {
        Self {}
    }
}
