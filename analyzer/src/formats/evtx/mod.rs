//! Windows event logs (`.evtx`), read on demand.
//!
//! A log is a 4 KiB file header and chunks of 64 KiB, each with its own string and template
//! tables, so chunks are read independently and in parallel. The reader shows a [`Fold`] the
//! header of every record; only the records that the fold wants are decoded. A chunk that is
//! unusual in any way is walked by the `evtx` crate instead, so that no record is lost.
//!
//! The format is described in the libevtx documentation ("Windows XML Event Log (EVTX) format")
//! and in MS-EVEN6 2.2.12 (BinXML).

mod binxml;
mod bytes;
mod chunk;
mod cursor;
mod decode;
mod fallback;
mod fields;
mod file;
mod horizon;
mod model;
mod names;
mod query;
mod read;
mod run;
mod scan;

mod tree;
mod value;
mod xml;

pub use fields::{Field, Fields, Value};
pub use file::{FileHeader, NotALog};
pub use horizon::{Gap, Horizon, Mark};
pub use model::{Damage, Event, Fold, Header, LogOutcome, Need};
pub use query::{Census, Filter, Row, Select};
pub use read::{LogError, Options, channel_of_file, read_bytes, read_stream};

/// Size of the file header's block in bytes.
const FILE_HEADER_BLOCK: usize = 4096;
/// Size of a chunk in bytes.
const CHUNK_SIZE: usize = 65_536;
/// Size of a chunk's header in bytes; its first record starts there.
const CHUNK_HEADER_SIZE: usize = 512;
/// Size of a record's header in bytes.
const RECORD_HEADER_SIZE: usize = 24;
