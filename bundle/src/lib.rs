//! The bundle: the contract between the collector on Windows, the fixtures and the analyzer.
//!
//! A bundle is a zip, or the same files in a folder: `plan.json` first (what was asked for), then
//! for each item its artifacts and its row (`journal/NNNN.json`), `manifest.json` last. This crate
//! holds the types of all that is JSON in it, the table of items, the writer and a guarded reader
//! which also reads any other zip of Windows artifacts.
#![forbid(unsafe_code)]

pub mod channel;
mod hash;
pub mod items;
pub mod manifest;
mod name;
#[cfg(feature = "reader")]
pub mod reader;
pub mod records;
#[cfg(feature = "schema")]
pub mod schema;
pub mod writer;

pub use hash::hex;
pub use items::{Content, ITEMS, Item, Record, item_table_markdown};
pub use manifest::{
    ArtifactRow, Bounds, Capture, CaptureMode, Collector, Cost, FormatVersion, ItemRow, LiveLog,
    Manifest, OsError, OsVersion, Plan, State,
};
pub use name::NameFault;
#[cfg(feature = "reader")]
pub use reader::{Archive, Bundle, Damage, Entry, Limits, OpenError, ReadError, ReadFault};
pub use writer::{BundleWriter, Compression, Copied, FolderTarget, Target, WriteError, ZipTarget};
