//! `counters.pdh`: the performance library.
//!
//! Two traps of `PdhAddEnglishCounterW`: it takes an instance that does not exist, so a counter
//! that never gave a value counts as failed; and it does not expand `*`, so those are read as
//! arrays of instances.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use snapdiag_bundle::records::{CounterFailure, CounterSeries, Counters};
use snapdiag_bundle::{OsError, State};

use super::paths::{BY_PROCESS, PATHS};
use super::{INTERVAL, every_second};
use crate::items::{Job, Outcome};
use crate::system::performance::CounterQuery;

const METHOD: &str = "PdhAddEnglishCounterW";
/// Most series kept: 4 MB at 31 samples. Room for a machine of 256 processors and 3000 processes.
const MOST_SERIES: usize = 8192;
/// `PDH_CSTATUS_NO_INSTANCE`: what a counter without any instance means.
const NO_INSTANCE: u32 = 0x8000_07D1;

pub(super) fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let mut query = match system.performance().counter_query() {
        Ok(query) => query,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut table = Table::default();
    let first_error = table.add(&mut *query);
    if table.counters.is_empty() {
        return failed(first_error);
    }
    let mut collect_error = None;
    let whole = every_second(job, || {
        let taken_at = Timestamp::now();
        match query.collect() {
            Ok(()) => table.sample(&mut *query, taken_at),
            Err(error) => collect_error = Some(error),
        }
    });
    drop(query);
    let dropped = table.dropped;
    let counters = table.finish();
    if counters.series.is_empty() {
        return failed(collect_error.or(first_error));
    }
    if job.sink.json("counters/counters.json", &counters).is_err() {
        return Outcome::stopped().by(METHOD);
    }
    let mut reasons = Vec::new();
    if !whole {
        reasons.push(format!("ended after {} samples", counters.sampled_at.len()));
    }
    if collect_error.is_some() {
        reasons.push("some samples could not be taken".to_owned());
    }
    if dropped {
        reasons.push(format!("more than {MOST_SERIES} series"));
    }
    if reasons.is_empty() {
        // Counters that a version of Windows lacks are listed in the record and are no fault.
        return Outcome::ok(METHOD);
    }
    Outcome::new(State::Truncated)
        .by(METHOD)
        .after(collect_error)
        .because(reasons.join("; "))
}

/// Nothing was read.
fn failed(error: Option<OsError>) -> Outcome {
    let outcome = match error {
        Some(error) => Outcome::failed(error),
        None => Outcome::new(State::Failed),
    };
    outcome.by(METHOD).because("no counter could be read")
}

/// A counter of the query.
struct Counter {
    path: &'static str,
    number: usize,
    /// The status of the last sample without any value.
    status: Option<u32>,
    /// Whether any sample gave a value.
    gave: bool,
}

/// What has been read so far.
#[derive(Default)]
struct Table {
    counters: Vec<Counter>,
    failed: Vec<CounterFailure>,
    sampled_at: Vec<Timestamp>,
    series: BTreeMap<String, Vec<Option<f64>>>,
    dropped: bool,
}

impl Table {
    /// Adds every counter to the query; the answer is the error of the first that failed.
    fn add(&mut self, query: &mut dyn CounterQuery) -> Option<OsError> {
        let mut first = None;
        for path in PATHS {
            self.add_one(query, path, &mut first);
        }
        // The older object stands in for the newer one, whose lack is no fault.
        let (newer, older) = BY_PROCESS;
        match query.add(newer) {
            Ok(number) => self.push(newer, number),
            Err(_) => {
                for path in older {
                    self.add_one(query, path, &mut first);
                }
            }
        }
        first
    }

    fn add_one(
        &mut self,
        query: &mut dyn CounterQuery,
        path: &'static str,
        first: &mut Option<OsError>,
    ) {
        match query.add(path) {
            Ok(number) => self.push(path, number),
            Err(error) => {
                self.fail(path, error.code);
                first.get_or_insert(error);
            }
        }
    }

    fn push(&mut self, path: &'static str, number: usize) {
        self.counters.push(Counter {
            path,
            number,
            status: None,
            gave: false,
        });
    }

    fn fail(&mut self, path: &str, code: u32) {
        self.failed.push(CounterFailure {
            path: path.to_owned(),
            code,
        });
    }

    /// Takes the values of the sample that the query has just collected.
    fn sample(&mut self, query: &mut dyn CounterQuery, taken_at: Timestamp) {
        let before = self.sampled_at.len();
        self.sampled_at.push(taken_at);
        let mut counters = std::mem::take(&mut self.counters);
        for counter in &mut counters {
            match self.take(query, counter, before) {
                Ok(()) => counter.gave = true,
                Err(status) => counter.status = Some(status),
            }
        }
        self.counters = counters;
    }

    /// Takes the values of one counter; an error where it gave none at all.
    fn take(
        &mut self,
        query: &mut dyn CounterQuery,
        counter: &Counter,
        before: usize,
    ) -> Result<(), u32> {
        let Some((head, tail)) = counter.path.split_once('*') else {
            let value = query.value(counter.number).map_err(|error| error.code)?;
            self.put(counter.path.to_owned(), before, value);
            return Ok(());
        };
        let values = query.values(counter.number).map_err(|error| error.code)?;
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let mut answer = Err(NO_INSTANCE);
        for one in values {
            // Windows tells instances of one name apart by numbers from 1 on: `svchost#2`.
            let earlier = seen.entry(one.instance.clone()).or_default();
            let instance = match *earlier {
                0 => one.instance,
                number => format!("{}#{number}", one.instance),
            };
            *earlier += 1;
            match one.value {
                Ok(value) => {
                    self.put(format!("{head}{instance}{tail}"), before, value);
                    answer = Ok(());
                }
                Err(status) if answer.is_err() => answer = Err(status),
                Err(_) => {}
            }
        }
        answer
    }

    /// Puts a value behind those of `before` samples; samples without one are gaps.
    fn put(&mut self, path: String, before: usize, value: f64) {
        if self.series.len() >= MOST_SERIES && !self.series.contains_key(&path) {
            self.dropped = true;
            return;
        }
        let values = self.series.entry(path).or_default();
        values.resize(before, None);
        // JSON has no word for what is no number.
        values.push(Some(value).filter(|value| value.is_finite()));
    }

    fn finish(mut self) -> Counters {
        let silent: Vec<(&str, u32)> = self
            .counters
            .iter()
            .filter(|counter| !counter.gave)
            .map(|counter| (counter.path, counter.status.unwrap_or(NO_INSTANCE)))
            .collect();
        for (path, status) in silent {
            self.fail(path, status);
        }
        let samples = self.sampled_at.len();
        let series = self.series.into_iter().map(|(path, mut values)| {
            values.resize(samples, None);
            CounterSeries { path, values }
        });
        Counters {
            interval_ms: u64::try_from(INTERVAL.as_millis()).unwrap_or(u64::MAX),
            sampled_at: self.sampled_at,
            series: series.collect(),
            failed: self.failed,
        }
    }
}

#[cfg(test)]
mod tests;
