//! What the performance library says: the collector's record, or a counter log in its place.

use std::collections::BTreeSet;

use serde_json::Value;
use snapdiag_bundle::records::{self, CounterFailure, CounterSeries};

use super::series::seconds;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::machine;
use crate::facts::sources::Sources;
use crate::facts::sources::counter_log::CounterLog;
use crate::formats::counters::Sample;

/// The counters that facts are made of: object and counter in lower case.
const ASKED: [(&str, &[&str]); 6] = [
    (
        "\\memory",
        &[
            "available mbytes",
            "pool nonpaged bytes",
            "pool paged bytes",
            "cache bytes",
            "system cache resident bytes",
            "modified page list bytes",
            "pages input/sec",
            "committed bytes",
            "commit limit",
            "% committed bytes in use",
        ],
    ),
    ("\\paging file", &["% usage"]),
    (
        "\\processor information",
        &[
            "% processor time",
            "% privileged time",
            "% interrupt time",
            "% dpc time",
            "% processor utility",
            "parking status",
        ],
    ),
    ("\\system", &["processor queue length"]),
    ("\\process", &["% processor time"]),
    ("\\process v2", &["% processor time"]),
];
/// How many unknown names are told.
const NAMED: usize = 3;

/// Series of the performance library, by English path.
pub struct Library {
    /// One series a counter and instance.
    pub series: Vec<CounterSeries>,
    /// Seconds from the first sample to each.
    pub(super) taken_at: Vec<f64>,
    /// Counters that could not be read at all.
    pub(super) failed: Vec<CounterFailure>,
    /// Why the values are to be trusted less.
    pub(super) doubt: Option<String>,
    /// Counters of a log whose names are none of those that are asked for.
    unknown: Vec<String>,
}

/// What the performance library says: the collector's record, or a counter log in its place.
pub fn library(sources: &Sources) -> Fact<Library> {
    match sources.counter_log() {
        Some(log) => of_log(log, &machine::host(sources)),
        None => sources
            .record::<records::Counters>("counters.pdh")
            .map(Library::from),
    }
}

impl From<records::Counters> for Library {
    fn from(counters: records::Counters) -> Self {
        Self {
            taken_at: seconds(counters.sampled_at),
            series: counters.series,
            failed: counters.failed,
            doubt: None,
            unknown: Vec::new(),
        }
    }
}

impl Library {
    /// What is said of a counter that is not there.
    pub(super) fn lacks(&self, path: &str) -> String {
        let lacks = format!("the performance library did not give {path}");
        if self.unknown.is_empty() {
            return lacks;
        }
        let first = self.unknown.get(..NAMED).unwrap_or(&self.unknown);
        format!(
            "{lacks}; {} counters have names that are not known here, such as {}: only English \
             paths are",
            self.unknown.len(),
            first.join(", ")
        )
    }
}

fn of_log(log: &CounterLog, host: &Fact<String>) -> Fact<Library> {
    let whole = Locator::Text {
        entry: log.artifact.clone(),
        line: None,
    };
    let evidence = [Evidence::new(log.artifact.as_str(), whole, Value::Null)];
    let host = host.value().map(|host| label(host));
    if let Err(why) = of_one_computer(log, host.as_deref()) {
        return Fact::unreadable(why, []);
    }
    let paths = log.table.paths.iter().map(|path| split(path)).enumerate();
    let series: Vec<CounterSeries> = paths
        .filter(|(_, (computer, _))| match (computer, &host) {
            (Some(computer), Some(host)) => label(computer) == *host,
            _ => true,
        })
        .map(|(column, (_, path))| CounterSeries {
            path: path.to_owned(),
            values: log.table.samples.iter().map(|s| value(s, column)).collect(),
        })
        .collect();
    let interval = log.table.interval_seconds.unwrap_or(0.0);
    let taken_at = (0_u32..)
        .take(log.table.samples.len())
        .map(|number| f64::from(number) * interval)
        .collect();
    let damage = log.damage();
    let library = Library {
        unknown: series
            .iter()
            .filter(|series| !is_asked(&series.path))
            .map(|series| series.path.clone())
            .collect(),
        series,
        taken_at,
        failed: Vec::new(),
        doubt: (!damage.is_empty()).then(|| format!("{}: {}", log.artifact, damage.join("; "))),
    };
    Fact::known(library, evidence)
}

/// A value of a sample. None of the counters asked for can be negative: such a value stands for
/// one that could not be computed.
fn value(sample: &Sample, column: usize) -> Option<f64> {
    let value = sample.values.get(column).copied().flatten()?;
    (value >= 0.0).then_some(value)
}

/// Whether the log tells which of its counters are those of this computer.
fn of_one_computer(log: &CounterLog, host: Option<&str>) -> Result<(), String> {
    let computers: BTreeSet<String> = log
        .table
        .paths
        .iter()
        .filter_map(|path| split(path).0)
        .map(label)
        .collect();
    let named = || {
        let names: Vec<&str> = computers.iter().map(String::as_str).take(NAMED).collect();
        names.join(", ")
    };
    match host {
        Some(host) if !computers.is_empty() && !computers.contains(host) => Err(format!(
            "{} holds the counters of another computer ({})",
            log.artifact,
            named()
        )),
        None if computers.len() > 1 => Err(format!(
            "{} holds the counters of several computers ({}), and nothing tells which is this one",
            log.artifact,
            named()
        )),
        _ => Ok(()),
    }
}

/// The computer in front of a path, and the path without it: `\\HOST\Memory\Cache Bytes`.
fn split(path: &str) -> (Option<&str>, &str) {
    let place = path
        .strip_prefix("\\\\")
        .and_then(|rest| Some((rest, rest.find('\\')?)));
    match place {
        Some((rest, end)) => (rest.get(..end), rest.get(end..).unwrap_or_default()),
        None => (None, path),
    }
}

/// The computer's own name, in upper case and without its domain.
fn label(computer: &str) -> String {
    let name = computer.split('.').next().unwrap_or_default();
    name.to_uppercase()
}

pub(super) fn is_asked(path: &str) -> bool {
    let (object, counter) = object_and_counter(path);
    ASKED
        .iter()
        .any(|(known, counters)| *known == object && counters.contains(&counter.as_str()))
}

/// The path without its instance, in lower case: `\memory`, `available mbytes`.
pub(super) fn object_and_counter(path: &str) -> (String, String) {
    let lower = path.to_lowercase();
    // An instance may hold a backslash.
    let (object, counter) = match lower.rsplit_once(")\\") {
        Some(parts) => parts,
        None => lower.rsplit_once('\\').unwrap_or(("", &lower)),
    };
    let object = object.split('(').next().unwrap_or_default();
    (object.to_owned(), counter.to_owned())
}
