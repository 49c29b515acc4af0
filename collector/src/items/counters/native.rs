//! `counters.native`: processor and memory figures without the performance library.

use std::sync::Arc;

use jiff::Timestamp;
use snapdiag_bundle::records::{NativeCounters, NativeSample, ProcessorTimes};

use super::every_second;
use crate::items::filetime::milliseconds;
use crate::items::parts::Parts;
use crate::items::{Job, Outcome};
use crate::system::System;
use crate::system::performance::Times;

pub(super) fn collect(job: &mut Job) -> Outcome {
    let system = Arc::clone(&job.system);
    let mut parts = Parts::default();
    let counts = system.hardware().processor_counts();
    let active = counts
        .ok()
        .and_then(|counts| usize::try_from(counts.active).ok());
    let mut samples = Vec::new();
    let whole = every_second(job, || samples.push(sample(&*system, active, &mut parts)));
    if !whole {
        parts.cut(format!("ended after {} samples", samples.len()));
    }
    let record = NativeCounters { samples };
    parts.finish(job, "counters/native.json", &record, "GetSystemTimes")
}

fn sample(system: &dyn System, active: Option<usize>, parts: &mut Parts) -> NativeSample {
    let (performance, hardware) = (system.performance(), system.hardware());
    let taken_at = Timestamp::now();
    let total = parts.take(performance.system_times());
    let processors = parts.take(performance.processor_times());
    let memory = parts.take(hardware.memory_status());
    let info = parts.take(hardware.performance_info());
    // The list is of one group: only where that is all does its sum stand for the machine.
    let all = processors
        .as_ref()
        .filter(|list| Some(list.len()) == active);
    let sum = |part: fn(&Times) -> u64| {
        let sum = all?.iter().map(part).fold(0, u64::saturating_add);
        Some(milliseconds(sum))
    };
    NativeSample {
        taken_at,
        total: total.map(|times| ProcessorTimes {
            dpc_ms: sum(|times| times.dpc),
            interrupt_ms: sum(|times| times.interrupt),
            ..times_of(&times)
        }),
        processors: processors.as_ref().map(|list| {
            let processor = |times: &Times| ProcessorTimes {
                dpc_ms: Some(milliseconds(times.dpc)),
                interrupt_ms: Some(milliseconds(times.interrupt)),
                ..times_of(times)
            };
            list.iter().map(processor).collect()
        }),
        available_bytes: memory.map(|memory| memory.available_bytes),
        handles: info.map(|info| info.handles),
        committed_bytes: info.map(|info| info.bytes(info.commit_total)),
        commit_limit_bytes: info.map(|info| info.bytes(info.commit_limit)),
        paged_pool_bytes: info.map(|info| info.bytes(info.paged_pool)),
        nonpaged_pool_bytes: info.map(|info| info.bytes(info.nonpaged_pool)),
    }
}

fn times_of(times: &Times) -> ProcessorTimes {
    ProcessorTimes {
        idle_ms: milliseconds(times.idle),
        kernel_ms: milliseconds(times.kernel),
        user_ms: milliseconds(times.user),
        dpc_ms: None,
        interrupt_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use snapdiag_bundle::State;

    use super::*;
    use crate::items::testing::run;
    use crate::system::hardware::ProcessorCounts;
    use crate::system::{Hardware, Performance, SysResult, Unanswered, os_error};

    struct Machine {
        active: u32,
        clock: AtomicU64,
    }

    impl System for Machine {
        fn performance(&self) -> &dyn Performance {
            self
        }
        fn hardware(&self) -> &dyn Hardware {
            self
        }
    }

    impl Performance for Machine {
        fn system_times(&self) -> SysResult<Times> {
            let passed = self.clock.fetch_add(20_000_000, Ordering::Relaxed);
            Ok(Times {
                idle: passed,
                kernel: passed + 10_000,
                ..Times::default()
            })
        }
        fn processor_times(&self) -> SysResult<Vec<Times>> {
            let one = Times {
                dpc: 30_000,
                interrupt: 10_000,
                ..Times::default()
            };
            Ok(vec![one; 2])
        }
    }

    impl Hardware for Machine {
        fn processor_counts(&self) -> SysResult<ProcessorCounts> {
            Ok(ProcessorCounts {
                active: self.active,
                maximum: None,
                groups: None,
            })
        }
        fn memory_status(&self) -> SysResult<crate::system::hardware::MemoryStatus> {
            Err(os_error("GlobalMemoryStatusEx", 5))
        }
    }

    fn record(active: u32) -> (Outcome, NativeCounters) {
        let clock = AtomicU64::new(0);
        let ran = run(Machine { active, clock }, collect);
        let record = ran.record("counters/native.json");
        (ran.outcome, record)
    }

    #[test]
    fn samples_lie_a_second_apart_and_lack_what_was_refused() {
        let (outcome, record) = record(2);
        assert_eq!(outcome.state, State::Truncated);
        let reason = outcome.reason.unwrap();
        assert!(
            reason.contains("GlobalMemoryStatusEx failed with 5"),
            "{reason}"
        );
        let [first, second] = record.samples.as_slice() else {
            panic!("two samples")
        };
        assert!(second.taken_at.duration_since(first.taken_at).as_millis() >= 990);
        let total = second.total.unwrap();
        assert_eq!((total.idle_ms, total.kernel_ms), (2000, 2001));
        assert_eq!((total.dpc_ms, total.interrupt_ms), (Some(6), Some(2)));
        assert_eq!(second.processors.as_ref().unwrap()[1].dpc_ms, Some(3));
        assert_eq!((second.available_bytes, second.handles), (None, None));
    }

    #[test]
    fn one_group_of_several_does_not_stand_for_the_machine() {
        let (_, record) = record(128);
        assert_eq!(record.samples[0].total.unwrap().dpc_ms, None);
        assert_eq!(record.samples[0].processors.as_ref().unwrap().len(), 2);
    }

    #[test]
    fn nothing_at_all_is_a_failure() {
        let ran = run(Unanswered, collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert!(ran.artifacts.is_empty());
    }
}
