//! The times of a scenario are relative to its capture: on another day it decides the same.

use rayon::prelude::*;

use snapdiag::checks::check::Decision;

use crate::case::{Case, MACHINES, Zip, decide, sampled};
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
