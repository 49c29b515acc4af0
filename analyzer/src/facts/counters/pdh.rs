//! Series of the performance library, by English path.

use std::collections::BTreeMap;

use serde_json::json;
use snapdiag_bundle::records::CounterSeries;

use super::library::{Library, object_and_counter};
use super::{Core, ProcessSeries, Series};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;

/// How many processes are kept.
const KEPT_PROCESSES: usize = 8;
/// How many processors are kept: Windows has no more (64 groups of 64 at most, 2048 in use).
const KEPT_CORES: usize = 4096;
/// Counters of processes: the newer object tells the process id in the instance's name.
const PROCESS_OBJECTS: [&str; 2] = ["\\process v2(", "\\process("];

/// What a counter's value means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A state at the moment of the sample.
    Gauge,
    /// Measured from the sample before; the first sample has none.
    Rate,
}

/// The series of the performance library by their paths.
pub(super) struct Pdh {
    record: Fact<Library>,
    /// Position of each series by its path in lower case.
    by_path: BTreeMap<String, usize>,
}

impl Pdh {
    pub(super) fn new(record: Fact<Library>) -> Self {
        let mut by_path = BTreeMap::new();
        if let Some(library) = record.value() {
            for (position, series) in library.series.iter().enumerate() {
                // `show` gives the first of two series with one path; so must the fact.
                by_path
                    .entry(series.path.to_lowercase())
                    .or_insert(position);
            }
        }
        Self { record, by_path }
    }

    /// The series of that path, compared without case.
    pub(super) fn series(&self, path: &str, kind: Kind) -> Fact<Series> {
        let Some(counters) = self.record.value() else {
            return self.missing();
        };
        let position = self.by_path.get(&path.to_lowercase());
        match position.and_then(|position| counters.series.get(*position)) {
            Some(series) => self.read(counters, series, kind),
            None => self.silent(counters, path),
        }
    }

    fn read(&self, counters: &Library, found: &CounterSeries, kind: Kind) -> Fact<Series> {
        let series = Series::new(&found.values, &counters.taken_at, kind == Kind::Rate);
        let artifact = self.record.evidence.first().map(|e| e.artifact.as_str());
        let locator = Locator::Counter(found.path.clone());
        let evidence = Evidence::new(artifact.unwrap_or_default(), locator, json!(found))
            .doubted(counters.doubt.clone());
        if series.values.is_empty() {
            return Fact::unreadable("the performance library gave no value", [evidence]);
        }
        Fact::known(series, [evidence])
    }

    /// The counter is not there: with the library's own status where it told one.
    fn silent<T>(&self, counters: &Library, path: &str) -> Fact<T> {
        let wanted = object_and_counter(path);
        let failed = counters
            .failed
            .iter()
            .position(|failure| object_and_counter(&failure.path) == wanted);
        let failure = failed.and_then(|place| Some((place, counters.failed.get(place)?)));
        let Some((place, failure)) = failure else {
            return Fact::unreadable(counters.lacks(path), []);
        };
        let mut evidence = self.record.evidence.clone();
        for piece in &mut evidence {
            if let Locator::Json { pointer, .. } = &mut piece.locator {
                *pointer = format!("/failed/{place}");
            }
            piece.raw = json!(failure);
        }
        let why = format!(
            "the performance library did not give {path} (PDH status {:#010X})",
            failure.code
        );
        Fact::unreadable(why, evidence)
    }

    fn missing<T>(&self) -> Fact<T> {
        self.record
            .carry()
            .unwrap_or_else(|| Fact::not_collected("no counters"))
    }

    /// Each logical processor, by group and number.
    pub(super) fn cores(&self) -> Fact<Vec<Core>> {
        let Some(counters) = self.record.value() else {
            return self.missing();
        };
        let mut names: BTreeMap<(u32, u32), &str> = BTreeMap::new();
        for series in &counters.series {
            if let Some((place, name)) = processor(&series.path)
                && names.len() < KEPT_CORES
            {
                names.entry(place).or_insert(name);
            }
        }
        if names.is_empty() {
            return self.silent(counters, "\\Processor Information(*)\\% Processor Time");
        }
        let core = |name: &str| {
            let of = |counter: &str, kind| {
                self.series(&format!("\\Processor Information({name})\\{counter}"), kind)
            };
            Core {
                name: name.to_owned(),
                busy: of("% Processor Time", Kind::Rate),
                dpc: of("% DPC Time", Kind::Rate),
                interrupt: of("% Interrupt Time", Kind::Rate),
                parked: of("Parking Status", Kind::Gauge),
            }
        };
        Fact::known(names.into_values().map(core).collect(), [])
    }

    /// The busiest processes by median.
    pub(super) fn processes(&self) -> Fact<Vec<ProcessSeries>> {
        let Some(counters) = self.record.value() else {
            return self.missing();
        };
        let of = |object: &str| -> Vec<ProcessSeries> {
            let found = counters.series.iter().filter_map(|series| {
                let instance = process(&series.path, object)?.to_owned();
                let busy = self.read(counters, series, Kind::Rate);
                busy.value()?;
                Some(ProcessSeries { instance, busy })
            });
            found.collect()
        };
        let found = PROCESS_OBJECTS
            .map(of)
            .into_iter()
            .find(|list| !list.is_empty());
        let Some(mut list) = found else {
            return self.silent(counters, "\\Process(*)\\% Processor Time");
        };
        let median =
            |process: &ProcessSeries| process.busy.value().and_then(Series::median).unwrap_or(0.0);
        list.sort_by(|a, b| {
            median(b)
                .total_cmp(&median(a))
                .then_with(|| a.instance.cmp(&b.instance))
        });
        list.truncate(KEPT_PROCESSES);
        Fact::known(list, [])
    }
}

/// Group, number and name of the processor whose busy time `path` counts.
fn processor(path: &str) -> Option<((u32, u32), &str)> {
    let name = between(path, "\\processor information(", ")\\% processor time")?;
    let (group, number) = name.split_once(',')?;
    Some((
        (group.trim().parse().ok()?, number.trim().parse().ok()?),
        name,
    ))
}

/// The instance of the process whose busy time `path` counts.
fn process<'a>(path: &'a str, object: &str) -> Option<&'a str> {
    let name = between(path, object, ")\\% processor time")?;
    let lower = name.to_lowercase();
    let plain = lower.split(':').next().unwrap_or_default();
    (plain != "_total" && plain != "idle").then_some(name)
}

/// What stands between two texts in lower case that begin and end `path`.
fn between<'a>(path: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let last = path.len().checked_sub(end.len())?;
    let matches =
        |part: Option<&str>, text: &str| part.is_some_and(|part| part.eq_ignore_ascii_case(text));
    if !matches(path.get(..start.len()), start) || !matches(path.get(last..), end) {
        return None;
    }
    path.get(start.len()..last)
}
