//! Event logs: export, what the live log holds.

use std::path::Path;

use super::{SysResult, not_implemented};

/// Event logs: export, what the live log holds.
pub trait EventLogs: Send + Sync {
    /// How a channel is configured (`EvtOpenChannelConfig`).
    ///
    /// # Errors
    /// That of the call that failed: 15007 where there is no such channel.
    fn config(&self, channel: &str) -> SysResult<Config> {
        let _ = channel;
        not_implemented("EvtOpenChannelConfig")
    }

    /// What a channel's log holds (`EvtGetLogInfo`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn info(&self, channel: &str) -> SysResult<Info> {
        let _ = channel;
        not_implemented("EvtOpenLog")
    }

    /// Walks over the records that fit an `XPath` query, at most so many, and says how many there
    /// were and which one was the last (`EvtQuery`, `EvtNext`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn walk(&self, channel: &str, query: &str, order: Order, at_most: u64) -> SysResult<Walk> {
        let _ = (channel, query, order, at_most);
        not_implemented("EvtQuery")
    }

    /// Exports the records that fit an `XPath` query into a file that does not exist yet
    /// (`EvtExportLog`), which is called off when `over` becomes true (`EvtCancel`).
    ///
    /// # Errors
    /// That of the call: 1223 where it was called off.
    fn export(&self, channel: &str, query: &str, file: &Path, over: Over<'_>) -> SysResult<()> {
        let _ = (channel, query, file, over);
        not_implemented("EvtExportLog")
    }
}

/// Whether a call has to end; asked from another thread.
pub type Over<'a> = &'a (dyn Fn() -> bool + Sync);

/// How a channel is configured. What Windows does not say is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `EvtChannelConfigEnabled`.
    pub enabled: Option<bool>,
    /// `EvtChannelLoggingConfigMaxSize`, bytes.
    pub maximum_bytes: Option<u64>,
    /// `EvtChannelLoggingConfigRetention`.
    pub retention: Option<bool>,
    /// `EvtChannelLoggingConfigLogFilePath`, with variables such as `%SystemRoot%`.
    pub file: Option<String>,
}

/// What a log holds. What Windows does not say is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Info {
    /// `EvtLogNumberOfLogRecords`.
    pub records: Option<u64>,
    /// `EvtLogFileSize`, bytes.
    pub file_bytes: Option<u64>,
}

/// From which end a log is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The oldest record first.
    OldestFirst,
    /// The newest record first.
    NewestFirst,
}

/// Where a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    /// How many records were walked over.
    pub records: u64,
    /// The last of them.
    pub last: Option<Mark>,
}

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// `EventRecordID`.
    pub record_id: u64,
    /// `TimeCreated`, as a FILETIME.
    pub time: u64,
}
