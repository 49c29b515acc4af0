//! The named and positional values of an event.

use std::fmt;

use jiff::Timestamp;
use serde_json::json;

/// A value, typed as far as the log says its type.
///
/// `Display` gives the text that Windows shows in the event's XML.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value. That of a `Data` without content is empty text instead.
    Null,
    /// Text.
    Text(String),
    /// An unsigned integer.
    Unsigned(u64),
    /// A signed integer.
    Signed(i64),
    /// A number that is written in hexadecimal: a pointer, a status, a mask.
    Hex(u64),
    /// A floating point number of single precision.
    Single(f32),
    /// A floating point number of double precision.
    Double(f64),
    /// A truth value.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A GUID, in lower case and braces.
    Guid(String),
    /// A security identifier, `S-1-…`.
    Sid(String),
    /// A point in time (FILETIME or SYSTEMTIME).
    Time(Timestamp),
}

impl Value {
    /// The text, for values that are text (identifiers included).
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Guid(text) | Self::Sid(text) => Some(text),
            _ => None,
        }
    }

    /// The number, for numbers that are not negative and for text that is one, in decimal or
    /// with a leading `0x`.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) | Self::Hex(number) => Some(*number),
            Self::Signed(number) => u64::try_from(*number).ok(),
            Self::Text(text) => number(text.trim()),
            _ => None,
        }
    }

    /// The bytes, for binary values.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The time, for times and for text that is one.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// Whether there is nothing in it: no value, or empty text or bytes.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            _ => false,
        }
    }

    /// The value as JSON: numbers and truth values as themselves, everything else as its text.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Unsigned(number) => json!(number),
            Self::Signed(number) => json!(number),
            Self::Bool(truth) => json!(truth),
            // The shortest number that reads back the same, not its double's digits.
            Self::Single(number) if number.is_finite() => {
                json!(self.to_string().parse::<f64>().ok())
            }
            Self::Double(number) if number.is_finite() => json!(number),
            other => json!(other.to_string()),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) | Self::Guid(text) | Self::Sid(text) => f.write_str(text),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Hex(number) => write!(f, "{number:#x}"),
            Self::Single(number) => write!(f, "{number:?}"),
            Self::Double(number) => write!(f, "{number:?}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}")),
            Self::Time(time) => f.write_str(&time.strftime("%Y-%m-%dT%H:%M:%S.%7fZ").to_string()),
        }
    }
}

/// One value of an event, with its name if it has one.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The name: of a `<Data Name="…">`, of `Binary`, or the path of an element of `UserData`
    /// (`ProcessInfo/Process_1/Name`, an attribute as `Param@name`). `None` for the positional
    /// `<Data>` of classic events.
    pub name: Option<String>,
    /// The value.
    pub value: Value,
}

/// The values of an event in the order in which the event holds them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// The value of the first field of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|field| field.name.as_deref() == Some(name))
            .map(|field| &field.value)
    }

    /// The value at a position, from 0, named or not.
    pub fn at(&self, position: usize) -> Option<&Value> {
        self.0.get(position).map(|field| &field.value)
    }

    /// The bytes of the classic event's `Binary` element.
    pub fn binary(&self) -> Option<&[u8]> {
        self.get("Binary").and_then(Value::as_bytes)
    }

    /// All fields, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Field> {
        self.0.iter()
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields as a JSON object. Positional values are the list `Data`; a name that occurs
    /// more than once has a list of its values.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut map = serde_json::Map::new();
        for field in &self.0 {
            let value = field.value.to_json();
            let Some(name) = &field.name else {
                match map.entry("Data").or_insert_with(|| json!([])) {
                    serde_json::Value::Array(list) => list.push(value),
                    named => *named = json!([named.take(), value]),
                }
                continue;
            };
            match map.get_mut(name) {
                None => drop(map.insert(name.clone(), value)),
                Some(serde_json::Value::Array(list)) => list.push(value),
                Some(first) => *first = json!([first.take(), value]),
            }
        }
        map
    }

    pub(super) fn push(&mut self, name: Option<String>, value: Value) {
        self.0.push(Field { name, value });
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a Field;
    type IntoIter = std::slice::Iter<'a, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}
