//! How findings hang together, in the words of the text and of the Markdown report.

use super::canvas::{BOLD, Canvas, DIM, PLAIN};
use super::model::{Finding, Report};
use super::text::{self, EVIDENCE, INDENT, LABELLED};
use crate::checks::causes::{Cause, Link, Origin};

impl Report {
    /// What the finding of that check explains, or has to come before.
    pub(super) fn causes_in(&self, id: &str) -> impl Iterator<Item = &Cause> {
        self.causes
            .iter()
            .filter(move |cause| cause.cause.is_check(id))
    }

    /// What the finding of that check follows from, or has to come after.
    fn causes_of(&self, id: &str) -> impl Iterator<Item = &Cause> {
        self.causes.iter().filter(move |cause| cause.leads_to(id))
    }

    /// The causes that are no findings of their own: those of problems, or the others.
    pub(super) fn facts(&self, of_problems: bool) -> impl Iterator<Item = (&str, &Cause)> {
        self.causes.iter().filter_map(move |cause| {
            let Origin::Fact(fact) = &cause.cause else {
                return None;
            };
            let found = self.problems().any(|finding| cause.leads_to(&finding.id));
            (found == of_problems).then_some((fact.as_str(), cause))
        })
    }
}

/// The causes that are no findings of their own, each with what it explains beneath.
pub(super) fn facts(canvas: &mut Canvas, report: &Report, of_problems: bool) {
    for (fact, cause) in report.facts(of_problems) {
        canvas.blank();
        canvas.hanging(INDENT, BOLD, "CAUSE", BOLD, fact);
        consequences(canvas, cause);
        let shown = if canvas.verbose() {
            cause.evidence.len()
        } else {
            EVIDENCE
        };
        text::evidence(canvas, &cause.evidence, shown);
    }
}

/// What a finding explains, and what it follows from.
pub(super) fn beneath(canvas: &mut Canvas, report: &Report, finding: &Finding) {
    for cause in report.causes_in(&finding.id) {
        consequences(canvas, cause);
        if canvas.verbose() {
            text::evidence(canvas, &cause.evidence, cause.evidence.len());
        }
    }
    for cause in report.causes_of(&finding.id) {
        let (label, origin) = match cause.link {
            Link::Explains => ("follows", format!("from {}", origin(cause))),
            Link::Precedes => ("after", origin(cause).to_owned()),
        };
        labelled(canvas, label, &origin);
    }
}

/// Every cause that the finding of that check is or follows from, with what it rests on.
pub(super) fn concerning(canvas: &mut Canvas, report: &Report, id: &str) {
    for cause in report.causes_in(id) {
        consequences(canvas, cause);
        text::evidence(canvas, &cause.evidence, cause.evidence.len());
    }
    for cause in report.causes_of(id) {
        let label = match cause.link {
            Link::Explains => "follows",
            Link::Precedes => "after",
        };
        let said = format!("{}: {}", origin(cause), cause.because);
        labelled(canvas, label, &said);
        text::evidence(canvas, &cause.evidence, cause.evidence.len());
    }
}

fn consequences(canvas: &mut Canvas, cause: &Cause) {
    let label = match cause.link {
        Link::Explains => "explains",
        Link::Precedes => "before",
    };
    let text = format!("{}: {}", cause.consequences.join(", "), cause.because);
    labelled(canvas, label, &text);
}

fn labelled(canvas: &mut Canvas, label: &str, text: &str) {
    let label = format!("{}{label}", " ".repeat(INDENT));
    canvas.hanging(LABELLED, DIM, &label, PLAIN, text);
}

fn origin(cause: &Cause) -> &str {
    match &cause.cause {
        Origin::Check(text) | Origin::Fact(text) => text,
    }
}

/// What Markdown says of a finding's causes: a label, what hangs on it, and why.
pub(super) struct Line {
    /// "Explains", "Follows from".
    pub label: &'static str,
    /// Ids of checks, or nothing where it is a fact.
    pub checks: Vec<String>,
    /// Why, or the fact.
    pub text: String,
}

/// The lines of one cause, as it stands beneath its own finding.
pub(super) fn line(cause: &Cause) -> Line {
    Line {
        label: match cause.link {
            Link::Explains => "Explains",
            Link::Precedes => "Comes before",
        },
        checks: cause.consequences.clone(),
        text: cause.because.clone(),
    }
}

/// The lines beneath a finding.
pub(super) fn lines(report: &Report, finding: &Finding) -> Vec<Line> {
    let mut lines: Vec<Line> = report.causes_in(&finding.id).map(line).collect();
    lines.extend(report.causes_of(&finding.id).map(|cause| {
        let (checks, text) = match &cause.cause {
            Origin::Check(id) => (vec![id.clone()], String::new()),
            Origin::Fact(fact) => (Vec::new(), fact.clone()),
        };
        let label = match cause.link {
            Link::Explains => "Follows from",
            Link::Precedes => "Comes after",
        };
        Line {
            label,
            checks,
            text,
        }
    }));
    lines
}
