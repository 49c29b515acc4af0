//! The headers of a chunk's records without decoding them.
//!
//! A record is a template with values. Where a template keeps its provider, event id, channel and
//! computer is worked out once a chunk; after that a record costs a look at its values' sizes.
//! Anything that is not as Windows writes it ends the scan: the chunk is for the `evtx` crate then.

use std::collections::HashMap;

use jiff::Timestamp;

use super::binxml::{self, Instance, Part, Shape, Slot, Stream};
use super::bytes::Bytes;
use super::cursor::{Cursor, Result};
use super::names::Names;
use super::value::{self, Held};
use super::{CHUNK_HEADER_SIZE, RECORD_HEADER_SIZE, Value};

/// What a record starts with.
pub(super) const RECORD_MAGIC: u32 = 0x0000_2a2a;
/// A record's header and the copy of its size at its end, in bytes.
const RECORD_FRAME: usize = RECORD_HEADER_SIZE + 4;

/// A record's header, with its names interned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    /// Offset of the record in the chunk.
    pub(super) offset: usize,
    /// Size of the record with its frame.
    pub(super) size: usize,
    pub(super) sequence: u64,
    pub(super) record_id: u64,
    pub(super) time: Timestamp,
    pub(super) stale: bool,
    pub(super) event_id: u32,
    pub(super) provider: usize,
    pub(super) source: Option<usize>,
    pub(super) channel: usize,
    pub(super) computer: usize,
}

/// A record as its frame delimits it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) offset: usize,
    pub(super) size: usize,
    pub(super) sequence: u64,
    pub(super) filetime: u64,
}

/// Where a template keeps a part of the header.
#[derive(Debug, Clone, Copy)]
enum Place {
    Absent,
    /// A literal, interned.
    Name(usize),
    Slot {
        index: usize,
        dependency: Option<usize>,
    },
}

/// Where a template keeps all parts of the header.
#[derive(Debug, Clone, Copy)]
struct Plan {
    provider: Place,
    source: Place,
    event_id: Place,
    channel: Place,
    computer: Place,
    record_id: Place,
    created: Place,
}

impl Frame {
    /// The record at an offset: its magic, and its size at both ends.
    pub(super) fn at(chunk: &[u8], offset: usize) -> Option<Self> {
        let magic = chunk.u32_at(offset)?;
        let size = usize::try_from(chunk.u32_at(offset.checked_add(4)?)?).ok()?;
        let copy = chunk.u32_at(offset.checked_add(size)?.checked_sub(4)?)?;
        let framed = magic == RECORD_MAGIC
            && size >= RECORD_FRAME
            && usize::try_from(copy).is_ok_and(|copy| copy == size);
        framed.then_some(Self {
            offset,
            size,
            sequence: chunk.u64_at(offset + 8)?,
            filetime: chunk.u64_at(offset + 16)?,
        })
    }

    pub(super) fn end(&self) -> usize {
        self.offset.saturating_add(self.size)
    }
}

/// Reads the headers of all records up to the chunk's free space or its last record.
pub(super) fn scan<'a>(chunk: &'a [u8], names: &mut Names<'a>) -> Result<Vec<Head>> {
    let start = Cursor {
        chunk,
        at: CHUNK_HEADER_SIZE,
    };
    let (Some(last_id), Some(free)) = (chunk.u64_at(32), chunk.u32_at(48)) else {
        return start.unusual("a chunk without a header");
    };
    let live_end = usize::try_from(free).unwrap_or(usize::MAX).min(chunk.len());
    let mut scan = Scan {
        chunk,
        names,
        plans: HashMap::new(),
    };
    let mut heads = Vec::new();
    let mut at = CHUNK_HEADER_SIZE;
    while at < live_end {
        let Some(frame) = Frame::at(chunk, at) else {
            return Cursor { chunk, at }.unusual("no record where one should start");
        };
        heads.push(scan.head(frame)?);
        if frame.sequence == last_id {
            break;
        }
        at = frame.end();
    }
    Ok(heads)
}

struct Scan<'a, 'n> {
    chunk: &'a [u8],
    names: &'n mut Names<'a>,
    plans: HashMap<usize, Plan>,
}

impl Scan<'_, '_> {
    fn head(&mut self, frame: Frame) -> Result<Head> {
        let mut cursor = Cursor {
            chunk: self.chunk,
            at: frame.offset + RECORD_HEADER_SIZE,
        };
        let Some(written) = value::filetime(frame.filetime) else {
            return cursor.unusual("a record's time beyond the year 9999");
        };
        if cursor.take(5)? != [0x0f, 1, 1, 0, 0x0c] {
            return cursor.unusual("a record that is not one template");
        }
        let instance = binxml::instance(&mut cursor)?;
        let end = frame.end() - 4;
        if cursor.at > end || (cursor.at < end && cursor.u8()? != 0) {
            return cursor.unusual("a record that is not one template alone");
        }
        let plan = self.plan(instance.definition)?;
        let event_id = self.value(plan.event_id, &instance)?.as_u64();
        let Some(event_id) = event_id.and_then(|id| u32::try_from(id).ok()) else {
            return cursor.unusual("an event without a number as its id");
        };
        let source = self.name(plan.source, &instance)?;
        Ok(Head {
            offset: frame.offset,
            size: frame.size,
            sequence: frame.sequence,
            record_id: self
                .value(plan.record_id, &instance)?
                .as_u64()
                .unwrap_or(frame.sequence),
            time: self
                .value(plan.created, &instance)?
                .as_time()
                .unwrap_or(written),
            stale: false,
            event_id,
            provider: self.name(plan.provider, &instance)?,
            source: Some(source).filter(|place| *place != Names::EMPTY),
            channel: self.name(plan.channel, &instance)?,
            computer: self.name(plan.computer, &instance)?,
        })
    }

    fn plan(&mut self, definition: usize) -> Result<Plan> {
        if let Some(plan) = self.plans.get(&definition) {
            return Ok(*plan);
        }
        let system = system(self.chunk, definition)?;
        let child = |name: &str| {
            system.children.iter().find_map(|part| match part {
                Part::Element(shape) if shape.name == name => Some(shape),
                _ => None,
            })
        };
        let attribute = |element: &str, name: &str| {
            let element = child(element);
            let found = element.and_then(|shape| {
                shape
                    .attributes
                    .iter()
                    .find(|(own, _)| own == name)
                    .map(|(_, parts)| parts)
            });
            (
                found.map(Vec::as_slice),
                element.and_then(|shape| shape.dependency),
            )
        };
        let content = |name: &str| {
            let shape = child(name);
            (
                shape.map(|shape| shape.children.as_slice()),
                shape.and_then(|shape| shape.dependency),
            )
        };
        let parts = [
            attribute("Provider", "Name"),
            attribute("Provider", "EventSourceName"),
            content("EventID"),
            content("Channel"),
            content("Computer"),
            content("EventRecordID"),
            attribute("TimeCreated", "SystemTime"),
        ];
        let mut places = [Place::Absent; 7];
        for (place, (parts, dependency)) in places.iter_mut().zip(parts) {
            *place = self.place(parts.unwrap_or_default(), dependency, definition)?;
        }
        let [
            provider,
            source,
            event_id,
            channel,
            computer,
            record_id,
            created,
        ] = places;
        let plan = Plan {
            provider,
            source,
            event_id,
            channel,
            computer,
            record_id,
            created,
        };
        self.plans.insert(definition, plan);
        Ok(plan)
    }

    fn place(
        &mut self,
        parts: &[Part],
        dependency: Option<usize>,
        definition: usize,
    ) -> Result<Place> {
        match (parts, dependency) {
            ([], _) => Ok(Place::Absent),
            ([Part::Value(text)], None) => Ok(Place::Name(self.names.place(text.to_string()))),
            ([Part::Slot { index, .. }], _) => Ok(Place::Slot {
                index: *index,
                dependency,
            }),
            _ => Cursor {
                chunk: self.chunk,
                at: definition,
            }
            .unusual("a template whose System is not as Windows writes it"),
        }
    }

    /// The slot of a place; `None` if it has none, or no value.
    fn slot(place: Place, instance: &Instance) -> Option<Slot> {
        let Place::Slot { index, dependency } = place else {
            return None;
        };
        let value = |index: usize| instance.values.get(index).copied();
        let missing = dependency
            .and_then(value)
            .is_some_and(|slot| slot.kind == value::NULL);
        value(index).filter(|slot| !missing && slot.kind != value::NULL)
    }

    fn name(&mut self, place: Place, instance: &Instance) -> Result<usize> {
        if let Place::Name(place) = place {
            return Ok(place);
        }
        let Some(slot) = Self::slot(place, instance) else {
            return Ok(Names::EMPTY);
        };
        let mut cursor = Cursor {
            chunk: self.chunk,
            at: slot.at,
        };
        if slot.kind != value::STRING {
            return cursor.unusual("a name that is not text");
        }
        Ok(self.names.place_utf16(cursor.take(slot.size)?))
    }

    fn value(&mut self, place: Place, instance: &Instance) -> Result<Value> {
        match (place, Self::slot(place, instance)) {
            (Place::Name(place), _) => Ok(Value::Text(self.names.get(place).to_owned())),
            (_, None) => Ok(Value::Null),
            (_, Some(slot)) => match binxml::held(self.chunk, slot)? {
                Held::One(value) => Ok(value),
                Held::Many(_) => Cursor {
                    chunk: self.chunk,
                    at: slot.at,
                }
                .unusual("an array in System"),
            },
        }
    }
}

/// The `System` element of a template, which Windows writes first in the event.
fn system(chunk: &[u8], definition: usize) -> Result<Shape> {
    let (mut cursor, end) = binxml::definition(chunk, definition)?;
    let mut token = cursor.u8()?;
    if token == 0x0f {
        cursor.take(3)?;
        token = cursor.u8()?;
    }
    if !matches!(token, 0x01 | 0x41) {
        return cursor.unusual("a template that starts with no element");
    }
    let (event, empty) = binxml::start_tag(&mut cursor, token & 0x40 != 0, Stream::Definition)?;
    let parts = if empty {
        Vec::new()
    } else {
        binxml::parts(&mut cursor, end, Stream::Definition)?
    };
    match <[Part; 1]>::try_from(parts) {
        Ok([Part::Element(system)]) if event.name == "Event" && system.name == "System" => {
            Ok(system)
        }
        _ => cursor.unusual("a template that does not start with System"),
    }
}
