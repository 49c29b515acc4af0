//! Keys and values of a hive, asked from nt-hive after a look at the cells it will touch.
//!
//! nt-hive tells neither the offset of a key nor its time. The name it returns is a slice of the
//! hive, though, and where that lies tells the cell.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use nt_hive::{KeyNode as NtKey, NtHiveNameString, SubKeyNodes};

use super::budget::Budget;
use super::cells::{Cells, position};
use super::guard::Guard;
use super::header::BINS;
use super::index::{Index, Slot, Wanted};
use crate::formats::registry::{Key, RegistryError, escape_key, filetime, fold, join};

/// From the start of a key's cell to its name: the cell's size field and the fixed fields.
const NAME_OF_KEY: usize = 4 + 76;

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
    pub(super) key: NtKey<'h, &'h [u8]>,
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
        if self.safe.contains(list) {
            let found = self.search(parent, list, name);
            if let Some(node) = found.filter(|node| self.has_name(node.offset, name) == Ok(true)) {
                return Ok(Some(node));
            }
        }
        let index = Index::read(self.cells, list)?;
        let candidates = index.candidates(&Wanted::new(name), &mut Budget::of(self.cells), list)?;
        let mut damage = None;
        for slot in candidates {
            let error = slot.error.cloned().map_or(Ok(()), Err);
            match error.and_then(|()| self.has_name(slot.cell, name)) {
                Ok(true) => return self.open(parent, &index, &slot, list, name).map(Some),
                Ok(false) => (),
                Err(error) => {
                    damage.get_or_insert(error);
                }
            }
        }
        damage.map_or(Ok(None), Err)
    }

    fn has_name(&self, offset: u32, name: &[u16]) -> Result<bool, RegistryError> {
        let key = self.cells.key(offset)?;
        Ok(key.name.units().map(fold).eq(name.iter().copied()))
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
            let is_safe = |slot: Slot| slot.error.is_none() && self.cells.key(slot.cell).is_ok();
            if index.slots().all(is_safe) {
                self.safe.insert(list);
                let found = self.search(parent, list, name);
                if let Some(node) = found.filter(|node| node.offset == slot.cell) {
                    return Ok(node);
                }
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

    /// nt-hive's own binary search, for a list that is known to be safe.
    fn search(&self, parent: &Node<'h>, list: u32, name: &[u16]) -> Option<Node<'h>> {
        let name = String::from_utf16(name).ok()?;
        let ask = || parent.key.subkey(&name).transpose();
        self.locate(self.guard.run("subkey", list, ask).ok()??)
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
    pub(super) fn cell_before(&self, name: &NtHiveNameString, distance: usize) -> Option<u32> {
        let (NtHiveNameString::Latin1(bytes) | NtHiveNameString::Utf16LE(bytes)) = name;
        let start = self.cells.data.as_ptr().addr();
        let offset = bytes
            .as_ptr()
            .addr()
            .checked_sub(start)?
            .checked_sub(distance)?;
        u32::try_from(offset).ok()
    }

    /// The name of a key, escaped.
    pub(super) fn name(&self, node: &Node<'h>) -> Result<String, RegistryError> {
        let ask = || node.key.name();
        let name = self.guard.run("key name", node.offset, ask)?;
        Ok(escape_key(units(&name)))
    }

    /// A key as the view shows it, below `parent`; the root has none. The second half is damage
    /// to the class name.
    pub(super) fn show(
        &self,
        node: &Node<'h>,
        parent: Option<&str>,
    ) -> Result<(Key, Option<RegistryError>), RegistryError> {
        let stored = self.cells.key(node.offset)?;
        let class = stored.class_name.map(|offset| {
            self.cells.cell(offset, "class name")?;
            let ask = || node.key.class_name().transpose();
            self.guard.run("class name", offset, ask)
        });
        let (class, damage) = match class {
            Some(Ok(class)) => (class.map(|class| class.to_string_lossy()), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let name = self.name(node)?;
        let key = Key {
            path: parent.map_or_else(String::new, |parent| join(parent, &name)),
            name,
            class_name: class,
            last_write: filetime(stored.last_write),
        };
        Ok((key, damage))
    }
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
