//! A chunk: its header, and its records, however they have to be found.

use std::collections::HashMap;

use jiff::Timestamp;

use super::bytes::Bytes;
use super::fallback::{self, Failure, Rendered};
use super::model::{Damage, Header};
use super::run::{Tally, chunk_offset};
use super::tree::{self, System};
use super::{CHUNK_HEADER_SIZE, CHUNK_SIZE, Fields, Options, xml};

/// What a chunk starts with.
pub(super) const MAGIC: &[u8] = b"ElfChnk\0";

/// The records of a chunk.
#[derive(Default)]
pub(super) struct Records {
    heads: Vec<Head>,
    names: Names,
    rendered: Vec<Rendered>,
}

/// A record's header with its names interned.
struct Head {
    offset: usize,
    record_id: u64,
    time: Timestamp,
    stale: bool,
    event_id: u32,
    provider: usize,
    source: Option<usize>,
    channel: usize,
    computer: usize,
}

/// The few names that the records of a chunk share.
#[derive(Default)]
struct Names {
    texts: Vec<String>,
    places: HashMap<String, usize>,
}

/// One record of a chunk.
pub(super) struct Record<'a> {
    records: &'a Records,
    head: &'a Head,
    rendered: &'a Rendered,
}

impl Names {
    fn place(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        self.texts.push(text.clone());
        self.places.insert(text, self.texts.len() - 1);
        self.texts.len() - 1
    }

    fn get(&self, place: usize) -> &str {
        self.texts.get(place).map_or("", String::as_str)
    }
}

impl Records {
    /// The lowest id that the chunk's first live record can have.
    pub(super) fn first_id(&self) -> Option<u64> {
        self.heads
            .iter()
            .find(|head| !head.stale)
            .map(|head| head.record_id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let pairs = self.heads.iter().zip(&self.rendered);
        pairs.map(|(head, rendered)| Record {
            records: self,
            head,
            rendered,
        })
    }

    fn push(&mut self, rendered: Rendered, system: System) {
        self.heads.push(Head {
            offset: rendered.offset,
            record_id: rendered.record_id,
            time: rendered.time,
            stale: rendered.stale,
            event_id: system.event_id,
            provider: self.names.place(system.provider),
            source: system.source.map(|source| self.names.place(source)),
            channel: self.names.place(system.channel),
            computer: self.names.place(system.computer),
        });
        self.rendered.push(rendered);
    }
}

impl Record<'_> {
    pub(super) fn header(&self) -> Header<'_> {
        let name = |place| self.records.names.get(place);
        Header {
            record_id: self.head.record_id,
            time: self.head.time,
            provider: name(self.head.provider),
            source: self.head.source.map(name),
            event_id: self.head.event_id,
            channel: name(self.head.channel),
            computer: name(self.head.computer),
            stale: self.head.stale,
        }
    }

    /// Offset of the record in its chunk.
    pub(super) fn offset(&self) -> usize {
        self.head.offset
    }

    /// The flattened `System` and what the event says.
    pub(super) fn decode(&self) -> Result<(Fields, Fields), String> {
        let event = xml::parse(&self.rendered.xml).ok_or("the event nests too deeply")?;
        Ok((tree::system_fields(&event), tree::event_fields(&event)))
    }
}

/// Finds the records of a chunk. `None` if it has none, and why, if that is not as it should be,
/// goes to `tally`.
pub(super) fn records(
    bytes: &[u8],
    number: u64,
    options: Options<'_>,
    tally: &mut Tally,
) -> Option<Records> {
    let damage = |offset: u64, record, what| Damage {
        chunk: Some(number),
        offset: chunk_offset(number).saturating_add(offset),
        record,
        what,
    };
    if bytes.iter().all(|byte| *byte == 0) {
        tally.empty_chunks += 1;
        return None;
    }
    if !bytes.starts_with(MAGIC) {
        let found: [u8; 8] = bytes.array(0).unwrap_or_default();
        let what = format!("not a chunk: expected \"ElfChnk\", found {found:02x?}");
        tally.damage(damage(0, None, what));
        return None;
    }
    let mut chunk = bytes.to_vec();
    if bytes.len() < CHUNK_SIZE {
        let what = format!(
            "the chunk is cut off after {} of {CHUNK_SIZE} bytes",
            bytes.len()
        );
        tally.damage(damage(bytes.len() as u64, None, what));
        chunk.resize(CHUNK_SIZE, 0);
    }
    tally.dirty |= chunk.u32_at(120).is_some_and(|flags| flags & 1 != 0);
    tally.fallback_chunks += 1;
    let (rendered, failures) = fallback::render(&chunk, options.stale);
    for Failure {
        offset,
        record_id,
        why,
    } in failures
    {
        tally.failed += 1;
        tally.damage(damage(
            offset.unwrap_or(CHUNK_HEADER_SIZE as u64),
            record_id,
            why,
        ));
    }
    let mut records = Records::default();
    for rendered in rendered {
        let system = xml::parse(&rendered.xml).map(|event| tree::system(&event));
        let mut system = system.unwrap_or_default();
        if let (true, Some(channel)) = (system.channel.is_empty(), options.channel) {
            channel.clone_into(&mut system.channel);
        }
        records.push(rendered, system);
    }
    if records.heads.is_empty() {
        tally.empty_chunks += 1;
        return None;
    }
    tally.chunks += 1;
    Some(records)
}
