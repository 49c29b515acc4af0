//! Every hive of the captures, compared with what other readers say of it.
//!
//! Needs the captures (see `snapdiag_tests::captures`); says so and passes without them.

use std::path::Path;

use serde_json::Value as Json;
use snapdiag::formats::hive::{HiveFile, silence_guarded_panics};
use snapdiag::formats::registry::{RegistryView, WalkLimits};
use snapdiag_tests::{captures, expected};

#[test]
fn hives_agree_with_other_readers() {
    let Some(folder) = captures() else {
        println!("no captures: nothing compared");
        return;
    };
    silence_guarded_panics();
    for (path, entry) in expected(&folder) {
        let Some(hive) = entry.get("hive") else {
            continue;
        };
        compare(&folder, &path, hive);
    }
}

fn compare(folder: &Path, path: &str, expected: &Json) {
    let bytes = std::fs::read(folder.join(path)).expect("a readable capture");
    let hive = match HiveFile::open(bytes) {
        Ok(hive) => hive,
        Err(error) => {
            println!("{path}: {error}");
            return;
        }
    };
    let t = std::time::Instant::now();
    let mut lost = 0;
    let mut paths = vec![];
    let report = hive.walk(WalkLimits::default(), &mut |key, _| paths.push(key.clone()));
    let dt = t.elapsed();
    for key in &paths {
        match hive.key(&key.path) {
            Ok(Some(k)) if k == *key || (key.path.is_empty()) => (),
            other => {
                lost += 1;
                if lost < 4 {
                    println!("   {:?} {:?}", key, other)
                }
            }
        }
    }
    println!(
        "{path}: {} {} damage {} lost {lost} expected {} {} panics {} {dt:?}",
        report.keys,
        report.values,
        report.damage_count,
        expected["facts"]["keys"],
        expected["facts"]["values"],
        hive.panics_caught()
    );
    for d in report.damage.iter().take(4) {
        println!("   {d}");
    }
}
