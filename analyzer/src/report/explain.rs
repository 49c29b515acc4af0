//! Why a check says what it says: inputs, limits, comparisons tried, the branch taken.

use super::canvas::{BOLD, Canvas, DIM, Look, PLAIN, style_of};
use super::coverage::Coverage;
use super::model::Report;
use super::text::{evidence, whole_remedy};
use super::words;
use super::{causes, page};
use crate::checks::check::{Check, Context, Decision, Demand, Tried};

/// The check's page.
pub fn render_page(check: &Check, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    page::lay_out(&mut canvas, check.page);
    canvas.finish()
}

/// The decision on one snapshot. `report` is that of all checks: it tells what the finding follows
/// from, what follows from it, and whether it is suppressed.
pub fn render_decision(
    check: &Check,
    context: &Context<'_>,
    report: &Report,
    look: Look,
) -> String {
    let decision = check.run(context);
    let mut canvas = Canvas::new(look);
    let name = &report.source.name;
    canvas.paragraph(0, BOLD, &format!("The decision on {name}"));
    canvas.blank();
    let verdict = decision.verdict;
    let word = verdict.word().to_uppercase();
    canvas.hanging(
        word.len() + 2,
        style_of(verdict),
        &word,
        BOLD,
        &decision.headline,
    );
    let sure = format!("{} confidence", decision.confidence.word());
    canvas.paragraph(word.len() + 2, DIM, &sure);
    for text in suppression(check, report) {
        canvas.paragraph(word.len() + 2, PLAIN, &text);
    }
    inputs(&mut canvas, check, &decision, context);
    limits(&mut canvas, check, context);
    tried(&mut canvas, &decision);
    bullets(&mut canvas, "Reasons", &decision.reasons);
    bullets(&mut canvas, "Notes", &decision.notes);
    if report.causes.iter().any(|cause| cause.concerns(check.id)) {
        heading(&mut canvas, "Causes");
        causes::concerning(&mut canvas, report, check.id);
    }
    bullets(
        &mut canvas,
        "To settle what is open, collect",
        &decision.missing,
    );
    if !decision.evidence.is_empty() {
        heading(&mut canvas, "Evidence");
        evidence(&mut canvas, &decision.evidence, decision.evidence.len());
    }
    if !decision.remedies.is_empty() {
        heading(&mut canvas, "Remedies");
    }
    for remedy in &decision.remedies {
        whole_remedy(&mut canvas, remedy);
    }
    canvas.finish()
}

/// Why the finding does not count, or why its suppression has no effect.
fn suppression(check: &Check, report: &Report) -> Vec<String> {
    let findings = report.checks.iter().filter(|one| one.id == check.id);
    let suppressed = findings.filter_map(|finding| finding.suppressed.as_ref());
    let entries = report
        .suppressions
        .iter()
        .filter(|one| one.check == check.id);
    suppressed
        .map(words::suppressed)
        .chain(entries.filter_map(words::without_effect))
        .collect()
}

fn heading(canvas: &mut Canvas, text: &str) {
    canvas.blank();
    canvas.paragraph(0, BOLD, text);
}

fn bullets(canvas: &mut Canvas, title: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    heading(canvas, title);
    for item in items {
        canvas.hanging(4, PLAIN, "  -", PLAIN, item);
    }
}

fn inputs(canvas: &mut Canvas, check: &Check, decision: &Decision, context: &Context<'_>) {
    if check.inputs.is_empty() {
        return;
    }
    heading(canvas, "Inputs");
    let coverage = Coverage::of(check, decision.verdict, &context.snapshot.inventory);
    for input in check.inputs {
        let became = coverage
            .missing
            .iter()
            .find(|missing| missing.item == input.item)
            .map_or("used", |missing| missing.why.as_str());
        let demand = match input.demand {
            Demand::Required => "required",
            Demand::Helpful => "helpful",
        };
        let label = format!("  {:<30} {demand}", input.item);
        canvas.hanging(44, PLAIN, &label, PLAIN, became);
    }
}

fn limits(canvas: &mut Canvas, check: &Check, context: &Context<'_>) {
    if check.thresholds.is_empty() {
        return;
    }
    heading(canvas, "Thresholds");
    for threshold in check.thresholds {
        let limit = context.thresholds.in_force(threshold);
        let set = if limit.is_set() {
            let by = words::setter(&limit.set_by);
            format!(" (set by {by}; the default is {})", limit.default)
        } else {
            String::new()
        };
        let text = format!("{} {}{set}: {}", limit.value, limit.unit, limit.meaning);
        canvas.hanging(44, PLAIN, &format!("  {}", limit.key), PLAIN, &text);
    }
}

/// Every comparison in the order tried; the one that decided is marked.
fn tried(canvas: &mut Canvas, decision: &Decision) {
    heading(canvas, "Comparisons tried, worst verdict first");
    let taken = decision
        .trace
        .iter()
        .position(|tried| tried.holds == Some(true) && tried.verdict == decision.verdict);
    for (number, rule) in decision.trace.iter().enumerate() {
        let mark = if taken == Some(number) { "->" } else { "  " };
        let answer = answer(rule);
        let label = format!("{mark} {:<30} {:<9}", rule.rule, rule.verdict.word());
        canvas.hanging(
            44,
            style_of(rule.verdict),
            &label,
            PLAIN,
            &format!("{answer}: {}", rule.compared),
        );
    }
    let branch = match taken.and_then(|number| decision.trace.get(number)) {
        Some(rule) => format!("taken: {}, so {}", rule.rule, decision.verdict.word()),
        None if decision.trace.is_empty() => format!("no rule was tried: {}", decision.headline),
        None => format!("no rule held: {}", decision.verdict.word()),
    };
    canvas.hanging(3, BOLD, "=>", BOLD, &branch);
}

fn answer(rule: &Tried) -> &'static str {
    match rule.holds {
        Some(true) => "holds",
        Some(false) => "does not hold",
        None => "cannot be told",
    }
}
