//! The header before each entry (APPNOTE 4.3.7).

use std::io;

use super::decode_name;
use super::fields::{Fields, has_zip64, widen};
use crate::reader::source::Source;

pub(super) const SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const FIXED_BYTES: usize = 30;

/// Sizes come after the data.
pub(super) const DESCRIPTOR: u16 = 1 << 3;

pub(super) struct Local {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    pub(super) zip64: bool,
    /// Offset of the data.
    pub(super) data_at: u64,
}

/// What stands at an offset.
pub(super) enum At {
    Header(Box<Local>),
    /// A header that the end of the file cuts.
    Cut,
    /// Something else.
    Other,
}

pub(super) fn read(source: &Source, at: u64) -> io::Result<At> {
    let fixed = source.bytes_at(at, FIXED_BYTES)?;
    if !fixed.starts_with(&SIGNATURE) {
        let cut = !fixed.is_empty() && SIGNATURE.starts_with(&fixed);
        return Ok(if cut { At::Cut } else { At::Other });
    }
    let Some((name_len, extra_len)) = lengths(&fixed) else {
        return Ok(At::Cut);
    };
    let variable = source.bytes_at(at + FIXED_BYTES as u64, name_len + extra_len)?;
    Ok(parse(&fixed, &variable, name_len, extra_len, at)
        .map_or(At::Cut, |local| At::Header(Box::new(local))))
}

fn lengths(fixed: &[u8]) -> Option<(usize, usize)> {
    let mut fields = Fields::new(fixed.get(26..)?);
    Some((usize::from(fields.u16()?), usize::from(fields.u16()?)))
}

fn parse(
    fixed: &[u8],
    variable: &[u8],
    name_len: usize,
    extra_len: usize,
    at: u64,
) -> Option<Local> {
    let mut fields = Fields::new(fixed.get(6..)?);
    let flags = fields.u16()?;
    let method = fields.u16()?;
    let _dos_time = fields.u32()?;
    let crc = fields.u32()?;
    let packed = fields.u32()?;
    let size = fields.u32()?;
    let mut variable = Fields::new(variable);
    let name = decode_name(variable.take(name_len)?);
    let extra = variable.take(extra_len)?;
    // Here the zip64 field has the size first. A header that points there in vain was never
    // completed: its sizes are unknown, which zero stands for.
    let [size, packed] = widen([size, packed], extra).unwrap_or_default();
    Some(Local {
        name,
        flags,
        method,
        crc,
        packed,
        size,
        zip64: has_zip64(extra),
        data_at: at + (FIXED_BYTES + name_len + extra_len) as u64,
    })
}
