//! Causes: which findings follow from which. One step after all checks ran.
//!
//! Checks share facts and never each other's verdicts; only this step sees what all of them came
//! to. It reads the decisions and changes none: every finding stays as it is, and a cause says
//! which others it explains.

mod attack;
mod certificate;
mod clock;
mod disk;
mod memory;
mod policy;
mod ports;
mod sockets;
mod way_in;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check::{Context, Decision, Exhibit};
use super::verdict::Verdict;
use super::words;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;

/// One cause and what follows from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cause {
    /// The cause.
    pub cause: Origin,
    /// How the others hang on it.
    pub link: Link,
    /// The ids of the checks whose findings follow, in the order of the rule; never empty.
    pub consequences: Vec<String>,
    /// Why they follow.
    pub because: String,
    /// What the connection rests on, beyond the evidence of the findings.
    pub evidence: Vec<Exhibit>,
}

/// What a cause is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The finding of the check with that id.
    Check(String),
    /// A fact that is no finding of its own, in words.
    Fact(String),
}

/// How findings hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The cause brings the others about.
    Explains,
    /// The others have causes of their own, which matter only once the first is mended.
    Precedes,
}

/// What a check came to, beside its id.
pub type Decided = (&'static str, Decision);

/// A rule: one cause that it knows, where it holds.
type Rule = fn(&View<'_>) -> Option<Cause>;

/// The rules in the order of the report: what lies deeper comes first.
const RULES: &[Rule] = &[
    clock::skewed,
    attack::slows_down,
    memory::ended_services,
    ports::no_port_for_names,
    sockets::leak,
    policy::came_with_refresh,
    certificate::no_listener,
    way_in::first_broken_stage,
    disk::nothing_was_running,
];

/// Joins the findings to their causes, in the order of the rules.
pub fn fold(context: &Context<'_>, decisions: &[Decided]) -> Vec<Cause> {
    let view = View { context, decisions };
    RULES.iter().filter_map(|rule| rule(&view)).collect()
}

/// What the rules look at.
struct View<'a> {
    context: &'a Context<'a>,
    decisions: &'a [Decided],
}

impl<'a> View<'a> {
    fn snapshot(&self) -> &'a Snapshot {
        self.context.snapshot
    }

    fn decision(&self, check: &str) -> Option<&'a Decision> {
        let decided = self.decisions.iter().find(|(id, _)| *id == check);
        decided.map(|(_, decision)| decision)
    }

    /// The decision of a check that ran and came to that verdict or a worse one.
    fn at_least(&self, check: &str, verdict: Verdict) -> Option<&'a Decision> {
        self.decision(check)
            .filter(|decision| decision.verdict >= verdict)
    }

    fn is_problem(&self, check: &str) -> bool {
        self.at_least(check, Verdict::Warning).is_some()
    }

    fn is_critical(&self, check: &str) -> bool {
        self.at_least(check, Verdict::Critical).is_some()
    }

    /// Whether one of the check's rules of these names held, and made it a problem.
    fn holds(&self, check: &str, rules: &[&str]) -> bool {
        self.at_least(check, Verdict::Warning)
            .is_some_and(|decision| {
                let mut tried = decision.trace.iter();
                tried.any(|tried| tried.holds == Some(true) && rules.contains(&tried.rule.as_str()))
            })
    }
}

impl Cause {
    /// A cause of these consequences; `None` where there are none.
    fn of(cause: Origin, consequences: Vec<&str>, because: impl Into<String>) -> Option<Self> {
        let cause = match cause {
            Origin::Fact(fact) => Origin::Fact(words::with_times(&fact)),
            check @ Origin::Check(_) => check,
        };
        (!consequences.is_empty()).then(|| Self {
            cause,
            link: Link::Explains,
            consequences: consequences.into_iter().map(str::to_owned).collect(),
            because: words::with_times(&because.into()),
            evidence: Vec::new(),
        })
    }

    /// With a piece of evidence and what it says.
    fn resting_on(mut self, says: impl Into<String>, evidence: &Evidence) -> Self {
        self.evidence.push(Exhibit {
            says: says.into(),
            expected: None,
            evidence: evidence.clone(),
        });
        self
    }

    /// Whether the finding of `check` is it, or follows from it.
    pub fn concerns(&self, check: &str) -> bool {
        self.cause.is_check(check) || self.leads_to(check)
    }

    /// Whether the finding of `check` follows from it.
    pub fn leads_to(&self, check: &str) -> bool {
        self.consequences.iter().any(|id| id == check)
    }
}

impl Origin {
    fn check(id: &str) -> Self {
        Self::Check(id.to_owned())
    }

    /// Whether it is the finding of `check`.
    pub fn is_check(&self, check: &str) -> bool {
        matches!(self, Self::Check(id) if id == check)
    }
}

#[cfg(test)]
mod tests;
