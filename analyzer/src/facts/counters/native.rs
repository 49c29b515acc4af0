//! The figures that do not need the performance library.

use serde_json::json;
use snapdiag_bundle::records::{NativeCounters, NativeSample, ProcessorTimes};

use super::series::seconds;
use super::{Core, Series};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::units::{MIB, float};

/// The record of the native figures.
pub(super) struct Native {
    record: Fact<NativeCounters>,
}

impl Native {
    pub(super) fn new(record: Fact<NativeCounters>) -> Self {
        Self { record }
    }

    pub(super) fn available_mib(&self) -> Fact<Series> {
        self.gauge("available_bytes", |sample| {
            Some(float(sample.available_bytes?) / MIB)
        })
    }

    pub(super) fn nonpaged_bytes(&self) -> Fact<Series> {
        self.gauge("nonpaged_pool_bytes", |sample| {
            sample.nonpaged_pool_bytes.map(float)
        })
    }

    pub(super) fn paged_bytes(&self) -> Fact<Series> {
        self.gauge("paged_pool_bytes", |sample| {
            sample.paged_pool_bytes.map(float)
        })
    }

    pub(super) fn committed_bytes(&self) -> Fact<Series> {
        self.gauge("committed_bytes", |sample| {
            sample.committed_bytes.map(float)
        })
    }

    pub(super) fn commit_limit_bytes(&self) -> Fact<Series> {
        self.gauge("commit_limit_bytes", |sample| {
            sample.commit_limit_bytes.map(float)
        })
    }

    pub(super) fn commit_percent(&self) -> Fact<Series> {
        self.gauge("committed_bytes", |sample| {
            percent(sample.committed_bytes?, sample.commit_limit_bytes?)
        })
    }

    pub(super) fn busy(&self) -> Fact<Series> {
        self.total(busy)
    }

    pub(super) fn privileged(&self) -> Fact<Series> {
        self.total(|from, to| {
            let spent = Spent::between(from, to)?;
            percent(spent.kernel.checked_sub(spent.idle)?, spent.all)
        })
    }

    pub(super) fn interrupt(&self) -> Fact<Series> {
        self.total(|from, to| part(from, to, from.interrupt_ms, to.interrupt_ms))
    }

    pub(super) fn dpc(&self) -> Fact<Series> {
        self.total(|from, to| part(from, to, from.dpc_ms, to.dpc_ms))
    }

    /// Each processor of the collector's group.
    pub(super) fn cores(&self) -> Fact<Vec<Core>> {
        let Some(native) = self.record.value() else {
            return self.missing();
        };
        let count = native
            .samples
            .iter()
            .map(|sample| sample.processors.as_ref().map_or(0, Vec::len))
            .min()
            .unwrap_or(0);
        if count == 0 {
            return Fact::unreadable("no figures of single processors", []);
        }
        let core = |number: usize| {
            let times = |sample: &NativeSample| sample.processors.as_ref()?.get(number).copied();
            let pointer = format!("processors/{number}");
            let of = |measure: &dyn Fn(&ProcessorTimes, &ProcessorTimes) -> Option<f64>| {
                self.rate(&pointer, times, measure)
            };
            Core {
                name: format!("0,{number}"),
                busy: of(&busy),
                dpc: of(&|from, to| part(from, to, from.dpc_ms, to.dpc_ms)),
                interrupt: of(&|from, to| part(from, to, from.interrupt_ms, to.interrupt_ms)),
                parked: Fact::not_collected("only the performance library tells"),
            }
        };
        Fact::known((0..count).map(core).collect(), [])
    }

    fn total(
        &self,
        measure: impl Fn(&ProcessorTimes, &ProcessorTimes) -> Option<f64>,
    ) -> Fact<Series> {
        self.rate("total", |sample| sample.total, measure)
    }

    /// A state at each sample. Its evidence is the last sample's figure.
    fn gauge(&self, name: &str, value: impl Fn(&NativeSample) -> Option<f64>) -> Fact<Series> {
        let Some(native) = self.record.value() else {
            return self.missing();
        };
        let values: Vec<Option<f64>> = native.samples.iter().map(value).collect();
        self.known(Series::new(&values, &taken_at(native), false), name, &[])
    }

    /// What is measured from one sample to the next. Its evidence is the first and the last
    /// sample's times, which add up since boot.
    fn rate(
        &self,
        pointer: &str,
        times_of: impl Fn(&NativeSample) -> Option<ProcessorTimes>,
        measure: impl Fn(&ProcessorTimes, &ProcessorTimes) -> Option<f64>,
    ) -> Fact<Series> {
        let Some(native) = self.record.value() else {
            return self.missing();
        };
        let mut values = vec![None];
        values.extend(native.samples.windows(2).map(|pair| match pair {
            [from, to] => measure(&times_of(from)?, &times_of(to)?),
            _ => None,
        }));
        self.known(Series::new(&values, &taken_at(native), true), pointer, &[0])
    }

    /// The series with the figures of the last sample, and of those at `more`, as evidence.
    fn known(&self, series: Series, pointer: &str, more: &[usize]) -> Fact<Series> {
        let samples = self.record.value().map_or(0, |native| native.samples.len());
        let mut places = more.to_vec();
        places.extend(samples.checked_sub(1));
        places.dedup();
        let evidence: Vec<Evidence> = places
            .iter()
            .filter_map(|place| self.evidence(*place, pointer))
            .collect();
        if series.values.is_empty() {
            return Fact::unreadable("Windows gave no value", evidence);
        }
        Fact::known(series, evidence)
    }

    fn evidence(&self, sample: usize, pointer: &str) -> Option<Evidence> {
        let whole = json!(self.record.value()?.samples.get(sample)?);
        let raw = whole.pointer(&format!("/{pointer}"))?.clone();
        let mut evidence = self.record.evidence.first()?.clone();
        if let Locator::Json { pointer: place, .. } = &mut evidence.locator {
            *place = format!("/samples/{sample}/{pointer}");
        }
        evidence.raw = raw;
        Some(evidence)
    }

    fn missing<T>(&self) -> Fact<T> {
        self.record
            .carry()
            .unwrap_or_else(|| Fact::not_collected("no counters"))
    }
}

fn taken_at(native: &NativeCounters) -> Vec<f64> {
    seconds(native.samples.iter().map(|sample| sample.taken_at))
}

/// Time spent from one sample to the next, milliseconds. Kernel time includes idle time.
struct Spent {
    idle: u64,
    kernel: u64,
    all: u64,
}

impl Spent {
    fn between(from: &ProcessorTimes, to: &ProcessorTimes) -> Option<Self> {
        let idle = to.idle_ms.checked_sub(from.idle_ms)?;
        let kernel = to.kernel_ms.checked_sub(from.kernel_ms)?;
        let user = to.user_ms.checked_sub(from.user_ms)?;
        Some(Self {
            idle,
            kernel,
            all: kernel.checked_add(user)?,
        })
    }
}

fn busy(from: &ProcessorTimes, to: &ProcessorTimes) -> Option<f64> {
    let spent = Spent::between(from, to)?;
    percent(spent.all.checked_sub(spent.idle)?, spent.all)
}

fn part(
    from: &ProcessorTimes,
    to: &ProcessorTimes,
    before: Option<u64>,
    after: Option<u64>,
) -> Option<f64> {
    percent(after?.checked_sub(before?)?, Spent::between(from, to)?.all)
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| float(part) * 100.0 / float(whole))
}
