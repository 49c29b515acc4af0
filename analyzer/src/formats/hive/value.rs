//! The data of values: through nt-hive, and beside it where the format forbids that.

use nt_hive::KeyValueData;

use super::bytes::{slice_at, u16_at, u32_at};
use super::cells::{DataPlace, position};
use super::tree::{Budget, Node, StoredValue, Tree};
use crate::formats::registry::{Listing, RegistryError, Value, ValueKind, escape_value, fold};

/// The most that one cell of a big data structure holds, and the most that nt-hive takes from an
/// ordinary cell.
const SEGMENT: usize = 16_344;

impl<'h> Tree<'h> {
    /// The values of a key in stored order.
    pub(super) fn values(&self, node: &Node<'h>, budget: &mut Budget) -> Listing<Value> {
        let mut listing = Listing::whole(Vec::new());
        for stored in self.stored_values(node, budget) {
            match stored.and_then(|stored| self.decode(&stored, budget)) {
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
        let mut budget = Budget::of(self.cells);
        let mut damage = None;
        for stored in self.stored_values(node, &mut budget) {
            let is_wanted = stored.and_then(|stored| {
                let units = self.cells.value(stored.offset)?.name.units();
                let is_wanted = units.map(fold).eq(name.iter().copied());
                Ok(is_wanted.then_some(stored))
            });
            match is_wanted {
                Ok(Some(stored)) => return self.decode(&stored, &mut budget).map(Some),
                Ok(None) => (),
                Err(error) => {
                    damage.get_or_insert(error);
                }
            }
        }
        damage.map_or(Ok(None), Err)
    }

    fn decode(
        &self,
        stored: &StoredValue<'h>,
        budget: &mut Budget,
    ) -> Result<Value, RegistryError> {
        // The type comes from the cell: nt-hive knows twelve types, drivers use others.
        let cell = self.cells.value(stored.offset)?;
        let name = self
            .guard
            .run("value name", stored.offset, || stored.value.name())?;
        Ok(Value {
            name: escape_value(super::tree::units(&name)),
            kind: ValueKind::from_number(cell.kind),
            data: self.data(stored, cell.data, budget)?,
        })
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
