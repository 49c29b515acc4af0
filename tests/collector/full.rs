//! A disk that takes no more.

use std::path::Path;
use std::process::{Command, Output};

use snapdiag_bundle::State;

use crate::volume::{COLLECTOR, Place, SYSTEM_LOG, files, stderr};

/// The variable with which CI makes what is missing on a machine a failure.
const REQUIRED: &str = "SNAPDIAG_REQUIRE_PEERS";

/// Runs the collector where no file may be larger, in blocks of 512 bytes: a disk that is full at a
/// moment of our choice.
fn run_with_limit(place: &Place, blocks: &str) -> Output {
    Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f \"$1\" && shift && exec \"$@\"",
            "sh",
        ])
        .args([blocks, COLLECTOR, "--disk"])
        .arg(place.volume())
        .arg("--out")
        .arg(place.out())
        .output()
        .unwrap()
}

/// The bundle holds what came before the log that did not fit, and is complete with what it says
/// of the rest.
fn assert_complete_without_the_log(place: &Place, output: &Output) {
    assert_eq!(output.status.code(), Some(1), "{}", stderr(output));
    assert!(stderr(output).contains("the disk took no more"));
    assert_eq!(files(&place.out()).len(), 1);
    let bundle = place.bundle();
    assert!(!bundle.is_interrupted(), "the manifest found room");
    assert!(bundle.archive().damage().is_empty());
    assert_eq!(bundle.row("registry.system").unwrap().state, State::Ok);
    let log = bundle.row("eventlog.system").unwrap();
    assert_eq!((log.state, log.artifacts.len()), (State::Failed, 0));
    assert!(log.reason.as_ref().unwrap().contains("took no more"));
    let rest = bundle.row("eventlog.security").unwrap();
    assert_eq!(rest.state, State::Skipped);
}

#[test]
fn the_bundle_is_completed_in_the_room_of_what_did_not_fit() {
    let place = Place::new();
    place.log(SYSTEM_LOG, 4_000_000);
    place.log("Security.evtx", 100_000);
    let output = run_with_limit(&place, "4000");
    assert_complete_without_the_log(&place, &output);
}

#[test]
fn without_room_for_anything_there_is_no_bundle() {
    let place = Place::new();
    for blocks in ["0", "20"] {
        let output = run_with_limit(&place, blocks);
        assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
        assert!(stderr(&output).contains("--out"), "{}", stderr(&output));
        assert!(files(&place.out()).is_empty());
    }
}

/// At every size of the disk there is a bundle that can be read, or none.
#[test]
fn however_little_room_there_is_the_bundle_can_be_read() {
    let place = Place::new();
    place.log(SYSTEM_LOG, 50_000);
    for blocks in (0..1500).step_by(75) {
        let output = run_with_limit(&place, &blocks.to_string());
        let status = output.status.code().unwrap();
        if status == 3 {
            assert!(files(&place.out()).is_empty(), "{blocks} blocks");
            continue;
        }
        let bundle = place.bundle();
        let rows = &bundle.manifest().unwrap().items;
        let got = rows.iter().filter(|row| row.state == State::Ok);
        assert!(got.count() > 0, "{blocks} blocks");
        assert_eq!(status, i32::from(blocks < 1350), "{blocks} blocks");
        std::fs::remove_file(&files(&place.out())[0]).unwrap();
    }
}

/// A file system in memory, unmounted when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path, size: &str) -> Result<Self, String> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(path)
            .output()
            .map_err(|error| error.to_string())?;
        if mounted.status.success() {
            Ok(Self(path))
        } else {
            Err(stderr(&mounted))
        }
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.0).status());
    }
}

#[test]
fn a_small_disk_that_fills_up() {
    let place = Place::new();
    place.log(SYSTEM_LOG, 80_000_000);
    let out = place.out();
    let _disk = match SmallDisk::mount(&out, "70m") {
        Ok(disk) => disk,
        Err(why) => {
            let required = std::env::var_os(REQUIRED).is_some_and(|value| value == "1");
            assert!(!required, "no file system in memory: {why}");
            eprintln!("skipped: no file system in memory: {why}");
            return;
        }
    };
    let output = place.run(&[]);
    assert_complete_without_the_log(&place, &output);
}

#[test]
fn a_disk_without_room_is_refused_before_anything_is_written() {
    let place = Place::new();
    let out = place.out();
    let Ok(_disk) = SmallDisk::mount(&out, "10m") else {
        // The other test says so, and fails where it must.
        return;
    };
    let output = place.run(&[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("free"), "{}", stderr(&output));
    assert!(files(&out).is_empty());
}
