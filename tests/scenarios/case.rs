//! Scenarios, built and decided once for all tests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rayon::prelude::*;
use snapdiag::analyze::{self, Opened};
use snapdiag::checks::check::{Check, Context, Decision};
use snapdiag::checks::table;
use snapdiag::checks::thresholds::{Profile, Thresholds};
use snapdiag::facts::Snapshot;
use snapdiag::facts::sources::Options;
use snapdiag::report::{Report, Selection, json};
use snapdiag_fixtures::machine::{Built, Machine};
use snapdiag_fixtures::scenario::{self, Scenario};
use tempfile::TempDir;

/// Every baseline machine by its name.
pub(crate) static MACHINES: LazyLock<BTreeMap<String, Machine>> = LazyLock::new(|| {
    let names = Machine::names().unwrap();
    let load = |name: String| {
        let machine = Machine::load(&name).unwrap();
        (name, machine)
    };
    names.into_iter().map(load).collect()
});

/// Every scenario, in the order of files and names.
pub(crate) static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let mut scenarios = Vec::new();
    for file in scenario::all().unwrap() {
        let check = table::find(&file.check);
        let check = check.unwrap_or_else(|| panic!("no check {}", file.check));
        scenarios.extend(file.scenarios.into_iter().map(|scenario| (check, scenario)));
    }
    scenarios.into_par_iter().map(Case::new).collect()
});

/// A scenario and what the check says of its zip.
pub(crate) struct Case {
    pub(crate) check: &'static Check,
    pub(crate) scenario: Scenario,
    pub(crate) built: Built,
    pub(crate) snapshot: Snapshot,
    pub(crate) decision: Decision,
}

impl Case {
    fn new((check, scenario): (&'static Check, Scenario)) -> Self {
        let place = format!("{}, {:?}", check.id, scenario.name);
        let machine = MACHINES
            .get(&scenario.machine)
            .unwrap_or_else(|| panic!("{place}: no machine {:?}", scenario.machine));
        let built = machine
            .build(&scenario.mutation)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
        let snapshot = Zip::new(&built).snapshot();
        let decision = decide_with(check, &snapshot, &thresholds(&scenario));
        Self {
            check,
            scenario,
            built,
            snapshot,
            decision,
        }
    }

    /// What the check says of other facts, with the limits of this scenario.
    pub(crate) fn decide(&self, snapshot: &Snapshot) -> Decision {
        decide_with(self.check, snapshot, &thresholds(&self.scenario))
    }

    /// The check's id and the scenario's name, for messages.
    pub(crate) fn place(&self) -> String {
        format!("{}, {:?}", self.check.id, self.scenario.name)
    }
}

/// Whether everything is tried and not only a sample: `SNAPDIAG_EXHAUSTIVE=1`.
pub(crate) fn exhaustive() -> bool {
    std::env::var_os("SNAPDIAG_EXHAUSTIVE").is_some_and(|value| value == "1")
}

/// About `count` of some things, evenly spread and another choice for each `turn`; all of them in
/// an exhaustive run. However many scenarios there are, a sample of them stays as cheap.
pub(crate) fn sample<T>(things: Vec<T>, turn: usize, count: usize) -> Vec<T> {
    let step = if exhaustive() {
        1
    } else {
        (things.len() / count).max(1)
    };
    things.into_iter().skip(turn % step).step_by(step).collect()
}

/// About `count` scenarios, see [`sample`].
pub(crate) fn sampled(turn: usize, count: usize) -> Vec<&'static Case> {
    sample(CASES.iter().collect(), turn, count)
}

/// What a check says with the limits it comes with.
pub(crate) fn decide(check: &Check, snapshot: &Snapshot) -> Decision {
    decide_with(check, snapshot, &Thresholds::default())
}

fn decide_with(check: &Check, snapshot: &Snapshot, thresholds: &Thresholds) -> Decision {
    check.run(&Context {
        snapshot,
        thresholds,
    })
}

fn thresholds(scenario: &Scenario) -> Thresholds {
    let Some(name) = &scenario.profile else {
        return Thresholds::default();
    };
    let profile: Profile = name.parse().unwrap();
    Thresholds::of_profile(profile, &table::threshold_keys()).unwrap()
}

/// The report of all checks, as JSON.
pub(crate) fn report(snapshot: &Snapshot) -> String {
    let report = Report::new(snapshot, &Thresholds::default(), &Selection::default());
    json::render(&report).unwrap()
}

/// The bytes of a bundle's zip.
pub(crate) fn zipped(built: &Built) -> Vec<u8> {
    let mut zip = Cursor::new(Vec::new());
    built.zip(&mut zip).unwrap();
    zip.into_inner()
}

/// A bundle as an opened zip; the file lives as long as this does.
pub(crate) struct Zip {
    pub(crate) opened: Opened,
    pub(crate) path: PathBuf,
    _folder: TempDir,
}

impl Zip {
    pub(crate) fn new(built: &Built) -> Self {
        Self::of(&zipped(built))
    }

    pub(crate) fn of(bytes: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle.zip");
        fs::write(&path, bytes).unwrap();
        Self {
            opened: open(&path),
            path,
            _folder: folder,
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.opened.snapshot()
    }
}

/// Opens a bundle.
pub(crate) fn open(path: &Path) -> Opened {
    analyze::open(path, &Options::default()).unwrap()
}
