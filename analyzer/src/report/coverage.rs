//! Coverage: what each check had to go by, and what it lacked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checks::check::{Check, Demand, Input};
use crate::checks::verdict::Verdict;
use crate::facts::inventory::{Artifact, ArtifactState, Inventory};

/// What one check had to go by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The check's id.
    pub id: String,
    /// How far it could go.
    pub state: Covered,
    /// The items of the bundle that it used.
    pub used: Vec<String>,
    /// The items that it could have used.
    pub missing: Vec<MissingInput>,
}

/// How far a check could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Covered {
    /// Everything that it can use was there and whole.
    Ran,
    /// It came to a verdict, or had what it requires, without everything that it can use.
    Partial,
    /// It could not come to a verdict.
    CouldNot,
}

/// An item that a check could have used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingInput {
    /// The item.
    pub item: String,
    /// Whether the check needs it before it may say `ok`.
    pub required: bool,
    /// What became of it.
    pub why: String,
}

impl Covered {
    /// The word used in every report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Partial => "partial",
            Self::CouldNot => "could not",
        }
    }
}

impl Coverage {
    /// What `check`, which came to `verdict`, had to go by.
    pub fn of(check: &Check, verdict: Verdict, inventory: &Inventory) -> Self {
        let mut used = Vec::new();
        let mut missing = Vec::new();
        for input in check.inputs {
            match lack(input, inventory) {
                Lack::Nothing => used.push(input.item.to_owned()),
                Lack::Part(why) => {
                    used.push(input.item.to_owned());
                    missing.push(missing_input(input, why));
                }
                Lack::All(why) => missing.push(missing_input(input, why)),
            }
        }
        let lacks_required = missing.iter().any(|input| input.required);
        let state = if verdict == Verdict::Unknown && lacks_required {
            Covered::CouldNot
        } else if missing.is_empty() {
            Covered::Ran
        } else {
            Covered::Partial
        };
        Self {
            id: check.id.to_owned(),
            state,
            used,
            missing,
        }
    }
}

enum Lack {
    Nothing,
    Part(String),
    All(String),
}

fn missing_input(input: &Input, why: String) -> MissingInput {
    MissingInput {
        item: input.item.to_owned(),
        required: input.demand == Demand::Required,
        why,
    }
}

/// What is lacking of an input, by the artifact that it was read from.
fn lack(input: &Input, inventory: &Inventory) -> Lack {
    let Some(name) = inventory.items.get(input.item) else {
        let why = inventory.missing.get(input.item).cloned();
        return Lack::All(why.unwrap_or_else(|| "not in the snapshot".to_owned()));
    };
    let artifact = inventory
        .artifacts
        .iter()
        .find(|artifact| artifact.path == *name);
    let Some(artifact) = artifact else {
        return Lack::All("not in the snapshot".to_owned());
    };
    match artifact.state {
        ArtifactState::Used => Lack::Nothing,
        ArtifactState::Damaged => Lack::Part(format!("damaged{}", notes(artifact))),
        ArtifactState::NotUsed => Lack::All(format!("not used{}", notes(artifact))),
        ArtifactState::Unreadable | ArtifactState::Unrecognised => {
            Lack::All(format!("unreadable{}", notes(artifact)))
        }
    }
}

fn notes(artifact: &Artifact) -> String {
    if artifact.notes.is_empty() {
        String::new()
    } else {
        format!(": {}", artifact.notes.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::verdict::Category;
    use crate::facts::inventory::Kind;

    const INPUTS: &[Input] = &[
        Input::required("registry.system"),
        Input::helpful("eventlog.system"),
    ];

    const CHECK: Check = Check {
        id: "x",
        category: Category::Os,
        title: "X",
        page: "",
        inputs: INPUTS,
        thresholds: &[],
        decide: |_| unreachable!("coverage decides nothing"),
    };

    fn inventory(artifacts: &[(&str, ArtifactState)]) -> Inventory {
        Inventory {
            artifacts: artifacts
                .iter()
                .map(|(item, state)| Artifact {
                    path: (*item).to_owned(),
                    kind: Kind::Hive,
                    item: Some((*item).to_owned()),
                    state: *state,
                    notes: vec!["a note".to_owned()],
                    size_bytes: 1,
                })
                .collect(),
            items: artifacts
                .iter()
                .map(|(item, _)| ((*item).to_owned(), (*item).to_owned()))
                .collect(),
            ..Inventory::default()
        }
    }

    fn state(verdict: Verdict, artifacts: &[(&str, ArtifactState)]) -> Covered {
        Coverage::of(&CHECK, verdict, &inventory(artifacts)).state
    }

    #[test]
    fn the_state_follows_from_inputs_and_verdict() {
        use ArtifactState::{Damaged, Used};
        let system = ("registry.system", Used);
        let log = ("eventlog.system", Used);
        assert_eq!(state(Verdict::Ok, &[system, log]), Covered::Ran);
        assert_eq!(state(Verdict::Unknown, &[system, log]), Covered::Ran);
        assert_eq!(state(Verdict::Ok, &[system]), Covered::Partial);
        assert_eq!(
            state(Verdict::Warning, &[system, ("eventlog.system", Damaged)]),
            Covered::Partial
        );
        assert_eq!(state(Verdict::Unknown, &[log]), Covered::CouldNot);
        assert_eq!(state(Verdict::Critical, &[log]), Covered::Partial);
    }

    #[test]
    fn what_is_missing_says_why() {
        use ArtifactState::{NotUsed, Unreadable};
        let coverage = Coverage::of(
            &CHECK,
            Verdict::Unknown,
            &inventory(&[
                ("registry.system", Unreadable),
                ("eventlog.system", NotUsed),
            ]),
        );
        let why: Vec<&str> = coverage.missing.iter().map(|m| m.why.as_str()).collect();
        assert_eq!(why, ["unreadable: a note", "not used: a note"]);
        let mut denied = Inventory::default();
        let why = "not collected: denied (EvtExportLog failed with 5)".to_owned();
        denied
            .missing
            .insert("eventlog.system".to_owned(), why.clone());
        let lacks = Coverage::of(&CHECK, Verdict::Unknown, &denied).missing;
        assert_eq!(
            (&*lacks[0].why, &lacks[1].why),
            ("not in the snapshot", &why)
        );
        assert!(coverage.missing[0].required && !coverage.missing[1].required);
    }
}
