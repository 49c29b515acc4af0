//! The report for a terminal: what matters first, worst findings next, healthy checks in a line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::canvas::{BOLD, Canvas, DIM, Look, PLAIN, style_of};
use super::model::{Finding, Report};
use super::{appendix, causes, sanitize, words};
use crate::checks::check::Exhibit;
use crate::checks::remedy::{Remedy, Step};
use crate::checks::verdict::Verdict;

/// Where the text of a finding begins.
pub(super) const INDENT: usize = 10;
/// Where the text behind a label begins.
pub(super) const LABELLED: usize = INDENT + 10;
/// Reasons of a problem that are shown without `--verbose`.
const REASONS: usize = 5;
/// How many pieces of evidence a finding shows.
pub(super) const EVIDENCE: usize = 3;

/// How many open questions of an undecided check are shown.
const OPEN: usize = 2;

/// Renders a report.
pub fn render(report: &Report, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    header(&mut canvas, report);
    causes::facts(&mut canvas, report, true);
    for finding in report.problems() {
        problem(&mut canvas, report, finding);
    }
    causes::facts(&mut canvas, report, false);
    unknowns(&mut canvas, report);
    suppressed(&mut canvas, report);
    folded(&mut canvas, report, Verdict::Ok);
    folded(&mut canvas, report, Verdict::NotApplicable);
    if look.verbose {
        appendix::inputs(&mut canvas, report);
        appendix::horizons(&mut canvas, report);
    }
    footer(&mut canvas, report);
    canvas.finish()
}

fn header(canvas: &mut Canvas, report: &Report) {
    canvas.paragraph(0, BOLD, &words::machine(report));
    canvas.paragraph(0, DIM, &words::origin(report));
    for remark in words::remarks(report) {
        canvas.hanging(6, DIM, "note", PLAIN, &remark);
    }
    canvas.blank();
    let worst = report.summary.worst;
    canvas.paragraph(0, style_of(worst), &sentence(&report.summary.headline));
    canvas.paragraph(0, PLAIN, &report.summary.counts.words());
}

/// A headline as a sentence of its own.
fn sentence(headline: &str) -> String {
    let mut chars = headline.chars();
    let first = chars.next().map(char::to_uppercase);
    let mut text: String = first.into_iter().flatten().chain(chars).collect();
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

fn problem(canvas: &mut Canvas, report: &Report, finding: &Finding) {
    title(canvas, finding);
    reasons(canvas, finding);
    causes::beneath(canvas, report, finding);
    let shown = if canvas.verbose() {
        finding.evidence.len()
    } else {
        EVIDENCE
    };
    evidence(canvas, &finding.evidence, shown);
    for note in &finding.notes {
        canvas.hanging(LABELLED, DIM, "          note", PLAIN, note);
    }
    if canvas.verbose() {
        for remedy in &finding.remedies {
            whole_remedy(canvas, remedy);
        }
    } else if let Some(remedy) = finding.remedies.first() {
        first_step(canvas, report, finding, remedy);
    }
    settle(canvas, "also", &finding.missing);
}

/// Verdict, id and title; the headline below.
fn title(canvas: &mut Canvas, finding: &Finding) {
    canvas.blank();
    let style = style_of(finding.verdict);
    let word = format!("{:<INDENT$}", finding.verdict.word().to_uppercase());
    let sure = match finding.verdict {
        Verdict::Critical | Verdict::Warning => {
            format!("  ({} confidence)", finding.confidence.word())
        }
        Verdict::Unknown | Verdict::Ok | Verdict::NotApplicable => String::new(),
    };
    canvas.pieces(&[
        (style, word.trim_end()),
        (
            PLAIN,
            &" ".repeat(INDENT.saturating_sub(word.trim_end().len()).max(1)),
        ),
        (BOLD, &finding.id),
        (PLAIN, "  "),
        (PLAIN, &finding.title),
        (DIM, &sure),
    ]);
    canvas.paragraph(INDENT, BOLD, &finding.headline);
}

fn reasons(canvas: &mut Canvas, finding: &Finding) {
    let shown = if canvas.verbose() {
        finding.reasons.len()
    } else {
        REASONS
    };
    for (number, reason) in finding.reasons.iter().take(shown).enumerate() {
        let label = if number == 0 {
            "          because"
        } else {
            "          and"
        };
        canvas.hanging(LABELLED, DIM, label, PLAIN, reason);
    }
    more(canvas, finding.reasons.len().saturating_sub(shown));
}

/// Why a check could not be decided, beyond what its headline says: the first few reasons.
fn open_questions(canvas: &mut Canvas, finding: &Finding) {
    let said = |reason: &&String| finding.headline.contains(reason.as_str());
    let open: Vec<&String> = finding
        .reasons
        .iter()
        .filter(|reason| !said(reason))
        .collect();
    let shown = if canvas.verbose() { open.len() } else { OPEN };
    for reason in open.iter().take(shown) {
        canvas.hanging(LABELLED, DIM, "          and", PLAIN, reason);
    }
    more(canvas, open.len().saturating_sub(shown));
}

/// What was left out.
fn more(canvas: &mut Canvas, left: usize) {
    if left > 0 {
        canvas.paragraph(LABELLED, DIM, &format!("{left} more with --verbose"));
    }
}

/// Up to `shown` of the pieces of evidence, in their order. One of each that say something else
/// comes before a second that says the same: the records of one crash are one thing.
fn chosen(exhibits: &[Exhibit], shown: usize) -> Vec<&Exhibit> {
    let mut said = BTreeSet::new();
    let (first, again): (Vec<_>, Vec<_>) = exhibits
        .iter()
        .enumerate()
        .partition(|(_, exhibit)| said.insert(exhibit.says.as_str()));
    let mut chosen: Vec<_> = first.into_iter().chain(again).take(shown).collect();
    chosen.sort_by_key(|(number, _)| *number);
    chosen.into_iter().map(|(_, exhibit)| exhibit).collect()
}

/// Up to `shown` pieces of evidence: what they say, and where they stand.
pub(super) fn evidence(canvas: &mut Canvas, exhibits: &[Exhibit], shown: usize) {
    for (number, exhibit) in chosen(exhibits, shown).into_iter().enumerate() {
        let label = if number == 0 {
            "          evidence"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let mut says = exhibit.says.clone();
        if let Some(raw) = words::raw_beside(exhibit) {
            let _ = write!(says, " = {raw}");
        }
        if let Some(expected) = &exhibit.expected {
            let _ = write!(says, " (expected: {expected})");
        }
        let time = exhibit.evidence.time.map(words::time);
        if let Some(time) = time.filter(|time| !says.contains(time.as_str())) {
            let _ = write!(says, ", {time}");
        }
        canvas.hanging(LABELLED, DIM, label, PLAIN, &says);
        let place = sanitize::shortened(&exhibit.evidence.locator.to_string(), usize::MAX);
        let place = format!("{}{place}", " ".repeat(LABELLED));
        canvas.pieces(&[(DIM, &place)]);
        if let Some(doubt) = &exhibit.evidence.doubt {
            canvas.paragraph(LABELLED, DIM, &format!("doubtful: {doubt}"));
        }
    }
    more(canvas, exhibits.len().saturating_sub(shown));
}

fn first_step(canvas: &mut Canvas, report: &Report, finding: &Finding, remedy: &Remedy) {
    let title = format!("{} ({})", remedy.title, words::safety(remedy));
    canvas.hanging(LABELLED, DIM, "          fix", PLAIN, &title);
    if let Some(first) = remedy.steps.first() {
        step(canvas, first);
    }
    canvas.paragraph(
        LABELLED,
        DIM,
        "All steps, how to undo and how to verify them:",
    );
    let name = &report.source.name;
    let quote = if name.contains(char::is_whitespace) {
        "\""
    } else {
        ""
    };
    let command = format!("snapdiag explain {} {quote}{name}{quote}", finding.id);
    canvas.verbatim(LABELLED + 2, "$ ", &command);
}

/// A remedy with all that belongs to it.
pub(super) fn whole_remedy(canvas: &mut Canvas, remedy: &Remedy) {
    let title = format!("{} ({})", remedy.title, words::safety(remedy));
    canvas.hanging(LABELLED, DIM, "          fix", BOLD, &title);
    if !remedy.caution.is_empty() {
        canvas.paragraph(LABELLED, PLAIN, &remedy.caution);
    }
    for (label, steps) in [
        ("", &remedy.steps),
        ("          undo", &remedy.undo),
        ("          verify", &remedy.verify),
    ] {
        for (number, each) in steps.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            labelled_step(canvas, label, each);
        }
    }
}

fn step(canvas: &mut Canvas, step: &Step) {
    labelled_step(canvas, "", step);
}

fn labelled_step(canvas: &mut Canvas, label: &str, step: &Step) {
    canvas.hanging(LABELLED, DIM, label, PLAIN, &step.text);
    if let Some(command) = &step.command {
        canvas.verbatim(LABELLED + 2, words::prompt(command.shell), &command.text);
    }
}

/// What would have to be collected.
fn settle(canvas: &mut Canvas, label: &str, missing: &[String]) {
    if !missing.is_empty() {
        let text = format!("collect {}", missing.join("; "));
        let label = format!("          {label}");
        canvas.hanging(LABELLED, DIM, &label, PLAIN, &text);
    }
}

/// What could not be decided; checks that are open for the same reason share a paragraph.
fn unknowns(canvas: &mut Canvas, report: &Report) {
    let mut groups: BTreeMap<(&str, &[String]), Vec<&Finding>> = BTreeMap::new();
    let mut order = Vec::new();
    for finding in report.with_verdict(Verdict::Unknown) {
        let key = (finding.headline.as_str(), finding.missing.as_slice());
        let group = groups.entry(key).or_default();
        if group.is_empty() {
            order.push(key);
        }
        group.push(finding);
    }
    // What is open for a reason of its own comes first.
    order.sort_by_key(|key| groups.get(key).is_some_and(|group| group.len() > 1));
    for group in order.iter().filter_map(|key| groups.get(key)) {
        match group.as_slice() {
            [finding] => {
                title(canvas, finding);
                open_questions(canvas, finding);
                if canvas.verbose() {
                    evidence(canvas, &finding.evidence, finding.evidence.len());
                }
                settle(canvas, "settle", &finding.missing);
            }
            [first, ..] => {
                let ids: Vec<&str> = group.iter().map(|finding| finding.id.as_str()).collect();
                let text = format!("{} ({}): {}", first.headline, ids.len(), ids.join(", "));
                canvas.blank();
                let style = style_of(Verdict::Unknown);
                canvas.hanging(INDENT, style, "UNKNOWN", PLAIN, &text);
                settle(canvas, "settle", &first.missing);
            }
            [] => {}
        }
    }
}

/// What is accepted: verdict and headline as they are, and why they do not count.
fn suppressed(canvas: &mut Canvas, report: &Report) {
    for (finding, suppressed) in report.suppressed() {
        title(canvas, finding);
        canvas.paragraph(INDENT, DIM, &words::suppressed(suppressed));
        if canvas.verbose() {
            reasons(canvas, finding);
            evidence(canvas, &finding.evidence, finding.evidence.len());
        }
    }
}

/// The findings of one verdict in one line.
fn folded(canvas: &mut Canvas, report: &Report, verdict: Verdict) {
    let ids: Vec<&str> = report
        .with_verdict(verdict)
        .map(|finding| finding.id.as_str())
        .collect();
    if ids.is_empty() {
        return;
    }
    canvas.blank();
    let (label, text) = match verdict {
        Verdict::NotApplicable => ("", format!("not applicable here: {}", ids.join(", "))),
        verdict => (verdict.word(), ids.join(", ")),
    };
    canvas.hanging(
        INDENT,
        style_of(verdict),
        &label.to_uppercase(),
        PLAIN,
        &text,
    );
    for finding in report.with_verdict(verdict) {
        if canvas.verbose() {
            let text = format!("{}: {}", finding.id, finding.headline);
            canvas.paragraph(INDENT, DIM, &text);
        }
        for note in &finding.notes {
            let text = format!("{}: {note}", finding.id);
            canvas.hanging(LABELLED, DIM, "          note", PLAIN, &text);
        }
    }
}

fn footer(canvas: &mut Canvas, report: &Report) {
    canvas.blank();
    let limits = format!("A snapshot cannot see {}.", report.limits.join("; "));
    canvas.paragraph(0, DIM, &limits);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::evidence::Evidence;
    use crate::facts::locator::Locator;

    /// The numbers of the pieces that are shown.
    fn shown(says: &[&str], shown: usize) -> Vec<u64> {
        let exhibits: Vec<Exhibit> = (0..)
            .zip(says)
            .map(|(number, says)| Exhibit {
                says: (*says).to_owned(),
                expected: None,
                evidence: Evidence::new("x", Locator::record("System", number), number),
            })
            .collect();
        let chosen = chosen(&exhibits, shown).into_iter();
        chosen
            .filter_map(|exhibit| exhibit.evidence.raw.as_u64())
            .collect()
    }

    #[test]
    fn what_says_something_else_comes_before_what_says_the_same() {
        let crash = ["crash", "crash", "crash", "driver", "log"];
        assert_eq!(shown(&crash, 3), [0, 3, 4]);
        assert_eq!(shown(&crash, 4), [0, 1, 3, 4]);
        assert_eq!(shown(&crash, 5), [0, 1, 2, 3, 4]);
        assert_eq!(shown(&["a", "a"], 3), [0, 1]);
        assert_eq!(shown(&[], 3), [0; 0]);
    }
}
