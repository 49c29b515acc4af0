//! What can be wrong with a bundle: as a whole, in its structure, in one entry.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::manifest::FormatVersion;
use crate::name::NameFault;

/// Why nothing can be read.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The path cannot be opened.
    #[error("cannot open {}: {error}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Neither a folder nor a zip, whatever it is called.
    #[error("{} is neither a folder nor a zip", path.display())]
    NotAnArchive {
        /// The path.
        path: PathBuf,
    },
    /// Written for a later reader.
    #[error(
        "the bundle has format {found}, this program reads format {}.x: use a newer version of it",
        supported.major
    )]
    NewerFormat {
        /// Version of the bundle.
        found: FormatVersion,
        /// Version of this reader.
        supported: FormatVersion,
    },
}

/// Something that is wrong with the structure. What is not named here can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Damage {
    /// The zip has no directory at its end: it was cut off. Its entries were found by walking it.
    NoDirectory,
    /// The zip's directory cannot be read. Its entries were found by walking it.
    BadDirectory {
        /// Offset in the file, bytes.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The walk ended at bytes that are no entry.
    WalkEnded {
        /// Offset in the file, bytes.
        offset: u64,
    },
    /// The entry is cut off: what can be unpacked of it is there.
    Torn {
        /// Its name.
        name: String,
    },
    /// The entry's own header is not where the directory says, or is damaged.
    BadHeader {
        /// Its name.
        name: String,
        /// Offset in the file, bytes.
        offset: u64,
    },
    /// The entry's own header gives it another name than the directory, which is believed.
    OtherName {
        /// The name in the directory.
        name: String,
        /// The name in the header.
        header: String,
    },
    /// Left out: a name that breaks a rule.
    BadName {
        /// The name, control characters escaped.
        name: String,
        /// The rule.
        fault: NameFault,
    },
    /// Left out: an earlier entry has the same name but for case.
    Duplicate {
        /// The name.
        name: String,
    },
    /// Left out: its bytes are also another entry's.
    Overlapping {
        /// The name.
        name: String,
    },
    /// Left out: encrypted.
    Encrypted {
        /// The name.
        name: String,
    },
    /// Left out: packed by a method that is not read.
    Method {
        /// The name.
        name: String,
        /// Number of the method.
        method: u16,
    },
    /// Left out: a link or a device, which is never followed.
    Link {
        /// The name.
        name: String,
    },
    /// Left out: it expands to more than the limits allow.
    Expansion {
        /// The name.
        name: String,
        /// What it was allowed, bytes.
        allowed: u64,
    },
    /// Left out: what comes after so many entries.
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Left out: a folder that cannot be listed, or is too deep.
    Folder {
        /// The name.
        name: String,
        /// Why.
        what: String,
    },
}

impl Damage {
    /// The entry concerned, if it is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Torn { name }
            | Self::BadHeader { name, .. }
            | Self::OtherName { name, .. }
            | Self::BadName { name, .. }
            | Self::Duplicate { name }
            | Self::Overlapping { name }
            | Self::Encrypted { name }
            | Self::Method { name, .. }
            | Self::Link { name }
            | Self::Expansion { name, .. }
            | Self::Folder { name, .. } => Some(name),
            Self::NoDirectory
            | Self::BadDirectory { .. }
            | Self::WalkEnded { .. }
            | Self::TooMany { .. } => None,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDirectory => f.write_str("the zip was cut off: it has no directory at its end"),
            Self::BadDirectory { offset, what } => {
                write!(
                    f,
                    "the zip's directory is damaged at offset {offset}: {what}"
                )
            }
            Self::WalkEnded { offset } => write!(f, "no entry at offset {offset}"),
            Self::Torn { name } => write!(f, "{name}: cut off"),
            Self::BadHeader { name, offset } => {
                write!(f, "{name}: no entry header at offset {offset}")
            }
            Self::OtherName { name, header } => {
                write!(f, "{name}: called {header} in its own header")
            }
            Self::BadName { name, fault } => write!(f, "{name}: left out, {fault}"),
            Self::Duplicate { name } => write!(f, "{name}: left out, the name is taken"),
            Self::Overlapping { name } => write!(f, "{name}: left out, overlaps another entry"),
            Self::Encrypted { name } => write!(f, "{name}: left out, encrypted"),
            Self::Method { name, method } => {
                write!(f, "{name}: left out, packed by unknown method {method}")
            }
            Self::Link { name } => write!(f, "{name}: left out, a link or a device"),
            Self::Expansion { name, allowed } => {
                write!(f, "{name}: left out, expands to more than {allowed} bytes")
            }
            Self::TooMany { limit } => write!(f, "more than {limit} entries: the rest left out"),
            Self::Folder { name, what } => write!(f, "{name}: left out, {what}"),
        }
    }
}

/// An entry that could not be read whole, with what could be read of it.
#[derive(Debug, Error)]
#[error("{entry}: {fault}")]
pub struct ReadError {
    /// Name of the entry.
    pub entry: String,
    /// What is wrong.
    pub fault: ReadFault,
    /// Bytes that were read before the fault.
    pub bytes: u64,
    /// Those bytes, where they were asked for in memory; they went into the sink otherwise.
    pub partial: Vec<u8>,
}

/// What is wrong with an entry.
#[derive(Debug, Error)]
pub enum ReadFault {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It ends too early.
    #[error("cut off")]
    Truncated,
    /// Its packed bytes make no sense.
    #[error("damaged at packed byte {at}")]
    Corrupt {
        /// Offset in the packed bytes.
        at: u64,
    },
    /// It expands to more than it says.
    #[error("longer than the {declared} bytes it declares")]
    Longer {
        /// Declared size, bytes.
        declared: u64,
    },
    /// It expands to less than it says.
    #[error("has {found} bytes instead of the {declared} it declares")]
    Shorter {
        /// Declared size, bytes.
        declared: u64,
        /// Bytes found.
        found: u64,
    },
    /// Its checksum is wrong.
    #[error("checksum {found:08x} instead of {declared:08x}")]
    Checksum {
        /// Declared CRC-32.
        declared: u32,
        /// CRC-32 of what was read.
        found: u32,
    },
    /// It is larger than what may be read into memory: it has to be streamed.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
    },
}
