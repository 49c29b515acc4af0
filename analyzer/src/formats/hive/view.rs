//! The registry view of one hive file.

use super::budget::Budget;
use super::cells::Cells;
use super::guard::Guard;
use super::header::{BINS, Header};
use super::replay::{Log, ReplayReport, replay};
use super::tree::{Node, SafeLists, Tree, bins};
use super::walk::Walk;
use crate::formats::registry::{
    Key, Listing, Quality, RegistryError, RegistryView, Value, WalkLimits, WalkReport, components,
    folded, join,
};

/// A hive file in memory.
#[derive(Debug)]
pub struct HiveFile {
    bytes: Vec<u8>,
    header: Header,
    quality: Vec<Quality>,
    replay: Option<ReplayReport>,
    guard: Guard,
    safe: SafeLists,
}

impl HiveFile {
    /// Opens a hive as it is, without replaying anything.
    ///
    /// A file that ends before its hive bins do is read as far as it goes.
    ///
    /// # Errors
    /// When the bytes are no hive: too short, or without `regf` at their start.
    pub fn open(bytes: Vec<u8>) -> Result<Self, RegistryError> {
        let header = Header::read(&bytes)?;
        if bytes.len() < BINS {
            let found = format!("{} bytes", bytes.len());
            return Err(RegistryError::new(0, "base block", "4096 bytes", found));
        }
        let quality = quality(&header, bytes.len());
        Ok(Self {
            bytes,
            header,
            quality,
            replay: None,
            guard: Guard::default(),
            safe: SafeLists::default(),
        })
    }

    /// Opens a hive after replaying its transaction logs, where it is dirty and they fit.
    ///
    /// # Errors
    /// As [`Self::open`]; a damaged base block is no error where a log has a copy.
    pub fn open_with_logs(mut bytes: Vec<u8>, logs: &[Log]) -> Result<Self, RegistryError> {
        let report = replay(&mut bytes, logs);
        let mut hive = Self::open(bytes)?;
        if report.is_replayed() {
            hive.quality.insert(
                0,
                Quality::Replayed {
                    from: report.from,
                    to: report.to,
                    entries: report.entries,
                    gap: report.gap,
                },
            );
        }
        hive.replay = Some(report);
        Ok(hive)
    }

    /// What became of the logs that the hive was opened with.
    pub fn replay_report(&self) -> Option<&ReplayReport> {
        self.replay.as_ref()
    }

    /// What the base block says; after a replay, the rebuilt one.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How many panics of nt-hive were caught. None is known that gets this far.
    pub fn panics_caught(&self) -> u64 {
        self.guard.panics()
    }

    /// The cells, and nt-hive's reading of the same bytes, for one question.
    fn ask<T>(
        &self,
        question: impl FnOnce(Tree) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let open = || nt_hive::Hive::without_validation(self.bytes.as_slice());
        let hive = self.guard.run("base block", 0, open)?;
        let cells = Cells {
            data: bins(&self.bytes),
        };
        let (guard, safe) = (&self.guard, &self.safe);
        question(Tree {
            cells,
            hive: &hive,
            guard,
            safe,
        })
    }

    /// Goes to `path` and asks there; the keys on the way come along, the root first.
    fn at<T>(
        &self,
        path: &str,
        question: impl for<'t> FnOnce(&Tree<'t>, &Node<'t>, &[Node<'t>]) -> Result<T, RegistryError>,
    ) -> Result<Option<T>, RegistryError> {
        self.ask(|tree| {
            let mut node = tree.root(self.header.root_cell)?;
            let mut way = Vec::new();
            for name in components(path) {
                let Some(child) = tree.child(&node, &name)? else {
                    return Ok(None);
                };
                way.push(std::mem::replace(&mut node, child));
            }
            question(&tree, &node, &way).map(Some)
        })
    }
}

/// The path of the last of the keys on a way from the root, as the hive spells it.
fn spell(tree: &Tree, way: &[Node]) -> Result<String, RegistryError> {
    way.iter().skip(1).try_fold(String::new(), |path, node| {
        Ok(join(&path, &tree.name(node)?))
    })
}

impl RegistryView for HiveFile {
    fn key(&self, path: &str) -> Result<Option<Key>, RegistryError> {
        self.at(path, |tree, node, way| {
            let parent = if way.is_empty() {
                None
            } else {
                Some(spell(tree, way)?)
            };
            Ok(tree.show(node, parent.as_deref())?.0)
        })
    }

    fn subkeys(&self, path: &str) -> Result<Option<Listing<Key>>, RegistryError> {
        self.at(path, |tree, node, way| {
            let mut path = spell(tree, way)?;
            if !way.is_empty() {
                path = join(&path, &tree.name(node)?);
            }
            let mut listing = Listing::whole(Vec::new());
            for child in tree.children(node, &mut Budget::of(tree.cells)) {
                match child.and_then(|child| tree.show(&child, Some(&path))) {
                    Ok((key, _)) => listing.items.push(key),
                    Err(error) => listing.damage.push(error),
                }
            }
            Ok(listing)
        })
    }

    fn values(&self, path: &str) -> Result<Option<Listing<Value>>, RegistryError> {
        self.at(path, |tree, node, _| {
            Ok(tree.values(node, &mut Budget::of(tree.cells)))
        })
    }

    fn value(&self, path: &str, name: &str) -> Result<Option<Value>, RegistryError> {
        let name = folded(name);
        let value = self.at(path, |tree, node, _| tree.value(node, &name))?;
        Ok(value.flatten())
    }

    fn quality(&self) -> &[Quality] {
        &self.quality
    }

    fn walk(&self, limits: WalkLimits, visit: &mut dyn FnMut(&Key, &[Value])) -> WalkReport {
        let mut walk = Walk::new(limits, visit);
        let walked = self.ask(|tree| {
            let root = tree.root(self.header.root_cell)?;
            walk.run(&tree, root);
            Ok(())
        });
        if let Err(error) = walked {
            walk.damage(error);
        }
        walk.report
    }
}

/// What the base block and the length of the file say against the hive.
fn quality(header: &Header, length: usize) -> Vec<Quality> {
    let mut quality = Vec::new();
    if header.primary_sequence != header.secondary_sequence {
        quality.push(Quality::DirtyNotReplayed {
            primary: header.primary_sequence,
            secondary: header.secondary_sequence,
        });
    }
    let damage = |at, what, expected, found: String| {
        Quality::Damage(RegistryError::new(at, what, expected, found))
    };
    if !header.checksum_ok {
        let found = "another".to_owned();
        quality.push(damage(
            508,
            "base block",
            "the checksum of its bytes",
            found,
        ));
    }
    let declared = header.bins_size as usize;
    if length - BINS.min(length) < declared {
        let found = format!("{} of {declared} bytes", length - BINS.min(length));
        quality.push(damage(40, "hive bins", "all of their declared size", found));
    }
    quality
}
