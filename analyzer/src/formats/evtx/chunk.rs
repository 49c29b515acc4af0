//! A chunk: its header, and its records, however they have to be found.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::bytes::Bytes;
use super::cursor;
use super::decode::Decoder;
use super::fallback::{self, Rendered};
use super::model::{Damage, Header};
use super::names::Names;
use super::run::{Tally, chunk_offset};
use super::scan::{self, Frame, Head};
use super::tree::{self, Element};
use super::{CHUNK_HEADER_SIZE, CHUNK_SIZE, Fields, Options, RECORD_HEADER_SIZE, xml};

/// What a chunk starts with.
pub(super) const MAGIC: &[u8] = b"ElfChnk\0";
/// Flag of a chunk that was being written.
const DIRTY: u32 = 1;
/// Flag of a chunk that has no checksums.
const NO_CRC32: u32 = 4;

/// The bytes of a chunk that is worth reading.
pub(super) struct Chunk<'a> {
    bytes: Cow<'a, [u8]>,
    /// How much of `bytes` comes from the file: the rest of a chunk that is cut off is zeroes.
    real: usize,
    number: u64,
    /// What makes it a case for the `evtx` crate.
    suspect: bool,
}

/// The records of a chunk.
pub(super) struct Records<'a> {
    chunk: &'a [u8],
    heads: Vec<Head>,
    names: Names<'a>,
    /// The XML that the `evtx` crate made of records, by offset, once it was asked.
    rendered: Option<BTreeMap<usize, Rendered>>,
    decoder: Decoder<'a>,
    options: Options<'a>,
}

impl<'a> Chunk<'a> {
    /// Looks at the chunk's header. `None` if it holds nothing that can be read, and why, if that
    /// is not as it should be, goes to `tally`.
    pub(super) fn open(bytes: &'a [u8], number: u64, tally: &mut Tally) -> Option<Self> {
        if !bytes.starts_with(MAGIC) {
            if bytes.iter().all(|byte| *byte == 0) {
                tally.empty_chunks += 1;
            } else {
                let found: [u8; 8] = bytes.array(0).unwrap_or_default();
                let what = format!("not a chunk: expected \"ElfChnk\", found {found:02x?}");
                tally.damage(damage(number, 0, None, what));
            }
            return None;
        }
        let mut chunk = Self {
            bytes: bytes.into(),
            real: bytes.len(),
            number,
            suspect: false,
        };
        if bytes.len() < CHUNK_SIZE {
            chunk.suspect = true;
            chunk.bytes.to_mut().resize(CHUNK_SIZE, 0);
            let what = format!(
                "the chunk is cut off after {} of {CHUNK_SIZE} bytes",
                bytes.len()
            );
            tally.damage(damage(number, bytes.len(), None, what));
        }
        let flags = chunk.bytes.u32_at(120).unwrap_or_default();
        tally.dirty |= flags & DIRTY != 0;
        chunk.catch_up(tally);
        if flags & NO_CRC32 == 0 {
            chunk.check_sums(flags & DIRTY != 0, tally);
        }
        Some(chunk)
    }

    /// A chunk that was copied while it was being written may hold more records than its header
    /// says: those that follow without a break, in id and time, are part of the log.
    fn catch_up(&mut self, tally: &mut Tally) {
        let (Some(last_id), Some(free)) = (self.bytes.u64_at(32), self.bytes.u32_at(48)) else {
            return;
        };
        let free = usize::try_from(free).unwrap_or(usize::MAX);
        let mut last: Option<Frame> = None;
        let mut at = CHUNK_HEADER_SIZE;
        while let Some(frame) = Frame::at(&self.bytes, at) {
            let follows = |last: Frame| {
                last.sequence.checked_add(1) == Some(frame.sequence)
                    && last.filetime <= frame.filetime
            };
            if frame.end() > free && !last.is_some_and(follows) {
                break;
            }
            at = frame.end();
            last = Some(frame);
        }
        let more = |last: &Frame| last.sequence > last_id && last.end() >= free;
        let Some(last) = last.filter(more) else {
            return;
        };
        let what = format!(
            "the chunk's header knows records up to {last_id}, those up to {} follow it",
            last.sequence
        );
        tally.damage(damage(self.number, 0, None, what));
        self.suspect = true;
        tally.dirty = true;
        let header = self.bytes.to_mut();
        for (place, number) in [(44, last.offset), (48, last.end())] {
            if let (Some(field), Ok(number)) =
                (header.get_mut(place..place + 4), u32::try_from(number))
            {
                field.copy_from_slice(&number.to_le_bytes());
            }
        }
        if let Some(field) = header.get_mut(32..40) {
            field.copy_from_slice(&last.sequence.to_le_bytes());
        }
    }

    /// Compares the checksums. Those of a dirty chunk are out of date by nature.
    fn check_sums(&mut self, dirty: bool, tally: &mut Tally) {
        let sums = || {
            let free = usize::try_from(self.bytes.u32_at(48)?).ok()?;
            let records = self.bytes.get(CHUNK_HEADER_SIZE..free)?;
            let mut header = crc32fast::Hasher::new();
            header.update(self.bytes.get(..120)?);
            header.update(self.bytes.get(128..CHUNK_HEADER_SIZE)?);
            Some((
                self.bytes.u32_at(124)? == header.finalize(),
                self.bytes.u32_at(52)? == crc32fast::hash(records),
            ))
        };
        let (header, records) = sums().unwrap_or_default();
        if header && records {
            return;
        }
        if !dirty && !self.suspect {
            let part = if header { "records" } else { "header" };
            let what = format!("the checksum of the chunk's {part} is wrong");
            tally.damage(damage(self.number, 0, None, what));
        }
        self.suspect = true;
    }

    /// Finds the chunk's records. `None` if it has none.
    pub(super) fn records(
        &'a self,
        options: Options<'a>,
        tally: &mut Tally,
    ) -> Option<Records<'a>> {
        let chunk: &[u8] = &self.bytes;
        let mut records = Records {
            chunk,
            heads: Vec::new(),
            names: Names::new(),
            rendered: None,
            decoder: Decoder::new(chunk),
            options,
        };
        let clean = !self.suspect && !options.stale;
        match clean.then(|| scan::scan(chunk, &mut records.names)) {
            Some(Ok(heads)) => records.heads = heads,
            _ => self.fall_back(&mut records, tally),
        }
        if records.heads.is_empty() {
            tally.empty_chunks += 1;
            return None;
        }
        tally.chunks += 1;
        Some(records)
    }

    /// Lets the `evtx` crate find the records.
    fn fall_back(&self, records: &mut Records<'a>, tally: &mut Tally) {
        tally.fallback_chunks += 1;
        let (mut rendered, failures) = fallback::render(&self.bytes, records.options.stale);
        for failure in failures {
            let offset = failure.offset.unwrap_or_default();
            tally.failed += 1;
            tally.damage(damage(self.number, offset, failure.record_id, failure.why));
        }
        let known = rendered.len();
        rendered.retain(|record| record.offset.saturating_add(record.size) <= self.real);
        tally.failed += (known - rendered.len()) as u64;
        for record in &rendered {
            records.push(record);
        }
        records.rendered = Some(by_offset(rendered));
    }
}

fn by_offset(rendered: Vec<Rendered>) -> BTreeMap<usize, Rendered> {
    rendered
        .into_iter()
        .map(|record| (record.offset, record))
        .collect()
}

/// A piece of damage at an offset of a chunk.
pub(super) fn damage(chunk: u64, offset: usize, record: Option<u64>, what: String) -> Damage {
    let offset = chunk_offset(chunk).saturating_add(offset as u64);
    Damage {
        chunk: Some(chunk),
        offset,
        record,
        what,
    }
}

impl Records<'_> {
    /// The number of the chunk's first live record.
    pub(super) fn first_sequence(&self) -> Option<u64> {
        self.heads
            .iter()
            .find(|head| !head.stale)
            .map(|head| head.sequence)
    }

    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    /// The header of a record and its offset in the chunk.
    pub(super) fn header(&self, index: usize) -> Option<(Header<'_>, usize)> {
        let head = self.heads.get(index)?;
        let name = |place| self.names.get(place);
        let channel = match head.channel {
            Names::EMPTY => self.options.channel.unwrap_or_default(),
            place => name(place),
        };
        let header = Header {
            sequence: head.sequence,
            record_id: head.record_id,
            time: head.time,
            provider: name(head.provider),
            source: head.source.map(name),
            event_id: head.event_id,
            channel,
            computer: name(head.computer),
            stale: head.stale,
        };
        Some((header, head.offset))
    }

    /// A record's flattened `System` and what the event says.
    pub(super) fn decode(&mut self, index: usize) -> Result<(Fields, Fields), String> {
        let head = *self.heads.get(index).ok_or("there is no such record")?;
        let event = self.event(head.offset, head.size)?;
        Ok((tree::system_fields(&event), tree::event_fields(&event)))
    }

    /// A record's tree, decoded here or, if it is unusual, by the `evtx` crate.
    fn event(&mut self, offset: usize, size: usize) -> Result<Element, String> {
        let unusual = match self.decode_here(offset, size) {
            Ok(event) => return Ok(event),
            Err(unusual) => unusual,
        };
        let (chunk, stale) = (self.chunk, self.options.stale);
        let rendered = self
            .rendered
            .get_or_insert_with(|| by_offset(fallback::render(chunk, stale).0));
        let record = rendered
            .get(&offset)
            .and_then(|record| xml::parse(&record.xml));
        record.ok_or_else(|| format!("{} at {:#x} of its chunk", unusual.what, unusual.offset))
    }

    fn decode_here(&mut self, offset: usize, size: usize) -> cursor::Result<Element> {
        let content = size.saturating_sub(RECORD_HEADER_SIZE + 4);
        self.decoder
            .event(offset.saturating_add(RECORD_HEADER_SIZE), content)
    }

    fn push(&mut self, record: &Rendered) {
        let event = self.decode_here(record.offset, record.size).ok();
        let event = event.or_else(|| xml::parse(&record.xml));
        let system = event.map(|event| tree::system(&event)).unwrap_or_default();
        self.heads.push(Head {
            offset: record.offset,
            size: record.size,
            sequence: record.sequence,
            record_id: system.record_id.unwrap_or(record.sequence),
            time: system.created.unwrap_or(record.written),
            stale: record.stale,
            event_id: system.event_id,
            provider: self.names.place(system.provider),
            source: system.source.map(|source| self.names.place(source)),
            channel: self.names.place(system.channel),
            computer: self.names.place(system.computer),
        });
    }
}
