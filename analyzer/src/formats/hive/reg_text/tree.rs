//! A registry tree in memory, and the view of it from one of its keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::formats::registry::{
    Key, Listing, Quality, RegistryError, RegistryView, Value, WalkLimits, WalkReport, components,
    escape_key, fold, folded, join,
};

/// The place of a key in [`Tree::nodes`].
type Place = usize;

/// Keys by place; the root is at 0.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    class_name: Option<String>,
    last_write: Option<Timestamp>,
    values: Vec<Value>,
    value_places: BTreeMap<Vec<u16>, usize>,
    children: Vec<Place>,
    child_places: BTreeMap<Vec<u16>, Place>,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::default()],
        }
    }

    /// The place of the key at `path` (plain text, not escaped), made where it is missing.
    pub(super) fn make(&mut self, path: &str) -> Place {
        let names = path.split('\\').filter(|name| !name.is_empty());
        names.fold(0, |parent, name| {
            let units: Vec<u16> = name.encode_utf16().collect();
            let lookup: Vec<u16> = units.iter().copied().map(fold).collect();
            let next = self.nodes.len();
            let Some(node) = self.nodes.get_mut(parent) else {
                return parent;
            };
            let place = *node.child_places.entry(lookup).or_insert(next);
            if place == next {
                node.children.push(next);
                self.nodes.push(Node {
                    name: escape_key(units.into_iter()),
                    ..Node::default()
                });
            }
            place
        })
    }

    /// Sets a value of the key at `place`; one of the same name is replaced.
    pub(super) fn set(&mut self, place: Place, value: Value) {
        let Some(node) = self.nodes.get_mut(place) else {
            return;
        };
        let next = node.values.len();
        let at = *node.value_places.entry(folded(&value.name)).or_insert(next);
        match node.values.get_mut(at) {
            Some(old) => *old = value,
            None => node.values.push(value),
        }
    }

    pub(super) fn set_time(&mut self, place: Place, time: Option<Timestamp>) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.last_write = time;
        }
    }

    pub(super) fn set_class(&mut self, place: Place, class: String) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.class_name = Some(class);
        }
    }

    /// The place of a spelled path below `from`, and its spelling there.
    pub(super) fn find(&self, from: Place, path: &str) -> Option<(Place, String)> {
        components(path).try_fold((from, String::new()), |(place, spelled), name| {
            let child = *self.nodes.get(place)?.child_places.get(&name)?;
            let spelled = join(&spelled, &self.nodes.get(child)?.name);
            Some((child, spelled))
        })
    }

    fn key(&self, place: Place, path: String) -> Option<Key> {
        let node = self.nodes.get(place)?;
        Some(Key {
            path,
            name: node.name.clone(),
            class_name: node.class_name.clone(),
            last_write: node.last_write,
        })
    }
}

/// A registry text as seen from one of its keys.
#[derive(Debug, Clone)]
pub struct TextView {
    pub(super) tree: Arc<Tree>,
    pub(super) root: Place,
    pub(super) quality: Vec<Quality>,
}

impl TextView {
    fn find(&self, path: &str) -> Option<(Place, String)> {
        self.tree.find(self.root, path)
    }

    fn node(&self, path: &str) -> Option<&Node> {
        self.tree.nodes.get(self.find(path)?.0)
    }
}

impl RegistryView for TextView {
    fn key(&self, path: &str) -> Result<Option<Key>, RegistryError> {
        let found = self.find(path);
        Ok(found.and_then(|(place, spelled)| self.tree.key(place, spelled)))
    }

    fn subkeys(&self, path: &str) -> Result<Option<Listing<Key>>, RegistryError> {
        let Some((place, spelled)) = self.find(path) else {
            return Ok(None);
        };
        let children = self.tree.nodes.get(place).map(|node| node.children.iter());
        let keys = children.into_iter().flatten().filter_map(|child| {
            let name = &self.tree.nodes.get(*child)?.name;
            self.tree.key(*child, join(&spelled, name))
        });
        Ok(Some(Listing::whole(keys.collect())))
    }

    fn values(&self, path: &str) -> Result<Option<Listing<Value>>, RegistryError> {
        let node = self.node(path);
        Ok(node.map(|node| Listing::whole(node.values.clone())))
    }

    fn value(&self, path: &str, name: &str) -> Result<Option<Value>, RegistryError> {
        let value = self.node(path).and_then(|node| {
            let place = node.value_places.get(&folded(name))?;
            node.values.get(*place).cloned()
        });
        Ok(value)
    }

    fn quality(&self) -> &[Quality] {
        &self.quality
    }

    fn walk(&self, limits: WalkLimits, visit: &mut dyn FnMut(&Key, &[Value])) -> WalkReport {
        let mut report = WalkReport::default();
        let mut pending = vec![(self.root, String::new(), 0)];
        while let Some((place, path, depth)) = pending.pop() {
            let (Some(node), Some(key)) = (self.tree.nodes.get(place), self.tree.key(place, path))
            else {
                continue;
            };
            if report.keys >= limits.keys {
                report.limited = true;
                break;
            }
            report.keys += 1;
            report.values += node.values.len() as u64;
            visit(&key, &node.values);
            if depth >= limits.depth {
                report.limited |= !node.children.is_empty();
                continue;
            }
            for child in node.children.iter().rev() {
                if let Some(name) = self.tree.nodes.get(*child).map(|node| &node.name) {
                    pending.push((*child, join(&key.path, name), depth + 1));
                }
            }
        }
        report
    }
}
