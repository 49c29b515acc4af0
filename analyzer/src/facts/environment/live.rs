//! What the collector saw of the environment on the running machine.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use snapdiag_bundle::records::PathFacts;

use crate::facts::document;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::Sources;

/// Whether a path of the environment exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PathElement {
    /// The variable that it comes from.
    pub variable: String,
    /// As it stands in the registry.
    pub raw: String,
    /// Whether it is there; `None` where Windows would not say.
    pub exists: Option<bool>,
    /// Where that stands.
    pub evidence: Evidence,
}

pub(super) struct Live {
    pub(super) elements: Fact<Vec<PathElement>>,
    pub(super) service_path: Fact<String>,
}

impl Live {
    pub(super) fn gather(sources: &Sources) -> Self {
        let record: Fact<Json> = sources.record("system.paths");
        let facts = document::typed::<PathFacts>(&record);
        let whole = record.evidence.first().cloned();
        Self {
            service_path: service_path(&facts, whole.as_ref()),
            elements: document::bare(facts.map(|facts| elements(&facts, whole.as_ref()))),
        }
    }
}

fn elements(facts: &PathFacts, whole: Option<&Evidence>) -> Vec<PathElement> {
    let rows = facts.paths.iter().enumerate();
    rows.filter_map(|(index, path)| {
        let pointer = format!("/paths/{index}/exists");
        Some(PathElement {
            variable: path.variable.clone(),
            raw: path.raw.clone(),
            exists: path.exists,
            evidence: document::at(whole?, pointer, json!(path.exists)),
        })
    })
    .collect()
}

fn service_path(facts: &Fact<PathFacts>, whole: Option<&Evidence>) -> Fact<String> {
    let Some(facts) = facts.value() else {
        return facts.carry().unwrap_or_else(|| Fact::absent([]));
    };
    let pointer = "/service_path".to_owned();
    let evidence = whole.map(|whole| document::at(whole, pointer, json!(facts.service_path)));
    let state = match &facts.service_path {
        Some(path) => State::Known(path.clone()),
        None => State::NotCollected("no service's environment was read".to_owned()),
    };
    Fact::new(state, evidence)
}
