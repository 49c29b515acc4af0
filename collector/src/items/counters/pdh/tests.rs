use std::collections::BTreeSet;

use super::*;
use crate::items::testing::run;
use crate::system::performance::InstanceValue;
use crate::system::{Performance, SysResult, System, Unanswered, os_error};

/// `PDH_CSTATUS_NO_COUNTER`, `PDH_INVALID_DATA`.
const NO_COUNTER: u32 = 0xC000_0BB9;
const INVALID_DATA: u32 = 0xC000_0BC6;

/// Which counters there are, and which process object.
#[derive(Clone, Copy, Default)]
struct Machine {
    nothing: bool,
    newer: bool,
    collect_fails: bool,
}

impl System for Machine {
    fn performance(&self) -> &dyn Performance {
        self
    }
}

impl Performance for Machine {
    fn counter_query(&self) -> SysResult<Box<dyn CounterQuery>> {
        Ok(Box::new(Query {
            machine: *self,
            paths: Vec::new(),
            samples: 0,
        }))
    }
}

struct Query {
    machine: Machine,
    paths: Vec<String>,
    samples: u32,
}

impl Query {
    fn rate(&self, value: f64) -> Result<f64, u32> {
        if self.samples < 2 {
            return Err(INVALID_DATA);
        }
        Ok(value)
    }
}

impl CounterQuery for Query {
    fn add(&mut self, path: &str) -> SysResult<usize> {
        let is_newer = path.contains("Process V2");
        let missing = path.contains("Utility") || (is_newer && !self.machine.newer);
        if self.machine.nothing || missing {
            return Err(os_error("PdhAddEnglishCounterW", NO_COUNTER));
        }
        self.paths.push(path.to_owned());
        Ok(self.paths.len() - 1)
    }

    fn collect(&mut self) -> SysResult<()> {
        if self.machine.collect_fails {
            return Err(os_error("PdhCollectQueryData", 0x8000_07D5));
        }
        self.samples += 1;
        Ok(())
    }

    fn value(&mut self, counter: usize) -> SysResult<f64> {
        match self.paths[counter].as_str() {
            r"\Memory\Available MBytes" => Ok(512.0),
            r"\System\System Up Time" => Ok(f64::NAN),
            r"\Memory\Pages Input/sec" => self
                .rate(7.0)
                .map_err(|status| os_error("PdhGetFormattedCounterValue", status)),
            _ => Err(os_error("PdhGetFormattedCounterValue", NO_INSTANCE)),
        }
    }

    fn values(&mut self, counter: usize) -> SysResult<Vec<InstanceValue>> {
        let of = |instance: &str, value| InstanceValue {
            instance: instance.to_owned(),
            value,
        };
        Ok(match self.paths[counter].as_str() {
            r"\Process(*)\% Processor Time" => {
                let mut list = vec![
                    of("svchost", self.rate(1.0)),
                    of("svchost", self.rate(2.0)),
                    of("svchost", self.rate(3.0)),
                ];
                if self.samples == 3 {
                    list.push(of("late", Ok(9.0)));
                }
                list
            }
            r"\Process V2(*)\% Processor Time" => vec![of("svchost:900", self.rate(250.0))],
            r"\Processor Information(*)\Parking Status" => vec![of("0,0", Ok(0.0))],
            _ => Vec::new(),
        })
    }
}

fn series<'a>(counters: &'a Counters, path: &str) -> Option<&'a [Option<f64>]> {
    let found = counters.series.iter().find(|one| one.path == path);
    found.map(|one| one.values.as_slice())
}

#[test]
fn rates_have_no_first_value_and_silent_counters_fail() {
    let ran = run(Machine::default(), collect);
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
    let counters: Counters = ran.record("counters/counters.json");
    assert_eq!(counters.sampled_at.len(), 2);
    let apart = counters.sampled_at[1].duration_since(counters.sampled_at[0]);
    assert!(apart.as_millis() >= 990, "{apart:?}");
    let of = |path: &str| series(&counters, path).map(<[_]>::to_vec);
    assert_eq!(of(r"\Memory\Available MBytes"), Some(vec![Some(512.0); 2]));
    assert_eq!(of(r"\Memory\Pages Input/sec"), Some(vec![None, Some(7.0)]));
    assert_eq!(of(r"\System\System Up Time"), Some(vec![None, None]));
    assert_eq!(
        of(r"\Process(svchost)\% Processor Time"),
        Some(vec![None, Some(1.0)])
    );
    assert_eq!(
        of(r"\Process(svchost#2)\% Processor Time"),
        Some(vec![None, Some(3.0)])
    );
    let parked = r"\Processor Information(0,0)\Parking Status";
    assert_eq!(of(parked), Some(vec![Some(0.0); 2]));
    let code = |path: &str| {
        let found = counters.failed.iter().find(|one| one.path == path);
        found.map(|one| one.code)
    };
    let utility = r"\Processor Information(_Total)\% Processor Utility";
    assert_eq!(code(utility), Some(NO_COUNTER));
    // Taken by the library, and never a value: an instance that is not there.
    assert_eq!(code(r"\Paging File(_Total)\% Usage"), Some(NO_INSTANCE));
    assert_eq!(code(r"\LogicalDisk(*)\% Free Space"), Some(NO_INSTANCE));
    assert_eq!(code(r"\Process V2(*)\% Processor Time"), None);
    assert!(counters.series.is_sorted_by_key(|one| &one.path));
}

#[test]
fn the_newer_process_object_replaces_the_older() {
    let machine = Machine {
        newer: true,
        ..Machine::default()
    };
    let counters: Counters = run(machine, collect).record("counters/counters.json");
    let newer = r"\Process V2(svchost:900)\% Processor Time";
    assert_eq!(series(&counters, newer), Some(&[None, Some(250.0)][..]));
    let older = |path: &str| path.starts_with(r"\Process(") && !path.contains("_Total");
    assert!(counters.series.iter().all(|one| !older(&one.path)));
    assert!(counters.failed.iter().all(|one| !older(&one.path)));
}

#[test]
fn an_instance_that_comes_late_has_a_gap_before() {
    let machine = Machine::default();
    let mut query = machine.counter_query().unwrap();
    let mut table = Table::default();
    table.add(&mut *query);
    for _ in 0..4 {
        query.collect().unwrap();
        table.sample(&mut *query, Timestamp::UNIX_EPOCH);
    }
    let counters = table.finish();
    let late = series(&counters, r"\Process(late)\% Processor Time");
    assert_eq!(late, Some(&[None, None, Some(9.0), None][..]));
}

#[test]
fn more_series_than_kept_are_dropped() {
    let mut table = Table::default();
    for number in 0..=MOST_SERIES {
        table.put(number.to_string(), 0, 1.0);
    }
    assert!(table.dropped);
    table.put("0".to_owned(), 1, 2.0);
    assert_eq!(table.series.len(), MOST_SERIES);
    assert_eq!(table.series["0"], [Some(1.0), Some(2.0)]);
}

#[test]
fn a_broken_library_is_a_failure() {
    let machines = [(true, false, NO_COUNTER), (false, true, 0x8000_07D5)];
    for (nothing, collect_fails, code) in machines {
        let machine = Machine {
            nothing,
            newer: false,
            collect_fails,
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert_eq!(ran.outcome.error.unwrap().code, code);
        assert!(ran.artifacts.is_empty());
    }
    assert_eq!(run(Unanswered, collect).outcome.error.unwrap().code, 120);
}

#[test]
fn every_path_is_asked_for_once() {
    let mut asked = BTreeSet::new();
    let all = PATHS.iter().chain(&BY_PROCESS.1).chain([&BY_PROCESS.0]);
    for path in all {
        assert!(asked.insert(*path), "{path}");
        assert!(path.starts_with('\\') && path.matches('*').count() <= 1);
    }
}
