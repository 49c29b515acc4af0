//! Guarded reading: a zip (whole, damaged or cut off anywhere), a folder, or chosen files.
//!
//! Nothing is extracted to disk. Every limit is kept before and while something is unpacked, and
//! what is refused does not depend on the order or the number of reading threads. All reading is
//! by position: any number of threads may share an [`Archive`].

mod archive;
mod bundle;
mod error;
mod folder;
mod guard;
mod limits;
mod source;
mod unpack;
mod verify;
mod zip;

pub use archive::{Archive, Entry};
pub use bundle::{Bundle, RecordError};
pub use error::{Damage, OpenError, ReadError, ReadFault};
pub use limits::Limits;
pub use verify::{ArtifactCheck, HashState, Verification};
