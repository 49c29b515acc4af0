//! A setting that a policy can override.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::fact::{Fact, State};
use crate::facts::sources::registry::Number;

/// A setting in both its layers, and what follows from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layered {
    /// The policy; where it is present it decides.
    pub policy: Fact<Number>,
    /// The local value.
    pub local: Fact<Number>,
    /// What is in force: absent when both are, unreadable when the deciding one has a type that
    /// Windows may not take, not collected when the policy layer was not seen.
    pub effective: Fact<u64>,
}

/// The layer that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The policy.
    Policy,
    /// The local value.
    Local,
}

impl Layered {
    /// Resolves the two layers.
    pub fn new(policy: Fact<Number>, local: Fact<Number>) -> Self {
        let effective = match (&policy.state, &local.state) {
            (State::Absent, State::Absent) => {
                let places = policy.evidence.iter().chain(&local.evidence);
                Fact::absent(places.cloned())
            }
            (State::Absent, _) => taken(&local),
            _ => taken(&policy),
        };
        Self {
            policy,
            local,
            effective,
        }
    }

    /// The layer that decides; `None` when the policy layer was not seen, or both are absent.
    pub fn decided_by(&self) -> Option<Layer> {
        match (&self.policy.state, &self.local.state) {
            (State::Known(_), _) => Some(Layer::Policy),
            (State::Absent, State::Known(_)) => Some(Layer::Local),
            _ => None,
        }
    }

    /// The policy's number, where it is present with the right type.
    pub fn policy_number(&self) -> Option<u64> {
        well_typed(&self.policy)
    }

    /// The local number, where it is present with the right type.
    pub fn local_number(&self) -> Option<u64> {
        well_typed(&self.local)
    }
}

/// The number of a value with the right type.
fn well_typed(fact: &Fact<Number>) -> Option<u64> {
    fact.value()
        .filter(|number| number.wrong_type.is_none())
        .and_then(|number| number.value)
}

/// The number as Windows takes it.
fn taken(fact: &Fact<Number>) -> Fact<u64> {
    fact.clone()
        .and_then(|number| match (number.wrong_type, number.value) {
            (Some(kind), _) => Err(format!("{kind} where Windows expects REG_DWORD")),
            (None, None) => Err("a REG_DWORD without data".to_owned()),
            (None, Some(value)) => Ok(value),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u64) -> Fact<Number> {
        Fact::known(
            Number {
                value: Some(value),
                wrong_type: None,
            },
            [],
        )
    }

    #[test]
    fn the_policy_decides_where_it_is_present() {
        let both = Layered::new(number(0), number(1));
        assert_eq!(both.effective.value(), Some(&0));
        assert_eq!(both.decided_by(), Some(Layer::Policy));
        let local = Layered::new(Fact::absent([]), number(1));
        assert_eq!(local.effective.value(), Some(&1));
        assert_eq!(local.decided_by(), Some(Layer::Local));
    }

    #[test]
    fn what_was_not_seen_decides_nothing() {
        let unseen = Layered::new(Fact::not_collected("x"), number(0));
        assert!(matches!(unseen.effective.state, State::NotCollected(_)));
        assert_eq!(unseen.decided_by(), None);
        let neither = Layered::new(Fact::absent([]), Fact::absent([]));
        assert!(neither.effective.is_absent());
        let text = Number {
            value: Some(0),
            wrong_type: Some("REG_SZ".to_owned()),
        };
        let mistyped = Layered::new(Fact::absent([]), Fact::known(text, []));
        assert!(matches!(mistyped.effective.state, State::Unreadable(_)));
    }
}
