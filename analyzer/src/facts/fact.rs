//! A fact: one typed statement about the machine, in one of five states, with its evidence.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use super::locator::Locator;

/// One statement about the machine and where it comes from.
///
/// A missing value, an unreadable artifact and a healthy value are different things; a check has
/// to say what it does with each. Only [`State::Known`] and, where Windows documents a default,
/// [`State::Absent`] may lead to `ok`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact<T> {
    /// What is known.
    #[serde(flatten)]
    pub state: State<T>,
    /// Where it was read, or where it was looked for.
    #[serde(default = "no_evidence", skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
}

/// The five states of a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", content = "value", rename_all = "kebab-case")]
pub enum State<T> {
    /// Read from an artifact.
    Known(T),
    /// Looked for in a readable artifact and not there.
    Absent,
    /// The artifact that would hold it is not in the snapshot; the text says why.
    NotCollected(String),
    /// The artifact is there and could not be read at this place; the text says why.
    Unreadable(String),
    /// Removed before the snapshot was shared.
    Redacted,
}

/// Serde's own default would ask for `T: Default`.
fn no_evidence() -> Vec<Evidence> {
    Vec::new()
}

impl<T> Fact<T> {
    /// A value read from `evidence`.
    pub fn known(value: T, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self::new(State::Known(value), evidence)
    }

    /// Looked for and not there; `evidence` names the place.
    pub fn absent(evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self::new(State::Absent, evidence)
    }

    /// Not in the snapshot.
    pub fn not_collected(why: impl Into<String>) -> Self {
        Self::new(State::NotCollected(why.into()), [])
    }

    /// There, and not readable.
    pub fn unreadable(
        why: impl Into<String>,
        evidence: impl IntoIterator<Item = Evidence>,
    ) -> Self {
        Self::new(State::Unreadable(why.into()), evidence)
    }

    /// A fact in any state.
    pub fn new(state: State<T>, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        Self {
            state,
            evidence: evidence.into_iter().collect(),
        }
    }

    /// The value, when it was read.
    pub fn value(&self) -> Option<&T> {
        match &self.state {
            State::Known(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the place was readable: the value is known, or known not to be there.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Known(_) | State::Absent)
    }

    /// Whether the place was readable and holds nothing.
    pub fn is_absent(&self) -> bool {
        matches!(self.state, State::Absent)
    }

    /// The value, or `default` where the documented default applies because the value is absent.
    /// `None` when the place could not be read.
    pub fn value_or(&self, default: T) -> Option<T>
    where
        T: Clone,
    {
        match &self.state {
            State::Known(value) => Some(value.clone()),
            State::Absent => Some(default),
            State::NotCollected(_) | State::Unreadable(_) | State::Redacted => None,
        }
    }

    /// Why the fact is not settled, in words for a report; `None` when it is settled.
    pub fn why_unsettled(&self) -> Option<String> {
        match &self.state {
            State::Known(_) | State::Absent => None,
            State::NotCollected(why) => Some(format!("not collected: {why}")),
            State::Unreadable(why) => Some(format!("unreadable: {why}")),
            State::Redacted => Some("redacted".to_owned()),
        }
    }

    /// The same fact with its value changed by `f`; state and evidence stay.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        self.and_then(|value| Ok(f(value)))
    }

    /// The same fact with its value decoded by `f`; an error makes it unreadable.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Result<U, String>) -> Fact<U> {
        let state = match self.state {
            State::Known(value) => match f(value) {
                Ok(value) => State::Known(value),
                Err(why) => State::Unreadable(why),
            },
            State::Absent => State::Absent,
            State::NotCollected(why) => State::NotCollected(why),
            State::Unreadable(why) => State::Unreadable(why),
            State::Redacted => State::Redacted,
        };
        Fact {
            state,
            evidence: self.evidence,
        }
    }

    /// The same fact whose evidence shows the value as `raw` gives it.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Fn(&T) -> serde_json::Value) -> Self {
        if let State::Known(value) = &self.state {
            for evidence in &mut self.evidence {
                evidence.raw = raw(value);
            }
        }
        self
    }

    /// The same fact whose evidence points to a place within its JSON document.
    #[must_use]
    pub fn at_pointer(mut self, pointer: &str, raw: impl Fn(&T) -> serde_json::Value) -> Self {
        for evidence in &mut self.evidence {
            if let Locator::Json { pointer: place, .. } = &mut evidence.locator {
                pointer.clone_into(place);
            }
        }
        self.with_raw(raw)
    }

    /// The state without the value, to carry "not collected" from one fact to another.
    /// `None` when the value is known.
    pub fn carry<U>(&self) -> Option<Fact<U>> {
        let state = match &self.state {
            State::Known(_) => return None,
            State::Absent => State::Absent,
            State::NotCollected(why) => State::NotCollected(why.clone()),
            State::Unreadable(why) => State::Unreadable(why.clone()),
            State::Redacted => State::Redacted,
        };
        Some(Fact::new(state, self.evidence.clone()))
    }
}

impl<T> Fact<Option<T>> {
    /// The same fact, absent where the readable place did not hold the thing asked for.
    #[must_use]
    pub fn optional(self) -> Fact<T> {
        let state = match self.state {
            State::Known(Some(value)) => State::Known(value),
            State::Known(None) | State::Absent => State::Absent,
            State::NotCollected(why) => State::NotCollected(why),
            State::Unreadable(why) => State::Unreadable(why),
            State::Redacted => State::Redacted,
        };
        Fact::new(state, self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(fact: &Fact<u32>) {
        let json = serde_json::to_string(fact).unwrap();
        assert_eq!(
            &serde_json::from_str::<Fact<u32>>(&json).unwrap(),
            fact,
            "{json}"
        );
    }

    #[test]
    fn every_state_survives_json() {
        round_trip(&Fact::known(7, []));
        round_trip(&Fact::absent([]));
        round_trip(&Fact::not_collected("skipped"));
        round_trip(&Fact::unreadable("cell at 0x20 points outside", []));
        round_trip(&Fact::new(State::Redacted, []));
    }

    #[test]
    fn only_a_documented_default_fills_an_absent_value() {
        assert_eq!(Fact::absent([]).value_or(3389), Some(3389));
        assert_eq!(Fact::not_collected("x").value_or(3389), None);
        assert_eq!(Fact::unreadable("x", []).value_or(3389), None);
        assert_eq!(Fact::new(State::Redacted, []).value_or(3389), None);
    }

    #[test]
    fn a_value_that_does_not_decode_is_unreadable_and_keeps_its_evidence() {
        let fact: Fact<u32> = Fact::known("x", []).and_then(|_| Err("no digits".to_owned()));
        assert_eq!(fact.state, State::Unreadable("no digits".to_owned()));
    }
}
