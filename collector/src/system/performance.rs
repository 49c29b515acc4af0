//! Performance counters and the native figures behind them.

use super::{SysResult, not_implemented};

/// Performance counters and the native figures behind them.
pub trait Performance: Send + Sync {
    /// An empty query of the performance library.
    ///
    /// # Errors
    /// The PDH status of `PdhOpenQueryW`.
    fn counter_query(&self) -> SysResult<Box<dyn CounterQuery>> {
        not_implemented("PdhOpenQueryW")
    }

    /// Times of all processors together.
    ///
    /// # Errors
    /// The error of `GetSystemTimes`.
    fn system_times(&self) -> SysResult<Times> {
        not_implemented("GetSystemTimes")
    }

    /// Times of each processor of the caller's group.
    ///
    /// # Errors
    /// The NTSTATUS of `NtQuerySystemInformation(SystemProcessorPerformanceInformation)`.
    fn processor_times(&self) -> SysResult<Vec<Times>> {
        not_implemented("NtQuerySystemInformation")
    }
}

/// Counters that are read together.
pub trait CounterQuery {
    /// Adds the counter of an English path, which may have `*` for its instance. The answer is its
    /// number for [`CounterQuery::values`].
    ///
    /// # Errors
    /// The PDH status of `PdhAddEnglishCounterW`.
    fn add(&mut self, path: &str) -> SysResult<usize>;

    /// Takes a sample of all counters.
    ///
    /// # Errors
    /// The PDH status of `PdhCollectQueryData`.
    fn collect(&mut self) -> SysResult<()>;

    /// The value of a counter without `*` in the last sample.
    ///
    /// # Errors
    /// The PDH status of `PdhGetFormattedCounterValue`, or that of the value.
    fn value(&mut self, counter: usize) -> SysResult<f64>;

    /// The values of a counter with `*` in the last sample, in the order of Windows; instances of
    /// one name follow each other.
    ///
    /// # Errors
    /// The PDH status of `PdhGetFormattedCounterArrayW`.
    fn values(&mut self, counter: usize) -> SysResult<Vec<InstanceValue>>;
}

/// The value of one instance.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceValue {
    /// Name of the instance; several may have the same.
    pub instance: String,
    /// The value, or the PDH status of it.
    pub value: Result<f64, u32>,
}

/// Times since boot, units of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Idle.
    pub idle: u64,
    /// In the kernel, idle included.
    pub kernel: u64,
    /// In programs.
    pub user: u64,
    /// In deferred procedure calls; 0 where the call does not tell.
    pub dpc: u64,
    /// In interrupts; 0 where the call does not tell.
    pub interrupt: u64,
}
