//! Logons: failed attempts by source and time, successes, lockouts, cleared logs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{EventFamily, Want};
use super::sources::Sources;
use crate::formats::evtx::Event;

/// Logons: failed attempts by source and time, successes, lockouts, cleared logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Logons {}

impl Logons {
    /// Gathers the facts of this family.
    pub fn gather(_sources: &Sources) -> Self {
        Self {}
    }
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[];

    fn event(&mut self, _event: &Event<'_>) {}

    fn merge(&mut self, _later: Self) {}
}
