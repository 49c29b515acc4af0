//! BinXML (MS-EVEN6 2.2.12): the pieces that records and template definitions are made of.

use super::Value;
use super::cursor::{Cursor, Result};
use super::tree::MAX_DEPTH;
use super::value::{self, Held};

/// Size of a template definition's header: next offset, GUID, data size.
const DEFINITION_HEADER: usize = 24;
/// Size of the link before a name: next offset, hash.
const NAME_LINK: usize = 6;
/// How many values an instance may have.
const MAX_VALUES: usize = 4096;

/// A piece of a template definition or of a record.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Element(Shape),
    /// A literal value.
    Value(Value),
    /// The place of an instance's value.
    Slot {
        index: usize,
        optional: bool,
    },
    /// A template with its values. In records only.
    Instance(Instance),
}

/// An element whose values may still be missing.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) name: String,
    /// The slot whose lack of a value leaves the element out.
    pub(super) dependency: Option<usize>,
    pub(super) attributes: Vec<(String, Vec<Part>)>,
    pub(super) children: Vec<Part>,
}

/// A template's use: where its definition is, and where its values are.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    /// Offset of the definition in the chunk.
    pub(super) definition: usize,
    pub(super) values: Vec<Slot>,
}

/// A value's type and place in the chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) kind: u8,
    pub(super) at: usize,
    pub(super) size: usize,
}

/// Whether elements carry a dependency: in definitions they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    Definition,
    Record,
}

/// Where the content of a template definition starts and ends.
pub(super) fn definition(chunk: &[u8], offset: usize) -> Result<(Cursor<'_>, usize)> {
    let mut cursor = Cursor { chunk, at: offset };
    cursor.take(DEFINITION_HEADER - 4)?;
    let size = cursor.size()?;
    let end = cursor.at.saturating_add(size);
    if end > chunk.len() {
        return cursor.unusual("a template definition that leaves its chunk");
    }
    Ok((cursor, end))
}

/// Reads an instance after its token.
pub(super) fn instance(cursor: &mut Cursor<'_>) -> Result<Instance> {
    cursor.u8()?;
    cursor.u32()?;
    let definition = cursor.size()?;
    if cursor.at == definition {
        cursor.take(DEFINITION_HEADER - 4)?;
        let size = cursor.size()?;
        cursor.take(size)?;
    }
    let count = cursor.size()?;
    if count > MAX_VALUES {
        return cursor.unusual("an instance with too many values");
    }
    let mut values = Vec::with_capacity(count);
    let mut at = cursor.at + count * 4;
    for _ in 0..count {
        let size = usize::from(cursor.u16()?);
        let kind = cursor.u8()?;
        cursor.u8()?;
        if !value::fits(kind, size) {
            return cursor.unusual("a value whose size is not that of its type");
        }
        values.push(Slot { kind, at, size });
        at += size;
    }
    if at > cursor.chunk.len() {
        return cursor.unusual("values that leave their chunk");
    }
    cursor.at = at;
    Ok(Instance { definition, values })
}

/// Reads the parts of a stream up to its end token or `end`.
pub(super) fn parts(cursor: &mut Cursor<'_>, end: usize, stream: Stream) -> Result<Vec<Part>> {
    let mut open: Vec<Shape> = Vec::new();
    let mut parts = Vec::new();
    while cursor.at < end {
        let token = cursor.u8()?;
        let part = match token {
            0x00 => break,
            0x0f => {
                cursor.take(3)?;
                continue;
            }
            0x01 | 0x41 => {
                if open.len() >= MAX_DEPTH {
                    return cursor.unusual("elements that nest too deeply");
                }
                let (shape, empty) = start_tag(cursor, token & 0x40 != 0, stream)?;
                if !empty {
                    open.push(shape);
                    continue;
                }
                Part::Element(shape)
            }
            0x04 => match open.pop() {
                Some(shape) => Part::Element(shape),
                None => return cursor.unusual("an end tag without its start"),
            },
            0x0c if stream == Stream::Record => Part::Instance(instance(cursor)?),
            _ => content(cursor, token, stream)?,
        };
        match open.last_mut() {
            Some(parent) => parent.children.push(part),
            None => parts.push(part),
        }
        if stream == Stream::Definition && open.is_empty() {
            break;
        }
    }
    if !open.is_empty() {
        return cursor.unusual("an element without its end");
    }
    Ok(parts)
}

/// Reads a start tag after its token; also whether the element is empty.
pub(super) fn start_tag(
    cursor: &mut Cursor<'_>,
    has_attributes: bool,
    stream: Stream,
) -> Result<(Shape, bool)> {
    let dependency = match stream {
        Stream::Definition => Some(cursor.u16()?).filter(|index| *index != u16::MAX),
        Stream::Record => None,
    };
    cursor.u32()?;
    let mut shape = Shape {
        name: name(cursor)?,
        dependency: dependency.map(usize::from),
        attributes: Vec::new(),
        children: Vec::new(),
    };
    if has_attributes {
        cursor.u32()?;
    }
    loop {
        match cursor.u8()? {
            0x02 => return Ok((shape, false)),
            0x03 => return Ok((shape, true)),
            0x06 | 0x46 => shape.attributes.push((name(cursor)?, Vec::new())),
            token => {
                let part = content(cursor, token, stream)?;
                let Some((_, parts)) = shape.attributes.last_mut() else {
                    return cursor.unusual("content within a tag");
                };
                parts.push(part);
            }
        }
    }
}

/// Reads text, a slot or a reference after its token.
pub(super) fn content(cursor: &mut Cursor<'_>, token: u8, stream: Stream) -> Result<Part> {
    Ok(match token {
        0x05 | 0x45 => {
            if cursor.u8()? != value::STRING {
                return cursor.unusual("a literal that is not text");
            }
            Part::Value(Value::Text(counted_text(cursor)?))
        }
        0x07 | 0x47 => Part::Value(Value::Text(counted_text(cursor)?)),
        0x08 | 0x48 => match char::from_u32(cursor.u16()?.into()) {
            Some(character) => Part::Value(Value::Text(character.into())),
            None => return cursor.unusual("a reference to half a character"),
        },
        0x09 | 0x49 => match super::xml::entity(&name(cursor)?) {
            Some(character) => Part::Value(Value::Text(character.into())),
            None => return cursor.unusual("an unknown entity"),
        },
        0x0d | 0x0e if stream == Stream::Definition => {
            let index = cursor.u16()?.into();
            cursor.u8()?;
            Part::Slot {
                index,
                optional: token == 0x0e,
            }
        }
        _ => return cursor.unusual("an unexpected token"),
    })
}

/// Text after the number of its UTF-16 units.
fn counted_text(cursor: &mut Cursor<'_>) -> Result<String> {
    let units = usize::from(cursor.u16()?);
    cursor.take(units * 2).map(value::utf16)
}

/// A reference to a name, which may itself follow it.
fn name(cursor: &mut Cursor<'_>) -> Result<String> {
    let offset = cursor.size()?;
    let mut text = Cursor {
        chunk: cursor.chunk,
        at: offset,
    };
    text.take(NAME_LINK)?;
    let name = counted_text(&mut text)?;
    text.take(2)?;
    if cursor.at == offset {
        cursor.at = text.at;
    }
    Ok(name)
}

/// Reads a slot's value; embedded BinXML is not one.
pub(super) fn held(chunk: &[u8], slot: Slot) -> Result<Held> {
    let mut cursor = Cursor { chunk, at: slot.at };
    let bytes = cursor.take(slot.size)?;
    match value::read(slot.kind, bytes) {
        Some(held) => Ok(held),
        None => Cursor { chunk, at: slot.at }.unusual("a value that is not as its type says"),
    }
}
