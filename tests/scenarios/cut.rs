//! A zip that was cut off says so, and nothing in it looks healthier than in the whole.

use std::fs;

use rayon::prelude::*;
use snapdiag::checks::check::Check;
use snapdiag::checks::table::TABLE;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::Snapshot;
use snapdiag_fixtures::sample;

use crate::case::{Case, Zip, decide, sampled, zipped};
use crate::expect::shown;

/// The length that is left of a whole one, in bytes.
type Left = fn(usize) -> usize;

/// How much of a zip is left.
const LEFT: [(&str, Left); 4] = [
    ("a tenth", |length| length / 10),
    ("half", |length| length / 2),
    ("nine tenths", |length| length / 10 * 9),
    ("all but the last byte", |length| length - 1),
];

/// How many scenarios are cut to each length, others to another.
const SAMPLE: usize = 12;

#[test]
fn the_sample_cut_off_looks_no_better() {
    let zip = fs::read(sample::path("sick-server")).unwrap();
    let whole = Zip::of(&zip).snapshot();
    let checks: Vec<&Check> = TABLE.iter().collect();
    let wrong: Vec<String> = LEFT
        .par_iter()
        .flat_map_iter(|(what, length)| {
            let cut = Zip::of(&zip[..length(zip.len())]).snapshot();
            wrong(&checks, &whole, &cut, &format!("the sample, {what} of it"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_scenario_cut_off_looks_no_better() {
    let cases: Vec<_> = LEFT
        .iter()
        .enumerate()
        .flat_map(|(turn, left)| {
            let cases = sampled(turn * 3, SAMPLE).into_iter();
            cases.map(move |case| (left, case))
        })
        .collect();
    let wrong: Vec<String> = cases
        .into_par_iter()
        .flat_map_iter(|((what, length), case): (_, &Case)| {
            let zip = zipped(&case.built);
            let cut = Zip::of(&zip[..length(zip.len())]).snapshot();
            let place = format!("{}, {what} of it", case.place());
            wrong(&[case.check], &case.snapshot, &cut, &place)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the rest of a zip should not say.
fn wrong(checks: &[&Check], whole: &Snapshot, cut: &Snapshot, place: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let notes = &cut.inventory.notes;
    let tells = |note: &String| note.contains("cut off") || note.contains("incomplete");
    if !notes.iter().any(tells) {
        wrong.push(format!(
            "{place}: does not say that it was cut off: {notes:?}"
        ));
    }
    for check in checks {
        let (before, after) = (decide(check, whole), decide(check, cut));
        let fine = matches!(before.verdict, Verdict::Ok | Verdict::NotApplicable);
        if !fine && after.verdict == Verdict::Ok {
            let (id, word, shown) = (check.id, before.verdict.word(), shown(&after));
            wrong.push(format!("{place}: {id} was {word}\n{shown}\n"));
        }
    }
    wrong
}
