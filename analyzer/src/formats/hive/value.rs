//! The data of values: through nt-hive, and beside it where the format forbids that.

use nt_hive::{KeyValue as NtValue, KeyValueData, KeyValues};

use super::budget::Budget;
use super::bytes::{slice_at, u16_at, u32_at};
use super::cells::{DataPlace, KeyValue, NONE, position};
use super::tree::{Node, Tree, units};
use crate::formats::registry::{Listing, RegistryError, Value, ValueKind, escape_value, fold};

/// The most that one cell of a big data structure holds, and the most that nt-hive takes from an
/// ordinary cell.
const SEGMENT: usize = 16_344;
/// From the start of a value's cell to its name: the cell's size field and the fixed fields.
const NAME_OF_VALUE: usize = 4 + 20;

/// The values of a key: the list as stored, and nt-hive's iterator over it.
struct ValueList<'h> {
    cell: &'h [u8],
    offset: u32,
    count: usize,
    values: KeyValues<'h, &'h [u8]>,
}

/// A value: its cell, and nt-hive's reading of it.
struct StoredValue<'h> {
    offset: u32,
    value: NtValue<'h, &'h [u8]>,
}

impl ValueList<'_> {
    /// The cell of the value at `position`.
    fn offset_of(&self, position: usize) -> u32 {
        u32_at(self.cell, position.saturating_mul(4)).unwrap_or(NONE)
    }
}

impl<'h> Tree<'h> {
    /// The values of a key in stored order.
    pub(super) fn values(&self, node: &Node<'h>, budget: &mut Budget) -> Listing<Value> {
        let mut listing = Listing::whole(Vec::new());
        let list = self.value_list(node).and_then(|list| {
            if let Some(list) = &list {
                Budget::take(&mut budget.slots, list.count, list.offset)?;
            }
            Ok(list)
        });
        let list = match list {
            Ok(Some(list)) => list,
            Ok(None) => return listing,
            Err(error) => {
                listing.damage.push(error);
                return listing;
            }
        };
        for position in 0..list.count {
            let stored = self.cells.value(list.offset_of(position));
            match stored.and_then(|stored| self.decode(&list, position, &stored, budget)) {
                Ok(value) => listing.items.push(value),
                Err(error) => listing.damage.push(error),
            }
        }
        listing
    }

    /// The value with the folded name `name`.
    pub(super) fn value(
        &self,
        node: &Node<'h>,
        name: &[u16],
    ) -> Result<Option<Value>, RegistryError> {
        let Some(list) = self.value_list(node)? else {
            return Ok(None);
        };
        let mut damage = None;
        for position in 0..list.count {
            match self.cells.value(list.offset_of(position)) {
                Ok(stored) if stored.name.units().map(fold).eq(name.iter().copied()) => {
                    let mut budget = Budget::of(self.cells);
                    return self.decode(&list, position, &stored, &mut budget).map(Some);
                }
                Ok(_) => (),
                Err(error) => {
                    damage.get_or_insert(error);
                }
            }
        }
        damage.map_or(Ok(None), Err)
    }

    fn value_list(&self, node: &Node<'h>) -> Result<Option<ValueList<'h>>, RegistryError> {
        let Some(list) = self.cells.key(node.offset)?.values else {
            return Ok(None);
        };
        let cell = self.cells.cell(list.offset, "value list")?;
        let ask = || node.key.values().transpose();
        let values = self.guard.run("value list", list.offset, ask)?;
        Ok(values.map(|values| ValueList {
            cell,
            offset: list.offset,
            count: list.count,
            values,
        }))
    }

    /// The value at `position` of the list, whose cell was looked at.
    fn decode(
        &self,
        list: &ValueList<'h>,
        position: usize,
        cell: &KeyValue,
        budget: &mut Budget,
    ) -> Result<Value, RegistryError> {
        let offset = list.offset_of(position);
        let ask = || list.values.clone().nth(position).transpose();
        let value = self.guard.run("value", offset, ask)?;
        let (name, value) = self.named(value, offset)?;
        let stored = StoredValue { offset, value };
        Ok(Value {
            name,
            // The type comes from the cell: nt-hive knows twelve types, drivers use others.
            kind: ValueKind::from_number(cell.kind),
            data: self.data(&stored, cell.data, budget)?,
        })
    }

    /// A value with its escaped name, provided that it lies where we looked.
    fn named(
        &self,
        value: Option<NtValue<'h, &'h [u8]>>,
        offset: u32,
    ) -> Result<(String, NtValue<'h, &'h [u8]>), RegistryError> {
        if let Some(value) = value {
            let name = self.guard.run("value name", offset, || value.name())?;
            if self.cell_before(&name, NAME_OF_VALUE) == Some(offset) {
                return Ok((escape_value(units(&name)), value));
            }
        }
        let (at, expected) = (position(offset), "the same value from both readers");
        Err(RegistryError::new(at, "value", expected, "another"))
    }

    fn data(
        &self,
        stored: &StoredValue<'h>,
        place: DataPlace,
        budget: &mut Budget,
    ) -> Result<Vec<u8>, RegistryError> {
        let (offset, size) = match place {
            // nt-hive looks for a cell even where there is no data.
            DataPlace::Inline(0) => return Ok(Vec::new()),
            DataPlace::Inline(size) => (stored.offset, size),
            DataPlace::Cell { offset, size } => (offset, size),
        };
        Budget::take(&mut budget.bytes, size, offset)?;
        if matches!(place, DataPlace::Cell { .. }) {
            let cell = self.cells.cell(offset, "value data")?;
            if size > SEGMENT {
                // Format 1.3 has no big data: whatever the size, one cell holds it all.
                if let Some(data) = cell.get(..size) {
                    return Ok(data.to_vec());
                }
                self.check_big_data(offset, size)?;
            }
        }
        self.guard.run("value data", offset, || {
            let data = stored.value.data()?;
            match data {
                KeyValueData::Small(bytes) => Ok(bytes.to_vec()),
                KeyValueData::Big(_) => data.into_vec(),
            }
        })
    }

    /// Looks at the big data structure at `offset`, so that nt-hive can be asked for it.
    fn check_big_data(&self, offset: u32, size: usize) -> Result<(), RegistryError> {
        let cell = self.cells.signed(offset, "big data", "db", 8)?;
        let count = usize::from(u16_at(cell, 2).unwrap_or_default());
        let list = u32_at(cell, 4).unwrap_or_default();
        let needed = size.div_ceil(SEGMENT);
        let segments = slice_at(self.cells.cell(list, "segment list")?, 0, count * 4)
            .filter(|_| needed <= count)
            .ok_or_else(|| {
                let found = format!("{count} segments for {size} bytes");
                RegistryError::new(
                    position(offset),
                    "big data",
                    "a segment for all data",
                    found,
                )
            })?;
        for segment in segments.as_chunks::<4>().0.iter().take(needed) {
            self.cells
                .cell(u32::from_le_bytes(*segment), "data segment")?;
        }
        Ok(())
    }
}
