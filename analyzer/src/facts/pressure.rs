//! What the logs say of memory that ran out, and of work that explains a busy machine.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use snapdiag_bundle::channel::{DEFENDER, WMI_ACTIVITY};

use super::events::{EventFamily, Want};
use super::evidence::Evidence;
use super::fact::Fact;
use super::inventory::Channel;
use super::locator::Locator;
use super::newest::Newest;
use super::sources::Sources;
use crate::formats::evtx::{Event, Fields, Value};

/// How many records of each kind are kept.
const KEPT: usize = 8;
/// A record larger than this is not kept.
const MAX_TEXT: usize = 16 * 1024;
/// How many processes Resource-Exhaustion-Detector names at most.
const MAX_PROCESSES: u32 = 6;
const SYSTEM: &str = "System";

/// What the logs say of memory that ran out, and of work that explains a busy machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pressure {
    /// How far the System log reaches.
    pub log: Fact<Channel>,
    /// The newest records of each kind, oldest first, at most eight each.
    pub events: Vec<PressureEvent>,
}

/// What a record says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum PressureKind {
    /// Resource-Exhaustion-Detector 2004: commit was nearly exhausted.
    CommitExhausted,
    /// Srv 2017 (nonpaged), 2019 (nonpaged), 2020 (paged): a pool was empty.
    PoolExhausted,
    /// Application Popup 26: Windows showed a message, such as "virtual memory too low".
    Popup,
    /// volmgr 46: no crash dump can be written, for want of a page file.
    NoCrashDump,
    /// `WindowsUpdateClient` 19, 43, 44: an update was installed, is being installed, downloaded.
    Update,
    /// Windows Defender 1000, 1001: a scan began, ended.
    Scan,
    /// WMI-Activity 5858: a query failed; a stream of them is a client that polls.
    Wmi,
}

impl PressureKind {
    const ALL: [Self; 7] = [
        Self::CommitExhausted,
        Self::PoolExhausted,
        Self::Popup,
        Self::NoCrashDump,
        Self::Update,
        Self::Scan,
        Self::Wmi,
    ];

    fn channel(self) -> &'static str {
        match self {
            Self::Scan => DEFENDER,
            Self::Wmi => WMI_ACTIVITY,
            _ => SYSTEM,
        }
    }

    /// By its event ID, which is unique among the records that this family wants.
    fn of(id: u32) -> Option<Self> {
        Some(match id {
            2004 => Self::CommitExhausted,
            2017 | 2019 | 2020 => Self::PoolExhausted,
            26 => Self::Popup,
            46 => Self::NoCrashDump,
            19 | 43 | 44 => Self::Update,
            1000 | 1001 => Self::Scan,
            5858 => Self::Wmi,
            _ => return None,
        })
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PressureEvent {
    /// What it says.
    pub kind: PressureKind,
    /// The event ID.
    pub id: u32,
    /// When, UTC.
    pub time: Timestamp,
    /// The largest committers that 2004 names, largest first as logged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub processes: Vec<Committer>,
    /// The record.
    pub evidence: Evidence,
}

/// A process that Resource-Exhaustion-Detector names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Committer {
    /// File name of the image.
    pub image: String,
    /// Process id.
    pub pid: Option<u64>,
    /// Commit charge, bytes.
    pub bytes: Option<u64>,
}

impl Pressure {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let logged = &sources.events().pressure;
        let mut events = Vec::new();
        for (kind, list) in PressureKind::ALL.iter().zip(&logged.kinds) {
            let artifact = sources
                .channel(kind.channel())
                .value()
                .map(|channel| channel.artifact.clone())
                .unwrap_or_default();
            events.extend(list.iter().map(|kept| kept.event(*kind, &artifact)));
        }
        Self {
            log: sources.channel(SYSTEM),
            events,
        }
    }

    /// The records of a kind, oldest first.
    pub fn of(&self, kind: PressureKind) -> impl DoubleEndedIterator<Item = &PressureEvent> {
        self.events.iter().filter(move |event| event.kind == kind)
    }
}

/// A record as the fold keeps it; the artifact's name is known only when facts are gathered.
struct Kept {
    id: u32,
    record_id: u64,
    time: Timestamp,
    processes: Vec<Committer>,
    fields: Map<String, Json>,
}

impl Kept {
    fn event(&self, kind: PressureKind, artifact: &str) -> PressureEvent {
        let locator = Locator::record(kind.channel(), self.record_id);
        PressureEvent {
            kind,
            id: self.id,
            time: self.time,
            processes: self.processes.clone(),
            evidence: Evidence::new(artifact, locator, self.fields.clone()).at(Some(self.time)),
        }
    }
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    /// The newest records of each kind, in the order of [`PressureKind::ALL`].
    kinds: [Newest<Kept, KEPT>; 7],
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
            providers: &["Srv", "Microsoft-Windows-SMBServer"],
            ids: &[2017, 2019, 2020],
        },
        Want {
            channel: SYSTEM,
            providers: &["Application Popup"],
            ids: &[26],
        },
        Want {
            channel: SYSTEM,
            providers: &["volmgr"],
            ids: &[46],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-WindowsUpdateClient"],
            ids: &[19, 43, 44],
        },
        Want {
            channel: DEFENDER,
            providers: &["Microsoft-Windows-Windows Defender"],
            ids: &[1000, 1001],
        },
        Want {
            channel: WMI_ACTIVITY,
            providers: &["Microsoft-Windows-WMI-Activity"],
            ids: &[5858],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let size: usize = event
            .fields
            .iter()
            .map(|field| field.value.as_str().map_or(32, str::len))
            .sum();
        let header = &event.header;
        let Some(kind) = PressureKind::of(header.event_id).filter(|_| size <= MAX_TEXT) else {
            return;
        };
        let place = PressureKind::ALL.iter().position(|other| *other == kind);
        if let Some(list) = place.and_then(|place| self.kinds.get_mut(place)) {
            list.offer(header.record_id, header.time, || Kept {
                id: header.event_id,
                record_id: header.record_id,
                time: header.time,
                processes: committers(&event.fields),
                fields: event.fields.to_json(),
            });
        }
    }

    fn merge(&mut self, later: Self) {
        for (list, more) in self.kinds.iter_mut().zip(later.kinds) {
            list.merge(more);
        }
    }
}

/// The processes that 2004 names: `ProcessInfo/Process_1/Name`, `ID`, `CommitCharge` and so on.
fn committers(fields: &Fields) -> Vec<Committer> {
    (1..=MAX_PROCESSES)
        .filter_map(|number| {
            let field = |name: &str| fields.get(&format!("ProcessInfo/Process_{number}/{name}"));
            let image = field("Name").and_then(Value::as_str)?.trim();
            (!image.is_empty()).then(|| Committer {
                image: image.to_owned(),
                pid: field("ID").and_then(Value::as_u64),
                bytes: field("CommitCharge").and_then(Value::as_u64),
            })
        })
        .collect()
}
