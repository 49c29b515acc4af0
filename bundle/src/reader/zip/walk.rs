//! Finds the entries of a zip without a directory: from header to header, as far as they go.

use std::io;
use std::ops::ControlFlow;

use super::fields::Fields;
use super::local::{self, At, DESCRIPTOR, Local};
use super::{Raw, refusal};
use crate::reader::error::{Damage, ReadFault};
use crate::reader::limits::Limits;
use crate::reader::source::Source;
use crate::reader::unpack::{Method, Packed, unpack};

/// Every record of a zip starts so.
const RECORD: &[u8] = b"PK";
const DESCRIPTOR_SIGNATURE: [u8; 4] = *b"PK\x07\x08";

pub(super) fn read(
    source: &Source,
    limits: &Limits,
    damage: &mut Vec<Damage>,
) -> io::Result<Vec<Raw>> {
    let mut entries: Vec<Raw> = Vec::new();
    let mut seen = 0;
    // Measuring unpacks: all of it together must not cost more than reading may.
    let mut budget = limits.allowance(source.len());
    let mut at = 0;
    // Every turn moves on by a header, so the file's length bounds the loop.
    while at < source.len() {
        let header = match local::read(source, at)? {
            At::Header(header) => header,
            At::Cut => {
                damage.push(Damage::WalkEnded { offset: at });
                break;
            }
            At::Other => {
                if !starts_record(source, at)? {
                    damage.push(Damage::WalkEnded { offset: at });
                }
                break;
            }
        };
        if seen == limits.entries {
            damage.push(Damage::TooMany {
                limit: limits.entries,
            });
            break;
        }
        seen += 1;
        let most = limits.entry_bytes.min(budget);
        let found = entry(source, most, at, &header, damage)?;
        if let Some(raw) = found.raw {
            if raw.crc.is_none() || header.flags & DESCRIPTOR != 0 {
                budget = budget.saturating_sub(raw.size.unwrap_or(most));
            }
            if !raw.name.ends_with(['/', '\\']) {
                entries.push(raw);
            }
        }
        match found.next {
            Some(next) => at = next,
            None => break,
        }
    }
    Ok(entries)
}

/// A part of the directory, or what a cut left of one: where the entries properly end.
fn starts_record(source: &Source, at: u64) -> io::Result<bool> {
    let start = source.bytes_at(at, RECORD.len())?;
    Ok(RECORD.starts_with(&start))
}

/// What a header led to.
struct Step {
    raw: Option<Raw>,
    /// Where the next header may start, if that can be known.
    next: Option<u64>,
}

/// Takes one entry, which is measured up to `most` bytes if its size is unknown.
fn entry(
    source: &Source,
    most: u64,
    at: u64,
    header: &Local,
    damage: &mut Vec<Damage>,
) -> io::Result<Step> {
    let method = refusal(&header.name, header.flags, header.method);
    let unfinished = header.packed == 0 && header.size == 0 && header.crc == 0;
    let open = unfinished && !ends_here(source, header, method.as_ref().ok().copied())?;
    let method = match method {
        Ok(method) => method,
        Err(refused) => {
            damage.push(refused);
            let next = header
                .data_at
                .checked_add(header.packed)
                .filter(|_| !open && header.flags & DESCRIPTOR == 0);
            return Ok(Step { raw: None, next });
        }
    };
    let end = header.data_at.checked_add(header.packed);
    let whole = !open && end.is_some_and(|end| end <= source.len());
    let mut raw = Raw {
        name: header.name.clone(),
        header_at: at,
        packed: Packed {
            method,
            at: header.data_at,
            len: header.packed,
            exact: true,
        },
        size: Some(header.size),
        crc: Some(header.crc),
        torn: !whole,
    };
    let next = if open {
        raw.packed.len = source.len().saturating_sub(header.data_at);
        raw.packed.exact = false;
        measure(source, most, header, &mut raw)
    } else {
        end.filter(|_| whole)
    };
    if raw.torn {
        damage.push(Damage::Torn {
            name: raw.name.clone(),
        });
    }
    Ok(Step {
        raw: Some(raw),
        next,
    })
}

/// Whether an entry without sizes is an empty one, not one whose header was never completed. A
/// packed stream is never empty, so only a stored entry can be; then another record follows it.
fn ends_here(source: &Source, header: &Local, method: Option<Method>) -> io::Result<bool> {
    if header.flags & DESCRIPTOR != 0 {
        return Ok(false);
    }
    match method {
        None => Ok(true),
        Some(Method::Deflate | Method::Zstd) => Ok(false),
        Some(Method::Stored) => starts_record(source, header.data_at),
    }
}

/// Unpacks an entry of unknown length to find its end.
fn measure(source: &Source, most: u64, header: &Local, raw: &mut Raw) -> Option<u64> {
    raw.size = None;
    raw.crc = None;
    let mut forget = |_: &[u8]| ControlFlow::Continue(());
    match unpack(source, &raw.packed, most, &mut forget) {
        Ok(unpacked) => {
            let end = header.data_at.checked_add(unpacked.consumed)?;
            raw.size = Some(unpacked.output);
            raw.packed.len = unpacked.consumed;
            raw.packed.exact = true;
            if header.flags & DESCRIPTOR == 0 {
                return Some(end);
            }
            let bytes = source.bytes_at(end, 24).ok()?;
            let (crc, len) = descriptor(&bytes, header.zip64, unpacked.consumed, unpacked.output)?;
            raw.crc = Some(crc);
            raw.torn = false;
            Some(end + len)
        }
        Err(broken) => {
            // As far as it unpacks; beyond its limit nothing of it counts.
            if !matches!(broken.fault, ReadFault::Longer { .. }) {
                raw.size = Some(broken.before.output);
            }
            None
        }
    }
}

/// The checksum in a data descriptor (APPNOTE 4.3.9) and its length, if one with these sizes is
/// there: with or without signature, 32 or 64 bits wide.
fn descriptor(bytes: &[u8], zip64: bool, packed: u64, size: u64) -> Option<(u32, u64)> {
    let signed = bytes.starts_with(&DESCRIPTOR_SIGNATURE);
    let widths = if zip64 { [true, false] } else { [false, true] };
    for skip in [4, 0].into_iter().filter(|skip| *skip == 0 || signed) {
        for wide in widths {
            let mut fields = Fields::new(bytes.get(skip..)?);
            let found = read_descriptor(&mut fields, wide);
            if let Some((crc, p, s)) = found
                && (p, s) == (packed, size)
            {
                let len = skip as u64 + if wide { 20 } else { 12 };
                return Some((crc, len));
            }
        }
    }
    None
}

fn read_descriptor(fields: &mut Fields<'_>, wide: bool) -> Option<(u32, u64, u64)> {
    let crc = fields.u32()?;
    Some(if wide {
        (crc, fields.u64()?, fields.u64()?)
    } else {
        (crc, u64::from(fields.u32()?), u64::from(fields.u32()?))
    })
}
