//! What the cloud's metadata service says of the instance's adapters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::CloudMetadata;

use crate::facts::document::{at, bare, typed};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// What the metadata service said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metadata {
    /// The cloud whose service answered.
    pub cloud: String,
    /// MAC addresses that the cloud gave the instance.
    pub macs: Vec<Mac>,
}

/// A MAC address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mac {
    /// Lower-case hex without separators.
    pub mac: String,
    /// The value that names it.
    pub evidence: Evidence,
}

pub(super) fn gather(sources: &Sources) -> Fact<Metadata> {
    let record = sources.record::<Value>("network.metadata");
    let whole = record.evidence.first().cloned();
    let metadata = typed::<CloudMetadata>(&record).map(|metadata| {
        let mut macs: Vec<Mac> = Vec::new();
        for (index, value) in metadata.values.iter().enumerate() {
            let (Some(text), Some(whole)) = (&value.value, &whole) else {
                continue;
            };
            for mac in named(&value.path, text) {
                if macs.iter().all(|known| known.mac != mac) {
                    let pointer = format!("/values/{index}/value");
                    let evidence = at(whole, pointer, text.as_str());
                    macs.push(Mac { mac, evidence });
                }
            }
        }
        Metadata {
            cloud: metadata.cloud,
            macs,
        }
    });
    bare(metadata)
}

/// The MAC addresses in a value: of a path that ends in `mac`, `macs` or `macAddress`, or of the
/// fields `macAddress` of a JSON document.
fn named(path: &str, text: &str) -> Vec<String> {
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    if ["mac", "macs", "macaddress"]
        .iter()
        .any(|end| path.ends_with(end))
    {
        return text
            .split(|c: char| !(c.is_ascii_hexdigit() || c == ':' || c == '-'))
            .filter_map(plain)
            .collect();
    }
    let mut found = Vec::new();
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        search(&json, &mut found);
    }
    found
}

/// The parser bounds the depth of a document.
fn search(json: &Value, found: &mut Vec<String>) {
    match json {
        Value::Array(list) => list.iter().for_each(|item| search(item, found)),
        Value::Object(map) => {
            for (name, value) in map {
                match value
                    .as_str()
                    .filter(|_| name == "macAddress" || name == "mac")
                {
                    Some(text) => found.extend(plain(text)),
                    None => search(value, found),
                }
            }
        }
        _ => {}
    }
}

/// Twelve hexadecimal digits, perhaps in pairs.
fn plain(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let shape = [12, 17].contains(&text.len()) && digits.len() == 12;
    shape.then(|| digits.to_ascii_lowercase())
}
