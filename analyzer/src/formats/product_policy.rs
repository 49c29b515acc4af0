//! `ProductPolicy`: what the edition of Windows permits
//! (`Control\ProductOptions\ProductPolicy`, `REG_BINARY`).
//!
//! Not documented by Microsoft; the layout was confirmed on hives of Windows 7, 8.1 and 10.
//! Little-endian throughout. Header: five u32 (total size, size of the values, size of the end
//! marker, two more). Entries: u16 entry size, u16 name size, u16 type (1 text, 3 bytes,
//! 4 number), u16 data size, u32 flags, u32 reserved, the name in UTF-16, the data, padding up
//! to the entry's size. All sizes are in bytes.

use nom::bytes::complete::take;
use nom::number::complete::{le_u16, le_u32};
use nom::{IResult, Parser};
use serde::Serialize;

/// Bytes of the header.
const HEADER: usize = 20;

/// The policies in stored order, and what could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPolicy {
    /// The readable policies.
    pub policies: Vec<Policy>,
    /// The first thing that could not be read; what came after it is missing.
    pub damage: Option<PolicyError>,
}

/// One policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The name, such as `Kernel-WindowsMaxMemAllowedx64`.
    pub name: String,
    /// Its value.
    pub value: PolicyValue,
}

/// The value of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyValue {
    /// Type 1, UTF-16.
    Text(String),
    /// Type 3.
    Bytes(Vec<u8>),
    /// Type 4.
    Number(u32),
    /// Another type, or data that does not fit its type.
    Other {
        /// The stored type.
        kind: u16,
        /// The data.
        data: Vec<u8>,
    },
}

/// A structure that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("ProductPolicy at offset {offset:#x}: expected {expected}, found {found}")]
pub struct PolicyError {
    /// Bytes from the start of the value.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
    /// What was there.
    pub found: String,
}

impl ProductPolicy {
    /// Reads the data of the value.
    ///
    /// # Errors
    /// A header that does not fit the data. Damage further on is in [`ProductPolicy::damage`].
    pub fn parse(data: &[u8]) -> Result<Self, PolicyError> {
        let error = |expected, found: String| PolicyError {
            offset: 0,
            expected,
            found,
        };
        let (rest, (total, values)) = header(data)
            .map_err(|_| error("a header of 20 bytes", format!("{} bytes", data.len())))?;
        if usize::try_from(total) != Ok(data.len()) {
            let found = format!("a size of {total} in data of {} bytes", data.len());
            return Err(error("the size of the data", found));
        }
        let entries = usize::try_from(values)
            .ok()
            .and_then(|values| rest.get(..values))
            .ok_or_else(|| {
                error(
                    "values inside the data",
                    format!("{values} bytes of values"),
                )
            })?;
        Ok(read_entries(entries))
    }

    /// The value of the policy called `name`, compared without case. `Ok(None)` when there is
    /// none.
    ///
    /// # Errors
    /// It was not found, and the damage could have hidden it.
    pub fn get(&self, name: &str) -> Result<Option<&PolicyValue>, &PolicyError> {
        let found = self
            .policies
            .iter()
            .find(|policy| policy.name.eq_ignore_ascii_case(name));
        match (found, &self.damage) {
            (None, Some(damage)) => Err(damage),
            _ => Ok(found.map(|policy| &policy.value)),
        }
    }
}

impl PolicyValue {
    /// The number, for a policy that is one.
    pub fn as_number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// Total size and size of the values.
fn header(input: &[u8]) -> IResult<&[u8], (u32, u32)> {
    let (rest, (total, values, _end_marker, _, _)) =
        (le_u32, le_u32, le_u32, le_u32, le_u32).parse(input)?;
    Ok((rest, (total, values)))
}

fn read_entries(entries: &[u8]) -> ProductPolicy {
    let mut policies = Vec::new();
    let mut rest = entries;
    // Every entry is at least its header long, so the loop ends.
    while let Ok((after, policy)) = entry(rest) {
        policies.push(policy);
        rest = after;
    }
    let damage = (!rest.is_empty()).then(|| PolicyError {
        offset: HEADER + entries.len() - rest.len(),
        expected: "an entry whose sizes fit into it and into what is left",
        found: found(rest),
    });
    ProductPolicy { policies, damage }
}

/// The sizes that an entry states, for an error.
fn found(input: &[u8]) -> String {
    let sizes: IResult<&[u8], (u16, u16, u16, u16)> = (le_u16, le_u16, le_u16, le_u16).parse(input);
    match sizes {
        Ok((_, (size, name, _, data))) => format!(
            "entry of {size}, name of {name}, data of {data} in {} bytes",
            input.len()
        ),
        Err(_) => format!("{} bytes", input.len()),
    }
}

fn entry(input: &[u8]) -> IResult<&[u8], Policy> {
    let (_, size) = le_u16(input)?;
    // An entry shorter than its own header fails below, in the parser of its fields.
    let (rest, body) = take(size).parse(input)?;
    let (body, (_size, name_size, kind, data_size, _flags, _reserved)) =
        (le_u16, le_u16, le_u16, le_u16, le_u32, le_u32).parse(body)?;
    let (body, name) = take(name_size).parse(body)?;
    let (_padding, data) = take(data_size).parse(body)?;
    let policy = Policy {
        name: utf16(name),
        value: value(kind, data),
    };
    Ok((rest, policy))
}

fn value(kind: u16, data: &[u8]) -> PolicyValue {
    match (kind, <[u8; 4]>::try_from(data)) {
        (1, _) => PolicyValue::Text(utf16(data)),
        (3, _) => PolicyValue::Bytes(data.to_vec()),
        (4, Ok(number)) => PolicyValue::Number(u32::from_le_bytes(number)),
        _ => PolicyValue::Other {
            kind,
            data: data.to_vec(),
        },
    }
}

/// UTF-16LE up to its first NUL; an odd last byte is ignored.
fn utf16(bytes: &[u8]) -> String {
    let (pairs, _odd_byte) = bytes.as_chunks::<2>();
    let units = pairs
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|unit| *unit != 0);
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::registry::RegistryView;

    /// Bytes of an entry before its name.
    const ENTRY_HEADER: usize = 16;

    /// Entries of name, type and data, as Windows lays them out.
    fn built(entries: &[(&str, u16, &[u8])]) -> Vec<u8> {
        let mut values = Vec::new();
        for (name, kind, data) in entries {
            let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let used = ENTRY_HEADER + name.len() + data.len();
            let size = used.next_multiple_of(4);
            for number in [size, name.len(), usize::from(*kind), data.len()] {
                values.extend(u16::try_from(number).unwrap().to_le_bytes());
            }
            values.extend([0; 8]);
            values.extend(&name);
            values.extend(*data);
            values.resize(values.len() + size - used, 0);
        }
        let total = HEADER + values.len() + 4;
        let mut policy = Vec::new();
        for number in [total, values.len(), 4, 0, 1] {
            policy.extend(u32::try_from(number).unwrap().to_le_bytes());
        }
        policy.extend(values);
        policy.extend([0x45, 0, 0, 0]);
        policy
    }

    const ALLOW: &str = "TerminalServices-RemoteConnectionManager-AllowRemoteConnections";

    fn example() -> Vec<u8> {
        built(&[
            ("A-Text", 1, b"x\0y\0\0\0"),
            (ALLOW, 4, &[1, 0, 0, 0]),
            ("A-Blob", 3, &[1, 2, 3]),
            ("Odd", 4, &[1]),
        ])
    }

    #[test]
    fn every_type_is_read() {
        let policy = ProductPolicy::parse(&example()).unwrap();
        assert_eq!(policy.damage, None);
        let get = |name| policy.get(name).unwrap().cloned();
        assert_eq!(get("a-text"), Some(PolicyValue::Text("xy".to_owned())));
        assert_eq!(get(ALLOW).and_then(|value| value.as_number()), Some(1));
        assert_eq!(get("A-Blob"), Some(PolicyValue::Bytes(vec![1, 2, 3])));
        let odd = PolicyValue::Other {
            kind: 4,
            data: vec![1],
        };
        assert_eq!(get("Odd"), Some(odd));
        assert_eq!(get("none"), None);
    }

    /// Needs the captures. The numbers were read with hivexget and a few lines of Python.
    #[test]
    fn a_real_policy() {
        let Some(captures) = snapdiag_tests::captures() else {
            return;
        };
        let path = captures.join("hives/fox-it-dissect-regf/SYSTEM");
        let hive = crate::formats::hive::HiveFile::open(std::fs::read(path).unwrap()).unwrap();
        let value = hive
            .value("ControlSet001\\Control\\ProductOptions", "ProductPolicy")
            .unwrap()
            .unwrap();
        let policy = ProductPolicy::parse(&value.data).unwrap();
        assert_eq!((policy.policies.len(), &policy.damage), (522, &None));
        let memory = policy.get("Kernel-WindowsMaxMemAllowedx64").unwrap();
        assert_eq!(memory.and_then(PolicyValue::as_number), Some(2_097_152));
        let allowed = policy.get(ALLOW).unwrap();
        assert_eq!(allowed.and_then(PolicyValue::as_number), Some(1));
    }

    #[test]
    fn damage_keeps_what_came_before_and_hides_what_came_after() {
        let mut data = example();
        // The name of the second entry reaches beyond it.
        let second = HEADER + usize::from(data[HEADER]);
        data[second + 3] = 0xFF;
        let policy = ProductPolicy::parse(&data).unwrap();
        assert_eq!(policy.policies.len(), 1);
        assert!(policy.get("A-Text").unwrap().is_some());
        assert_eq!(policy.get(ALLOW).unwrap_err().offset, second);
    }

    #[test]
    fn an_entry_of_no_size_ends_the_reading() {
        let mut data = example();
        data[HEADER] = 0;
        let policy = ProductPolicy::parse(&data).unwrap();
        assert_eq!(policy.policies.len(), 0);
        assert_eq!(policy.damage.unwrap().offset, HEADER);
    }

    #[test]
    fn a_value_cut_anywhere_is_an_error_and_never_a_panic() {
        let data = example();
        for length in 0..data.len() {
            assert!(ProductPolicy::parse(&data[..length]).is_err(), "{length}");
        }
    }
}
