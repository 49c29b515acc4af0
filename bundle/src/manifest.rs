//! What was asked for ([`Plan`]) and what came of it ([`Manifest`]): the first and the last entry
//! of a bundle. Each item's row is also written on its own beside its artifacts (the journal), so
//! that a bundle cut off early still says what is in it.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The word in the `format` field of plan and manifest.
pub const FORMAT: &str = "snapdiag-bundle";

/// The version that this crate writes. A reader accepts every version with the same major number.
pub const FORMAT_VERSION: FormatVersion = FormatVersion { major: 1, minor: 0 };

/// Entry name of the plan, the first entry.
pub const PLAN_NAME: &str = "plan.json";

/// Entry name of the manifest, the last entry.
pub const MANIFEST_NAME: &str = "manifest.json";

/// Folder of the journal: one manifest row an entry, `journal/0000.json` first.
pub const JOURNAL_FOLDER: &str = "journal/";

/// A version `MAJOR.MINOR`, written as a string. Minor versions only add fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(with = "String"))]
pub struct FormatVersion {
    /// Changes when an old reader would misread the bundle; a newer one is refused.
    pub major: u32,
    /// Changes when fields are added.
    pub minor: u32,
}

impl fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for FormatVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        match (major.parse(), minor.parse()) {
            (Ok(major), Ok(minor)) => Ok(Self { major, minor }),
            _ => Err(format!("{text:?} is not a version such as \"1.0\"")),
        }
    }
}

impl TryFrom<String> for FormatVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FormatVersion> for String {
    fn from(version: FormatVersion) -> Self {
        version.to_string()
    }
}

/// How an item ended. The list is closed: a bundle with another word is not format 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum State {
    /// Collected whole.
    Ok,
    /// Collected in part: a cap or the deadline cut it, and what is there is valid.
    Truncated,
    /// The source was there and held nothing.
    Empty,
    /// Windows said that there is no such thing.
    Absent,
    /// Windows refused access.
    Denied,
    /// Another program holds it exclusively.
    Locked,
    /// The call did not come back in time.
    Timeout,
    /// Any other error.
    Failed,
    /// Not tried: not in the profile, past the deadline, or the collector was interrupted.
    Skipped,
}

impl State {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Truncated,
        Self::Empty,
        Self::Absent,
        Self::Denied,
        Self::Locked,
        Self::Timeout,
        Self::Failed,
        Self::Skipped,
    ];

    /// The word as it stands in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Truncated => "truncated",
            Self::Empty => "empty",
            Self::Absent => "absent",
            Self::Denied => "denied",
            Self::Locked => "locked",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether artifacts with content belong to an item in this state.
    pub fn has_content(self) -> bool {
        matches!(self, Self::Ok | Self::Truncated)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `plan.json`: what was asked for, written before anything is collected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Plan {
    /// Always [`FORMAT`].
    pub format: String,
    /// Version of the bundle format.
    pub format_version: FormatVersion,
    /// The program that collected.
    pub collector: Collector,
    /// What was known of the machine at the start; `ended_at` is missing here.
    pub capture: Capture,
    /// Name of the chosen set of items (`minimal`, `standard`, `full`).
    pub profile: Option<String>,
    /// Bounds of the run.
    #[serde(default)]
    pub bounds: Bounds,
    /// The ids of all items asked for, in the order in which they are collected.
    pub items: Vec<String>,
}

/// Bounds of a collector's run. An absent one was not set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Bounds {
    /// Milliseconds for the whole run.
    pub deadline_ms: Option<u64>,
    /// Milliseconds for one item.
    pub item_deadline_ms: Option<u64>,
    /// Bytes of all artifacts together, before compression.
    pub total_bytes: Option<u64>,
    /// Bytes of one artifact, before compression.
    pub artifact_bytes: Option<u64>,
    /// Events older than this are not asked for.
    pub events_since: Option<Timestamp>,
}

/// `manifest.json`: what came of the plan. Written last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Manifest {
    /// Always [`FORMAT`].
    pub format: String,
    /// Version of the bundle format.
    pub format_version: FormatVersion,
    /// The program that collected.
    pub collector: Collector,
    /// The machine and the time.
    pub capture: Capture,
    /// One row an item, in the order in which they ended.
    pub items: Vec<ItemRow>,
    /// What the collection cost the machine.
    pub cost: Option<Cost>,
}

impl Manifest {
    /// The row of an item.
    pub fn row(&self, item: &str) -> Option<&ItemRow> {
        self.items.iter().find(|row| row.item == item)
    }

    /// The row and the artifact with an entry name.
    pub fn artifact(&self, name: &str) -> Option<(&ItemRow, &ArtifactRow)> {
        self.items.iter().find_map(|row| {
            let artifact = row.artifacts.iter().find(|a| a.name == name)?;
            Some((row, artifact))
        })
    }
}

/// The program that wrote the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Collector {
    /// Program name.
    pub name: String,
    /// Program version.
    pub version: String,
    /// Source revision it was built from.
    pub commit: Option<String>,
    /// SHA-256 of the executable, 64 lower-case hex digits.
    pub sha256: Option<String>,
    /// Command line without the program, secrets removed.
    #[serde(default)]
    pub arguments: Vec<String>,
}

/// How the bundle came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CaptureMode {
    /// On the running machine.
    Live,
    /// From a mounted disk: no runtime evidence.
    DiskOnly,
}

/// The machine and the time of the collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Capture {
    /// Live or from a disk.
    pub mode: CaptureMode,
    /// Computer name (`GetComputerNameExW`, physical DNS host name), or the given name of a disk.
    pub host: String,
    /// Start of the collection, UTC (`GetSystemTimePreciseAsFileTime` or `GetSystemTimeAsFileTime`).
    pub started_at: Timestamp,
    /// End of the collection, UTC. Missing in a plan and after an interruption.
    pub ended_at: Option<Timestamp>,
    /// `started_at` less the uptime.
    pub boot_time: Option<Timestamp>,
    /// Milliseconds since boot at the start (`GetTickCount64`).
    pub uptime_ms: Option<u64>,
    /// Version of Windows.
    pub os: Option<OsVersion>,
    /// OEM code page, in which console programs write (`GetOEMCP`), such as 437 or 936.
    pub oem_code_page: Option<u32>,
    /// ANSI code page (`GetACP`), such as 1252.
    pub ansi_code_page: Option<u32>,
    /// Language of the user interface as a BCP 47 tag (`GetSystemDefaultUILanguage`), such as `de-DE`.
    pub ui_language: Option<String>,
    /// Whether the collector ran elevated (`TokenElevation`).
    pub elevated: Option<bool>,
    /// Names of the privileges that were enabled, such as `SeBackupPrivilege`, sorted.
    #[serde(default)]
    pub privileges: Vec<String>,
    /// Minutes to add to local time to get UTC (`GetDynamicTimeZoneInformation`, `Bias` plus the
    /// bias in force), so -60 for a place one hour east of Greenwich.
    pub time_zone_bias_minutes: Option<i32>,
    /// Key name of the time zone, not translated, such as `W. Europe Standard Time`.
    pub time_zone_key: Option<String>,
}

/// Version of Windows as `RtlGetVersion` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OsVersion {
    /// 10 for Windows 10, 11 and Server 2016 and later; 6 for Vista to 8.1.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
    /// Build, such as 17763.
    pub build: u32,
    /// `wProductType`: 1 workstation, 2 domain controller, 3 server.
    pub product_type: Option<u32>,
    /// `wServicePackMajor`.
    pub service_pack: Option<u32>,
    /// Processor architecture of the system (`GetNativeSystemInfo`): `x86`, `x64`, `arm64`.
    pub architecture: Option<String>,
}

/// What the collection cost the machine. A figure that the system did not give is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cost {
    /// User and kernel time of the collector, milliseconds (`GetProcessTimes`).
    #[serde(default)]
    pub cpu_ms: Option<u64>,
    /// Peak working set of the collector, bytes (`GetProcessMemoryInfo`).
    #[serde(default)]
    pub peak_rss_bytes: Option<u64>,
    /// Bytes that the collector read, from disk, network and pipes (`GetProcessIoCounters`).
    #[serde(default)]
    pub read_bytes: Option<u64>,
    /// Milliseconds from the start of the collection to the manifest.
    #[serde(default)]
    pub elapsed_ms: Option<u64>,
    /// Bytes of all artifacts before compression.
    #[serde(default)]
    pub artifact_bytes: Option<u64>,
}

/// One item's end: a row of the manifest and an entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ItemRow {
    /// Id of the item, from the item table.
    pub item: String,
    /// How it ended.
    pub state: State,
    /// How it was got: the API or the way, such as `RegSaveKeyExW`, `EvtExportLog`, `copy`.
    pub method: Option<String>,
    /// Its artifacts in the bundle.
    #[serde(default)]
    pub artifacts: Vec<ArtifactRow>,
    /// Milliseconds from the start of the collection to the start of this item.
    pub started_ms: u64,
    /// Milliseconds that the item took.
    pub elapsed_ms: u64,
    /// The error of Windows, where one decided the state or made the method fall back.
    pub error: Option<OsError>,
    /// Why it is not `ok`, in plain English, for people.
    pub reason: Option<String>,
    /// For an event log: what the live log held.
    pub log: Option<LiveLog>,
}

impl ItemRow {
    /// A row without artifacts, times, error and reason.
    pub fn new(item: impl Into<String>, state: State) -> Self {
        Self {
            item: item.into(),
            state,
            method: None,
            artifacts: Vec::new(),
            started_ms: 0,
            elapsed_ms: 0,
            error: None,
            reason: None,
            log: None,
        }
    }
}

/// One file of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArtifactRow {
    /// Entry name in the bundle, forward slashes.
    pub name: String,
    /// Bytes before compression.
    pub size_bytes: u64,
    /// SHA-256 of the content, 64 lower-case hex digits. Missing when the collector could not
    /// finish it.
    pub sha256: Option<String>,
}

/// An error of Windows as a number, never as a translated message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OsError {
    /// Win32 error, NTSTATUS, HRESULT or PDH status, as unsigned 32 bits.
    pub code: u32,
    /// The call that gave it, such as `EvtExportLog`.
    pub call: String,
}

impl fmt::Display for OsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.code < 0x1_0000 {
            write!(f, "{} failed with {}", self.call, self.code)
        } else {
            write!(f, "{} failed with {:#010x}", self.call, self.code)
        }
    }
}

/// What a live event log held when it was exported: the horizon on which rollover is judged, as
/// opposed to what the export holds. From `EvtGetLogInfo`, `EvtGetChannelConfigProperty` and the
/// first and last record that `EvtQuery` gives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LiveLog {
    /// Name of the channel, such as `Microsoft-Windows-NetworkProfile/Operational`.
    pub channel: String,
    /// Whether the channel is enabled.
    pub enabled: Option<bool>,
    /// `EventRecordID` of the oldest record.
    pub oldest_record_id: Option<u64>,
    /// `EventRecordID` of the newest record.
    pub newest_record_id: Option<u64>,
    /// `TimeCreated` of the oldest record.
    pub oldest_time: Option<Timestamp>,
    /// `TimeCreated` of the newest record.
    pub newest_time: Option<Timestamp>,
    /// Number of records (`EvtLogNumberOfLogRecords`).
    pub record_count: Option<u64>,
    /// Size of the file, bytes (`EvtLogFileSize`).
    pub file_bytes: Option<u64>,
    /// Size at which it rolls over, bytes (`EvtChannelLoggingConfigMaxSize`).
    pub maximum_bytes: Option<u64>,
    /// Whether old records are kept, so that a full log takes no new ones
    /// (`EvtChannelLoggingConfigRetention`).
    pub retention: Option<bool>,
    /// The `XPath` query of the export. Missing: everything, so gaps in it mean something.
    pub query: Option<String>,
    /// Cap on the export, bytes. Missing: none.
    pub cap_bytes: Option<u64>,
}
