//! The event log service.

use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, ERROR_NO_MORE_ITEMS};
use windows_sys::Win32::System::EventLog::{
    EVT_HANDLE, EVT_VARIANT, EvtCancel, EvtChannelConfigEnabled,
    EvtChannelLoggingConfigLogFilePath, EvtChannelLoggingConfigMaxSize,
    EvtChannelLoggingConfigRetention, EvtClose, EvtCreateRenderContext, EvtExportLog,
    EvtExportLogChannelPath, EvtGetChannelConfigProperty, EvtGetLogInfo, EvtLogFileSize,
    EvtLogNumberOfLogRecords, EvtNext, EvtOpenChannelConfig, EvtOpenChannelPath, EvtOpenLog,
    EvtQuery, EvtQueryChannelPath, EvtQueryReverseDirection, EvtRender, EvtRenderContextSystem,
    EvtRenderEventValues, EvtSystemEventRecordId, EvtSystemTimeCreated, EvtVarTypeBoolean,
    EvtVarTypeFileTime, EvtVarTypeString, EvtVarTypeUInt32, EvtVarTypeUInt64,
};

use super::Windows;
use super::native::{Buffer, Plain};
use super::wide::{last_error, wide};
use crate::system::event_logs::{Config, EventLogs, Info, Mark, Order, Over, Walk};
use crate::system::{SysResult, os_error};

/// Events asked for at once.
const BATCH: usize = 64;
/// How long one answer of the service may take, milliseconds.
const PATIENCE: u32 = 20_000;
/// How often it is looked whether an export is to be called off.
const LOOK: Duration = Duration::from_millis(100);
/// How often a buffer is made larger.
const GROWTHS: usize = 4;
/// Largest answer that is read, bytes.
const LARGEST: usize = 1024 * 1024;

impl EventLogs for Windows {
    fn config(&self, channel: &str) -> SysResult<Config> {
        let channel = wide(channel);
        // SAFETY: the name ends in a zero; session 0 is this machine.
        let config = Handle::new("EvtOpenChannelConfig", unsafe {
            EvtOpenChannelConfig(0, channel.as_ptr(), 0)
        })?;
        let property = |id| {
            Variants::ask("EvtGetChannelConfigProperty", |size, buffer, used| {
                // SAFETY: the handle is open and the buffer as long as the call is told.
                unsafe { EvtGetChannelConfigProperty(config.0, id, 0, size, buffer, used) }
            })
            .ok()
        };
        Ok(Config {
            enabled: property(EvtChannelConfigEnabled).and_then(|value| value.boolean(0)),
            maximum_bytes: property(EvtChannelLoggingConfigMaxSize)
                .and_then(|value| value.number(0)),
            retention: property(EvtChannelLoggingConfigRetention)
                .and_then(|value| value.boolean(0)),
            file: property(EvtChannelLoggingConfigLogFilePath).and_then(|value| value.text(0)),
        })
    }

    fn info(&self, channel: &str) -> SysResult<Info> {
        let channel = wide(channel);
        // SAFETY: the name ends in a zero; session 0 is this machine.
        let log = Handle::new("EvtOpenLog", unsafe {
            EvtOpenLog(0, channel.as_ptr(), EvtOpenChannelPath)
        })?;
        let property = |id| {
            let value = Variants::ask("EvtGetLogInfo", |size, buffer, used| {
                // SAFETY: the handle is open and the buffer as long as the call is told.
                unsafe { EvtGetLogInfo(log.0, id, size, buffer, used) }
            });
            value.ok()?.number(0)
        };
        Ok(Info {
            records: property(EvtLogNumberOfLogRecords),
            file_bytes: property(EvtLogFileSize),
        })
    }

    fn walk(&self, channel: &str, query: &str, order: Order, at_most: u64) -> SysResult<Walk> {
        let (channel, query) = (wide(channel), wide(query));
        let direction = match order {
            Order::OldestFirst => 0,
            Order::NewestFirst => EvtQueryReverseDirection,
        };
        // SAFETY: both texts end in a zero.
        let results = Handle::new("EvtQuery", unsafe {
            let flags = EvtQueryChannelPath | direction;
            EvtQuery(0, channel.as_ptr(), query.as_ptr(), flags)
        })?;
        // SAFETY: no paths are given, as the flag demands.
        let context = Handle::new("EvtCreateRenderContext", unsafe {
            EvtCreateRenderContext(0, ptr::null(), EvtRenderContextSystem)
        })?;
        let mut records = 0;
        let mut last: Option<Handle> = None;
        while records < at_most {
            let wanted = usize::try_from(at_most - records).map_or(BATCH, |left| left.min(BATCH));
            let batch = next(&results, wanted)?;
            if batch.is_empty() {
                break;
            }
            records += batch.len() as u64;
            last = batch.into_iter().next_back();
        }
        let last = last.map(|event| mark(&context, &event)).transpose()?;
        Ok(Walk { records, last })
    }

    fn export(&self, channel: &str, query: &str, file: &Path, over: Over<'_>) -> SysResult<()> {
        let (channel, query, file) = (wide(channel), wide(query), wide(file));
        cancelled_when(over, || {
            // SAFETY: the three texts end in a zero; session 0 is this machine.
            let done = unsafe {
                EvtExportLog(
                    0,
                    channel.as_ptr(),
                    query.as_ptr(),
                    file.as_ptr(),
                    EvtExportLogChannelPath,
                )
            };
            match done {
                0 => Err(last_error("EvtExportLog")),
                _ => Ok(()),
            }
        })
    }
}

/// Makes a call of the session, and calls it off when it has to end. Of a log of gigabytes an export
/// takes minutes, and the service goes on with one that nobody waits for.
fn cancelled_when<T>(over: Over<'_>, call: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = || {
            while !done.load(Ordering::Relaxed) {
                if over() {
                    // SAFETY: takes the session of this machine, which is 0. It may come before the
                    // call is under way, so it is repeated.
                    unsafe { EvtCancel(0) };
                }
                thread::park_timeout(LOOK);
            }
        };
        // Without a thread for it the call just takes its time.
        let watcher = thread::Builder::new().spawn_scoped(scope, watch);
        let answer = call();
        done.store(true, Ordering::Relaxed);
        if let Ok(watcher) = watcher {
            watcher.thread().unpark();
        }
        answer
    })
}

/// The next events of a query, none at its end.
fn next(results: &Handle, wanted: usize) -> SysResult<Vec<Handle>> {
    let mut events: [EVT_HANDLE; BATCH] = [0; BATCH];
    let mut returned = 0;
    let wanted = u32::try_from(wanted.min(BATCH)).unwrap_or(1);
    // SAFETY: the array holds at least as many handles as are asked for.
    let done = unsafe {
        EvtNext(
            results.0,
            wanted,
            events.as_mut_ptr(),
            PATIENCE,
            0,
            &raw mut returned,
        )
    };
    if done == 0 {
        let error = last_error("EvtNext");
        return match error.code {
            ERROR_NO_MORE_ITEMS => Ok(Vec::new()),
            _ => Err(error),
        };
    }
    Ok(events
        .into_iter()
        .take(returned as usize)
        .map(Handle)
        .collect())
}

fn mark(context: &Handle, event: &Handle) -> SysResult<Mark> {
    let values = Variants::ask("EvtRender", |size, buffer, used| {
        let mut count = 0;
        // SAFETY: both handles are open and the buffer as long as the call is told.
        unsafe {
            EvtRender(
                context.0,
                event.0,
                EvtRenderEventValues,
                size,
                buffer.cast(),
                used,
                &raw mut count,
            )
        }
    })?;
    let number = |position: i32| {
        usize::try_from(position)
            .ok()
            .and_then(|at| values.number(at))
    };
    match (number(EvtSystemEventRecordId), number(EvtSystemTimeCreated)) {
        (Some(record_id), Some(time)) => Ok(Mark { record_id, time }),
        // ERROR_INVALID_DATA
        _ => Err(os_error("EvtRender", 13)),
    }
}

/// An object of the event log service.
struct Handle(EVT_HANDLE);

impl Handle {
    fn new(call: &str, handle: EVT_HANDLE) -> SysResult<Self> {
        match handle {
            0 => Err(last_error(call)),
            handle => Ok(Self(handle)),
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle came from the service and is closed once.
        unsafe { EvtClose(self.0) };
    }
}

/// An answer of values, with the texts that they point to behind them in the same buffer.
struct Variants(Buffer);

// SAFETY: numbers and raw pointers, one over the other.
unsafe impl Plain for EVT_VARIANT {}

impl Variants {
    /// Asks with a buffer that grows until it is large enough.
    fn ask(call: &str, ask: impl Fn(u32, *mut EVT_VARIANT, *mut u32) -> i32) -> SysResult<Self> {
        let mut size = 1024;
        for _ in 0..GROWTHS {
            let mut buffer = Buffer::new(size);
            let mut used = 0;
            if ask(buffer.size(), buffer.as_mut_ptr(), &raw mut used) != 0 {
                // What was not filled is zero, which is a value of no type.
                return Ok(Self(buffer));
            }
            let error = last_error(call);
            if error.code != ERROR_INSUFFICIENT_BUFFER {
                return Err(error);
            }
            size = (used as usize).clamp(size * 2, LARGEST);
        }
        Err(os_error(call, ERROR_INSUFFICIENT_BUFFER))
    }

    fn of_type(&self, position: usize, wanted: &[i32]) -> Option<EVT_VARIANT> {
        let value: EVT_VARIANT = self.0.read(position * size_of::<EVT_VARIANT>())?;
        // A list has a bit beside its type, and so never fits.
        let kind = i32::try_from(value.Type).ok()?;
        wanted.contains(&kind).then_some(value)
    }

    fn number(&self, position: usize) -> Option<u64> {
        const WIDE: [i32; 2] = [EvtVarTypeUInt64, EvtVarTypeFileTime];
        if let Some(value) = self.of_type(position, &WIDE) {
            // SAFETY: by its type the value is 64 bits wide.
            return Some(unsafe { value.Anonymous.UInt64Val });
        }
        let value = self.of_type(position, &[EvtVarTypeUInt32])?;
        // SAFETY: by its type the value is 32 bits wide.
        Some(u64::from(unsafe { value.Anonymous.UInt32Val }))
    }

    fn boolean(&self, position: usize) -> Option<bool> {
        let value = self.of_type(position, &[EvtVarTypeBoolean])?;
        // SAFETY: by its type the value is a BOOL.
        Some(unsafe { value.Anonymous.BooleanVal } != 0)
    }

    fn text(&self, position: usize) -> Option<String> {
        let value = self.of_type(position, &[EvtVarTypeString])?;
        // SAFETY: by its type the value is a pointer.
        let start = unsafe { value.Anonymous.StringVal };
        let end = self.0.bytes().as_ptr_range().end;
        self.0.text(start, end.addr().checked_sub(start.addr())?)
    }
}
