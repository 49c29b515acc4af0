//! One view of a registry tree, whatever it was read from.
//!
//! # Paths and names
//! A path is relative to the root of the view, its names separated by a backslash; `""` is the
//! root. Names compare without case. A UTF-16 unit that cannot stand in a name as text is written
//! `%uXXXX` (four hex digits, read in any case): unpaired surrogates and control characters (U+0000 to
//! U+001F, U+007F) in every name, the backslash in names of keys, and a percent sign that would
//! otherwise begin such a form. The rule loses nothing, and leaves names like `%SystemRoot%` alone.

mod decode;
mod names;

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use decode::filetime;
pub(crate) use names::{components, escape_key, escape_value, fold, folded, join};

/// A registry tree that can be asked by path.
///
/// `Ok(None)` says that the thing is not there; an error says that damage on the way leaves that
/// open.
pub trait RegistryView: Send + Sync {
    /// The key at `path`.
    ///
    /// # Errors
    /// Damage between the root and the key.
    fn key(&self, path: &str) -> Result<Option<Key>, RegistryError>;

    /// The direct children of the key at `path`, in stored order.
    ///
    /// # Errors
    /// Damage between the root and the key; damaged children are in [`Listing::damage`].
    fn subkeys(&self, path: &str) -> Result<Option<Listing<Key>>, RegistryError>;

    /// The values of the key at `path`, in stored order.
    ///
    /// # Errors
    /// Damage between the root and the key; damaged values are in [`Listing::damage`].
    fn values(&self, path: &str) -> Result<Option<Listing<Value>>, RegistryError>;

    /// The value called `name` (`""` is the default value) of the key at `path`.
    ///
    /// # Errors
    /// Damage between the root and the value, or in the value.
    fn value(&self, path: &str, name: &str) -> Result<Option<Value>, RegistryError>;

    /// What lessens the worth of everything read from this view.
    fn quality(&self) -> &[Quality];

    /// Visits every key with its values, parents first, within `limits`.
    fn walk(&self, limits: WalkLimits, visit: &mut dyn FnMut(&Key, &[Value])) -> WalkReport;
}

/// A key, without its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Path from the root of the view, as spelled in the source.
    pub path: String,
    /// The last name of the path; the stored name where this is the root.
    pub name: String,
    /// The class name, where there is one.
    pub class_name: Option<String>,
    /// When the key, or one of its values, was last written.
    pub last_write: Option<Timestamp>,
}

/// A value with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name; `""` is the default value.
    pub name: String,
    /// The declared type.
    pub kind: ValueKind,
    /// The data as stored.
    pub data: Vec<u8>,
}

/// The declared type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// `REG_NONE`
    None,
    /// `REG_SZ`
    String,
    /// `REG_EXPAND_SZ`
    ExpandString,
    /// `REG_BINARY`
    Binary,
    /// `REG_DWORD`
    Dword,
    /// `REG_DWORD_BIG_ENDIAN`
    DwordBigEndian,
    /// `REG_LINK`
    Link,
    /// `REG_MULTI_SZ`
    MultiString,
    /// `REG_RESOURCE_LIST`
    ResourceList,
    /// `REG_FULL_RESOURCE_DESCRIPTOR`
    FullResourceDescriptor,
    /// `REG_RESOURCE_REQUIREMENTS_LIST`
    ResourceRequirementsList,
    /// `REG_QWORD`
    Qword,
    /// Any other number; drivers store property types here.
    Other(u32),
}

/// What could be read of a list, and what could not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The readable entries, in stored order.
    pub items: Vec<T>,
    /// One error for each entry, or run of entries, that could not be read.
    pub damage: Vec<RegistryError>,
}

/// A structure that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{structure} at offset {offset:#x}: expected {expected}, found {found}")]
pub struct RegistryError {
    /// Where: bytes from the start of the file, or the line of a text.
    pub offset: u64,
    /// What was being read.
    pub structure: Cow<'static, str>,
    /// What should have been there.
    pub expected: Cow<'static, str>,
    /// What was there.
    pub found: String,
}

/// Something that lessens the worth of a whole source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "quality")]
pub enum Quality {
    /// The hive was being written: what the logs held is not in it, so values may be stale.
    DirtyNotReplayed {
        /// Incremented when a write begins.
        primary: u32,
        /// Incremented when a write ends.
        secondary: u32,
    },
    /// The hive was dirty; its transaction logs were applied to a copy.
    Replayed {
        /// The hive's sequence number before.
        from: u32,
        /// The sequence number that the logs led to.
        to: u32,
        /// How many log entries were applied.
        entries: u32,
        /// Entries before the first may be missing.
        gap: bool,
    },
    /// A structure outside the tree is wrong (header, file size, a line of a text).
    Damage(RegistryError),
}

/// How far a walk may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimits {
    /// The deepest level visited; the root is level 0. Windows allows 512.
    pub depth: usize,
    /// The most keys visited.
    pub keys: u64,
    /// The most damage entries kept (all are counted).
    pub damage: usize,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self {
            depth: 512,
            keys: 10_000_000,
            damage: 1_000,
        }
    }
}

/// What a walk saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WalkReport {
    /// Keys visited, the root among them.
    pub keys: u64,
    /// Values read.
    pub values: u64,
    /// What could not be read, up to [`WalkLimits::damage`].
    pub damage: Vec<RegistryError>,
    /// How many things could not be read.
    pub damage_count: u64,
    /// A limit was reached, so keys remain unvisited.
    pub limited: bool,
}
