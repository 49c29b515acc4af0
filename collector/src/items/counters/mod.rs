//! `counters.pdh` and `counters.native`: figures once a second over the counter window, by the
//! performance library and without it.

mod native;
mod paths;
mod pdh;

use std::time::{Duration, Instant};

use super::{Collector, Job, Phase};

/// The items of this family.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "counters.pdh",
        phase: Phase::Window,
        limit: Duration::from_secs(75),
        collect: pdh::collect,
    },
    Collector {
        item: "counters.native",
        phase: Phase::Window,
        limit: Duration::from_secs(60),
        collect: native::collect,
    },
];

/// Time between two samples.
const INTERVAL: Duration = Duration::from_secs(1);

/// Takes `settings.samples` samples at a steady beat, however long each takes; false when the item
/// had to end before the last.
fn every_second(job: &Job, mut sample: impl FnMut()) -> bool {
    let start = Instant::now();
    for number in 0..job.settings.samples {
        let due = INTERVAL.saturating_mul(number);
        if !job.sleep(due.saturating_sub(start.elapsed())) {
            return false;
        }
        sample();
    }
    true
}
