//! Metafiles by their FILE records.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::records::MetafileRecord;

use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::formats::file_record::FileRecord;

/// How many metafiles are kept of a volume; NTFS has about 30.
pub(super) const KEPT: usize = 64;

/// A metafile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metafile {
    /// Record number: 0 `$MFT`, 2 `$LogFile`, 9 `$Secure`.
    pub number: u64,
    /// Name by its record, else by the collector.
    pub name: String,
    /// Bytes that it takes on disk outside the record.
    pub allocated_bytes: Fact<u64>,
}

pub(super) fn read(record: &MetafileRecord, evidence: Evidence) -> Metafile {
    let parsed = bytes(&record.data_hex)
        .and_then(|bytes| FileRecord::parse(&bytes).map_err(|error| error.to_string()));
    let name = parsed
        .as_ref()
        .ok()
        .and_then(|parsed| parsed.names.first().cloned())
        .or_else(|| record.name.clone())
        .unwrap_or_else(|| format!("record {}", record.record_number));
    let size = parsed.and_then(|parsed| size(record.record_number, &parsed));
    Metafile {
        number: record.record_number,
        name,
        allocated_bytes: match size {
            Ok(size) => Fact::known(size, [evidence]),
            Err(why) => Fact::unreadable(why, [evidence]),
        },
    }
}

fn size(number: u64, record: &FileRecord) -> Result<u64, String> {
    // The call gives the nearest record in use below the one asked for, when that is free.
    if let Some(own) = record.number.filter(|own| u64::from(*own) != number) {
        return Err(format!("the bytes are those of record {own}"));
    }
    if let Some(damage) = record.damage.first() {
        return Err(damage.clone());
    }
    if record.is_split() && record.allocated_bytes() == 0 {
        return Err("its sizes stand in other records".to_owned());
    }
    Ok(record.allocated_bytes())
}

fn bytes(hex: &str) -> Result<Vec<u8>, String> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    hex.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => {
                let value = digit(*high)? * 16 + digit(*low)?;
                u8::try_from(value).ok()
            }
            _ => None,
        })
        .collect::<Option<_>>()
        .ok_or_else(|| "no hexadecimal digits".to_owned())
}
