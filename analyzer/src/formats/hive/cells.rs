//! Looks at cells before nt-hive does, so that nothing it would panic on reaches it.
//!
//! nt-hive 0.3.0 asserts that a cell offset is not `u32::MAX` and subtracts from a cell size
//! that may be 0; everything else it answers with an error.

use super::bytes::{slice_at, u16_at, u32_at, u64_at};
use super::header::BINS;
use crate::formats::registry::RegistryError;

/// The offset that stands for "no cell".
pub(super) const NONE: u32 = u32::MAX;
/// The longest name of a key (255) or of a value (16,383) that Windows allows, in bytes.
const KEY_NAME: usize = 2 * 255;
const VALUE_NAME: usize = 2 * 16_383;

/// The cells of a hive: everything behind its base block.
#[derive(Clone, Copy)]
pub(super) struct Cells<'h> {
    pub(super) data: &'h [u8],
}

/// The fields of a key node that nt-hive does not tell, or that decide what it may be asked.
pub(super) struct KeyNode<'h> {
    pub(super) last_write: u64,
    pub(super) subkeys: Option<u32>,
    pub(super) values: Option<ValueList>,
    pub(super) class_name: Option<u32>,
    pub(super) name: StoredName<'h>,
}

/// Where the values of a key are listed.
#[derive(Clone, Copy)]
pub(super) struct ValueList {
    pub(super) offset: u32,
    pub(super) count: usize,
}

/// The fields of a value that decide how its data is read.
pub(super) struct KeyValue<'h> {
    pub(super) kind: u32,
    pub(super) name: StoredName<'h>,
    pub(super) data: DataPlace,
}

/// Where the data of a value is.
#[derive(Clone, Copy)]
pub(super) enum DataPlace {
    /// Of no length, or in the value itself.
    Inline(usize),
    /// In a cell of its own, or in a big data structure.
    Cell { offset: u32, size: usize },
}

/// A name in one of the two forms it is stored in.
#[derive(Clone, Copy)]
pub(super) enum StoredName<'h> {
    Latin1(&'h [u8]),
    Utf16(&'h [u8]),
}

impl<'h> StoredName<'h> {
    fn new(bytes: &'h [u8], compressed: bool) -> Self {
        if compressed {
            Self::Latin1(bytes)
        } else {
            Self::Utf16(bytes)
        }
    }

    /// The UTF-16 units of the name.
    pub(super) fn units(self) -> impl Iterator<Item = u16> + 'h {
        let (narrow, wide) = match self {
            Self::Latin1(bytes) => (bytes, &[][..]),
            Self::Utf16(bytes) => (&[][..], bytes.as_chunks::<2>().0),
        };
        let wide = wide.iter().map(|unit| u16::from_le_bytes(*unit));
        narrow.iter().map(|byte| u16::from(*byte)).chain(wide)
    }
}

impl<'h> Cells<'h> {
    /// The contents of the allocated cell at `offset`, its size field left out.
    pub(super) fn cell(self, offset: u32, what: &'static str) -> Result<&'h [u8], RegistryError> {
        let at = offset as usize;
        let fail = |expected, found: String| {
            Err(RegistryError::new(position(offset), what, expected, found))
        };
        if offset == NONE {
            return fail("a cell", "none (0xffffffff)".to_owned());
        }
        let Some(size) = u32_at(self.data, at) else {
            return fail(
                "a cell inside the file",
                format!("a file of {} bytes", self.file_size()),
            );
        };
        let length = size.cast_signed().unsigned_abs() as usize;
        if size.cast_signed() >= 0 || !length.is_multiple_of(8) {
            let size = size.cast_signed();
            return fail(
                "an allocated cell of a multiple of 8 bytes",
                format!("size {size}"),
            );
        }
        slice_at(self.data, at + 4, length - 4).map_or_else(
            || {
                fail(
                    "a cell that ends inside the file",
                    format!("{length} bytes"),
                )
            },
            Ok,
        )
    }

    /// Whether nt-hive would panic, not err, when asked for the cell at `offset`.
    pub(super) fn is_dangerous(self, offset: u32) -> bool {
        offset == NONE || u32_at(self.data, offset as usize) == Some(0)
    }

    /// A cell that starts with `signature` and has at least `size` bytes.
    pub(super) fn signed(
        self,
        offset: u32,
        what: &'static str,
        signature: &'static str,
        size: usize,
    ) -> Result<&'h [u8], RegistryError> {
        let cell = self.cell(offset, what)?;
        if !cell.starts_with(signature.as_bytes()) {
            let found = String::from_utf8_lossy(cell.get(..2).unwrap_or(cell));
            return Err(RegistryError::new(
                position(offset),
                what,
                signature,
                format!("{found:?}"),
            ));
        }
        if cell.len() < size {
            let found = format!("{} bytes", cell.len());
            return Err(RegistryError::new(
                position(offset),
                what,
                "a whole structure",
                found,
            ));
        }
        Ok(cell)
    }

    /// The key node at `offset`.
    pub(super) fn key(self, offset: u32) -> Result<KeyNode<'h>, RegistryError> {
        let cell = self.signed(offset, "key", "nk", 76)?;
        let field = |at| u32_at(cell, at).unwrap_or_default();
        let short = |at| u16_at(cell, at).unwrap_or_default();
        let name = name_in(cell, offset, 76, short(72), KEY_NAME)?;
        let present = |at| Some(field(at)).filter(|offset| *offset != NONE);
        let count = field(36) as usize;
        Ok(KeyNode {
            last_write: u64_at(cell, 4).unwrap_or_default(),
            subkeys: Some(field(28)).filter(|_| field(20) != 0),
            values: (count != 0).then_some(ValueList {
                offset: field(40),
                count,
            }),
            class_name: present(48).filter(|_| short(74) != 0),
            name: StoredName::new(name, short(2) & 0x20 != 0),
        })
    }

    /// The value at `offset`.
    pub(super) fn value(self, offset: u32) -> Result<KeyValue<'h>, RegistryError> {
        let cell = self.signed(offset, "value", "vk", 20)?;
        let field = |at| u32_at(cell, at).unwrap_or_default();
        let short = |at| u16_at(cell, at).unwrap_or_default();
        let name = name_in(cell, offset, 20, short(2), VALUE_NAME)?;
        let size = (field(4) & !INLINE) as usize;
        let inline = field(4) & INLINE != 0;
        if inline && size > 4 {
            let found = format!("{size} bytes");
            return Err(RegistryError::new(
                position(offset),
                "value",
                "at most 4 bytes of data in the value itself",
                found,
            ));
        }
        let data = if inline || size == 0 {
            DataPlace::Inline(size)
        } else {
            DataPlace::Cell {
                offset: field(8),
                size,
            }
        };
        Ok(KeyValue {
            kind: field(12),
            name: StoredName::new(name, short(16) & 1 != 0),
            data,
        })
    }

    /// The size of the whole file in bytes.
    pub(super) fn file_size(self) -> usize {
        self.data.len() + BINS
    }
}

/// The bit of a data size that says the data is in the value itself.
const INLINE: u32 = 0x8000_0000;

/// The place of a cell in the file.
pub(super) fn position(offset: u32) -> u64 {
    u64::from(offset) + BINS as u64
}

/// The name that stands `at` the end of the fixed fields of a cell, at most `limit` bytes long.
fn name_in(
    cell: &[u8],
    offset: u32,
    at: usize,
    length: u16,
    limit: usize,
) -> Result<&[u8], RegistryError> {
    let length = usize::from(length);
    slice_at(cell, at, length)
        .filter(|_| length <= limit)
        .ok_or_else(|| {
            let found = format!("{length} bytes");
            RegistryError::new(position(offset), "name", "a name inside its cell", found)
        })
}
