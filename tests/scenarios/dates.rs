//! The times of a scenario are relative to its capture: on another day it decides the same.

use std::fs;

use jiff::SignedDuration;
use rayon::prelude::*;

use snapdiag::checks::check::Decision;
use snapdiag::checks::table;
use snapdiag::facts::Snapshot;
use snapdiag::facts::capture::TimeSource;
use snapdiag_bundle::Manifest;
use snapdiag_bundle::manifest::MANIFEST_NAME;
use snapdiag_fixtures::machine::{Built, Mutation};

use crate::case::{Case, MACHINES, Zip, decide, open, sampled};
use crate::expect::shown;

/// Other moments of capture.
const DATES: [(&str, &str); 3] = [
    ("on a leap day", "2028-02-29T00:30:00Z"),
    (
        "just after the clock was put forward",
        "2026-03-29T01:30:00Z",
    ),
    ("400 days later", "2027-12-25T10:00:00Z"),
];

/// Where the clock is put forward on 2026-03-29 at 01:00 UTC.
const DAYLIGHT_SAVING: &str = r#"

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\TimeZoneInformation]
"TimeZoneKeyName"="W. Europe Standard Time"
"Bias"=dword:ffffffc4
"ActiveTimeBias"=dword:ffffff88
"#;

/// What confirms the last record of the System log: a root key written at about that time.
const LEFT: &str = r"
;@last-write=-10m
[HKEY_LOCAL_MACHINE\SYSTEM]
";

/// How many scenarios are built at each date, others at another.
const SAMPLE: usize = 20;

#[test]
fn on_another_day_the_verdict_is_the_same() {
    let cases: Vec<_> = DATES
        .iter()
        .enumerate()
        .flat_map(|(turn, date)| {
            let cases = sampled(turn, SAMPLE).into_iter();
            cases.map(move |case| (date, case))
        })
        .filter(|(_, case)| case.scenario.mutation.captured.is_none())
        .collect();
    let wrong: Vec<String> = cases
        .into_par_iter()
        .filter_map(|((when, captured), case)| {
            let decision = decided_at(case, captured);
            (decision.verdict != case.decision.verdict).then(|| {
                let (place, verdict) = (case.place(), case.decision.verdict.word());
                format!("{place}: {verdict}, but {when}\n{}\n", shown(&decision))
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_disk_that_lay_for_days_is_judged_as_it_was_left() {
    for (name, machine) in MACHINES.iter() {
        let mutation = Mutation {
            disk_only: true,
            registry: LEFT.to_owned(),
            ..Mutation::default()
        };
        let built = machine.build(&mutation).unwrap();
        let at_once = Zip::new(&built).snapshot();
        let late = copied_late(&built);
        assert_eq!(late.capture.source, TimeSource::EventLog, "{name}");
        assert!(late.capture.because.contains("the disk was copied at"));
        for check in table::TABLE {
            let verdict = decide(check, &late).verdict;
            assert_eq!(
                verdict,
                decide(check, &at_once).verdict,
                "{name}: {}",
                check.id
            );
        }
    }
}

/// The snapshot of the bundle, had its disk been copied a week later.
fn copied_late(built: &Built) -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    built.files(folder.path()).unwrap();
    let path = folder.path().join(MANIFEST_NAME);
    let mut manifest: Manifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let later = manifest.capture.started_at + SignedDuration::from_hours(7 * 24);
    manifest.capture.started_at = later;
    manifest.capture.ended_at = Some(later);
    fs::write(&path, serde_json::to_vec(&manifest).unwrap()).unwrap();
    open(folder.path()).snapshot()
}

/// What the check says of the scenario captured at another moment, in a zone whose clock is put
/// forward.
fn decided_at(case: &Case, captured: &str) -> Decision {
    let mut mutation = case.scenario.mutation.clone();
    mutation.captured = Some(captured.parse().unwrap());
    if !mutation.drop.contains("registry.system") {
        mutation.registry.push_str(DAYLIGHT_SAVING);
    }
    let built = MACHINES[&case.scenario.machine].build(&mutation).unwrap();
    decide(case.check, &Zip::new(&built).snapshot())
}
