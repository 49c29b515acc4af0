//! From a record's BinXML to its tree: templates are filled in with their values.

use std::collections::HashMap;
use std::rc::Rc;

use super::Value;
use super::binxml::{self, Instance, Part, Shape, Slot, Stream};
use super::cursor::{Cursor, Result};
use super::tree::{Element, Node};
use super::value::{self, Held};

/// How deep templates may nest; Windows nests two.
const MAX_NESTING: usize = 16;
/// What a record may cost, in nodes and bytes of values.
const MAX_RECORD_COST: usize = 4 << 20;
/// What the records of a chunk may cost together. Beyond it they are not decoded here.
const MAX_CHUNK_COST: usize = 64 << 20;

/// Decodes the records of one chunk.
pub(super) struct Decoder<'a> {
    chunk: &'a [u8],
    templates: HashMap<usize, Rc<Shape>>,
    spent: usize,
    limit: usize,
}

impl<'a> Decoder<'a> {
    pub(super) fn new(chunk: &'a [u8]) -> Self {
        Self {
            chunk,
            templates: HashMap::new(),
            spent: 0,
            limit: 0,
        }
    }

    /// The event whose BinXML lies at `at` and is `size` bytes long.
    pub(super) fn event(&mut self, at: usize, size: usize) -> Result<Element> {
        self.limit = MAX_CHUNK_COST.min(self.spent.saturating_add(MAX_RECORD_COST));
        let nodes = self.stream(at, size, 0)?;
        match <[Node; 1]>::try_from(nodes) {
            Ok([Node::Element(event)]) => Ok(event),
            _ => Cursor {
                chunk: self.chunk,
                at,
            }
            .unusual("a record that is not one element"),
        }
    }

    /// The nodes of a record's stream, or of one embedded in a value.
    fn stream(&mut self, at: usize, size: usize, depth: usize) -> Result<Vec<Node>> {
        let mut cursor = Cursor {
            chunk: self.chunk,
            at,
        };
        if depth > MAX_NESTING {
            return cursor.unusual("templates that nest too deeply");
        }
        let end = at.saturating_add(size);
        let parts = binxml::parts(&mut cursor, end, Stream::Record)?;
        let mut nodes = Vec::new();
        for part in &parts {
            self.part(part, &[], depth, &mut nodes)?;
        }
        Ok(nodes)
    }

    fn instance(&mut self, instance: &Instance, depth: usize) -> Result<Node> {
        let template = self.template(instance.definition)?;
        let mut elements = self.element(&template, &instance.values, depth)?;
        match (elements.pop(), elements.is_empty()) {
            (Some(only), true) => Ok(Node::Element(only)),
            _ => self.unusual(instance.definition, "a repeated root element"),
        }
    }

    fn template(&mut self, offset: usize) -> Result<Rc<Shape>> {
        if let Some(known) = self.templates.get(&offset) {
            return Ok(Rc::clone(known));
        }
        let (mut cursor, end) = binxml::definition(self.chunk, offset)?;
        let parts = binxml::parts(&mut cursor, end, Stream::Definition)?;
        let Ok([Part::Element(shape)]) = <[Part; 1]>::try_from(parts) else {
            return self.unusual(offset, "a template that is not one element");
        };
        let shape = Rc::new(shape);
        self.templates.insert(offset, Rc::clone(&shape));
        Ok(shape)
    }

    /// Adds the nodes of a part: none for an element that depends on a value that is missing,
    /// several for one that holds an array.
    fn part(
        &mut self,
        part: &Part,
        values: &[Slot],
        depth: usize,
        nodes: &mut Vec<Node>,
    ) -> Result<()> {
        self.spend(1)?;
        match part {
            Part::Value(value) => nodes.push(Node::Value(value.clone())),
            Part::Instance(instance) => nodes.push(self.instance(instance, depth + 1)?),
            Part::Element(shape) => {
                let missing = |index: usize| values.get(index).is_some_and(Slot::is_null);
                if !shape.dependency.is_some_and(missing) {
                    nodes.extend(
                        self.element(shape, values, depth)?
                            .into_iter()
                            .map(Node::Element),
                    );
                }
            }
            Part::Slot { index, .. } => {
                if let Some(slot) = values.get(*index).copied() {
                    let value = self.held(slot, depth, nodes)?;
                    nodes.extend(value.map(Node::Value));
                }
            }
        }
        Ok(())
    }

    /// A slot's value. Embedded BinXML goes to `nodes` itself.
    fn held(&mut self, slot: Slot, depth: usize, nodes: &mut Vec<Node>) -> Result<Option<Value>> {
        self.spend(slot.size)?;
        if slot.kind == value::BINXML {
            if slot.size > 0 {
                nodes.extend(self.stream(slot.at, slot.size, depth + 1)?);
                return Ok(None);
            }
            return Ok(Some(Value::Null));
        }
        match binxml::held(self.chunk, slot)? {
            Held::One(value) => Ok(Some(value)),
            Held::Many(_) => self.unusual(slot.at, "an array beside other content"),
        }
    }

    /// A shape filled in, once for each item if it holds an array.
    fn element(&mut self, shape: &Shape, values: &[Slot], depth: usize) -> Result<Vec<Element>> {
        let mut attributes = Vec::with_capacity(shape.attributes.len());
        for (name, parts) in &shape.attributes {
            let mut nodes = Vec::with_capacity(parts.len());
            for part in parts {
                self.part(part, values, depth, &mut nodes)?;
                // An optional value that is empty leaves its attribute out.
                if matches!(part, Part::Slot { optional: true, .. }) {
                    nodes.pop_if(|node| node.is_empty());
                }
            }
            if !nodes.is_empty() {
                let holder = Element {
                    children: nodes,
                    ..Element::default()
                };
                attributes.push((name.clone(), holder.value()));
            }
        }
        let element = Element {
            name: shape.name.clone(),
            attributes,
            children: Vec::new(),
        };
        if let Some(items) = self.array(shape, values)? {
            self.spend(items.len())?;
            let repeat = |item| Element {
                children: vec![Node::Value(item)],
                ..element.clone()
            };
            return Ok(items.into_iter().map(repeat).collect());
        }
        let mut children = Vec::with_capacity(shape.children.len());
        for part in &shape.children {
            self.part(part, values, depth, &mut children)?;
        }
        Ok(vec![Element {
            children,
            ..element
        }])
    }

    /// The items of an array that is an element's only content.
    fn array(&mut self, shape: &Shape, values: &[Slot]) -> Result<Option<Vec<Value>>> {
        let [Part::Slot { index, .. }] = shape.children.as_slice() else {
            return Ok(None);
        };
        let Some(slot) = values.get(*index).filter(|slot| slot.is_array()) else {
            return Ok(None);
        };
        self.spend(slot.size)?;
        match binxml::held(self.chunk, *slot)? {
            Held::Many(items) => Ok(Some(items)),
            Held::One(_) => Ok(None),
        }
    }

    fn spend(&mut self, cost: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(cost);
        if self.spent > self.limit {
            return self.unusual(0, "a record that grows out of proportion");
        }
        Ok(())
    }

    fn unusual<T>(&self, at: usize, what: &'static str) -> Result<T> {
        Cursor {
            chunk: self.chunk,
            at,
        }
        .unusual(what)
    }
}

impl Slot {
    fn is_null(&self) -> bool {
        self.kind == value::NULL || (self.kind == value::BINXML && self.size == 0)
    }

    fn is_array(&self) -> bool {
        self.kind & 0x80 != 0
    }
}
