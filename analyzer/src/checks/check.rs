//! What a check is, and how it comes to a decision.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::remedy::Remedy;
use super::thresholds::{Threshold, Thresholds};
use super::verdict::{Category, Confidence, Verdict};
use super::words;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;

/// One line of the checklist.
pub struct Check {
    /// Stable kebab-case id, never reused.
    pub id: &'static str,
    /// The group it belongs to.
    pub category: Category,
    /// What it asks, in a few words.
    pub title: &'static str,
    /// The page beside it, in Markdown.
    pub page: &'static str,
    /// The artifacts it can use; the coverage table is made of them.
    pub inputs: &'static [Input],
    /// The limits it compares with.
    pub thresholds: &'static [Threshold],
    /// The decision.
    pub decide: fn(&Context<'_>) -> Decision,
}

impl Check {
    /// Runs the check.
    pub fn run(&self, context: &Context<'_>) -> Decision {
        (self.decide)(context)
    }
}

/// An artifact that a check can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// The item's id in the bundle (`registry.system`, `eventlog.security`).
    pub item: &'static str,
    /// Whether the check may say `ok` without it.
    pub demand: Demand,
}

/// How much a check depends on an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Without it the check never says `ok`.
    Required,
    /// It adds to the evidence; without it the check can still say `ok`.
    Helpful,
}

impl Input {
    /// An input without which the check never says `ok`.
    pub const fn required(item: &'static str) -> Self {
        Self {
            item,
            demand: Demand::Required,
        }
    }

    /// An input that adds to the evidence.
    pub const fn helpful(item: &'static str) -> Self {
        Self {
            item,
            demand: Demand::Helpful,
        }
    }
}

/// All that a check sees: facts and limits. No file, no clock, no thread.
pub struct Context<'a> {
    /// The facts.
    pub snapshot: &'a Snapshot,
    /// The limits in force.
    pub thresholds: &'a Thresholds,
}

impl Context<'_> {
    /// `unknown` for a Windows that is configured in other ways than the checks judge; its
    /// remedies would do harm there.
    pub fn unsupported(&self) -> Option<Decision> {
        const NOT_JUDGED: &str = "Windows older than 7 / Server 2008 R2 is not supported";
        if self.snapshot.is_too_old() != Some(true) {
            return None;
        }
        let mut judge = Judge::new();
        let machine = &self.snapshot.machine;
        if let Some(build) = machine.build.value() {
            judge.exhibit(format!("build {build}"), &machine.build);
            judge.lacks(format!("{NOT_JUDGED}: this is build {build}"), "");
        } else {
            for name in ["BFE", "MpsSvc"] {
                if let Some(service) = self.snapshot.services.service(name) {
                    judge.exhibit(format!("{name}: no such service"), &service.key);
                }
            }
            judge.lacks(
                format!("{NOT_JUDGED}: neither of the services BFE and MpsSvc exists"),
                "the SOFTWARE hive (registry.software), which tells the build of Windows",
            );
        }
        Some(judge.finish("", ""))
    }

    /// The value of a limit.
    pub fn limit(&self, threshold: &Threshold) -> f64 {
        self.thresholds.get(threshold)
    }
}

/// What a check decided, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The one sentence that matters.
    pub headline: String,
    /// How much weight the verdict bears.
    pub confidence: Confidence,
    /// Why, worst first; what else is wrong stands here, too.
    pub reasons: Vec<String>,
    /// What is worth knowing and no reason for the verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What the verdict rests on.
    pub evidence: Vec<Exhibit>,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
    /// What would have to be collected to settle what is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Every rule that was tried, for `snapdiag explain`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Tried>,
}

impl Decision {
    /// With one form of time in all its sentences. Done here, once, so that no check can forget it.
    fn for_people(mut self) -> Self {
        let headline = std::iter::once(&mut self.headline);
        let says = self.evidence.iter_mut().map(|exhibit| &mut exhibit.says);
        let compared = self.trace.iter_mut().map(|tried| &mut tried.compared);
        headline
            .chain(&mut self.reasons)
            .chain(&mut self.notes)
            .chain(says)
            .chain(compared)
            .for_each(|text| *text = words::with_times(text));
        self
    }
}

/// A piece of evidence and what it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Exhibit {
    /// What it says, in words ("fDenyTSConnections = 1: connections are refused").
    pub says: String,
    /// What would be healthy, where that can be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Where it stands.
    #[serde(flatten)]
    pub evidence: Evidence,
}

/// A rule that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tried {
    /// The rule's name.
    pub rule: String,
    /// The verdict it gives when it holds.
    pub verdict: Verdict,
    /// The comparison with the values filled in.
    pub compared: String,
    /// Whether it held; `None` when the facts did not say.
    pub holds: Option<bool>,
}

/// Collects what a check finds, from the worst verdict to the best, and comes to the decision.
///
/// The first rule that holds and is worst gives verdict and headline; the others that hold
/// become further reasons. Nothing that a check required and did not see can end as `ok`.
#[derive(Default)]
pub struct Judge {
    problems: Vec<Problem>,
    unmet: Vec<String>,
    missing: Vec<String>,
    notes: Vec<String>,
    exhibits: Vec<Exhibit>,
    trace: Vec<Tried>,
    cap: Option<Confidence>,
}

/// A rule that holds: to be filled with headline, reasons, evidence and remedies.
pub struct Problem {
    verdict: Verdict,
    headline: String,
    confidence: Confidence,
    reasons: Vec<String>,
    exhibits: Vec<Exhibit>,
    remedies: Vec<Remedy>,
}

impl Judge {
    /// A judge who has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tries a rule: `holds` is `None` when the facts do not say. When it holds, the problem is
    /// returned to be filled in.
    pub fn rule(
        &mut self,
        verdict: Verdict,
        rule: &'static str,
        compared: impl Into<String>,
        holds: Option<bool>,
    ) -> Option<&mut Problem> {
        self.trace.push(Tried {
            rule: rule.to_owned(),
            verdict,
            compared: compared.into(),
            holds,
        });
        if holds != Some(true) {
            return None;
        }
        self.problems.push(Problem {
            verdict,
            headline: String::new(),
            confidence: Confidence::High,
            reasons: Vec::new(),
            exhibits: Vec::new(),
            remedies: Vec::new(),
        });
        self.problems.last_mut()
    }

    /// Demands that `fact` is settled (known, or known to be absent) before the check may say
    /// `ok`. `what` names it in words, `collect` says what would settle it.
    pub fn require<T>(&mut self, fact: &Fact<T>, what: &str, collect: &str) {
        if let Some(why) = fact.why_unsettled() {
            self.lacks(format!("not known: {what} ({why})"), collect);
        }
    }

    /// Records that something the check needs before it may say `ok` was not seen.
    pub fn lacks(&mut self, what: impl Into<String>, collect: &str) {
        push_once(&mut self.unmet, what.into());
        push_once(&mut self.missing, collect.to_owned());
    }

    /// Names something that would add to the evidence, without demanding it.
    pub fn would_help(&mut self, collect: &str) {
        push_once(&mut self.missing, collect.to_owned());
    }

    /// Adds what is worth knowing and no reason for the verdict.
    pub fn note(&mut self, note: impl Into<String>) {
        push_once(&mut self.notes, note.into());
    }

    /// Adds evidence that is shown whatever the verdict.
    pub fn exhibit<T>(&mut self, says: impl Into<String>, fact: &Fact<T>) {
        add_exhibits(&mut self.exhibits, &says.into(), None, &fact.evidence);
    }

    /// Adds single pieces of evidence that are shown whatever the verdict.
    pub fn exhibit_evidence(&mut self, says: impl Into<String>, evidence: &[Evidence]) {
        add_exhibits(&mut self.exhibits, &says.into(), None, evidence);
    }

    /// Lets the confidence of the decision be at most `confidence`.
    pub fn at_most(&mut self, confidence: Confidence) {
        self.cap = Some(self.cap.map_or(confidence, |cap| cap.min(confidence)));
    }

    /// The check has no meaning on this machine.
    pub fn not_applicable(mut self, headline: impl Into<String>) -> Decision {
        self.problems.clear();
        self.decision(
            Verdict::NotApplicable,
            headline.into(),
            Confidence::High,
            Vec::new(),
        )
    }

    /// Comes to the decision. `healthy` is the headline when nothing holds and nothing is
    /// lacking; `known` says, for `unknown`, what is known all the same.
    pub fn finish(mut self, healthy: impl Into<String>, known: impl Into<String>) -> Decision {
        // A stable sort: of two equally bad problems the one tried first gives the headline.
        self.problems
            .sort_by_key(|problem| std::cmp::Reverse(problem.verdict));
        let unmet = std::mem::take(&mut self.unmet);
        let worst = self
            .problems
            .first()
            .map(|worst| (worst.verdict, worst.headline.clone(), worst.confidence));
        match worst {
            Some((verdict, headline, confidence))
                if verdict > Verdict::Unknown || unmet.is_empty() =>
            {
                self.decision(verdict, headline, confidence, unmet)
            }
            _ => match unmet.first() {
                Some(open) => {
                    let known = known.into();
                    let headline = if known.is_empty() {
                        open.clone()
                    } else {
                        format!("{known}; {open}")
                    };
                    self.decision(Verdict::Unknown, headline, Confidence::Low, unmet)
                }
                None => self.decision(Verdict::Ok, healthy.into(), Confidence::High, unmet),
            },
        }
    }

    fn decision(
        self,
        verdict: Verdict,
        headline: String,
        confidence: Confidence,
        unmet: Vec<String>,
    ) -> Decision {
        let mut reasons = Vec::new();
        let mut evidence: Vec<Exhibit> = Vec::new();
        let mut remedies: Vec<Remedy> = Vec::new();
        for problem in self.problems {
            if problem.headline != headline {
                push_once(&mut reasons, problem.headline);
            }
            for reason in problem.reasons {
                push_once(&mut reasons, reason);
            }
            for exhibit in problem.exhibits {
                if !evidence.contains(&exhibit) {
                    evidence.push(exhibit);
                }
            }
            for remedy in problem.remedies {
                if !remedies.contains(&remedy) {
                    remedies.push(remedy);
                }
            }
        }
        for what in unmet {
            if what != headline {
                push_once(&mut reasons, what);
            }
        }
        for exhibit in self.exhibits {
            if !evidence
                .iter()
                .any(|known: &Exhibit| known.evidence == exhibit.evidence)
            {
                evidence.push(exhibit);
            }
        }
        let doubtful = evidence
            .iter()
            .any(|exhibit| exhibit.evidence.doubt.is_some());
        let mut confidence = self.cap.map_or(confidence, |cap| cap.min(confidence));
        if doubtful {
            confidence = Confidence::Low;
        }
        Decision {
            verdict,
            headline,
            confidence,
            reasons,
            notes: self.notes,
            evidence,
            remedies,
            missing: self.missing,
            trace: self.trace,
        }
        .for_people()
    }
}

impl Problem {
    /// The one sentence that matters.
    pub fn headline(&mut self, headline: impl Into<String>) -> &mut Self {
        self.headline = headline.into();
        self
    }

    /// Why, or what follows from it.
    pub fn because(&mut self, reason: impl Into<String>) -> &mut Self {
        self.reasons.push(reason.into());
        self
    }

    /// What it rests on: the evidence of a fact and what it says.
    pub fn evidence<T>(&mut self, says: impl Into<String>, fact: &Fact<T>) -> &mut Self {
        add_exhibits(&mut self.exhibits, &says.into(), None, &fact.evidence);
        self
    }

    /// The same with what would be healthy.
    pub fn evidence_expected<T>(
        &mut self,
        says: impl Into<String>,
        expected: impl Into<String>,
        fact: &Fact<T>,
    ) -> &mut Self {
        let expected = expected.into();
        let says = says.into();
        add_exhibits(&mut self.exhibits, &says, Some(&expected), &fact.evidence);
        self
    }

    /// Single pieces of evidence and what they say.
    pub fn exhibits(&mut self, says: impl Into<String>, evidence: &[Evidence]) -> &mut Self {
        add_exhibits(&mut self.exhibits, &says.into(), None, evidence);
        self
    }

    /// Less than high confidence.
    pub fn confidence(&mut self, confidence: Confidence) -> &mut Self {
        self.confidence = self.confidence.min(confidence);
        self
    }

    /// How to mend it.
    pub fn remedy(&mut self, remedy: Remedy) -> &mut Self {
        self.remedies.push(remedy);
        self
    }
}

fn add_exhibits(
    exhibits: &mut Vec<Exhibit>,
    says: &str,
    expected: Option<&str>,
    evidence: &[Evidence],
) {
    exhibits.extend(evidence.iter().map(|evidence| Exhibit {
        says: says.to_owned(),
        expected: expected.map(str::to_owned),
        evidence: evidence.clone(),
    }));
}

fn push_once(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

#[cfg(test)]
mod tests;
