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

#[test]
fn dirty_hives() {
    use snapdiag::formats::hive::Log;
    let Some(folder) = captures() else { return };
    let d = folder.join("hives");
    let r = "AndrewRathbun-DFIRArtifactMuseum/Registry/Win10/RathbunVM";
    for (h, l1, l2) in [
        (
            "msuhanov-yarp/NewDirtyHive1__NewDirtyHive".to_string(),
            "msuhanov-yarp/NewDirtyHive1__NewDirtyHive.LOG1".to_string(),
            "msuhanov-yarp/NewDirtyHive1__NewDirtyHive.LOG2".to_string(),
        ),
        (
            "msuhanov-yarp/BadLogHive3__BadLogHive".to_string(),
            "msuhanov-yarp/BadLogHive3__BadLogHive.LOG1".to_string(),
            "msuhanov-yarp/BadLogHive3__BadLogHive.LOG2".to_string(),
        ),
        (
            "mkorman90-regipy/transactions_NTUSER.DAT".to_string(),
            "mkorman90-regipy/transactions_ntuser.dat.log1".to_string(),
            "mkorman90-regipy/transactions_ntuser.dat.log2".to_string(),
        ),
        (
            format!("{r}/DEFAULT"),
            format!("{r}/DEFAULT.LOG1"),
            format!("{r}/DEFAULT.LOG2"),
        ),
        (
            format!("{r}/NTUSER.DAT"),
            format!("{r}/ntuser.dat.LOG1"),
            format!("{r}/ntuser.dat.LOG2"),
        ),
        (
            format!("{r}/LocalService/NTUSER.DAT"),
            format!("{r}/LocalService/NTUSER.DAT.LOG1"),
            format!("{r}/LocalService/NTUSER.DAT.LOG2"),
        ),
        (
            format!("{r}/NetworkService/NTUSER.DAT"),
            format!("{r}/NetworkService/NTUSER.DAT.LOG1"),
            format!("{r}/NetworkService/NTUSER.DAT.LOG2"),
        ),
        (
            format!("{r}/DEFAULT (NTUSER)/NTUSER.DAT"),
            format!("{r}/DEFAULT (NTUSER)/NTUSER.DAT.LOG1"),
            format!("{r}/DEFAULT (NTUSER)/NTUSER.DAT.LOG2"),
        ),
    ] {
        let b = std::fs::read(d.join(&h)).unwrap();
        let (b1, b2) = (
            std::fs::read(d.join(&l1)).unwrap(),
            std::fs::read(d.join(&l2)).unwrap(),
        );
        let hive = HiveFile::open_with_logs(
            b,
            &[
                Log {
                    name: "LOG1",
                    bytes: &b1,
                },
                Log {
                    name: "LOG2",
                    bytes: &b2,
                },
            ],
        )
        .unwrap();
        let w = hive.walk(WalkLimits::default(), &mut |_, _| ());
        println!(
            "{h}: {:?}\n   {} {} damage {} {:?}",
            hive.replay_report(),
            w.keys,
            w.values,
            w.damage_count,
            w.damage.first().map(|d| d.to_string())
        );
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
