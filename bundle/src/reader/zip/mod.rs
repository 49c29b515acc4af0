//! The structure of a zip: what entries there are and where. Read by our own code, because a
//! bundle may be cut off anywhere and because the limits must hold before anything is unpacked.
//! Format: PKWARE APPNOTE.TXT 6.3.10.

mod cp437;
mod directory;
mod fields;
mod local;
mod walk;

use std::io;

use super::error::{Damage, OpenError};
use super::limits::Limits;
use super::source::Source;
use super::unpack::{Method, Packed};

/// An entry as the zip tells of it, before any rule is applied.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) name: String,
    /// Offset of its header.
    pub(super) header_at: u64,
    pub(super) packed: Packed,
    /// Declared or measured size; `None` if it could be neither.
    pub(super) size: Option<u64>,
    pub(super) crc: Option<u32>,
    /// It may end too early.
    pub(super) torn: bool,
}

/// An entry's flags that leave it out.
fn refusal(name: &str, flags: u16, method: u16) -> Result<Method, Damage> {
    const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
    const AES: u16 = 99;
    if flags & ENCRYPTED != 0 || method == AES {
        return Err(Damage::Encrypted {
            name: name.to_owned(),
        });
    }
    Method::from_number(method).ok_or(Damage::Method {
        name: name.to_owned(),
        method,
    })
}

/// Names are UTF-8 or, from old programs, code page 437.
fn decode_name(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| cp437::decode(bytes), str::to_owned)
}

/// Whether a file starts like a zip, an empty one included.
pub(super) fn is_zip(source: &Source) -> io::Result<bool> {
    let start = source.bytes_at(0, 4)?;
    Ok(start == local::SIGNATURE || start == directory::END_SIGNATURE)
}

/// The entries in the order of the file, and what is wrong.
pub(super) fn entries(
    source: &Source,
    limits: &Limits,
    damage: &mut Vec<Damage>,
) -> Result<Vec<Raw>, io::Error> {
    match directory::read(source, limits, damage)? {
        directory::Found::Entries(entries) => Ok(entries),
        directory::Found::Nothing => {
            damage.push(Damage::NoDirectory);
            walk::read(source, limits, damage)
        }
        directory::Found::Bad { offset, what } => {
            damage.push(Damage::BadDirectory { offset, what });
            walk::read(source, limits, damage)
        }
    }
}

impl OpenError {
    pub(super) fn io(path: &std::path::Path, error: io::Error) -> Self {
        Self::Io {
            path: path.to_path_buf(),
            error,
        }
    }
}
