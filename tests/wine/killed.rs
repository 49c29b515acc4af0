//! Runs that are killed, and what `--cleanup` and the next run make of them.

use std::process::Stdio;
use std::time::Duration;

use crate::machine::{Machine, files, folder, snapdiag};

/// Moments from the start of Wine to the middle of the counter window, milliseconds.
const MOMENTS: [u64; 5] = [400, 1_100, 2_300, 4_700, 8_900];

#[test]
fn killed_at_any_moment_it_leaves_what_can_be_read() {
    let Some(machine) = Machine::get() else {
        return;
    };
    for moment in MOMENTS {
        let folder = folder();
        let mut run = machine
            .collector(folder.path(), &["--profile", "minimal"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        run.kill().unwrap();
        run.wait().unwrap();
        let left = files(folder.path());
        let zips = left.iter().filter(|path| path.extension().is_some());
        for bundle in zips.filter(|path| path.is_file()) {
            let analyzed = snapdiag(&["analyze"], bundle).status.code();
            assert!(
                matches!(analyzed, Some(0 | 1 | 3)),
                "{analyzed:?} after {moment} ms"
            );
            let verified = snapdiag(&["verify"], bundle).status.code();
            assert!(
                matches!(verified, Some(0 | 1 | 3)),
                "{verified:?} after {moment} ms"
            );
        }
        let (status, printed) = machine.run(folder.path(), &["--cleanup"]);
        assert_eq!(status, 0, "{printed}");
        let rest = files(folder.path());
        assert!(
            rest.iter()
                .all(|path| path.extension().is_some_and(|e| e == "zip")),
            "{rest:?} after {moment} ms"
        );
    }
}
