//! FILE records: the entries of an NTFS volume's master file table.
//!
//! A record has a header, an array of fixups (the last two bytes of each 512-byte stride are
//! replaced by a sequence number on disk), and attributes. Only what tells names and sizes is read.
//! Layout: libfsntfs documentation ("New Technologies File System (NTFS)", sections on MFT entries
//! and attributes).

mod attribute;

use nom::bytes::complete::{tag, take};
use nom::number::complete::{le_u16, le_u32, le_u64};
use nom::{IResult, Parser};

pub use attribute::{Attribute, DATA, FILE_NAME};

/// A stride whose last two bytes the fixups guard.
const STRIDE: usize = 512;
/// The largest record that is read; Windows uses 1024 and 4096.
const MAX_SIZE: usize = 65_536;

/// A FILE record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Its number, as far as the header holds it (32 bits; Windows XP and later).
    pub number: Option<u32>,
    /// Whether it is in use.
    pub in_use: bool,
    /// The record that it extends; 0 for a record of its own. The sequence number is left out.
    pub base: u64,
    /// Its names, without the folder.
    pub names: Vec<String>,
    /// Its attributes, in order.
    pub attributes: Vec<Attribute>,
    /// What could not be read.
    pub damage: Vec<String>,
}

/// Why bytes are no FILE record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileRecordError {
    /// The signature is another one; `BAAD` marks a record that Windows itself found torn.
    #[error("offset 0: expected FILE, found {0}")]
    Signature(String),
    /// The header does not fit.
    #[error("offset {offset}: {what} is {found}, expected {expected}")]
    Header {
        /// Where.
        offset: usize,
        /// Which field.
        what: &'static str,
        /// What it holds.
        found: u64,
        /// What would be right.
        expected: String,
    },
    /// It ends too early.
    #[error("the record ends after {0} bytes")]
    Short(usize),
}

impl FileRecord {
    /// Reads a record, with its fixups as on disk or already applied.
    ///
    /// # Errors
    /// When the header is not that of a FILE record. Damage behind it is listed in the record.
    pub fn parse(bytes: &[u8]) -> Result<Self, FileRecordError> {
        let bytes = bytes.get(..MAX_SIZE).unwrap_or(bytes);
        if !bytes.starts_with(b"FILE") {
            let found = bytes.get(..4).unwrap_or(bytes);
            return Err(FileRecordError::Signature(found.escape_ascii().to_string()));
        }
        let (_, header) = header(bytes).map_err(|_| FileRecordError::Short(bytes.len()))?;
        let used = usize::try_from(header.used).unwrap_or(usize::MAX);
        if used > bytes.len() {
            return Err(FileRecordError::Header {
                offset: 24,
                what: "used size",
                found: u64::from(header.used),
                expected: format!("at most {}", bytes.len()),
            });
        }
        let mut damage = Vec::new();
        let whole = fix(bytes, &header, &mut damage);
        let first = usize::from(header.first_attribute);
        let attributes = attribute::parse(whole.get(..used).unwrap_or(&whole), first, &mut damage);
        Ok(Self {
            // The field exists where the fixups leave room for it.
            number: (header.fixups_at >= 48).then_some(header.number),
            in_use: header.flags & 1 != 0,
            base: header.base & 0xFFFF_FFFF_FFFF,
            names: attributes
                .iter()
                .filter_map(|a| a.file_name.clone())
                .collect(),
            attributes,
            damage,
        })
    }

    /// Bytes on disk of everything in it that is not in the record itself.
    pub fn allocated_bytes(&self) -> u64 {
        let sizes = self.attributes.iter().filter_map(Attribute::stored_bytes);
        sizes.fold(0, u64::saturating_add)
    }

    /// Whether attributes may stand in other records (`$ATTRIBUTE_LIST`): then the sizes here may
    /// be a part only.
    pub fn is_split(&self) -> bool {
        self.attributes
            .iter()
            .any(|attribute| attribute.kind == attribute::ATTRIBUTE_LIST)
    }
}

struct Header {
    fixups_at: u16,
    fixups: u16,
    first_attribute: u16,
    flags: u16,
    used: u32,
    base: u64,
    number: u32,
}

fn header(input: &[u8]) -> IResult<&[u8], Header> {
    let (input, _) = tag("FILE").parse(input)?;
    let (input, (fixups_at, fixups)) = (le_u16, le_u16).parse(input)?;
    let (input, _journal_sequence) = le_u64(input)?;
    let (input, (_sequence, _links)) = (le_u16, le_u16).parse(input)?;
    let (input, (first_attribute, flags)) = (le_u16, le_u16).parse(input)?;
    let (input, (used, _allocated)) = (le_u32, le_u32).parse(input)?;
    let (input, base) = le_u64(input)?;
    let (input, (_next_attribute, _reserved)) = (le_u16, take(2_usize)).parse(input)?;
    let (input, number) = le_u32(input)?;
    Ok((
        input,
        Header {
            fixups_at,
            fixups,
            first_attribute,
            flags,
            used,
            base,
            number,
        },
    ))
}

/// Puts back what the fixups replaced. A stride that ends neither as on disk nor as put back was
/// torn while it was written.
fn fix(bytes: &[u8], header: &Header, damage: &mut Vec<String>) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    let at = usize::from(header.fixups_at);
    let pair = |index: usize| {
        let start = at.checked_add(index.checked_mul(2)?)?;
        bytes.get(start..start.checked_add(2)?)
    };
    let Some(sequence) = pair(0) else {
        damage.push(format!("offset 4: fixups at {at}, outside the record"));
        return whole;
    };
    for (stride, index) in (1..usize::from(header.fixups)).enumerate() {
        let end = (stride + 1) * STRIDE;
        let (Some(original), Some(last)) = (pair(index), whole.get_mut(end - 2..end)) else {
            damage.push(format!("offset {end}: a fixup lies outside the record"));
            break;
        };
        if last == sequence {
            last.copy_from_slice(original);
        } else if last != original {
            damage.push(format!("offset {}: torn, the fixup does not fit", end - 2));
        }
    }
    whole
}

#[cfg(test)]
mod tests;
