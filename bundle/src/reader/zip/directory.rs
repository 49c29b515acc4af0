//! The directory at the end of a zip (APPNOTE 4.3.12 to 4.3.16).

use std::io;

use super::fields::{Fields, widen};
use super::local::{self, At};
use super::{Raw, decode_name, refusal};
use crate::reader::error::Damage;
use crate::reader::limits::Limits;
use crate::reader::source::Source;
use crate::reader::unpack::Packed;

pub(super) const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const LOCATOR_SIGNATURE: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_BYTES: u64 = 20;
const END64_SIGNATURE: [u8; 4] = *b"PK\x06\x06";
const END64_BYTES: usize = 56;
const ENTRY_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const ENTRY_BYTES: usize = 46;
const MAXIMUM_COMMENT: usize = u16::MAX as usize;

/// A directory this long holds more entries than are read: name, extra field and comment of each
/// at their usual size. What lies beyond is left out like entries beyond the limit.
const MAXIMUM_DIRECTORY_BYTES: u64 = 64 * 1024 * 1024;

pub(super) enum Found {
    Entries(Vec<Raw>),
    /// No record of the directory's place.
    Nothing,
    Bad {
        offset: u64,
        what: &'static str,
    },
}

struct Place {
    at: u64,
    len: u64,
}

pub(super) fn read(
    source: &Source,
    limits: &Limits,
    damage: &mut Vec<Damage>,
) -> io::Result<Found> {
    let place = match find(source)? {
        Ok(Some(place)) => place,
        Ok(None) => return Ok(Found::Nothing),
        Err(bad) => return Ok(bad),
    };
    let len = usize::try_from(place.len.min(MAXIMUM_DIRECTORY_BYTES)).unwrap_or(0);
    let bytes = source.bytes_at(place.at, len)?;
    let mut fields = Fields::new(&bytes);
    let mut entries = Vec::new();
    let mut noted = Vec::new();
    let mut seen = 0;
    loop {
        let rest = fields;
        let Some(signature) = fields.take(4) else {
            break;
        };
        if seen == limits.entries {
            noted.push(Damage::TooMany {
                limit: limits.entries,
            });
            break;
        }
        let listed = (signature == ENTRY_SIGNATURE)
            .then(|| parse(&mut fields))
            .flatten();
        let Some(listed) = listed else {
            if bytes.len() as u64 == place.len {
                let left = rest.left() as u64;
                return Ok(Found::Bad {
                    offset: place.at + (bytes.len() as u64 - left),
                    what: "no directory entry",
                });
            }
            noted.push(Damage::TooMany { limit: seen });
            break;
        };
        seen += 1;
        locate(source, listed, &mut entries, &mut noted)?;
    }
    damage.append(&mut noted);
    entries.sort_by_key(|entry: &Raw| entry.header_at);
    Ok(Found::Entries(entries))
}

/// The record at the end that says where the directory is. It is believed only if the directory
/// ends exactly where the record starts: a zip stored inside a torn one does not pass.
fn find(source: &Source) -> io::Result<Result<Option<Place>, Found>> {
    let window = (END_BYTES + MAXIMUM_COMMENT) as u64;
    let window_at = source.len().saturating_sub(window);
    let tail = source.bytes_at(window_at, END_BYTES + MAXIMUM_COMMENT)?;
    for start in (0..tail.len()).rev() {
        let Some(record) = tail.get(start..).filter(|r| r.starts_with(&END_SIGNATURE)) else {
            continue;
        };
        let Some((len, at, comment)) = parse_end(record) else {
            continue;
        };
        if start + END_BYTES + usize::from(comment) != tail.len() {
            continue;
        }
        let end_at = window_at + start as u64;
        let (at, len) = (u64::from(at), u64::from(len));
        if at + len == end_at {
            return Ok(Ok(Some(Place { at, len })));
        }
        if let Some(place) = find64(source, end_at)? {
            return Ok(Ok(Some(place)));
        }
        return Ok(Err(Found::Bad {
            offset: end_at,
            what: "it does not end where its end record starts",
        }));
    }
    Ok(Ok(None))
}

/// Length and offset of the directory, length of the comment.
fn parse_end(record: &[u8]) -> Option<(u32, u32, u16)> {
    let mut fields = Fields::new(record.get(12..)?);
    Some((fields.u32()?, fields.u32()?, fields.u16()?))
}

fn find64(source: &Source, end_at: u64) -> io::Result<Option<Place>> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_BYTES) else {
        return Ok(None);
    };
    let locator = source.bytes_at(locator_at, 20)?;
    let Some(end64_at) = parse_locator(&locator) else {
        return Ok(None);
    };
    let record = source.bytes_at(end64_at, END64_BYTES)?;
    let Some((len, at)) = parse_end64(&record) else {
        return Ok(None);
    };
    Ok((at.checked_add(len) == Some(end64_at)).then_some(Place { at, len }))
}

fn parse_locator(bytes: &[u8]) -> Option<u64> {
    let mut fields = Fields::new(bytes);
    if fields.take(4)? != LOCATOR_SIGNATURE {
        return None;
    }
    fields.u32()?;
    fields.u64()
}

fn parse_end64(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut fields = Fields::new(bytes);
    if fields.take(4)? != END64_SIGNATURE {
        return None;
    }
    fields.take(36)?;
    Some((fields.u64()?, fields.u64()?))
}

/// One entry of the directory.
struct Listed {
    name: String,
    made_by: u16,
    flags: u16,
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    attributes: u32,
    header_at: u64,
}

/// Parses what follows the signature.
fn parse(fields: &mut Fields<'_>) -> Option<Listed> {
    let mut fixed = Fields::new(fields.take(ENTRY_BYTES - 4)?);
    let made_by = fixed.u16()?;
    let _needed = fixed.u16()?;
    let flags = fixed.u16()?;
    let method = fixed.u16()?;
    let _dos_time = fixed.u32()?;
    let crc = fixed.u32()?;
    let packed = fixed.u32()?;
    let size = fixed.u32()?;
    let name_len = fixed.u16()?;
    let extra_len = fixed.u16()?;
    let comment_len = fixed.u16()?;
    let _disk = fixed.u16()?;
    let _internal_attributes = fixed.u16()?;
    let attributes = fixed.u32()?;
    let header_at = fixed.u32()?;
    let name = decode_name(fields.take(usize::from(name_len))?);
    let extra = fields.take(usize::from(extra_len))?;
    fields.take(usize::from(comment_len))?;
    let [size, packed, header_at] = widen([size, packed, header_at], extra)?;
    Some(Listed {
        name,
        made_by,
        flags,
        method,
        crc,
        packed,
        size,
        attributes,
        header_at,
    })
}

impl Listed {
    fn is_folder(&self) -> bool {
        self.name.ends_with(['/', '\\'])
    }

    /// A symbolic link, device or pipe by its Unix mode, where a Unix or macOS program made it.
    fn is_special(&self) -> bool {
        const REGULAR: u32 = 0o100_000;
        const FOLDER: u32 = 0o040_000;
        let host = self.made_by >> 8;
        let kind = (self.attributes >> 16) & 0o170_000;
        (host == 3 || host == 19) && !matches!(kind, 0 | REGULAR | FOLDER)
    }
}

/// Finds an entry's data behind its own header.
fn locate(
    source: &Source,
    listed: Listed,
    entries: &mut Vec<Raw>,
    damage: &mut Vec<Damage>,
) -> io::Result<()> {
    if listed.is_folder() {
        return Ok(());
    }
    if listed.is_special() {
        damage.push(Damage::Link { name: listed.name });
        return Ok(());
    }
    let method = match refusal(&listed.name, listed.flags, listed.method) {
        Ok(method) => method,
        Err(refused) => {
            damage.push(refused);
            return Ok(());
        }
    };
    let At::Header(header) = local::read(source, listed.header_at)? else {
        damage.push(Damage::BadHeader {
            name: listed.name,
            offset: listed.header_at,
        });
        return Ok(());
    };
    if header.name != listed.name {
        damage.push(Damage::OtherName {
            name: listed.name.clone(),
            header: header.name,
        });
    }
    let torn = header
        .data_at
        .checked_add(listed.packed)
        .is_none_or(|end| end > source.len());
    if torn {
        damage.push(Damage::Torn {
            name: listed.name.clone(),
        });
    }
    entries.push(Raw {
        name: listed.name,
        header_at: listed.header_at,
        packed: Packed {
            method,
            at: header.data_at,
            len: listed.packed,
            exact: true,
        },
        size: Some(listed.size),
        crc: Some(listed.crc),
        torn,
    });
    Ok(())
}
