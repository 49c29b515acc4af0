//! Typed readings of a value's data, tolerant of the odd lengths that real hives hold.

use std::fmt::Write;

use jiff::Timestamp;

use super::{Listing, RegistryError, Value, ValueKind};

/// Seconds from 1601-01-01 to 1970-01-01.
const FILETIME_TO_UNIX: i64 = 11_644_473_600;

/// The time that a FILETIME (100 ns units since 1601-01-01 UTC) stands for; `None` for 0 and for
/// times that a [`Timestamp`] cannot hold.
pub fn filetime(ticks: u64) -> Option<Timestamp> {
    if ticks == 0 {
        return None;
    }
    let seconds = i64::try_from(ticks / 10_000_000).ok()? - FILETIME_TO_UNIX;
    let nanoseconds = i32::try_from(ticks % 10_000_000 * 100).ok()?;
    Timestamp::new(seconds, nanoseconds).ok()
}

impl ValueKind {
    /// The type behind the number that Windows stores.
    pub fn from_number(number: u32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::String,
            2 => Self::ExpandString,
            3 => Self::Binary,
            4 => Self::Dword,
            5 => Self::DwordBigEndian,
            6 => Self::Link,
            7 => Self::MultiString,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirementsList,
            11 => Self::Qword,
            other => Self::Other(other),
        }
    }

    /// The name that Windows gives the type; a number in hex where it has none.
    pub fn name(self) -> String {
        let name = match self {
            Self::None => "REG_NONE",
            Self::String => "REG_SZ",
            Self::ExpandString => "REG_EXPAND_SZ",
            Self::Binary => "REG_BINARY",
            Self::Dword => "REG_DWORD",
            Self::DwordBigEndian => "REG_DWORD_BIG_ENDIAN",
            Self::Link => "REG_LINK",
            Self::MultiString => "REG_MULTI_SZ",
            Self::ResourceList => "REG_RESOURCE_LIST",
            Self::FullResourceDescriptor => "REG_FULL_RESOURCE_DESCRIPTOR",
            Self::ResourceRequirementsList => "REG_RESOURCE_REQUIREMENTS_LIST",
            Self::Qword => "REG_QWORD",
            Self::Other(number) => return format!("{number:#x}"),
        };
        name.to_owned()
    }
}

impl Value {
    /// The number of a `REG_DWORD` of either byte order. More than four bytes: the first four.
    /// Fewer: the missing ones are zero. None at all: `None`.
    pub fn as_u32(&self) -> Option<u32> {
        match self.kind {
            ValueKind::Dword => self.prefix().map(u32::from_le_bytes),
            ValueKind::DwordBigEndian => self.prefix().map(u32::from_be_bytes),
            _ => None,
        }
    }

    /// The number of a `REG_QWORD` or of a `REG_DWORD`; lengths as for [`Self::as_u32`].
    pub fn as_u64(&self) -> Option<u64> {
        match self.kind {
            ValueKind::Qword => self.prefix().map(u64::from_le_bytes),
            _ => self.as_u32().map(u64::from),
        }
    }

    fn prefix<const N: usize>(&self) -> Option<[u8; N]> {
        if self.data.is_empty() {
            return None;
        }
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(&self.data) {
            *to = *from;
        }
        Some(bytes)
    }

    /// The text of a `REG_SZ`, `REG_EXPAND_SZ` or `REG_LINK` up to its first NUL, if it has one.
    /// Unpaired surrogates become U+FFFD, an odd last byte is ignored.
    pub fn as_string(&self) -> Option<String> {
        let is_text = matches!(
            self.kind,
            ValueKind::String | ValueKind::ExpandString | ValueKind::Link
        );
        is_text.then(|| lossy(self.units().take_while(|unit| *unit != 0)))
    }

    /// The strings of a `REG_MULTI_SZ` without the empty ones at its end.
    pub fn as_multi_string(&self) -> Option<Vec<String>> {
        if self.kind != ValueKind::MultiString {
            return None;
        }
        let units: Vec<u16> = self.units().collect();
        let mut strings: Vec<String> = units
            .split(|unit| *unit == 0)
            .map(|string| lossy(string.iter().copied()))
            .collect();
        while strings.last().is_some_and(String::is_empty) {
            strings.pop();
        }
        Some(strings)
    }

    /// The time of eight bytes of `REG_BINARY` or a `REG_QWORD` that hold a FILETIME.
    pub fn as_filetime(&self) -> Option<Timestamp> {
        let may_hold = matches!(self.kind, ValueKind::Binary | ValueKind::Qword);
        let bytes = self.data.as_slice().try_into().ok().filter(|_| may_hold)?;
        filetime(u64::from_le_bytes(bytes))
    }

    /// The data as text for evidence, from which the bytes can be told: text in quotes, numbers
    /// in decimal and hex, and plain hex for all data that does not have the usual shape of its
    /// type (a missing terminator, an odd length, a surrogate alone).
    pub fn display(&self) -> String {
        self.display_number()
            .or_else(|| self.display_text())
            .unwrap_or_else(|| hex(&self.data))
    }

    fn display_number(&self) -> Option<String> {
        let width = match self.kind {
            ValueKind::Dword | ValueKind::DwordBigEndian => 4,
            ValueKind::Qword => 8,
            _ => return None,
        };
        let number = self.as_u64().filter(|_| self.data.len() == width)?;
        Some(format!("{number} ({number:#x})"))
    }

    fn display_text(&self) -> Option<String> {
        let text = match self.kind {
            ValueKind::String | ValueKind::ExpandString => {
                format!("{:?}", self.as_string()?)
            }
            ValueKind::MultiString => format!("{:?}", self.as_multi_string()?),
            _ => return None,
        };
        self.has_usual_shape().then_some(text)
    }

    /// Whether the typed reading of a string type says all there is in the data.
    fn has_usual_shape(&self) -> bool {
        let mut units: Vec<u16> = match self.kind {
            ValueKind::MultiString => {
                let strings = self.as_multi_string().unwrap_or_default();
                let ended = strings.iter().flat_map(|s| s.encode_utf16().chain([0]));
                ended.collect()
            }
            _ => self
                .as_string()
                .unwrap_or_default()
                .encode_utf16()
                .collect(),
        };
        units.push(0);
        self.data.len() == units.len() * 2 && self.units().eq(units)
    }

    fn units(&self) -> impl Iterator<Item = u16> + '_ {
        let (pairs, _odd_byte) = self.data.as_chunks::<2>();
        pairs.iter().map(|pair| u16::from_le_bytes(*pair))
    }
}

fn lossy(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Lower-case hex without separators.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl<T> Listing<T> {
    /// A list of which everything could be read.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            damage: Vec::new(),
        }
    }
}

impl<T> IntoIterator for Listing<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl RegistryError {
    /// An error from constant words and what was found.
    pub(crate) fn new(
        offset: u64,
        structure: &'static str,
        expected: &'static str,
        found: impl Into<String>,
    ) -> Self {
        Self {
            offset,
            structure: structure.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: ValueKind, data: &[u8]) -> Value {
        Value {
            name: "v".to_owned(),
            kind,
            data: data.to_vec(),
        }
    }

    #[test]
    fn numbers_of_odd_length() {
        assert_eq!(value(ValueKind::Dword, &[1, 2]).as_u32(), Some(0x0201));
        assert_eq!(value(ValueKind::Dword, &[]).as_u32(), None);
        assert_eq!(value(ValueKind::Dword, &[1, 0, 0, 0, 9]).as_u32(), Some(1));
        assert_eq!(
            value(ValueKind::DwordBigEndian, &[0, 0, 1, 2]).as_u32(),
            Some(0x0102)
        );
        assert_eq!(value(ValueKind::Binary, &[1, 0, 0, 0]).as_u32(), None);
        assert_eq!(value(ValueKind::Dword, &[7, 0, 0, 0]).as_u64(), Some(7));
    }

    #[test]
    fn strings_of_odd_shape() {
        assert_eq!(
            value(ValueKind::String, b"a\0b\0").as_string().as_deref(),
            Some("ab")
        );
        assert_eq!(
            value(ValueKind::String, b"a\0\0\0b\0")
                .as_string()
                .as_deref(),
            Some("a")
        );
        assert_eq!(
            value(ValueKind::ExpandString, b"a\0b")
                .as_string()
                .as_deref(),
            Some("a")
        );
        let multi = value(ValueKind::MultiString, b"a\0\0\0\0\0b\0\0\0\0\0");
        assert_eq!(
            multi.as_multi_string(),
            Some(vec!["a".into(), String::new(), "b".into()])
        );
    }

    #[test]
    fn display_shows_text_only_where_it_says_all() {
        assert_eq!(value(ValueKind::String, b"a\0\0\0").display(), "\"a\"");
        assert_eq!(value(ValueKind::String, b"a\0").display(), "6100");
        assert_eq!(
            value(ValueKind::String, b"\0\xD8\0\0").display(),
            "00d80000"
        );
        assert_eq!(
            value(ValueKind::MultiString, b"a\0\0\0\0\0").display(),
            "[\"a\"]"
        );
        assert_eq!(
            value(ValueKind::Dword, &[61, 13, 0, 0]).display(),
            "3389 (0xd3d)"
        );
        assert_eq!(value(ValueKind::Dword, &[61]).display(), "3d");
    }

    #[test]
    fn filetimes() {
        let data = 130_908_096_000_000_000_u64.to_le_bytes();
        let time = value(ValueKind::Binary, &data)
            .as_filetime()
            .expect("a time");
        assert_eq!(time.to_string(), "2015-11-01T00:00:00Z");
        assert_eq!(filetime(0), None);
        assert_eq!(filetime(u64::MAX), None);
    }
}
