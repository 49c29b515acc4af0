//! What the logs say of leaks and shortages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::facts::sources::Sources;
use crate::formats::evtx::{Event, Fields, Value as Field};

pub(super) const SYSTEM: &str = "System";
pub(super) const APPLICATION: &str = "Application";

/// How many shortages are kept.
const SHORTAGES: usize = 16;
/// How many signs of one kind are kept.
const SIGNS: usize = 8;
/// How many processes one shortage may name; Windows names six.
const NAMED: u32 = 8;
/// The largest event that is believed, in bytes of JSON.
const LARGEST: usize = 16 * 1024;

/// A shortage of memory that Windows diagnosed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shortage {
    /// The record's id in the System log.
    pub record_id: u64,
    /// When.
    pub time: Timestamp,
    /// The most that could be committed, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_limit_bytes: Option<u64>,
    /// What was committed, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_bytes: Option<u64>,
    /// Physical memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub physical_bytes: Option<u64>,
    /// The processes that used most, in the order of the event.
    pub processes: Vec<ShortageProcess>,
    /// The record.
    pub evidence: Evidence,
}

/// A process in a shortage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShortageProcess {
    /// File name of the image.
    pub image: String,
    /// Process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u64>,
    /// Committed memory, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_bytes: Option<u64>,
    /// Open handles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handles: Option<u64>,
}

/// What an event is a sign of.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Srv 2017, 2019: the nonpaged pool was empty or at its limit.
    NonpagedPool,
    /// Srv 2020: the paged pool was empty.
    PagedPool,
    /// Windows Error Reporting 1001 of the kind `RADAR_PRE_LEAK`: memory that grows.
    MemoryLeak,
    /// Win32k 243, 244: the desktop heap was empty.
    DesktopHeap,
    /// Application Popup 26 with a message of an empty quota (English text only).
    Quota,
}

/// An event that is a sign of a leak.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sign {
    /// What it is a sign of.
    pub kind: Kind,
    /// The event ID.
    pub event_id: u32,
    /// The record's id in its log.
    pub record_id: u64,
    /// When.
    pub time: Timestamp,
    /// The image that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The record.
    pub evidence: Evidence,
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    shortages: Newest<Kept, SHORTAGES>,
    signs: BTreeMap<Kind, Newest<Kept, SIGNS>>,
}

struct Kept {
    event_id: u32,
    record_id: u64,
    time: Timestamp,
    image: Option<String>,
    fields: Fields,
}

impl Kept {
    fn evidence(&self, channel: &str, artifact: &str) -> Evidence {
        let raw = Value::Object(self.fields.to_json());
        Evidence::new(artifact, Locator::record(channel, self.record_id), raw).at(Some(self.time))
    }
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-Resource-Exhaustion-Detector"],
            ids: &[2004],
        },
        Want {
            channel: SYSTEM,
            providers: &["Srv"],
            ids: &[2017, 2019, 2020],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-Win32k", "Win32k"],
            ids: &[243, 244],
        },
        Want {
            channel: SYSTEM,
            providers: &["Application Popup"],
            ids: &[26],
        },
        Want {
            channel: APPLICATION,
            providers: &["Windows Error Reporting"],
            ids: &[1001],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let fields = &event.fields;
        let header = &event.header;
        let (kind, image) = match header.event_id {
            2004 => (None, None),
            2017 | 2019 => (Some(Kind::NonpagedPool), None),
            2020 => (Some(Kind::PagedPool), None),
            243 | 244 => (Some(Kind::DesktopHeap), None),
            26 if is_quota(fields) => (Some(Kind::Quota), text(fields, "Caption", 0)),
            1001 if is_leak(fields) => (Some(Kind::MemoryLeak), text(fields, "P1", 5)),
            _ => return,
        };
        if Value::Object(fields.to_json()).to_string().len() > LARGEST {
            return;
        }
        let keep = || Kept {
            event_id: header.event_id,
            record_id: header.record_id,
            time: header.time,
            image,
            fields: fields.clone(),
        };
        match kind {
            None => self.shortages.offer(header.record_id, header.time, keep),
            Some(kind) => {
                let list = self.signs.entry(kind).or_default();
                list.offer(header.record_id, header.time, keep);
            }
        }
    }

    fn merge(&mut self, later: Self) {
        self.shortages.merge(later.shortages);
        for (kind, list) in later.signs {
            self.signs.entry(kind).or_default().merge(list);
        }
    }
}

/// A field by its name, or by its position where the event's fields have none.
fn text(fields: &Fields, name: &str, position: usize) -> Option<String> {
    let value = fields.get(name).or_else(|| fields.at(position))?;
    (!value.is_empty()).then(|| value.to_string())
}

/// Windows Error Reporting tells of growing memory under this name (`_64`, `_WOW64`).
fn is_leak(fields: &Fields) -> bool {
    text(fields, "EventName", 2).is_some_and(|name| name.starts_with("RADAR_PRE_LEAK"))
}

fn is_quota(fields: &Fields) -> bool {
    text(fields, "Message", 1).is_some_and(|message| message.to_ascii_lowercase().contains("quota"))
}

/// The signs with the artifacts that they were read from: by kind, oldest first.
pub(super) fn signs(sources: &Sources) -> Vec<Sign> {
    let mut signs = Vec::new();
    for (kind, list) in &sources.events().processes.signs {
        let channel = match kind {
            Kind::MemoryLeak => APPLICATION,
            _ => SYSTEM,
        };
        let artifact = artifact(sources, channel);
        signs.extend(list.iter().map(|kept| Sign {
            kind: *kind,
            event_id: kept.event_id,
            record_id: kept.record_id,
            time: kept.time,
            image: kept.image.clone(),
            evidence: kept.evidence(channel, &artifact),
        }));
    }
    signs
}

/// The shortages with the artifact that they were read from, oldest first.
pub(super) fn shortages(sources: &Sources) -> Vec<Shortage> {
    let artifact = artifact(sources, SYSTEM);
    let kept = sources.events().processes.shortages.iter();
    kept.map(|kept| shortage(kept, &artifact)).collect()
}

fn artifact(sources: &Sources, channel: &str) -> String {
    let channel = sources.channel(channel);
    channel
        .value()
        .map(|channel| channel.artifact.clone())
        .unwrap_or_default()
}

/// The figures of an event. Windows writes them below `SystemInfo` and `ProcessInfo` of its
/// `MemoryExhaustionInfo` (a sample stands in Microsoft's blog "Detecting Low Virtual Memory
/// Conditions in Windows 2008 and R2").
fn shortage(kept: &Kept, artifact: &str) -> Shortage {
    let number = |name: &str| kept.fields.get(name).and_then(Field::as_u64);
    let process = |index: u32| {
        let place = |name: &str| format!("ProcessInfo/Process_{index}/{name}");
        let image = kept.fields.get(&place("Name"))?;
        (!image.is_empty()).then(|| ShortageProcess {
            image: image.to_string(),
            pid: number(&place("ID")),
            commit_bytes: number(&place("CommitCharge")),
            handles: number(&place("HandleCount")),
        })
    };
    Shortage {
        record_id: kept.record_id,
        time: kept.time,
        commit_limit_bytes: number("SystemInfo/SystemCommitLimit"),
        commit_bytes: number("SystemInfo/SystemCommitCharge"),
        physical_bytes: number("SystemInfo/PhysicalMemorySize"),
        processes: (1..=NAMED).filter_map(process).collect(),
        evidence: kept.evidence(SYSTEM, artifact),
    }
}
