//! The result in short: the worst verdict, the sentence that matters first, the counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Finding;
use crate::checks::verdict::Verdict;

/// The result in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The worst verdict that is not suppressed.
    pub worst: Verdict,
    /// The sentence that matters first.
    pub headline: String,
    /// How many checks came to each verdict, and how many are suppressed.
    #[serde(flatten)]
    pub counts: Counts,
}

/// How many checks came to each verdict; what is suppressed is counted apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Counts {
    /// Checks that are critical.
    pub critical: usize,
    /// Checks that warn.
    pub warning: usize,
    /// Checks that could not be decided.
    pub unknown: usize,
    /// Checks that are healthy.
    pub ok: usize,
    /// Checks without meaning on this machine.
    pub not_applicable: usize,
    /// Checks whose finding is suppressed, whatever its verdict.
    #[serde(default)]
    pub suppressed: usize,
}

impl Counts {
    /// The counts with their verdicts, worst first.
    pub fn worst_first(self) -> [(Verdict, usize); 5] {
        Verdict::WORST_FIRST.map(|verdict| (verdict, self.of(verdict)))
    }

    fn of(self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Critical => self.critical,
            Verdict::Warning => self.warning,
            Verdict::Unknown => self.unknown,
            Verdict::Ok => self.ok,
            Verdict::NotApplicable => self.not_applicable,
        }
    }

    fn add(&mut self, finding: &Finding) {
        if finding.suppressed.is_some() {
            self.suppressed += 1;
            return;
        }
        *match finding.verdict {
            Verdict::Critical => &mut self.critical,
            Verdict::Warning => &mut self.warning,
            Verdict::Unknown => &mut self.unknown,
            Verdict::Ok => &mut self.ok,
            Verdict::NotApplicable => &mut self.not_applicable,
        } += 1;
    }

    /// The counts in words, worst first, without those that are zero.
    pub fn words(self) -> String {
        let verdicts = self.worst_first();
        let counted = verdicts.map(|(verdict, count)| (verdict.word(), count));
        let counts = counted.into_iter().chain([("suppressed", self.suppressed)]);
        let total: usize = counts.clone().map(|(_, count)| count).sum();
        let parts: Vec<String> = counts
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        format!("{}: {}", checks(total), parts.join(", "))
    }
}

impl Summary {
    /// Counts the verdicts and picks the sentence that matters first.
    pub fn of(findings: &[Finding]) -> Self {
        let mut counts = Counts::default();
        for finding in findings {
            counts.add(finding);
        }
        let counted: Vec<&Finding> = findings
            .iter()
            .filter(|finding| finding.suppressed.is_none())
            .collect();
        let worst = counted
            .iter()
            .map(|finding| finding.verdict)
            .max()
            .unwrap_or(Verdict::NotApplicable);
        Self {
            worst,
            headline: headline(worst, counts, &counted),
            counts,
        }
    }
}

/// The sentence that matters first: the first of the worst findings, or how much was decided.
fn headline(worst: Verdict, counts: Counts, counted: &[&Finding]) -> String {
    let decided = counts.ok + counts.not_applicable + counts.suppressed;
    let besides = match counts.suppressed {
        0 => String::new(),
        1 => ", besides 1 that is suppressed".to_owned(),
        number => format!(", besides {number} that are suppressed"),
    };
    match worst {
        Verdict::Critical | Verdict::Warning => counted
            .iter()
            .find(|finding| finding.verdict == worst)
            .map(|finding| finding.headline.clone())
            .unwrap_or_default(),
        Verdict::Unknown if decided == 0 => "nothing could be decided".to_owned(),
        Verdict::Unknown => format!(
            "nothing wrong was found, but {} could not be decided{besides}",
            checks(counts.unknown)
        ),
        Verdict::Ok | Verdict::NotApplicable => format!("nothing wrong was found{besides}"),
    }
}

fn checks(number: usize) -> String {
    match number {
        1 => "1 check".to_owned(),
        number => format!("{number} checks"),
    }
}
