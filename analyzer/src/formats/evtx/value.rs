//! The typed values of a record (MS-EVEN6 2.2.12, "Type System").

use encoding_rs::WINDOWS_1252;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::Value;
use super::bytes::Bytes;

/// The bit that makes a type an array of it.
const ARRAY: u8 = 0x80;
/// An embedded piece of BinXML.
pub(super) const BINXML: u8 = 0x21;
/// No value.
pub(super) const NULL: u8 = 0x00;
/// UTF-16 text.
pub(super) const STRING: u8 = 0x01;

/// What a slot holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Held {
    One(Value),
    /// An array: the element around it is repeated for each item.
    Many(Vec<Value>),
}

/// Whether a value of this type can have this size. Others go to the `evtx` crate.
pub(super) fn fits(kind: u8, size: usize) -> bool {
    match kind {
        NULL | 0x02 | 0x0e | BINXML | 0x82..=0x84 => true,
        STRING | 0x81 => size.is_multiple_of(2),
        0x10 => matches!(size, 4 | 8),
        0x13 => size >= 8,
        0x93 => size == 0 || size >= 8,
        _ if kind & ARRAY != 0 => {
            width(kind & !ARRAY).is_some_and(|width| size.is_multiple_of(width))
        }
        _ => width(kind) == Some(size),
    }
}

/// The size of a value of a type of fixed size, in bytes.
fn width(kind: u8) -> Option<usize> {
    match kind {
        0x03 | 0x04 => Some(1),
        0x05 | 0x06 => Some(2),
        0x07 | 0x08 | 0x0b | 0x0d | 0x14 => Some(4),
        0x09 | 0x0a | 0x0c | 0x11 | 0x15 => Some(8),
        0x0f | 0x12 => Some(16),
        _ => None,
    }
}

/// Reads a value; `None` for types and contents that this reader does not take.
pub(super) fn read(kind: u8, bytes: &[u8]) -> Option<Held> {
    if !fits(kind, bytes.len()) {
        return None;
    }
    let items: Option<Vec<Value>> = match kind {
        0x81 => strings(bytes),
        0x82 | 0x93 => None,
        0x8d if bytes
            .chunks_exact(4)
            .any(|item| !matches!(item, [0 | 1, 0, 0, 0])) =>
        {
            bytes
                .chunks_exact(4)
                .map(|item| scalar(0x07, item))
                .collect()
        }
        _ if kind & ARRAY != 0 => {
            let item = kind & !ARRAY;
            bytes
                .chunks_exact(width(item)?)
                .map(|bytes| scalar(item, bytes))
                .collect()
        }
        _ => return scalar(kind, bytes).map(Held::One),
    };
    items.map(|mut items| match items.len() {
        0 => Held::One(Value::Null),
        1 => items.pop().map_or(Held::One(Value::Null), Held::One),
        _ => Held::Many(items),
    })
}

fn scalar(kind: u8, bytes: &[u8]) -> Option<Value> {
    Some(match kind {
        NULL => Value::Null,
        STRING => Value::Text(utf16(bytes)),
        0x02 => Value::Text(ansi(bytes)?),
        0x03 => Value::Signed(i8::from_le_bytes(bytes.array(0)?).into()),
        0x04 => Value::Unsigned(u8::from_le_bytes(bytes.array(0)?).into()),
        0x05 => Value::Signed(i16::from_le_bytes(bytes.array(0)?).into()),
        0x06 => Value::Unsigned(bytes.u16_at(0)?.into()),
        0x07 => Value::Signed(i32::from_le_bytes(bytes.array(0)?).into()),
        0x08 => Value::Unsigned(bytes.u32_at(0)?.into()),
        0x09 => Value::Signed(i64::from_le_bytes(bytes.array(0)?)),
        0x0a => Value::Unsigned(bytes.u64_at(0)?),
        0x0b => Value::Single(f32::from_le_bytes(bytes.array(0)?)),
        0x0c => Value::Double(f64::from_le_bytes(bytes.array(0)?)),
        // Windows keeps masks in some truth values; those stay the numbers that they are.
        0x0d => match i32::from_le_bytes(bytes.array(0)?) {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            other => Value::Signed(other.into()),
        },
        0x0e => Value::Bytes(bytes.to_vec()),
        0x0f => Value::Guid(guid(bytes.array(0)?)?),
        0x10 if bytes.len() == 8 => Value::Hex(bytes.u64_at(0)?),
        0x10 | 0x14 => Value::Hex(bytes.u32_at(0)?.into()),
        0x11 => Value::Time(filetime(bytes.u64_at(0)?)?),
        0x12 => Value::Time(systemtime(bytes)?),
        0x13 => Value::Sid(sid(bytes)?),
        0x15 => Value::Hex(bytes.u64_at(0)?),
        _ => return None,
    })
}

/// UTF-16 text up to its first NUL.
pub(super) fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units = units.take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// UTF-16 texts, each with its NUL.
fn strings(bytes: &[u8]) -> Option<Vec<Value>> {
    let units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    let Some((0, texts)) = units.split_last() else {
        return units.is_empty().then(Vec::new);
    };
    let text = |units: &[u16]| Value::Text(String::from_utf16_lossy(units));
    Some(texts.split(|unit| *unit == 0).map(text).collect())
}

fn ansi(bytes: &[u8]) -> Option<String> {
    let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let text = WINDOWS_1252.decode_without_bom_handling_and_without_replacement(&bytes)?;
    Some(text.into_owned())
}

fn guid(bytes: [u8; 16]) -> Option<String> {
    let (first, second) = (bytes.u32_at(0)?, bytes.u16_at(4)?);
    let (third, fourth) = (bytes.u16_at(6)?, u16::from_be_bytes(bytes.array(8)?));
    let last = u64::from_be_bytes(bytes.array(8)?) & 0xffff_ffff_ffff;
    Some(format!(
        "{{{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{last:012x}}}"
    ))
}

fn sid(bytes: &[u8]) -> Option<String> {
    let [revision, count] = bytes.array(0)?;
    let authority = u64::from_be_bytes(bytes.array(0)?) & 0xffff_ffff_ffff;
    let parts = bytes.get(8..)?;
    if parts.len() != usize::from(count) * 4 {
        return None;
    }
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.chunks_exact(4) {
        text.push('-');
        text.push_str(&part.u32_at(0)?.to_string());
    }
    Some(text)
}

/// A FILETIME: 100 ns intervals since 1601-01-01 UTC. `None` beyond the year 9999.
pub(super) fn filetime(intervals: u64) -> Option<Timestamp> {
    const PER_SECOND: u64 = 10_000_000;
    const UNIX_EPOCH: i64 = 11_644_473_600;
    let seconds = i64::try_from(intervals / PER_SECOND)
        .ok()?
        .checked_sub(UNIX_EPOCH)?;
    let nanoseconds = i32::try_from(intervals % PER_SECOND * 100).ok()?;
    Timestamp::new(seconds, nanoseconds).ok()
}

/// A SYSTEMTIME: year, month, day of the week, day, hour, minute, second, milliseconds.
fn systemtime(bytes: &[u8]) -> Option<Timestamp> {
    let part = |index: usize| bytes.u16_at(index * 2);
    let small = |index| part(index).and_then(|part| i8::try_from(part).ok());
    let nanoseconds = i32::from(part(7)?).checked_mul(1_000_000)?;
    let year = i16::try_from(part(0)?).ok().filter(|year| *year >= 1601)?;
    let time = DateTime::new(
        year,
        small(1)?,
        small(3)?,
        small(4)?,
        small(5)?,
        small(6)?,
        nanoseconds,
    );
    Offset::UTC.to_timestamp(time.ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: u8, bytes: &[u8]) -> Option<String> {
        match read(kind, bytes)? {
            Held::One(value) => Some(value.to_string()),
            Held::Many(_) => None,
        }
    }

    #[test]
    fn values_read_as_windows_shows_them() {
        let guid = [
            0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 3, 0x28, 0xc3,
            0x0d,
        ];
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let cases: [(u8, &[u8], &str); 11] = [
            (0x00, &[], ""),
            (0x01, b"a\0b\0\0\0c\0", "ab"),
            (0x02, b"caf\xe9\0", "caf\u{e9}"),
            (0x03, &[0xff], "-1"),
            (0x0d, &[1, 0, 0, 0], "true"),
            (0x0d, &[7, 0, 0, 0], "7"),
            (0x0e, &[0xde, 0xad], "DEAD"),
            (0x0f, &guid, "{54849625-5478-4994-a5ba-3e3b0328c30d}"),
            (0x13, &sid, "S-1-5-32-544"),
            (0x14, &[0x0d, 0, 0, 0xc0], "0xc000000d"),
            (
                0x11,
                &[0, 0x80, 0x3e, 0xd5, 0xde, 0xb1, 0x9d, 1],
                "1970-01-01T00:00:00.0000000Z",
            ),
        ];
        for (kind, bytes, text) in cases {
            assert_eq!(one(kind, bytes).as_deref(), Some(text), "type {kind:#x}");
        }
    }

    #[test]
    fn arrays_are_their_items_and_a_lone_item_is_itself() {
        let text = |text: &str| Value::Text(text.to_owned());
        let many = Held::Many(vec![text("a"), text(""), text("b")]);
        assert_eq!(read(0x81, b"a\0\0\0\0\0b\0\0\0"), Some(many));
        assert_eq!(read(0x81, b"a\0\0\0"), Some(Held::One(text("a"))));
        assert_eq!(read(0x86, &[]), Some(Held::One(Value::Null)));
    }

    #[test]
    fn what_does_not_fit_is_left_to_others() {
        for (kind, size) in [
            (0x06, 3),
            (0x0f, 15),
            (0x13, 7),
            (0x10, 2),
            (0x23, 4),
            (0x81, 1),
        ] {
            assert!(!fits(kind, size), "type {kind:#x}");
            assert_eq!(read(kind, &vec![0; size]), None);
        }
        assert_eq!(filetime(u64::MAX), None);
    }
}
