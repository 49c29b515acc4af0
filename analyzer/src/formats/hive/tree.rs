//! Keys and values of a hive, asked from nt-hive after a look at the cells it will touch.
//!
//! nt-hive tells neither the offset of a key nor its time. The name it returns is a slice of the
//! hive, though, and where that lies tells the cell.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use nt_hive::{KeyNode as NtKey, KeyValue as NtValue, NtHiveNameString, SubKeyNodes};

use super::bytes::u32_at;
use super::cells::{Cells, position};
use super::guard::Guard;
use super::header::BINS;
use super::index::{Index, Slot, Wanted};
use crate::formats::registry::{Key, RegistryError, escape_key, filetime, fold};

/// From the start of a key's cell to its name: the cell's size field and the fixed fields.
const NAME_OF_KEY: usize = 4 + 76;
/// The same for a value.
const NAME_OF_VALUE: usize = 4 + 20;

type Hive<'h> = nt_hive::Hive<&'h [u8]>;

/// The lists of leaves that nt-hive may search freely: every key in them was looked at.
#[derive(Debug, Default)]
pub(super) struct SafeLists(Mutex<BTreeSet<u32>>);

impl SafeLists {
    fn contains(&self, list: u32) -> bool {
        let lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.contains(&list)
    }

    fn insert(&self, list: u32) {
        let mut lists = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(list);
    }
}

/// A hive during one question.
#[derive(Clone, Copy)]
pub(super) struct Tree<'h> {
    pub(super) cells: Cells<'h>,
    pub(super) hive: &'h Hive<'h>,
    pub(super) guard: &'h Guard,
    pub(super) safe: &'h SafeLists,
}

/// A key: its cell, and nt-hive's reading of it.
#[derive(Clone)]
pub(super) struct Node<'h> {
    pub(super) offset: u32,
    key: NtKey<'h, &'h [u8]>,
}

/// What an untrusted hive may still make us do: real lists and data cannot exceed the file.
pub(super) struct Budget {
    pub(super) slots: usize,
    pub(super) bytes: usize,
}

impl Budget {
    pub(super) fn of(cells: Cells) -> Self {
        Self {
            slots: cells.data.len() / 4,
            bytes: cells.data.len(),
        }
    }

    /// Takes `amount` from what is `left`, which belongs to the structure at `offset`.
    pub(super) fn take(left: &mut usize, amount: usize, offset: u32) -> Result<(), RegistryError> {
        *left = left.checked_sub(amount).ok_or_else(|| {
            let expected = "no more than the file has room for";
            RegistryError::new(
                position(offset),
                "list",
                expected,
                "the same cells again and again",
            )
        })?;
        Ok(())
    }
}

impl<'h> Tree<'h> {
    /// The key that the base block points to.
    pub(super) fn root(&self, offset: u32) -> Result<Node<'h>, RegistryError> {
        self.cells.key(offset)?;
        let key = self
            .guard
            .run("root key", offset, || self.hive.root_key_node())?;
        Ok(Node { offset, key })
    }

    /// The child of `parent` with the folded name `name`.
    pub(super) fn child(
        &self,
        parent: &Node<'h>,
        name: &[u16],
    ) -> Result<Option<Node<'h>>, RegistryError> {
        let Some(list) = self.cells.key(parent.offset)?.subkeys else {
            return Ok(None);
        };
        let index = Index::read(self.cells, list)?;
        let wanted = Wanted::new(name);
        let mut budget = Budget::of(self.cells);
        let mut damage = None;
        for slot in index.slots() {
            Budget::take(&mut budget.slots, 1, list)?;
            if let Some(error) = slot.error {
                damage.get_or_insert_with(|| error.clone());
            } else if slot.may_be(&wanted) {
                match self.cells.key(slot.cell) {
                    Ok(key) if key.name.units().map(fold).eq(name.iter().copied()) => {
                        return self.open(parent, &index, &slot, list, name).map(Some);
                    }
                    Ok(_) => (),
                    Err(error) => {
                        damage.get_or_insert(error);
                    }
                }
            }
        }
        damage.map_or(Ok(None), Err)
    }

    /// The key in `slot`, whose cell was looked at.
    fn open(
        &self,
        parent: &Node<'h>,
        index: &Index,
        slot: &Slot,
        list: u32,
        name: &[u16],
    ) -> Result<Node<'h>, RegistryError> {
        if index.is_root {
            let found = self.search(parent, index, list, name);
            if let Some(node) = found.filter(|node| node.offset == slot.cell) {
                return Ok(node);
            }
            self.check_before(index, slot)?;
        }
        let key = self.guard.run("subkey", slot.cell, || {
            let nodes = parent.key.subkeys().transpose()?;
            nodes
                .and_then(|mut nodes| nodes.nth(slot.position))
                .transpose()
        })?;
        self.node(key, slot.cell)
    }

    /// nt-hive's own binary search, once the whole list is known to be safe.
    fn search(
        &self,
        parent: &Node<'h>,
        index: &Index,
        list: u32,
        name: &[u16],
    ) -> Option<Node<'h>> {
        let is_safe = |slot: Slot| slot.error.is_none() && self.cells.key(slot.cell).is_ok();
        if !self.safe.contains(list) {
            if !index.slots().all(is_safe) {
                return None;
            }
            self.safe.insert(list);
        }
        let name = String::from_utf16(name).ok()?;
        let key = self
            .guard
            .run("subkey", list, || parent.key.subkey(&name).transpose());
        self.locate(key.ok()??)
    }

    /// Fails where nt-hive would panic on its way to `slot` in a list of leaves.
    fn check_before(&self, index: &Index, slot: &Slot) -> Result<(), RegistryError> {
        let before = index.slots().take(slot.position);
        for slot in before.filter(|slot| self.cells.is_dangerous(slot.cell)) {
            self.cells.cell(slot.cell, "subkey")?;
        }
        Ok(())
    }

    /// The children of `parent` in stored order, those that cannot be read as errors.
    pub(super) fn children(
        &self,
        parent: &Node<'h>,
        budget: &mut Budget,
    ) -> Vec<Result<Node<'h>, RegistryError>> {
        let list = match self.cells.key(parent.offset) {
            Ok(key) => key.subkeys,
            Err(error) => return vec![Err(error)],
        };
        let Some(list) = list else {
            return Vec::new();
        };
        let opened = Index::read(self.cells, list).and_then(|index| {
            let ask = || parent.key.subkeys().transpose();
            Ok((index, self.guard.run("subkey list", list, ask)?))
        });
        match opened {
            Ok((index, Some(nodes))) => self.iterate(&index, nodes, list, budget),
            Ok((_, None)) => Vec::new(),
            Err(error) => vec![Err(error)],
        }
    }

    /// Follows nt-hive's iteration slot by slot, leaving out what it must not see.
    fn iterate(
        &self,
        index: &Index,
        mut nodes: SubKeyNodes<'h, &'h [u8]>,
        list: u32,
        budget: &mut Budget,
    ) -> Vec<Result<Node<'h>, RegistryError>> {
        let mut children = Vec::new();
        let mut skipped = 0;
        for slot in index.slots() {
            if let Err(error) = Budget::take(&mut budget.slots, 1, list) {
                children.push(Err(error));
                break;
            }
            if self.cells.is_dangerous(slot.cell) {
                let error = slot.error.cloned();
                let error = error.or_else(|| self.cells.cell(slot.cell, "subkey").err());
                children.extend(error.map(Err));
                if index.is_root {
                    // nt-hive cannot be led past this one, and later leaves stay unread.
                    break;
                }
                skipped += 1;
                continue;
            }
            let looked_at = slot
                .error
                .cloned()
                .map_or_else(|| self.cells.key(slot.cell), Err);
            let key = self
                .guard
                .run("subkey", slot.cell, || Ok(nodes.nth(skipped)));
            skipped = 0;
            children.push(looked_at.and(key).and_then(|key| {
                let key = self.guard.run("subkey", slot.cell, || key.transpose())?;
                self.node(key, slot.cell)
            }));
        }
        children
    }

    /// A node, provided that it lies where we looked.
    fn node(
        &self,
        key: Option<NtKey<'h, &'h [u8]>>,
        offset: u32,
    ) -> Result<Node<'h>, RegistryError> {
        key.and_then(|key| self.locate(key))
            .filter(|node| node.offset == offset)
            .ok_or_else(|| {
                let at = position(offset);
                RegistryError::new(at, "subkey", "the same key from both readers", "another")
            })
    }

    fn locate(&self, key: NtKey<'h, &'h [u8]>) -> Option<Node<'h>> {
        let name = key.name().ok()?;
        let offset = self.cell_before(&name, NAME_OF_KEY)?;
        Some(Node { offset, key })
    }

    /// The cell that begins `distance` bytes before a name that nt-hive returned.
    fn cell_before(&self, name: &NtHiveNameString, distance: usize) -> Option<u32> {
        let (NtHiveNameString::Latin1(bytes) | NtHiveNameString::Utf16LE(bytes)) = name;
        let start = self.cells.data.as_ptr().addr();
        let offset = bytes
            .as_ptr()
            .addr()
            .checked_sub(start)?
            .checked_sub(distance)?;
        u32::try_from(offset).ok()
    }

    /// A key as the view shows it; its `path` is given. The second half is damage to its class.
    pub(super) fn key(
        &self,
        node: &Node<'h>,
        path: String,
    ) -> Result<(Key, Option<RegistryError>), RegistryError> {
        let stored = self.cells.key(node.offset)?;
        let class = stored.class_name.map(|offset| {
            self.cells.cell(offset, "class name")?;
            self.guard
                .run("class name", offset, || node.key.class_name().transpose())
        });
        let (class, damage) = match class {
            Some(Ok(class)) => (class.map(|class| class.to_string_lossy()), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let name = self
            .guard
            .run("key name", node.offset, || node.key.name())?;
        let key = Key {
            path,
            name: escape_key(units(&name)),
            class_name: class,
            last_write: filetime(stored.last_write),
        };
        Ok((key, damage))
    }

    /// The values of a key in stored order: each with its cell, or an error.
    pub(super) fn stored_values(
        &self,
        node: &Node<'h>,
        budget: &mut Budget,
    ) -> Vec<Result<StoredValue<'h>, RegistryError>> {
        match self.open_values(node, budget) {
            Ok(values) => values,
            Err(error) => vec![Err(error)],
        }
    }

    fn open_values(
        &self,
        node: &Node<'h>,
        budget: &mut Budget,
    ) -> Result<Vec<Result<StoredValue<'h>, RegistryError>>, RegistryError> {
        let Some(list) = self.cells.key(node.offset)?.values else {
            return Ok(Vec::new());
        };
        let cell = self.cells.cell(list.offset, "value list")?;
        Budget::take(&mut budget.slots, list.count, list.offset)?;
        let ask = || node.key.values().transpose();
        let Some(mut values) = self.guard.run("value list", list.offset, ask)? else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut skipped = 0;
        for position in 0..list.count {
            let offset = u32_at(cell, position.saturating_mul(4)).unwrap_or(super::cells::NONE);
            if let Err(error) = self.cells.value(offset) {
                skipped += 1;
                found.push(Err(error));
                continue;
            }
            let value = self
                .guard
                .run("value", offset, || values.nth(skipped).transpose());
            skipped = 0;
            found.push(value.and_then(|value| self.located_value(value, offset)));
        }
        Ok(found)
    }

    fn located_value(
        &self,
        value: Option<NtValue<'h, &'h [u8]>>,
        offset: u32,
    ) -> Result<StoredValue<'h>, RegistryError> {
        let at_offset = |value: &NtValue<'h, &'h [u8]>| {
            let name = value.name().ok()?;
            Some(self.cell_before(&name, NAME_OF_VALUE)? == offset)
        };
        value
            .filter(|value| at_offset(value) == Some(true))
            .map(|value| StoredValue { offset, value })
            .ok_or_else(|| {
                let at = position(offset);
                RegistryError::new(at, "value", "the same value from both readers", "another")
            })
    }
}

/// A value: its cell, and nt-hive's reading of it.
pub(super) struct StoredValue<'h> {
    pub(super) offset: u32,
    pub(super) value: NtValue<'h, &'h [u8]>,
}

/// The UTF-16 units of a name.
pub(super) fn units<'n>(name: &NtHiveNameString<'n>) -> impl Iterator<Item = u16> + use<'n> {
    let stored = match name {
        NtHiveNameString::Latin1(bytes) => super::cells::StoredName::Latin1(bytes),
        NtHiveNameString::Utf16LE(bytes) => super::cells::StoredName::Utf16(bytes),
    };
    stored.units()
}

/// The bytes of a hive file behind its base block.
pub(super) fn bins(file: &[u8]) -> &[u8] {
    file.get(BINS..).unwrap_or_default()
}
