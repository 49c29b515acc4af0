//! What holds for every scenario, whatever its check.

use std::fs;

use rayon::prelude::*;
use serde_json::Value;
use snapdiag::checks::check::Exhibit;
use snapdiag::checks::verdict::Verdict;
use snapdiag::facts::Snapshot;
use snapdiag::facts::sources::Sources;
use snapdiag::inspect::show::{ShowError, Shown, show};
use snapdiag_bundle::items;
use snapdiag_fixtures::machine::Built;

use crate::case::{CASES, Case, Zip, decide, exhaustive, open};
use crate::expect::shown;

#[test]
fn facts_written_and_read_back_decide_the_same() {
    CASES.par_iter().for_each(|case| {
        let json = serde_json::to_string(&case.snapshot).unwrap();
        let read: Snapshot = serde_json::from_str(&json).unwrap();
        assert_eq!(read, case.snapshot, "{}", case.place());
        assert_eq!(decide(case.check, &read), case.decision, "{}", case.place());
    });
}

#[test]
fn a_folder_decides_as_its_zip() {
    CASES.par_iter().for_each(|case| {
        let folder = tempfile::tempdir().unwrap();
        case.built.files(folder.path()).unwrap();
        let decision = decide(case.check, &open(folder.path()).snapshot());
        assert_eq!(decision, case.decision, "{}", case.place());
    });
}

/// What a check uses and the bundle has, for scenarios whose verdict could become too good: every
/// item where `SNAPDIAG_EXHAUSTIVE` is 1, else a few of each scenario, others in the next one.
fn removable((index, case): (usize, &Case)) -> Vec<&'static str> {
    const FEW: usize = 2;
    if matches!(case.decision.verdict, Verdict::Ok | Verdict::NotApplicable) {
        return Vec::new();
    }
    let used: Vec<&str> = items::used_by(case.check.id)
        .map(|item| item.id)
        .filter(|id| case.built.artifact(id).is_some())
        .collect();
    if exhaustive() {
        return used;
    }
    let from = index * FEW % used.len().max(1);
    used.iter()
        .cycle()
        .skip(from)
        .take(FEW.min(used.len()))
        .copied()
        .collect()
}

#[test]
fn no_verdict_gets_better_when_an_item_is_missing() {
    without_an_item("without", |built, item| {
        Zip::new(&built.without(item)).snapshot()
    });
}

#[test]
fn no_verdict_gets_better_when_an_item_is_damaged() {
    without_an_item("with a flipped byte in", |built, item| {
        let folder = tempfile::tempdir().unwrap();
        built.files(folder.path()).unwrap();
        let entry = items::by_id(item).unwrap().entries[0];
        let path = folder.path().join(entry);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x20;
        fs::write(&path, bytes).unwrap();
        open(folder.path()).snapshot()
    });
}

fn without_an_item(how: &str, gather: impl Fn(&Built, &str) -> Snapshot + Sync) {
    let better = |case: &Case, item: &&str| {
        let decision = decide(case.check, &gather(&case.built, item));
        let whole = case.decision.verdict.word();
        (decision.verdict == Verdict::Ok).then(|| {
            let place = case.place();
            format!("{place}: {whole}, but {how} {item}\n{}\n", shown(&decision))
        })
    };
    let wrong: Vec<String> = CASES
        .par_iter()
        .enumerate()
        .flat_map_iter(|(index, case)| {
            let items = removable((index, case)).into_iter();
            items.filter_map(move |item| better(case, &item))
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
