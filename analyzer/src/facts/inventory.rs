//! The inventory: every file of the snapshot, what it was taken for, and what became of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a snapshot consists of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Inventory {
    /// Every file, by name.
    pub artifacts: Vec<Artifact>,
    /// The event channels that were read, by name.
    pub channels: Vec<Channel>,
    /// The artifact that each item of the bundle was read from; in a folder of artifacts, the one
    /// that stands for the item.
    #[serde(default)]
    pub items: BTreeMap<String, String>,
    /// Why other items are missing, where that is known.
    #[serde(default)]
    pub missing: BTreeMap<String, String>,
    /// What is worth knowing about the snapshot as a whole: damage of the container, several
    /// machines in one folder, the choice between two candidates.
    pub notes: Vec<String>,
}

/// One file of the snapshot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Its name in the snapshot.
    pub path: String,
    /// What it was recognised as.
    pub kind: Kind,
    /// The item of the bundle that it belongs to (`registry.system`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What became of it.
    pub state: ArtifactState,
    /// Why, or what is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// What a file is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The plan, the manifest or a row of the journal.
    Manifest,
    /// A registry hive.
    Hive,
    /// A transaction log of a hive.
    HiveLog,
    /// Registry text.
    RegText,
    /// An event log.
    EventLog,
    /// A structured item of the collector.
    Json,
    /// The output of a Windows command.
    Text,
    /// Performance counters as text, of `typeperf`, `logman` or `relog`.
    CounterLog,
    /// Anything else.
    Unrecognised,
}

/// What became of a file.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactState {
    /// It was read and facts come from it.
    Used,
    /// It was read in part: the rest is damaged.
    Damaged,
    /// It could not be read at all.
    Unreadable,
    /// It was recognised and not used; the notes say why.
    NotUsed,
    /// It was not recognised.
    Unrecognised,
}

/// How far one event channel reaches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// The channel's name.
    pub name: String,
    /// The artifact that was read.
    pub artifact: String,
    /// The computer that its last record names; empty where none does.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub computer: String,
    /// How many records it holds.
    pub records: u64,
    /// How many records could not be decoded.
    pub failed: u64,
    /// The live log's oldest record; from the manifest where it says so, else the artifact's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<Mark>,
    /// The live log's newest record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<Mark>,
    /// How many records the live log held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_records: Option<u64>,
    /// The live log's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_size_bytes: Option<u64>,
    /// The live log's maximum size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_max_bytes: Option<u64>,
    /// Whether the artifact holds less than the live log did (a query or a cap).
    pub filtered: bool,
    /// The oldest record that the artifact itself holds in full, for a capped export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_from: Option<Mark>,
    /// What is wrong with it; counts from it are then lower bounds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
}

/// A record's id and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// The record's id.
    pub record_id: u64,
    /// When it was written, UTC.
    pub time: Timestamp,
}

impl Inventory {
    /// The channel of that name, compared without case.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels
            .iter()
            .find(|channel| channel.name.eq_ignore_ascii_case(name))
    }
}
