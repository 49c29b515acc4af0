//! Whose names were tried.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coverage::Window;
use super::fold::Events;
use super::rates::Failures;
use super::sources::LISTED;
use crate::facts::fact::Fact;

/// The users whose names were tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserTable {
    /// How many names were tried; a lower bound where `complete` is false.
    pub distinct: u64,
    /// Whether all names of the window could be counted.
    pub complete: bool,
    /// Attempts that name a user.
    pub attempts: u64,
    /// The names that were tried most, at most 20, in lower case.
    pub top: Vec<UserCount>,
}

/// How often a name was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserCount {
    /// The name, in lower case, without domain.
    pub user: String,
    /// How often.
    pub attempts: u64,
}

pub(super) fn users(
    events: &Events,
    failures: &Fact<Failures>,
    window: Option<Window>,
) -> Fact<UserTable> {
    let Some(window) = window.filter(|_| failures.value().is_some()) else {
        return failures
            .carry()
            .unwrap_or_else(|| Fact::not_collected("nothing tells a time"));
    };
    let hours = window.minutes().start.div_euclid(60)..=(window.minutes().end - 1).div_euclid(60);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for ((hour, user), count) in events.users.entries() {
        if hours.contains(hour) {
            *counts.entry(user).or_default() += count;
        }
    }
    let dropped = events.users.dropped_before().map(|(hour, _)| *hour);
    let mut top: Vec<UserCount> = counts
        .iter()
        .map(|(user, attempts)| UserCount {
            user: (*user).to_owned(),
            attempts: *attempts,
        })
        .collect();
    top.sort_by_key(|user| std::cmp::Reverse(user.attempts));
    top.truncate(LISTED);
    let table = UserTable {
        distinct: counts.len() as u64,
        complete: dropped.is_none_or(|hour| hour < *hours.start()),
        attempts: counts.values().sum(),
        top,
    };
    Fact::known(table, failures.evidence.iter().cloned())
}
