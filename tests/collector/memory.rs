//! Memory does not grow with what is collected.

use std::process::Command;

use snapdiag_bundle::State;

use crate::volume::{COLLECTOR, Place, SYSTEM_LOG, stderr};

/// Address space of the program and its threads, KiB.
const ADDRESS_SPACE: &str = "300000";

const LOG: u64 = 2 << 30;

/// What the collector may use at most, bytes.
const MEMORY: u64 = 32 << 20;

#[test]
fn a_log_of_two_gigabytes_takes_no_memory() {
    let place = Place::new();
    place.sparse_log(SYSTEM_LOG, LOG);
    let output = Command::new("sh")
        .args(["-c", "ulimit -v \"$1\" && shift && exec \"$@\"", "sh"])
        .args([ADDRESS_SPACE, COLLECTOR, "--disk"])
        .arg(place.volume())
        .arg("--out")
        .arg(place.out())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let bundle = place.bundle();
    let log = bundle.row("eventlog.system").unwrap();
    assert_eq!((log.state, log.artifacts[0].size_bytes), (State::Ok, LOG));
    if cfg!(target_os = "linux") {
        let peak = bundle.manifest().unwrap().cost.unwrap().peak_rss_bytes;
        assert!(peak.unwrap() < MEMORY, "{peak:?}");
    }
}
