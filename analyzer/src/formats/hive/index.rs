//! Subkey lists: leaves (`li`, `lf`, `lh`) and lists of leaves (`ri`).

use super::budget::Budget;
use super::bytes::{slice_at, u16_at, u32_at};
use super::cells::{Cells, position};
use crate::formats::registry::RegistryError;

/// The subkey list of one key.
pub(super) struct Index<'h> {
    /// Whether this is a list of leaves.
    pub(super) is_root: bool,
    /// The leaves in order; one that cannot be read is an error in its place.
    leaves: Vec<Result<Leaf<'h>, BadLeaf>>,
}

struct BadLeaf {
    offset: u32,
    error: RegistryError,
}

struct Leaf<'h> {
    form: Form,
    items: &'h [u8],
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Hint,
    Hash,
}

/// One step of nt-hive's iteration over the list: a key, or one error.
pub(super) struct Slot<'h> {
    /// Counts from the start of the whole list.
    pub(super) position: usize,
    /// The cell of the key; of the leaf, where that cannot be read.
    pub(super) cell: u32,
    /// Why the leaf in this place cannot be read.
    pub(super) error: Option<&'h RegistryError>,
    hint: Hint,
}

#[derive(Clone, Copy)]
enum Hint {
    None,
    Start([u8; 4]),
    Hash(u32),
}

/// A folded name with its hash, to be compared with the hints.
pub(super) struct Wanted<'n> {
    name: &'n [u16],
    /// The hash of the name; only for ASCII, where all case tables agree.
    hash: Option<u32>,
}

impl<'n> Wanted<'n> {
    pub(super) fn new(name: &'n [u16]) -> Self {
        let hash = name.iter().fold(0_u32, |hash, unit| {
            hash.wrapping_mul(37).wrapping_add(u32::from(*unit))
        });
        let ascii = name.iter().all(|unit| *unit < 0x80);
        Self {
            name,
            hash: ascii.then_some(hash),
        }
    }
}

impl Slot<'_> {
    /// Whether the hint leaves it possible that this key has the wanted name.
    fn may_be(&self, wanted: &Wanted) -> bool {
        match (self.hint, wanted.hash) {
            (Hint::Hash(stored), Some(hash)) => stored == hash,
            (Hint::Start(start), Some(_)) => {
                let pairs = start.iter().zip(wanted.name);
                pairs
                    .filter(|(byte, _)| matches!(byte, 1..0x80))
                    .all(|(byte, unit)| u16::from(byte.to_ascii_uppercase()) == *unit)
            }
            _ => true,
        }
    }
}

impl<'h> Index<'h> {
    /// Reads the list at `offset`; a leaf of a list of leaves may be an error in its place.
    pub(super) fn read(cells: Cells<'h>, offset: u32) -> Result<Self, RegistryError> {
        let cell = cells.cell(offset, "subkey list")?;
        if !cell.starts_with(b"ri") {
            let leaf = Leaf::read(cells, offset)?;
            return Ok(Self {
                is_root: false,
                leaves: vec![Ok(leaf)],
            });
        }
        let leaves = items(cell, offset, 4)?.as_chunks::<4>().0.iter();
        let leaves = leaves.map(|leaf| {
            let offset = u32::from_le_bytes(*leaf);
            Leaf::read(cells, offset)
                .and_then(|leaf| leaf.not_empty(offset))
                .map_err(|error| BadLeaf { offset, error })
        });
        Ok(Self {
            is_root: true,
            leaves: leaves.collect(),
        })
    }

    /// The slots that may have the wanted name, and those that cannot be read.
    ///
    /// # Errors
    /// Where the list is longer than the file has room for.
    pub(super) fn candidates(
        &self,
        wanted: &Wanted,
        budget: &mut Budget,
        list: u32,
    ) -> Result<Vec<Slot<'_>>, RegistryError> {
        let mut found = Vec::new();
        let mut first = 0;
        for leaf in &self.leaves {
            let length = leaf.as_ref().map_or(1, Leaf::len);
            Budget::take(&mut budget.slots, length, list)?;
            match (leaf, wanted.hash) {
                // By far the most common; the hash alone decides.
                (Ok(leaf), Some(hash)) if matches!(leaf.form, Form::Hash) => {
                    let hash = hash.to_le_bytes();
                    let items = leaf.items.as_chunks::<8>().0.iter().enumerate();
                    let same = items.filter(|(_, item)| item[4..] == hash);
                    found.extend(same.map(|(at, item)| leaf.slot(first + at, item)));
                }
                (Ok(leaf), _) => {
                    let slots = leaf.slots(first);
                    found.extend(slots.filter(|slot| slot.may_be(wanted)));
                }
                (Err(bad), _) => found.push(bad.slot(first)),
            }
            first += length;
        }
        Ok(found)
    }

    /// The steps of nt-hive's iteration, in order.
    pub(super) fn slots(&self) -> impl Iterator<Item = Slot<'_>> {
        let mut first = 0;
        self.leaves.iter().flat_map(move |leaf| {
            let start = first;
            let (keys, bad) = match leaf {
                Ok(leaf) => (Some(leaf.slots(start)), None),
                Err(bad) => (None, Some(bad.slot(start))),
            };
            first += leaf.as_ref().map_or(1, Leaf::len);
            keys.into_iter().flatten().chain(bad)
        })
    }
}

impl BadLeaf {
    fn slot(&self, position: usize) -> Slot<'_> {
        Slot {
            position,
            cell: self.offset,
            error: Some(&self.error),
            hint: Hint::None,
        }
    }
}

impl<'h> Leaf<'h> {
    fn read(cells: Cells<'h>, offset: u32) -> Result<Self, RegistryError> {
        let cell = cells.cell(offset, "subkey list")?;
        let (form, size) = match cell.get(..2) {
            Some(b"li") => (Form::Plain, 4),
            Some(b"lf") => (Form::Hint, 8),
            Some(b"lh") => (Form::Hash, 8),
            other => {
                let found = String::from_utf8_lossy(other.unwrap_or_default());
                return Err(RegistryError::new(
                    position(offset),
                    "subkey list",
                    "li, lf or lh",
                    format!("{found:?}"),
                ));
            }
        };
        let items = items(cell, offset, size)?;
        Ok(Self { form, items })
    }

    /// A leaf in a list of leaves must hold something: nt-hive answers an empty one with an error.
    fn not_empty(self, offset: u32) -> Result<Self, RegistryError> {
        if self.items.is_empty() {
            let at = position(offset);
            return Err(RegistryError::new(
                at,
                "subkey list",
                "at least one item",
                "none",
            ));
        }
        Ok(self)
    }

    fn item_size(&self) -> usize {
        if matches!(self.form, Form::Plain) {
            4
        } else {
            8
        }
    }

    fn len(&self) -> usize {
        self.items.len() / self.item_size()
    }

    fn slots(&self, first: usize) -> impl Iterator<Item = Slot<'_>> {
        let items = self.items.chunks_exact(self.item_size()).enumerate();
        items.map(move |(at, item)| self.slot(first + at, item))
    }

    fn slot<'i>(&self, position: usize, item: &[u8]) -> Slot<'i> {
        let tail = u32_at(item, 4).unwrap_or_default();
        Slot {
            position,
            cell: u32_at(item, 0).unwrap_or_default(),
            error: None,
            hint: match self.form {
                Form::Plain => Hint::None,
                Form::Hint => Hint::Start(tail.to_le_bytes()),
                Form::Hash => Hint::Hash(tail),
            },
        }
    }
}

/// The items behind the signature and the count of a list.
fn items(cell: &[u8], offset: u32, size: usize) -> Result<&[u8], RegistryError> {
    let count = usize::from(u16_at(cell, 2).unwrap_or_default());
    slice_at(cell, 4, count * size).ok_or_else(|| {
        let found = format!("{count} items in {} bytes", cell.len());
        RegistryError::new(
            position(offset),
            "subkey list",
            "all items inside the cell",
            found,
        )
    })
}
