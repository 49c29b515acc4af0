//! No check without its page, nor without scenarios that fire, stay quiet and cannot know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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

#[test]
fn every_check_has_its_page() {
    let wrong: Vec<String> = TABLE
        .iter()
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
    for check in TABLE {
        let verdicts = expected.get(check.id).unwrap_or(&none);
        for (kind, words) in KINDS {
            if !words.iter().any(|word| verdicts.contains(*word)) {
                wrong.push(format!("{}: no scenario in which it {kind}", check.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Neither in the code nor in what is written about it does anything stand for something that
/// is still to come. The words are put together here, so that this test does not find itself.
#[test]
fn nothing_is_left_to_be_written() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let sources = sources(&workspace);
    let here = |path: &PathBuf| path.ends_with("tests/scenarios/completeness.rs");
    assert!(sources.iter().any(here), "{} files", sources.len());
    let words = ["not", "implemented", "yet"];
    let orders = [words, ["not", "yet", "implemented"]].map(|words| words.join(" "));
    let unfinished: Vec<&PathBuf> = sources
        .iter()
        .filter(|path| {
            let bytes = std::fs::read(path).unwrap();
            // A sentence may be broken over lines, as a comment or as a string.
            let text = String::from_utf8_lossy(&bytes).to_lowercase();
            let text = text.replace(['/', '\\'], " ");
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            orders.iter().any(|words| text.contains(words))
        })
        .collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
}

/// The sources and documents of the workspace, without what is built from them.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" {
                found.extend(sources(&path));
            }
        } else if [".rs", ".md", ".toml"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            found.push(path);
        }
    }
    found
}
