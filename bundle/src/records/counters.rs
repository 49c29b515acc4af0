//! `counters/counters.json` and `counters/native.json`: performance over half a minute.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Samples of performance counters by English path (`PdhAddEnglishCounterW`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counters {
    /// Milliseconds meant to lie between two samples.
    pub interval_ms: u64,
    /// When each sample was taken.
    pub sampled_at: Vec<Timestamp>,
    /// One series a counter and instance, sorted by path.
    pub series: Vec<CounterSeries>,
    /// Counters that could not be read at all.
    pub failed: Vec<CounterFailure>,
}

/// One counter of one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CounterSeries {
    /// English path without the machine, such as `\Processor Information(0,1)\% Processor Time`.
    pub path: String,
    /// The formatted value at each time of `sampled_at`; `null` where there was none (a rate has
    /// none at first, a process instance that came or went has gaps).
    pub values: Vec<Option<f64>>,
}

/// A counter that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CounterFailure {
    /// The English path asked for, with its wildcards.
    pub path: String,
    /// PDH status, such as 0xC0000BB9 (no such counter).
    pub code: u32,
}

/// Processor and memory figures without the performance library, which may be broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NativeCounters {
    /// In order of time.
    pub samples: Vec<NativeSample>,
}

/// Figures at one moment. Times add up since boot: take differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NativeSample {
    /// When.
    pub taken_at: Timestamp,
    /// All processors together (`GetSystemTimes`).
    pub total: Option<ProcessorTimes>,
    /// Each processor of the collector's group
    /// (`NtQuerySystemInformation(SystemProcessorPerformanceInformation)`).
    pub processors: Option<Vec<ProcessorTimes>>,
    /// Physical memory available, bytes (`GlobalMemoryStatusEx.ullAvailPhys`).
    pub available_bytes: Option<u64>,
    /// Handles of all processes (`GetPerformanceInfo.HandleCount`).
    pub handles: Option<u64>,
    /// Commit charge, bytes (`GetPerformanceInfo`).
    pub committed_bytes: Option<u64>,
    /// Commit limit, bytes (`GetPerformanceInfo`).
    pub commit_limit_bytes: Option<u64>,
    /// Paged pool, bytes (`GetPerformanceInfo.KernelPaged`).
    pub paged_pool_bytes: Option<u64>,
    /// Nonpaged pool, bytes (`GetPerformanceInfo.KernelNonpaged`).
    pub nonpaged_pool_bytes: Option<u64>,
}

/// Times since boot, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessorTimes {
    /// Idle.
    pub idle_ms: u64,
    /// In the kernel, idle included, as Windows counts.
    pub kernel_ms: u64,
    /// In programs.
    pub user_ms: u64,
    /// In deferred procedure calls (part of the kernel's time).
    pub dpc_ms: Option<u64>,
    /// In interrupts (part of the kernel's time).
    pub interrupt_ms: Option<u64>,
}
