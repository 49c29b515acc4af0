//! A visit to every key of a hive, bounded and safe from cycles.

use std::collections::HashSet;

use super::budget::Budget;
use super::cells::position;
use super::tree::{Node, Tree};
use crate::formats::registry::{Key, RegistryError, Value, WalkLimits, WalkReport};

/// A walk over all keys, parents first, in stored order.
pub(super) struct Walk<'v> {
    limits: WalkLimits,
    visit: &'v mut dyn FnMut(&Key, &[Value]),
    pub(super) report: WalkReport,
}

/// A key that waits for its visit.
struct Pending<'h> {
    node: Node<'h>,
    /// The path of the parent; the root has none.
    parent: Option<String>,
    depth: usize,
}

impl<'v> Walk<'v> {
    pub(super) fn new(limits: WalkLimits, visit: &'v mut dyn FnMut(&Key, &[Value])) -> Self {
        Self {
            limits,
            visit,
            report: WalkReport::default(),
        }
    }

    pub(super) fn run<'h>(&mut self, tree: &Tree<'h>, root: Node<'h>) {
        let mut budget = Budget::of(tree.cells);
        let mut seen = HashSet::new();
        let mut pending = vec![Pending {
            node: root,
            parent: None,
            depth: 0,
        }];
        while let Some(next) = pending.pop() {
            if self.report.keys >= self.limits.keys {
                self.report.limited = true;
                return;
            }
            let Some(path) = self.visit(tree, &next, &mut budget) else {
                continue;
            };
            if !seen.insert(next.node.offset) {
                // Shown under each of its parents, but what is below it only once: it may be its
                // own ancestor.
                let at = position(next.node.offset);
                let found = "the same key again";
                self.damage(RegistryError::new(
                    at,
                    "subkey",
                    "a key that is listed once",
                    found,
                ));
                continue;
            }
            let children = tree.children(&next.node, &mut budget);
            if next.depth >= self.limits.depth {
                self.report.limited |= !children.is_empty();
                continue;
            }
            for child in children.into_iter().rev() {
                match child {
                    Ok(node) => pending.push(Pending {
                        node,
                        parent: Some(path.clone()),
                        depth: next.depth + 1,
                    }),
                    Err(error) => self.damage(error),
                }
            }
        }
    }

    /// Visits one key and returns its path.
    fn visit<'h>(
        &mut self,
        tree: &Tree<'h>,
        next: &Pending<'h>,
        budget: &mut Budget,
    ) -> Option<String> {
        let key = match tree.show(&next.node, next.parent.as_deref()) {
            Ok((key, class_damage)) => {
                if let Some(error) = class_damage {
                    self.damage(error);
                }
                key
            }
            Err(error) => {
                self.damage(error);
                return None;
            }
        };
        let values = tree.values(&next.node, budget);
        self.report.keys += 1;
        self.report.values += values.items.len() as u64;
        for error in values.damage {
            self.damage(error);
        }
        (self.visit)(&key, &values.items);
        Some(key.path)
    }

    pub(super) fn damage(&mut self, error: RegistryError) {
        self.report.damage_count += 1;
        if self.report.damage.len() < self.limits.damage {
            self.report.damage.push(error);
        }
    }
}
