//! What every check says must be words for people: no debug text of a type.

use std::collections::BTreeSet;
use std::path::Path;

use snapdiag_fixtures::machine::{Machine, Mutation};

use super::check::{Context, Decision};
use super::table::TABLE;
use super::thresholds::Thresholds;
use crate::facts::Snapshot;
use crate::facts::sources::{Options, Sources};

const DEBUG_TEXT: [&str; 6] = ["Some(", "None", "[]", "Ok(", "Err(", "[\""];

/// Everything in a decision that people read, the raw evidence left out.
fn texts(decision: &Decision) -> Vec<&str> {
    let compared = decision.trace.iter().map(|tried| tried.compared.as_str());
    let says = decision
        .evidence
        .iter()
        .map(|exhibit| exhibit.says.as_str());
    let expected = decision
        .evidence
        .iter()
        .filter_map(|exhibit| exhibit.expected.as_deref());
    std::iter::once(decision.headline.as_str())
        .chain(compared)
        .chain(says)
        .chain(expected)
        .chain(decision.reasons.iter().map(String::as_str))
        .chain(decision.notes.iter().map(String::as_str))
        .chain(decision.missing.iter().map(String::as_str))
        .collect()
}

fn assert_readable(snapshot: &Snapshot) {
    let context = Context {
        snapshot,
        thresholds: &Thresholds::default(),
    };
    for check in TABLE {
        let decision = check.run(&context);
        for text in texts(&decision) {
            for debug in DEBUG_TEXT {
                assert!(!text.contains(debug), "{}: {text}", check.id);
            }
        }
    }
}

fn open(bundle: &Path) -> Snapshot {
    let opened = crate::analyze::open(bundle, &Options::default()).unwrap();
    opened.snapshot()
}

#[test]
fn nothing_collected_is_told_in_words() {
    assert_readable(&Snapshot::gather(&Sources::none()));
}

#[test]
fn healthy_machines_are_told_in_words() {
    for name in ["server-2022", "server-2016", "client-11"] {
        let built = Machine::load(name).unwrap().build(&Mutation::default());
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle.zip");
        let file = std::fs::File::create(&bundle).unwrap();
        built.unwrap().zip(file).unwrap();
        assert_readable(&open(&bundle));
    }
}

#[test]
fn a_sick_machine_is_told_in_words() {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/bundles/sick-server.zip");
    assert_readable(&open(&bundle));
}

/// The ids in the table of rules of a check's page: the rows that begin with one in backticks.
pub(super) fn rules_of_page(page: &str) -> BTreeSet<&str> {
    page.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect()
}

/// The page lists the rules that were tried, and no other.
#[track_caller]
pub(super) fn assert_page_lists(page: &str, decision: &Decision) {
    let tried: BTreeSet<&str> = decision
        .trace
        .iter()
        .map(|tried| tried.rule.as_str())
        .collect();
    assert_eq!(rules_of_page(page), tried);
}

/// Everything was seen: each rule that was tried is answered with no.
#[track_caller]
pub(super) fn assert_no_rule_open(decision: &Decision) {
    for tried in &decision.trace {
        assert_eq!(tried.holds, Some(false), "{}", tried.rule);
    }
}
