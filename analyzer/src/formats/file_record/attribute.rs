//! The attributes of a FILE record.

use nom::bytes::complete::take;
use nom::number::complete::{le_u16, le_u32, le_u64, u8};
use nom::{IResult, Parser};

/// `$ATTRIBUTE_LIST`.
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
/// `$FILE_NAME`.
pub const FILE_NAME: u32 = 0x30;
/// `$DATA`.
pub const DATA: u32 = 0x80;
/// What ends the list.
const END: u32 = 0xFFFF_FFFF;
/// Flags of a non-resident attribute with a field for what it really takes: compressed, sparse.
const COMPRESSED_OR_SPARSE: u16 = 0x0001 | 0x8000;
/// Where the name's length stands in `$FILE_NAME`.
const NAME_LENGTH: usize = 64;

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its type: [`DATA`], [`FILE_NAME`] and others.
    pub kind: u32,
    /// Its name, such as `$SDS`; mostly empty.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    /// For one that is not in the record itself: what it takes on disk.
    pub outside: Option<Outside>,
    /// The name in a `$FILE_NAME`.
    pub(super) file_name: Option<String>,
}

/// What a non-resident attribute takes on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The first cluster of the content that this part of the attribute describes: sizes are
    /// those of the whole attribute only where it is 0.
    pub lowest_vcn: u64,
    /// Bytes reserved for it, holes included.
    pub allocated: u64,
    /// Bytes that it really takes, where it is compressed or sparse.
    pub real: Option<u64>,
}

impl Attribute {
    /// Bytes on disk outside the record; `None` for one inside, and for a later part of one.
    pub fn stored_bytes(&self) -> Option<u64> {
        let outside = self.outside.filter(|outside| outside.lowest_vcn == 0)?;
        Some(outside.real.unwrap_or(outside.allocated))
    }
}

/// Reads attributes from `start` to the end mark.
pub(super) fn parse(record: &[u8], start: usize, damage: &mut Vec<String>) -> Vec<Attribute> {
    let mut attributes = Vec::new();
    let mut at = start;
    loop {
        let Some(rest) = record.get(at..).filter(|rest| rest.len() >= 4) else {
            damage.push(format!("offset {at}: the attributes have no end"));
            break;
        };
        match one(rest) {
            Ok((_, Step::End)) => break,
            Ok((_, Step::Attribute(length, attribute))) => {
                attributes.push(attribute);
                // At least 16 bytes: the list ends within the record.
                at = at.saturating_add(length);
            }
            Err(_) => {
                damage.push(format!("offset {at}: an attribute does not fit"));
                break;
            }
        }
    }
    attributes
}

enum Step {
    End,
    Attribute(usize, Attribute),
}

fn one(start: &[u8]) -> IResult<&[u8], Step> {
    let (input, kind) = le_u32(start)?;
    if kind == END {
        return Ok((input, Step::End));
    }
    let (_, length) = le_u32(input)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length < 16 {
        return fail(start);
    }
    let (rest, whole) = take(length).parse(start)?;
    let (_, attribute) = body(whole, kind)?;
    Ok((rest, Step::Attribute(length, attribute)))
}

/// `whole` is the attribute, its header included; offsets count from its start.
fn body(whole: &[u8], kind: u32) -> IResult<&[u8], Attribute> {
    let (input, _kind_and_length) = take(8_usize).parse(whole)?;
    let (input, (elsewhere, name_length)) = (u8, u8).parse(input)?;
    let (input, (name_at, flags, _id)) = (le_u16, le_u16, le_u16).parse(input)?;
    let (_, name) = utf16(whole, usize::from(name_at), usize::from(name_length))?;
    let (input, size, outside, file_name) = if elsewhere == 0 {
        let (input, (size, content_at)) = (le_u32, le_u16).parse(input)?;
        let content = range(whole, usize::from(content_at), size as usize)?.1;
        let file_name = if kind == FILE_NAME {
            Some(file_name(content)?.1)
        } else {
            None
        };
        (input, u64::from(size), None, file_name)
    } else {
        let (input, (lowest_vcn, _highest_vcn)) = (le_u64, le_u64).parse(input)?;
        let (input, _runs_and_compression) = take(8_usize).parse(input)?;
        let (input, (allocated, size, _valid)) = (le_u64, le_u64, le_u64).parse(input)?;
        let (input, real) = if flags & COMPRESSED_OR_SPARSE != 0 && lowest_vcn == 0 {
            let (input, real) = le_u64(input)?;
            (input, Some(real))
        } else {
            (input, None)
        };
        let outside = Outside {
            lowest_vcn,
            allocated,
            real,
        };
        (input, size, Some(outside), None)
    };
    let attribute = Attribute {
        kind,
        name,
        size,
        outside,
        file_name,
    };
    Ok((input, attribute))
}

fn file_name(content: &[u8]) -> IResult<&[u8], String> {
    let (_, length) = range(content, NAME_LENGTH, 1)?;
    let length = length.first().copied().unwrap_or_default();
    utf16(content, NAME_LENGTH + 2, usize::from(length))
}

fn utf16(bytes: &[u8], at: usize, units: usize) -> IResult<&[u8], String> {
    let (rest, text) = range(bytes, at, units.saturating_mul(2))?;
    let units: Vec<u16> = text
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes))
        .collect();
    Ok((rest, String::from_utf16_lossy(&units)))
}

/// `length` bytes from `at`.
fn range(bytes: &[u8], at: usize, length: usize) -> IResult<&[u8], &[u8]> {
    let (input, _) = take(at).parse(bytes)?;
    take(length).parse(input)
}

fn fail<T>(input: &[u8]) -> IResult<&[u8], T> {
    let error = nom::error::Error::new(input, nom::error::ErrorKind::Verify);
    Err(nom::Err::Error(error))
}
