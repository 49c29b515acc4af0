//! What the reader hands out: headers, events, outcomes, and the trait that receives them.

use jiff::Timestamp;
use serde::Serialize;

use super::{Fields, FileHeader, Horizon};

/// What is known of a record without decoding it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The record's number in this file, which is the order of the file. An export counts anew
    /// from 1, so this is the record's id only in a copy of the live log.
    pub sequence: u64,
    /// The record's id in the log that it comes from (`EventRecordID`, as Event Viewer shows it).
    pub record_id: u64,
    /// When the event happened, UTC, to 100 ns (`TimeCreated/@SystemTime`). The time in the
    /// record's own header is worthless in exports, and only used where the event has none.
    pub time: Timestamp,
    /// `Provider/@Name`; empty when the record has none.
    pub provider: &'a str,
    /// `Provider/@EventSourceName`: the name that older documents know the provider by.
    pub source: Option<&'a str>,
    /// `EventID`, without qualifiers; 0 when the record has none.
    pub event_id: u32,
    /// `Channel`; empty when the record has none.
    pub channel: &'a str,
    /// `Computer`; empty when the record has none.
    pub computer: &'a str,
    /// Left over from an earlier use of its chunk. Only seen with [`super::Options::stale`].
    pub stale: bool,
}

impl Header<'_> {
    /// Whether `name` is the provider's name or its event source name, without regard to case.
    pub fn is_from(&self, name: &str) -> bool {
        self.provider.eq_ignore_ascii_case(name)
            || self
                .source
                .is_some_and(|source| source.eq_ignore_ascii_case(name))
    }
}

/// A decoded record.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// The record's header.
    pub header: Header<'a>,
    /// The `System` element below the event, flattened: `Level`, `Keywords`, `TimeCreated@SystemTime`,
    /// `Security@UserID`, `Execution@ProcessID`, ….
    pub system: Fields,
    /// What the event says: `EventData` or `UserData`.
    pub fields: Fields,
}

/// What a fold wants of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Nothing more: the record is of no interest, or its header said enough.
    Skip,
    /// The decoded record.
    Fields,
}

/// Accumulates what one reader of a log wants to know.
///
/// Groups of chunks are folded independently, each into a fork, and merged in record order, so
/// results do not depend on the number of threads. Keeping memory bounded is the fold's own duty.
pub trait Fold: Send + Sync + Sized {
    /// Takes a glance at a record's header and says what else is needed. Counting happens here.
    fn glance(&mut self, header: &Header<'_>) -> Need;
    /// Takes a decoded record. Called right after a glance that answered [`Need::Fields`].
    fn event(&mut self, event: &Event<'_>);
    /// An empty fold of the same kind, for another group of chunks.
    #[must_use]
    fn fork(&self) -> Self;
    /// Takes in what a fold of later records accumulated.
    fn merge(&mut self, later: Self);
}

/// Something in a log that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damage {
    /// The chunk's number in the file, from 0; `None` for the file's header.
    pub chunk: Option<u64>,
    /// The offset in the file, in bytes.
    pub offset: u64,
    /// The record, when it is known.
    pub record: Option<u64>,
    /// What was found.
    pub what: String,
}

/// What reading a log gave.
#[derive(Debug)]
pub struct LogOutcome<F> {
    /// The fold, merged.
    pub fold: F,
    /// The file's header, when it could be read.
    pub file: Option<FileHeader>,
    /// First and last record, and gaps.
    pub horizon: Horizon,
    /// Records read, stale ones not counted.
    pub records: u64,
    /// Records left over from an earlier use of their chunk; 0 without [`super::Options::stale`].
    pub stale: u64,
    /// Records that were found but could not be decoded or whose header could not be read.
    pub failed: u64,
    /// Chunks that hold records.
    pub chunks: u64,
    /// Chunks that hold none (zeroes, or a header only).
    pub empty_chunks: u64,
    /// Chunks that the `evtx` crate had to walk.
    pub fallback_chunks: u64,
    /// Whether the file's header or a chunk's says that it was being written.
    pub dirty: bool,
    /// What could not be read, in file order; at most [`super::Options::MAX_DAMAGE`] entries.
    pub damage: Vec<Damage>,
    /// How much more damage there was than `damage` holds.
    pub damage_left_out: u64,
}

impl<F> LogOutcome<F> {
    /// The same outcome with another fold, made of this one.
    pub fn map<G>(self, change: impl FnOnce(F) -> G) -> LogOutcome<G> {
        LogOutcome {
            fold: change(self.fold),
            file: self.file,
            horizon: self.horizon,
            records: self.records,
            stale: self.stale,
            failed: self.failed,
            chunks: self.chunks,
            empty_chunks: self.empty_chunks,
            fallback_chunks: self.fallback_chunks,
            dirty: self.dirty,
            damage: self.damage,
            damage_left_out: self.damage_left_out,
        }
    }
}
