//! The committed bundle of a sick server is what its text makes, and is found sick.
//!
//! `SNAPDIAG_BLESS=1` writes it anew after its text has changed, except in CI.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::Cursor;

use snapdiag::analyze;
use snapdiag::checks::check::Context;
use snapdiag::checks::table::TABLE;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::sources::Options;
use snapdiag_fixtures::sample;

const NAME: &str = "sick-server";

/// The committed bundle stays small.
const LARGEST: usize = 6 << 20;

#[test]
fn the_committed_bundle_is_what_its_text_makes() {
    let built = sample::build(NAME).unwrap();
    let mut zip = Cursor::new(Vec::new());
    built.zip(&mut zip).unwrap();
    let zip = zip.into_inner();
    assert!(zip.len() < LARGEST, "{} bytes", zip.len());
    let size = |item| built.artifact(item).unwrap().len();
    assert!(size("registry.system") > 3 << 20);
    assert!(size("registry.software") > 6 << 20);
    assert!(size("eventlog.security") > 20 << 20);
    let path = sample::path(NAME);
    if env::var_os("SNAPDIAG_BLESS").is_some_and(|value| value == "1") {
        assert!(
            env::var_os("CI").is_none(),
            "CI does not bless what it tests"
        );
        fs::write(&path, &zip).unwrap();
    }
    let same = fs::read(&path).unwrap() == zip;
    assert!(same, "{} is out of date: SNAPDIAG_BLESS=1", path.display());
}

#[test]
fn the_sick_server_is_found_sick() {
    let snapshot = analyze::open(&sample::path(NAME), &Options::default())
        .unwrap()
        .snapshot();
    let thresholds = Thresholds::default();
    let context = Context {
        snapshot: &snapshot,
        thresholds: &thresholds,
    };
    let found = TABLE
        .iter()
        .filter(|check| check.decide.is_some())
        .map(|check| (check, check.run(&context)))
        .filter(|(_, decision)| decision.verdict >= Verdict::Warning);
    let mut ids = BTreeSet::new();
    let mut categories = BTreeSet::new();
    for (check, decision) in found {
        println!(
            "{}: {}: {}",
            check.id,
            decision.verdict.word(),
            decision.headline
        );
        ids.insert((check.id, decision.verdict.word()));
        categories.insert(check.category);
    }
    let wanted = [
        ("brute-force", "critical"),
        ("environment-variables", "critical"),
        ("os-status", "critical"),
        ("rdp-firewall", "critical"),
        ("rdp-port", "warning"),
    ];
    let missing: Vec<_> = wanted.iter().filter(|one| !ids.contains(one)).collect();
    assert!(missing.is_empty(), "not found: {missing:?} in {ids:?}");
    assert!(categories.len() >= 2);
}
