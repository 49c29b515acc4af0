//! What holds for every scenario, whatever its check.

use std::collections::BTreeMap;
use std::fs;

use rayon::prelude::*;
use serde_json::Value;
use snapdiag::checks::check::{Check, Decision, Exhibit};
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::Snapshot;
use snapdiag::facts::sources::Sources;
use snapdiag::inspect::show::{ShowError, Shown, show};
use snapdiag::report::coverage::Coverage;
use snapdiag_bundle::items;
use snapdiag_fixtures::machine::{Built, Mutation};

use crate::case::{CASES, Case, MACHINES, Zip, exhaustive, open, sample, sampled};
use crate::expect::shown;

/// How many folders are compared with their zip.
const SAMPLE: usize = 40;

/// How many scenarios lose an item.
const LOSSES: usize = 100;

#[test]
fn facts_written_and_read_back_decide_the_same() {
    CASES.par_iter().for_each(|case| {
        let json = serde_json::to_string(&case.snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&json).unwrap();
        assert_eq!(read, case.snapshot, "{}", case.place());
        assert_eq!(case.decide(&read), case.decision, "{}", case.place());
    });
}

#[test]
fn a_folder_decides_as_its_zip() {
    sampled(0, SAMPLE).par_iter().for_each(|case| {
        let folder = tempfile::tempdir().unwrap();
        case.built.files(folder.path()).unwrap();
        let decision = case.decide(&open(folder.path()).snapshot());
        assert_eq!(decision, case.decision, "{}", case.place());
    });
}

/// Scenarios whose verdict could become too good, each with an item that the check uses and the
/// bundle has: with every such item in an exhaustive run, else with the next one in turn.
fn losses(turn: usize) -> Vec<(&'static Case, &'static str)> {
    let cases = sample(sick(), turn, LOSSES).into_iter().enumerate();
    cases
        .flat_map(|(index, case)| {
            let items = chosen(case.check, &case.built, index + turn);
            items.map(move |item| (case, item))
        })
        .collect()
}

/// The items of a bundle that a check uses: all of them in an exhaustive run, else the next one in
/// turn.
fn chosen(check: &Check, built: &Built, turn: usize) -> impl Iterator<Item = &'static str> {
    let used: Vec<&str> = items::used_by(check.id)
        .map(|item| item.id)
        .filter(|id| built.artifact(id).is_some())
        .collect();
    let next = turn % used.len().max(1);
    let all = used.into_iter().enumerate();
    all.filter(move |(index, _)| exhaustive() || *index == next)
        .map(|(_, item)| item)
}

/// Every scenario whose verdict could become too good.
fn sick() -> Vec<&'static Case> {
    let cases = CASES.iter().filter(|case| {
        let verdict = case.decision.verdict;
        !matches!(verdict, Verdict::Ok | Verdict::NotApplicable)
    });
    cases.collect()
}

#[test]
fn no_verdict_gets_better_when_an_item_is_missing() {
    without_an_item(0, "without", |built, item| {
        let folder = tempfile::tempdir().unwrap();
        built.without(item).files(folder.path()).unwrap();
        open(folder.path()).snapshot()
    });
}

#[test]
fn no_verdict_gets_better_when_an_item_is_damaged() {
    without_an_item(1, "with a flipped byte in", |built, item| {
        let folder = tempfile::tempdir().unwrap();
        built.files(folder.path()).unwrap();
        let entries = items::by_id(item).unwrap().entries.iter();
        let mut paths = entries.map(|entry| folder.path().join(entry));
        let path = paths.find(|path| path.exists()).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::write(&path, bytes).unwrap();
        open(folder.path()).snapshot()
    });
}

fn without_an_item(turn: usize, how: &str, gather: impl Fn(&Built, &str) -> Snapshot + Sync) {
    let wrong: Vec<String> = losses(turn)
        .into_par_iter()
        .filter_map(|(case, item)| {
            let snapshot = gather(&case.built, item);
            let decision = case.decide(&snapshot);
            let whole = case.decision.verdict.word();
            let wrong = if decision.verdict == Verdict::Ok {
                "better"
            } else if decision.verdict != case.decision.verdict
                && !covers(case, &snapshot, &decision, item)
            {
                "another, and the coverage does not tell why,"
            } else {
                return None;
            };
            let (place, shown) = (case.place(), shown(&decision));
            Some(format!(
                "{place}: {whole}, but {wrong} {how} {item}\n{shown}\n"
            ))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether the row of the check in the coverage table names the item among what it lacks.
fn covers(case: &Case, snapshot: &Snapshot, decision: &Decision, item: &str) -> bool {
    let coverage = Coverage::of(case.check, decision.verdict, &snapshot.inventory);
    coverage.missing.iter().any(|lacking| lacking.item == item)
}

/// The same where the machine is not running: each scenario as its bare disk, without an item.
#[test]
fn no_verdict_gets_better_when_a_bare_disk_lacks_an_item() {
    let live = sick()
        .into_iter()
        .filter(|case| !case.scenario.mutation.disk_only);
    let cases = sample(live.collect(), 2, LOSSES);
    let wrong: Vec<String> = cases
        .into_par_iter()
        .enumerate()
        .flat_map_iter(|(index, case)| {
            let mutation = Mutation {
                disk_only: true,
                // A disk does not tell what the live log held.
                log: BTreeMap::new(),
                ..case.scenario.mutation.clone()
            };
            let built = MACHINES[&case.scenario.machine].build(&mutation);
            let built = built.unwrap_or_else(|error| panic!("{}: {error}", case.place()));
            let whole = case.decide(&Zip::new(&built).snapshot()).verdict;
            let bad = !matches!(whole, Verdict::Ok | Verdict::NotApplicable);
            let items = chosen(case.check, &built, index).filter(move |_| bad);
            let wrong = items.filter_map(|item| {
                let decision = case.decide(&Zip::new(&built.without(item)).snapshot());
                (decision.verdict == Verdict::Ok).then(|| {
                    let (place, shown) = (case.place(), shown(&decision));
                    format!(
                        "{place}, its disk: {}, but without {item}\n{shown}\n",
                        whole.word()
                    )
                })
            });
            wrong.collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_piece_of_evidence_reads_back() {
    let wrong: Vec<String> = CASES
        .par_iter()
        .flat_map_iter(|case| {
            let zip = Zip::new(&case.built);
            let sources = zip.opened.sources().unwrap();
            let wrong = case
                .decision
                .evidence
                .iter()
                .filter_map(|exhibit| unlike(sources, exhibit))
                .map(|why| format!("{}: {why}", case.place()));
            wrong.collect::<Vec<_>>()
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} pieces:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// How what stands at the evidence's place differs from what the evidence says stood there.
fn unlike(sources: &Sources, exhibit: &Exhibit) -> Option<String> {
    let evidence = &exhibit.evidence;
    let found = match show(sources, &evidence.locator) {
        Ok(shown) => raw(&shown, &evidence.raw),
        // A count of none: there is nothing to show.
        Err(ShowError::NotFound(_)) if evidence.raw == 0 => return None,
        Err(_) => Value::Null,
    };
    (found != evidence.raw).then(|| {
        let (locator, raw) = (&evidence.locator, &evidence.raw);
        format!(
            "{locator} ({}): {raw} in the finding, {found} there",
            exhibit.says
        )
    })
}

/// What a place gives, in the form that evidence has: see `Evidence::raw`.
fn raw(shown: &Shown, wanted: &Value) -> Value {
    match shown {
        Shown::Key(key) => key_name(&key.key),
        Shown::Value(value) => value.data.clone(),
        Shown::Events(selected) => match selected.rows.as_slice() {
            [row] if !wanted.is_number() => row.fields.clone().into(),
            _ => selected.count.into(),
        },
        Shown::Json(json) => json.clone(),
        Shown::Line(text) | Shown::Text(text) => text.as_str().into(),
    }
}

fn key_name(path: &str) -> Value {
    path.rsplit('\\').next().unwrap_or_default().into()
}
