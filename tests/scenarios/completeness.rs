//! No check without its page, nor without scenarios that fire, stay quiet and cannot know.

use std::collections::{BTreeMap, BTreeSet};

use snapdiag::checks::check::Check;
use snapdiag::checks::table::{TABLE, find};
use snapdiag_fixtures::scenario;

/// What every page tells, in this order.
const HEADINGS: [&str; 8] = [
    "## What it checks",
    "## Why it matters",
    "## How it decides",
    "## Evidence",
    "## Remedy",
    "## When it stays quiet",
    "## Never seen in a real artifact",
    "## References",
];

/// What some scenario of every check expects.
const KINDS: [(&str, [&str; 2]); 3] = [
    ("fires", ["warning", "critical"]),
    ("stays quiet", ["ok", "not-applicable"]),
    ("cannot know", ["unknown", "unknown"]),
];

fn implemented() -> impl Iterator<Item = &'static Check> {
    TABLE.iter().filter(|check| check.decide.is_some())
}

#[test]
fn every_check_has_its_page() {
    let wrong: Vec<String> = implemented()
        .filter_map(|check| Some(format!("{}: {}", check.id, page_lacks(check)?)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a check's page.
fn page_lacks(check: &Check) -> Option<String> {
    let mut lines = check.page.lines();
    let title = format!("# {}", check.title);
    if lines.next() != Some(&title) {
        return Some(format!("the page does not begin with {title:?}"));
    }
    let mut sections: Vec<(&str, usize)> = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        if line.starts_with("## ") {
            sections.push((line, 0));
        } else if let Some((_, lines)) = sections.last_mut() {
            *lines += 1;
        }
    }
    let headings: Vec<&str> = sections.iter().map(|(heading, _)| *heading).collect();
    if headings != HEADINGS {
        return Some(format!("the page's headings are {headings:?}"));
    }
    let empty = sections.iter().find(|(_, lines)| *lines == 0);
    empty.map(|(heading, _)| format!("nothing stands below {heading:?}"))
}

#[test]
fn every_check_has_scenarios_that_fire_stay_quiet_and_cannot_know() {
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in scenario::all().unwrap() {
        assert!(find(&file.check).is_some(), "no check {}", file.check);
        let verdicts = file.scenarios.into_iter().map(|one| one.expected.verdict);
        expected.entry(file.check).or_default().extend(verdicts);
    }
    let none = BTreeSet::new();
    let mut wrong = Vec::new();
    for check in implemented() {
        let verdicts = expected.get(check.id).unwrap_or(&none);
        for (kind, words) in KINDS {
            if !words.iter().any(|word| verdicts.contains(*word)) {
                wrong.push(format!("{}: no scenario in which it {kind}", check.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
