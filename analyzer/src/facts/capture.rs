//! The capture: when the snapshot was taken, and by what that is known.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::Cost;

/// When and how the snapshot was taken. All ages are relative to its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Capture {
    /// The moment of capture, UTC; `None` where nothing tells it.
    pub time: Option<Timestamp>,
    /// By what the time is known.
    pub source: TimeSource,
    /// Where in the snapshot that stands, in words.
    pub because: String,
    /// Live or from a disk.
    pub kind: CaptureKind,
    /// The collector's name and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector: Option<String>,
    /// What the collection cost the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// By what the capture time is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeSource {
    /// Given on the command line.
    Given,
    /// The manifest of the bundle.
    Manifest,
    /// The last record of the System log, confirmed within a day by the registry.
    EventLog,
    /// The last record of an event log, confirmed by nothing else.
    EventLogAlone,
    /// The registry alone: the last write of a root key or the time of the last shutdown.
    Registry,
    /// Nothing tells it.
    Unknown,
}

/// How a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureKind {
    /// By the collector on the running machine.
    Live,
    /// From a disk, or from loose files: nothing tells what was running.
    DiskOnly,
}
