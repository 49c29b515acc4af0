//! The machine: Windows, edition, firmware, domain.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::sources::Sources;

/// The machine itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {}

impl Machine {
    /// Gathers the facts of this family.
    pub fn gather(_sources: &Sources) -> Self {
        Self {}
    }
}
