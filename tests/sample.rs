//! The committed bundle of a sick server is what its text makes, and is found sick.
//!
//! `SNAPDIAG_BLESS=1` writes it anew after its text has changed, except in CI.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{Cursor, Read};

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
    if snapdiag_tests::blessing() {
        fs::write(&path, &zip).unwrap();
    }
    // Packed bytes differ between processors, what they unpack to does not.
    let committed = contents(&fs::read(&path).unwrap());
    let same = committed == contents(&zip);
    assert!(same, "{} is out of date: SNAPDIAG_BLESS=1", path.display());
}

/// The entries of a zip in order, unpacked.
fn contents(zip: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut entry = zip.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
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
