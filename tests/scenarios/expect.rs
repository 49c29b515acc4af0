//! Comparing a decision with what a scenario expects.

use serde_json::Value;
use snapdiag::checks::check::Decision;
use snapdiag_fixtures::scenario::Expected;

/// How a decision differs from what was expected, one line a difference; none when it does not.
pub(crate) fn differences(expected: &Expected, decision: &Decision) -> Vec<String> {
    let mut differences = Vec::new();
    let mut word = |what: &str, wanted: &str, found: &str| {
        if wanted != found {
            differences.push(format!("{what}: expected {wanted}, found {found}"));
        }
    };
    word("verdict", &expected.verdict, decision.verdict.word());
    if let Some(confidence) = &expected.confidence {
        word("confidence", confidence, decision.confidence.word());
    }
    if let Some(part) = &expected.headline
        && !holds(&decision.headline, part)
    {
        differences.push(format!("headline: does not say {part:?}"));
    }
    let texts = texts(decision);
    let said = |part: &String| texts.iter().any(|text| holds(text, part));
    for part in expected.contains.iter().filter(|part| !said(part)) {
        differences.push(format!("nowhere: {part:?}"));
    }
    for part in expected.absent.iter().filter(|part| said(part)) {
        differences.push(format!("must not be said: {part:?}"));
    }
    differences
}

/// A decision for people, to stand under its differences.
pub(crate) fn shown(decision: &Decision) -> String {
    let mut lines = vec![format!(
        "  {} ({}): {}",
        decision.verdict.word(),
        decision.confidence.word(),
        decision.headline
    )];
    let texts = [("because", &decision.reasons), ("note", &decision.notes)];
    for (what, texts) in texts {
        lines.extend(texts.iter().map(|text| format!("  {what}: {text}")));
    }
    for exhibit in &decision.evidence {
        let evidence = &exhibit.evidence;
        lines.push(format!("  {}: {}", evidence.locator, exhibit.says));
    }
    for tried in &decision.trace {
        let holds = tried
            .holds
            .map_or("?".to_owned(), |holds| holds.to_string());
        lines.push(format!(
            "  rule {} ({}): {holds}",
            tried.rule, tried.compared
        ));
    }
    lines.join("\n")
}

/// Whether a text holds a part, compared without case.
pub(crate) fn holds(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Every text of a finding as a reader sees it: not the rules that were tried.
fn texts(decision: &Decision) -> Vec<String> {
    let mut seen = decision.clone();
    seen.trace.clear();
    let mut texts = Vec::new();
    collect(&serde_json::to_value(seen).unwrap(), &mut texts);
    texts
}

fn collect(json: &Value, texts: &mut Vec<String>) {
    match json {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect(value, texts)),
        Value::Number(number) => texts.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}
