//! One counter's values over the capture.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many samples of a series must hold a value, in tenths, for it to stand for the capture.
const COMPLETE_TENTHS: usize = 8;

/// One counter's values over the capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// The values in order of time; samples without one are left out, and so is the first sample
    /// of a rate, which has nothing to be measured against.
    pub values: Vec<f64>,
    /// Samples that should have had a value and have none.
    pub gaps: usize,
    /// Seconds from the first sample to the last.
    pub seconds: f64,
}

/// The seconds from the first of some moments to each of them.
pub(super) fn seconds(times: impl IntoIterator<Item = Timestamp>) -> Vec<f64> {
    let mut times = times.into_iter().peekable();
    let first = times.peek().copied();
    times
        .filter_map(|time| Some(time.duration_since(first?).as_secs_f64()))
        .collect()
}

impl Series {
    /// A series of samples taken at these seconds after any moment, the first of a rate included
    /// in both.
    pub(super) fn new(values: &[Option<f64>], taken_at: &[f64], is_rate: bool) -> Self {
        let taken = values.len().min(taken_at.len());
        let values = values.get(..taken).unwrap_or_default();
        let values = match values {
            [_, rest @ ..] if is_rate => rest,
            all => all,
        };
        let present: Vec<f64> = values
            .iter()
            .flatten()
            .copied()
            .filter(|value| value.is_finite())
            .collect();
        let last = taken.checked_sub(1).and_then(|last| taken_at.get(last));
        let seconds = match (taken_at.first(), last) {
            (Some(first), Some(last)) => (last - first).max(0.0),
            _ => 0.0,
        };
        Self {
            gaps: values.len() - present.len(),
            values: present,
            seconds,
        }
    }

    /// Whether it lasts at least `seconds` and at least 80 % of its samples hold a value: only
    /// then does it say what was sustained.
    pub fn covers(&self, seconds: f64) -> bool {
        let all = self.values.len().saturating_add(self.gaps);
        !self.values.is_empty()
            && self.seconds >= seconds
            && self.values.len().saturating_mul(10) >= all.saturating_mul(COMPLETE_TENTHS)
    }

    /// The value below which half of the samples lie; of an even number, the mean of the middle
    /// two. `None` without samples.
    pub fn median(&self) -> Option<f64> {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        if sorted.len() % 2 == 1 {
            return Some(upper);
        }
        let lower = *sorted.get(middle.checked_sub(1)?)?;
        Some(lower.midpoint(upper))
    }

    /// The smallest value that at least 90 % of the samples do not exceed (nearest rank).
    pub fn p90(&self) -> Option<f64> {
        let sorted = self.sorted();
        let rank = sorted.len().saturating_mul(9).div_ceil(10);
        sorted.get(rank.checked_sub(1)?).copied()
    }

    /// The largest value.
    pub fn max(&self) -> Option<f64> {
        self.sorted().last().copied()
    }

    /// The smallest value.
    pub fn min(&self) -> Option<f64> {
        self.sorted().first().copied()
    }

    /// The last value.
    pub fn last(&self) -> Option<f64> {
        self.values.last().copied()
    }

    /// Whether at least `percent` of the samples are as `holds` says; `None` without samples.
    pub fn mostly(&self, percent: usize, holds: impl Fn(f64) -> bool) -> Option<bool> {
        let count = self.values.iter().filter(|value| holds(**value)).count();
        (!self.values.is_empty())
            .then(|| count.saturating_mul(100) >= self.values.len().saturating_mul(percent))
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values
    }
}
