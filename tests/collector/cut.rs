//! Runs that are killed, and runs that are asked to end.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use snapdiag::analyze::{self, Opened};
use snapdiag::checks::table;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::facts::sources::Options;
use snapdiag::report::{Report, Selection};
use snapdiag_bundle::{Bundle, Limits, OpenError, State};

use crate::volume::{Place, SYSTEM_LOG, files, noise};

const KILLS: usize = 20;

/// The moments are the same in every run of this test, as parts of the time that a whole run takes.
const SEED: u64 = 20_261_126;

/// What a killed run left is a bundle as far as it went, or nothing.
fn assert_readable(place: &Place, when: Duration) {
    for path in files(&place.out()) {
        match Bundle::open(&path, &Limits::default()) {
            Ok(bundle) => {
                assert!(bundle.verify().is_sound(), "killed after {when:?}");
                let Some(manifest) = bundle.manifest() else {
                    continue;
                };
                for row in &manifest.items {
                    let there = |name: &str| bundle.entry(name).is_some();
                    let whole = row.artifacts.iter().all(|artifact| there(&artifact.name));
                    assert!(whole, "{}, killed after {when:?}", row.item);
                }
                let bare = manifest.items.iter().all(|row| row.artifacts.is_empty());
                match analyze::open(&path, &Options::default()) {
                    Ok(opened) => assert_eq!(decided(&opened), table::TABLE.len()),
                    Err(error) => assert!(bare, "{error}, killed after {when:?}"),
                }
            }
            // Killed before the first entry was there.
            Err(OpenError::NotAnArchive { .. }) => {}
            Err(error) => panic!("{error}, killed after {when:?}"),
        }
        fs::remove_file(path).unwrap();
    }
}

/// How many checks come to a verdict.
fn decided(opened: &Opened) -> usize {
    let limits = Thresholds::default();
    let report = Report::new(&opened.snapshot(), &limits, &Selection::default());
    report.coverage.len()
}

#[test]
fn killed_at_any_moment_it_leaves_what_it_had() {
    let place = Place::new();
    place.log(SYSTEM_LOG, 8_000_000);
    place.log("Security.evtx", 4_000_000);
    let start = Instant::now();
    assert_eq!(place.run(&[]).status.code(), Some(0));
    let whole_run = start.elapsed();
    fs::remove_file(&files(&place.out())[0]).unwrap();

    let mut cut_short = 0;
    for moment in noise(SEED, KILLS) {
        let when = whole_run.mul_f64(f64::from(moment) / 256.0);
        let mut child = place
            .collector(&place.out())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(when);
        child.kill().unwrap();
        cut_short += usize::from(!child.wait().unwrap().success());
        assert_readable(&place, when);
    }
    assert!(
        cut_short > KILLS / 2,
        "only {cut_short} were killed in time"
    );

    // And the next run is none the worse for them.
    assert_eq!(place.run(&[]).status.code(), Some(0));
    assert!(!place.bundle().is_interrupted());
}

#[test]
fn asked_to_end_it_ends_its_bundle() {
    let place = Place::new();
    place.sparse_log(SYSTEM_LOG, 8 << 30);
    let mut child = place
        .collector(&place.out())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The log takes minutes: when the line of the last hive is there, it is at the log.
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut lines = lines.map(Result::unwrap);
    assert!(lines.any(|line| line.contains("registry.bcd") || line.contains("registry.software")));
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(sent.success());
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(1));

    let bundle = place.bundle();
    assert!(!bundle.is_interrupted(), "the manifest is there");
    assert_eq!(bundle.row("registry.system").unwrap().state, State::Ok);
    for item in ["eventlog.system", "eventlog.security"] {
        let row = bundle.row(item).unwrap();
        assert_eq!(row.state, State::Skipped, "{item}");
        assert!(row.reason.as_ref().unwrap().starts_with("interrupted"));
    }
}

#[test]
fn past_its_deadline_it_ends_its_bundle() {
    let place = Place::new();
    place.sparse_log(SYSTEM_LOG, 8 << 30);
    assert_eq!(place.run(&["--deadline", "2s"]).status.code(), Some(1));
    let bundle = place.bundle();
    assert!(!bundle.is_interrupted());
    let state = |item: &str| bundle.row(item).unwrap().state;
    assert_eq!(state("registry.software"), State::Ok);
    assert_eq!(state("eventlog.system"), State::Timeout);
    assert_eq!(state("eventlog.security"), State::Skipped);
}
