//! Several snapshots at once: a line for each, worst first.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_width::UnicodeWidthStr;

use super::canvas::{BOLD, Canvas, Look, PLAIN, style_of};
use super::markdown::escape;
use super::model::Report;
use super::sanitize;
use super::summary::{Counts, Summary};
use crate::checks::verdict::Verdict;
use crate::inspect::Source;

/// What became of one of the inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Outcome {
    /// It was analyzed.
    Report(Box<Report>),
    /// It could not be read.
    Unreadable(Unreadable),
}

/// An input that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unreadable {
    /// What was to be analyzed.
    pub source: Source,
    /// Critical, with the reason as its headline.
    pub summary: Summary,
    /// Why it could not be read.
    pub error: String,
}

/// The reports of several inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reports {
    /// Version of this structure.
    pub schema_version: u32,
    /// One for each input, in the order given.
    pub reports: Vec<Outcome>,
}

/// The longest name of a file in a table, in characters.
const NAME: usize = 40;

impl Outcome {
    /// An input that could not be read, which is critical.
    pub fn unreadable(source: Source, error: String) -> Self {
        let summary = Summary {
            worst: Verdict::Critical,
            headline: format!("cannot be analyzed: {error}"),
            counts: Counts::default(),
        };
        Self::Unreadable(Unreadable {
            source,
            summary,
            error,
        })
    }

    /// The report, where there is one.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Report(report) => Some(report),
            Self::Unreadable(_) => None,
        }
    }

    /// What was analyzed, or was to be.
    pub fn source(&self) -> &Source {
        match self {
            Self::Report(report) => &report.source,
            Self::Unreadable(input) => &input.source,
        }
    }

    /// The result in short.
    pub fn summary(&self) -> &Summary {
        match self {
            Self::Report(report) => &report.summary,
            Self::Unreadable(input) => &input.summary,
        }
    }

    fn counted(&self) -> String {
        match self {
            Self::Report(report) => report.summary.counts.words(),
            Self::Unreadable(_) => String::new(),
        }
    }
}

impl Reports {
    /// The reports in the order given.
    pub fn new(reports: Vec<Outcome>) -> Self {
        Self {
            schema_version: Report::VERSION,
            reports,
        }
    }

    /// Worst first; equally bad ones in the order given.
    fn worst_first(&self) -> Vec<&Outcome> {
        let mut sorted: Vec<&Outcome> = self.reports.iter().collect();
        sorted.sort_by_key(|outcome| std::cmp::Reverse(outcome.summary().worst));
        sorted
    }

    /// A table for a terminal.
    pub fn text(&self, look: Look) -> String {
        let mut canvas = Canvas::new(look);
        let names: Vec<String> = self
            .worst_first()
            .iter()
            .map(|outcome| sanitize::shortened(&outcome.source().name, NAME))
            .collect();
        let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
        for (outcome, name) in self.worst_first().into_iter().zip(&names) {
            let summary = outcome.summary();
            let word = summary.worst.word().to_uppercase();
            canvas.pieces(&[
                (style_of(summary.worst), &word),
                (PLAIN, &" ".repeat(16_usize.saturating_sub(word.len()))),
                (BOLD, name),
                (PLAIN, &" ".repeat(widest.saturating_sub(name.width()) + 2)),
                (PLAIN, &outcome.counted()),
            ]);
            canvas.paragraph(16, PLAIN, &summary.headline);
        }
        canvas.finish()
    }

    /// A table for a ticket.
    pub fn markdown(&self) -> String {
        let rows = self.worst_first().into_iter().map(|outcome| {
            let summary = outcome.summary();
            format!(
                "| {} | {} | {} | {} |\n",
                escape(&outcome.source().name),
                summary.worst.word(),
                escape(&summary.headline),
                outcome.counted(),
            )
        });
        let head =
            "| snapshot | worst | what matters first | checks |\n| --- | --- | --- | --- |\n";
        std::iter::once(head.to_owned()).chain(rows).collect()
    }
}
