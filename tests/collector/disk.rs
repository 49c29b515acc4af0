//! What is typed, how it ends, what is printed, and what the analyzer makes of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};
use snapdiag::analyze;
use snapdiag::checks::check::Context;
use snapdiag::checks::table::TABLE;
use snapdiag::checks::thresholds::Thresholds;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::capture::CaptureKind;
use snapdiag::facts::sources::Options;
use snapdiag_bundle::{CaptureMode, ITEMS, State, hex};
use snapdiag_fixtures::sample;

use crate::volume::{COLLECTOR, Place, SYSTEM_LOG, files, stderr};

const FOLDER: &str = "snapdiag-collector.tmp";

fn status(arguments: &[&str]) -> Option<i32> {
    let output = Command::new(COLLECTOR).args(arguments).output().unwrap();
    output.status.code()
}

#[test]
fn wrong_usage_and_no_bundle_have_their_own_status() {
    let place = Place::new();
    let (volume, out) = (place.volume(), place.out());
    let (volume, out) = (volume.to_str().unwrap(), out.to_str().unwrap());
    assert_eq!(status(&["--help"]), Some(0));
    assert_eq!(status(&["--nonsense"]), Some(2));
    assert_eq!(status(&["--disk", out]), Some(2), "no Windows there");
    assert_eq!(status(&["--disk", volume, "--boot", out]), Some(2));
    assert_eq!(
        status(&["--disk", volume, "--out", "/no/such/folder"]),
        Some(3)
    );
    assert_eq!(status(&[]), Some(2), "this is not Windows");
    assert!(files(&place.out()).is_empty());
}

#[test]
fn a_run_says_what_it_did_and_where_the_bundle_is() {
    let place = Place::new();
    place.log(SYSTEM_LOG, 100_000);
    let output = place.run(&["--host", "HOST-A"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));

    let path = &files(&place.out())[0];
    let hash = hex(&Sha256::digest(fs::read(path).unwrap()));
    let line = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(line, format!("{hash}  {}\n", path.display()));
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("snapdiag-HOST-A-20"), "{name}");

    let progress = stderr(&output);
    assert!(progress.is_ascii());
    let bundle = place.bundle();
    let manifest = bundle.manifest().unwrap();
    let collected = bundle.plan().unwrap().items.len();
    assert_eq!(progress.lines().count(), 1 + collected, "{progress}");
    assert_eq!(manifest.items.len(), ITEMS.len());
    assert_eq!(manifest.capture.mode, CaptureMode::DiskOnly);
    assert_eq!(manifest.capture.host, "HOST-A");
    let log = manifest.row("eventlog.system").unwrap();
    assert_eq!(
        (log.state, log.artifacts[0].size_bytes),
        (State::Ok, 100_000)
    );
    let cost = manifest.cost.unwrap();
    assert!(cost.elapsed_ms.is_some() && cost.read_bytes.unwrap() > 700_000);
    let artifacts = manifest.items.iter().flat_map(|row| &row.artifacts);
    let bytes = artifacts.map(|artifact| artifact.size_bytes).sum();
    assert_eq!(cost.artifact_bytes, Some(bytes));
}

#[test]
fn an_item_that_fails_shows_in_the_status() {
    let place = Place::new();
    fs::remove_file(place.config().join("SOFTWARE")).unwrap();
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let bundle = place.bundle();
    assert_eq!(
        bundle.row("registry.software").unwrap().state,
        State::Failed
    );
    assert_eq!(bundle.row("registry.system").unwrap().state, State::Ok);
    // What was not asked for is none of its faults.
    assert_eq!(
        place.run(&["--only", "registry.system"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_name_can_be_kept_out_of_the_file_name() {
    let place = Place::new();
    place.run(&["--host", "HOST-A", "--anonymous-name"]);
    let name = files(&place.out())[0].display().to_string();
    assert!(!name.contains("HOST-A"), "{name}");
}

#[test]
fn a_dry_run_tells_and_writes_nothing() {
    let place = Place::new();
    let leftover = place.out().join(FOLDER);
    fs::create_dir(&leftover).unwrap();
    for arguments in [&["--dry-run"][..], &["--list"]] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(0));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.is_ascii() || !place.volume().to_str().unwrap().is_ascii());
        for item in ITEMS {
            assert!(text.contains(item.id), "{} is missing:\n{text}", item.id);
        }
        assert_eq!(files(&place.out()), std::slice::from_ref(&leftover));
    }
}

#[test]
fn what_a_killed_run_left_goes_with_the_next_or_with_cleanup() {
    let place = Place::new();
    let leftover = place.out().join(FOLDER);
    for (arguments, bundles) in [(&["--cleanup"][..], 0), (&[], 1)] {
        fs::create_dir(&leftover).unwrap();
        fs::write(leftover.join("export.tmp"), "a hive").unwrap();
        assert_eq!(place.run(arguments).status.code(), Some(0));
        assert!(!leftover.exists(), "{arguments:?}");
        assert_eq!(files(&place.out()).len(), bundles);
    }
}

/// Lays a bundle's artifacts out as they lie on a disk.
fn lay_out(place: &Place, name: &str) {
    let built = sample::build(name).unwrap();
    for item in ITEMS {
        let Some(bytes) = built.artifact(item.id) else {
            continue;
        };
        let base = Path::new(item.entries[0]).file_name().unwrap();
        let folder = match item.id.split('.').next().unwrap() {
            "registry" if item.id == "registry.bcd" => place.volume().join("Boot"),
            "registry" => place.config(),
            "eventlog" => place.logs(),
            _ => continue,
        };
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(base), bytes).unwrap();
    }
}

#[test]
fn the_analyzer_decides_what_a_disk_can_tell_and_names_what_would_settle_the_rest() {
    let place = Place::new();
    lay_out(&place, "sick-server");
    assert_eq!(place.run(&[]).status.code(), Some(0));
    let path = &files(&place.out())[0];
    let snapshot = analyze::open(path, &Options::default()).unwrap().snapshot();
    assert_eq!(snapshot.capture.kind, CaptureKind::DiskOnly);
    let thresholds = Thresholds::default();
    let context = Context {
        snapshot: &snapshot,
        thresholds: &thresholds,
    };
    let decisions: Vec<_> = TABLE
        .iter()
        .map(|check| (check.id, check.run(&context)))
        .collect();
    let (open, decided): (Vec<_>, Vec<_>) = decisions
        .iter()
        .partition(|(_, decision)| decision.verdict == Verdict::Unknown);
    assert!(decided.len() >= 8, "{}", decided.len());
    assert!(open.iter().any(|(id, _)| *id == "memory-usage"));
    for (id, decision) in open {
        let settle = decision.missing.join("; ");
        let says = settle.contains("live") || settle.contains("running machine");
        assert!(says, "{id}: {settle}");
    }
}
