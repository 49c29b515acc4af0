//! Performance counters and the native figures behind them.

use std::ptr::null_mut;

use windows_sys::Wdk::System::SystemInformation::SystemProcessorPerformanceInformation;
use windows_sys::Win32::Foundation::{ERROR_INVALID_DATA, FILETIME};
use windows_sys::Win32::System::Performance::{
    PDH_CSTATUS_NEW_DATA, PDH_CSTATUS_VALID_DATA, PDH_FMT_COUNTERVALUE,
    PDH_FMT_COUNTERVALUE_ITEM_W, PDH_FMT_DOUBLE, PDH_HCOUNTER, PDH_HQUERY, PDH_MORE_DATA,
    PdhAddEnglishCounterW, PdhCloseQuery, PdhCollectQueryData, PdhGetFormattedCounterArrayW,
    PdhGetFormattedCounterValue, PdhOpenQueryW,
};
use windows_sys::Win32::System::Threading::GetSystemTimes;

use super::Windows;
use super::native::{Buffer, Plain, owned_text, query_system};
use super::wide::{checked, last_error, wide};
use crate::system::performance::{CounterQuery, InstanceValue, Times};
use crate::system::{Performance, SysResult, os_error};

/// As numbers that may exceed 100 %: a process can use several processors.
/// `PDH_FMT_NOCAP100` is not in the metadata.
const FORMAT: u32 = PDH_FMT_DOUBLE | 0x8000;
/// Rounds in which the room for instances may grow.
const ROUNDS: u32 = 8;
/// A first guess of the room for instances, bytes.
const GUESS: usize = 32 << 10;

/// `SYSTEM_PROCESSOR_PERFORMANCE_INFORMATION`, its reserved fields by name.
#[repr(C)]
#[derive(Clone, Copy)]
struct ProcessorPerformance {
    idle: u64,
    kernel: u64,
    user: u64,
    dpc: u64,
    interrupt: u64,
    interrupts: u32,
}

// SAFETY: numbers.
unsafe impl Plain for ProcessorPerformance {}
// SAFETY: a raw pointer, a number and a union of numbers and raw pointers.
unsafe impl Plain for PDH_FMT_COUNTERVALUE_ITEM_W {}

impl Performance for Windows {
    fn counter_query(&self) -> SysResult<Box<dyn CounterQuery>> {
        let mut query = null_mut();
        // SAFETY: a null source means the running system; the handle lives through the call.
        let status = unsafe { PdhOpenQueryW(std::ptr::null(), 0, &raw mut query) };
        checked("PdhOpenQueryW", status)?;
        Ok(Box::new(Query {
            query,
            counters: Vec::new(),
        }))
    }

    fn system_times(&self) -> SysResult<Times> {
        let [mut idle, mut kernel, mut user] = [FILETIME::default(); 3];
        // SAFETY: the three structures live through the call.
        if unsafe { GetSystemTimes(&raw mut idle, &raw mut kernel, &raw mut user) } == 0 {
            return Err(last_error("GetSystemTimes"));
        }
        Ok(Times {
            idle: units(idle),
            kernel: units(kernel),
            user: units(user),
            ..Times::default()
        })
    }

    fn processor_times(&self) -> SysResult<Vec<Times>> {
        // A group has 64 processors at most, and the call wants whole structures.
        let size = size_of::<ProcessorPerformance>();
        let buffer = query_system(SystemProcessorPerformanceInformation, 64 * size)?;
        let rows = (0..buffer.bytes().len() / size)
            .map_while(|index| buffer.read::<ProcessorPerformance>(index * size));
        let times = rows.map(|row| Times {
            idle: row.idle,
            kernel: row.kernel,
            user: row.user,
            dpc: row.dpc,
            interrupt: row.interrupt,
        });
        Ok(times.collect())
    }
}

fn units(time: FILETIME) -> u64 {
    u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime)
}

/// An open query and its counters.
struct Query {
    query: PDH_HQUERY,
    counters: Vec<PDH_HCOUNTER>,
}

impl Query {
    fn counter(&self, number: usize, call: &str) -> SysResult<PDH_HCOUNTER> {
        let counter = self.counters.get(number).copied();
        counter.ok_or_else(|| os_error(call, ERROR_INVALID_DATA))
    }
}

impl CounterQuery for Query {
    fn add(&mut self, path: &str) -> SysResult<usize> {
        let path = wide(path);
        let mut counter = null_mut();
        // SAFETY: the query is open, the path ends with a zero.
        let status =
            unsafe { PdhAddEnglishCounterW(self.query, path.as_ptr(), 0, &raw mut counter) };
        checked("PdhAddEnglishCounterW", status)?;
        self.counters.push(counter);
        Ok(self.counters.len() - 1)
    }

    fn collect(&mut self) -> SysResult<()> {
        // SAFETY: the query is open.
        let status = unsafe { PdhCollectQueryData(self.query) };
        checked("PdhCollectQueryData", status)
    }

    fn value(&mut self, counter: usize) -> SysResult<f64> {
        const CALL: &str = "PdhGetFormattedCounterValue";
        let counter = self.counter(counter, CALL)?;
        let mut value = PDH_FMT_COUNTERVALUE::default();
        // SAFETY: the counter belongs to the open query; the kind is not asked for.
        let status =
            unsafe { PdhGetFormattedCounterValue(counter, FORMAT, null_mut(), &raw mut value) };
        checked(CALL, status)?;
        number(&value).map_err(|status| os_error(CALL, status))
    }

    fn values(&mut self, counter: usize) -> SysResult<Vec<InstanceValue>> {
        const CALL: &str = "PdhGetFormattedCounterArrayW";
        let counter = self.counter(counter, CALL)?;
        let mut room = GUESS;
        for _ in 0..ROUNDS {
            let mut buffer = Buffer::new(room);
            let (mut size, mut count) = (buffer.size(), 0);
            // SAFETY: the counter belongs to the open query, the buffer is as large as said.
            let status = unsafe {
                PdhGetFormattedCounterArrayW(
                    counter,
                    FORMAT,
                    &raw mut size,
                    &raw mut count,
                    buffer.as_mut_ptr(),
                )
            };
            if status != PDH_MORE_DATA {
                checked(CALL, status)?;
                return Ok(items(&buffer, count as usize));
            }
            // Instances come between two calls.
            room = (room * 2).max(size as usize + GUESS);
        }
        Err(os_error(CALL, PDH_MORE_DATA))
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        // SAFETY: the query is open and ours; its counters go with it.
        unsafe { PdhCloseQuery(self.query) };
    }
}

fn items(buffer: &Buffer, count: usize) -> Vec<InstanceValue> {
    let size = size_of::<PDH_FMT_COUNTERVALUE_ITEM_W>();
    let items = (0..count).map_while(|index| buffer.read(index.checked_mul(size)?));
    items
        .map(|item: PDH_FMT_COUNTERVALUE_ITEM_W| InstanceValue {
            // SAFETY: the name lies in the buffer, which is alive, and ends with a zero.
            instance: unsafe { owned_text(item.szName) }.unwrap_or_default(),
            value: number(&item.FmtValue),
        })
        .collect()
}

/// The number, or its status where it is none.
fn number(value: &PDH_FMT_COUNTERVALUE) -> Result<f64, u32> {
    match value.CStatus {
        // SAFETY: a valid value was asked for as this member.
        PDH_CSTATUS_VALID_DATA | PDH_CSTATUS_NEW_DATA => Ok(unsafe { value.Anonymous.doubleValue }),
        status => Err(status),
    }
}
