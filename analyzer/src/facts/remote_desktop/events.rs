//! What the logs say of Remote Desktop and of the policies that rule it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::channel::{
    LSM_OPERATIONAL, RCM_ADMIN, RCM_OPERATIONAL, RDPCORETS_OPERATIONAL,
};

use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::facts::records::{self, Record, Records};
use crate::facts::sources::Sources;
use crate::formats::evtx::{Event, Fields};

const SYSTEM: &str = "System";

/// `RemoteConnectionManager` under both its names.
const MANAGER: &[&str] = &[
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
    "TermService",
];

/// How many records of each kind are kept.
const KEPT: usize = 8;

/// What a record says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `RdpCoreTS` 129: the UDP listener took a port; the TCP listener takes the same one.
    UdpListener,
    /// `RdpCoreTS` 131: the transport accepted a connection.
    Accepted,
    /// `RemoteConnectionManager` 258: a listener started.
    ListenerStarted,
    /// `RemoteConnectionManager` 259: a listener stopped.
    ListenerStopped,
    /// `RemoteConnectionManager` 261: a listener received a connection.
    Received,
    /// `RemoteConnectionManager` 1149: a user was authenticated.
    Authenticated,
    /// `LocalSessionManager` 21, not of the console: a session began.
    LoggedOn,
    /// `LocalSessionManager` 25, not of the console: a session was taken up again.
    Reconnected,
    /// `GroupPolicy` 1500, 1502: the machine's policies were refreshed.
    MachinePolicies,
    /// `GroupPolicy` 1501, 1503: a user's policies were refreshed.
    UserPolicies,
    /// `GroupPolicy` 1030, 1058, 1129: a refresh failed.
    PoliciesFailed,
}

/// What goes wrong with a listener. In which of its channels a version of Windows writes the last
/// two is not confirmed, so both are read.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// `RemoteConnectionManager` 260: a listener failed.
    ListenerFailed,
    /// `RemoteConnectionManager` 262: a listener was asked to stop.
    AskedToStop,
    /// `RemoteConnectionManager` 1035: a listener was down.
    StackDown,
    /// `RemoteConnectionManager` 1036: a session could not be made.
    SessionFailed,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RdpEvent {
    /// What it says.
    pub kind: Kind,
    /// Event ID.
    pub event_id: u32,
    /// Record id in its log.
    pub record_id: u64,
    /// When it was written.
    pub time: Timestamp,
    /// The port of a listener, the address of a client, the name of a listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The record.
    pub evidence: Evidence,
}

/// The newest records of each kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Logged {
    /// By kind, oldest first; at most eight of each.
    pub events: Vec<RdpEvent>,
    /// What went wrong with listeners.
    pub troubles: Vec<Record<Trouble>>,
    /// How far `RemoteConnectionManager/Operational` reaches.
    pub connection_manager: Fact<Channel>,
    /// How far `LocalSessionManager/Operational` reaches.
    pub session_manager: Fact<Channel>,
    /// How far `RdpCoreTS/Operational` reaches.
    pub transport: Fact<Channel>,
    /// How far System reaches.
    pub system: Fact<Channel>,
}

impl Logged {
    pub(super) fn gather(sources: &Sources) -> Self {
        let mut logged = Self {
            events: Vec::new(),
            troubles: sources.events().remote_desktop.troubles.gather(sources),
            connection_manager: sources.channel(RCM_OPERATIONAL),
            session_manager: sources.channel(LSM_OPERATIONAL),
            transport: sources.channel(RDPCORETS_OPERATIONAL),
            system: sources.channel(SYSTEM),
        };
        for (kind, kept) in &sources.events().remote_desktop.newest {
            let artifact = logged.artifact(*kind);
            let events = kept.iter().map(|kept| kept.event(*kind, &artifact));
            logged.events.extend(events);
        }
        logged
    }

    /// The artifact that records of a kind were read from.
    fn artifact(&self, kind: Kind) -> String {
        let channel = match channel(kind) {
            RCM_OPERATIONAL => &self.connection_manager,
            LSM_OPERATIONAL => &self.session_manager,
            RDPCORETS_OPERATIONAL => &self.transport,
            _ => &self.system,
        };
        channel
            .value()
            .map(|channel| channel.artifact.clone())
            .unwrap_or_default()
    }

    /// The records of a kind, oldest first.
    pub fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &RdpEvent> {
        self.events.iter().filter(move |event| event.kind == kind)
    }

    /// The newest record of a kind.
    pub fn newest(&self, kind: Kind) -> Option<&RdpEvent> {
        self.of(kind).next_back()
    }

    /// The newest record that proves that a user came in through Remote Desktop.
    pub fn newest_success(&self) -> Option<&RdpEvent> {
        [Kind::Authenticated, Kind::LoggedOn, Kind::Reconnected]
            .into_iter()
            .filter_map(|kind| self.newest(kind))
            .max_by_key(|event| event.time)
    }

    /// The newest record that proves that the listener took a connection over TCP.
    pub fn newest_connection(&self) -> Option<&RdpEvent> {
        [Kind::Accepted, Kind::Received, Kind::Authenticated]
            .into_iter()
            .filter_map(|kind| self.newest(kind))
            .max_by_key(|event| event.time)
    }
}

/// The newest records of each kind, while the logs are read.
#[derive(Default)]
pub struct Events {
    newest: BTreeMap<Kind, Newest<Kept, KEPT>>,
    troubles: Records<Trouble>,
}

struct Kept {
    event_id: u32,
    record_id: u64,
    time: Timestamp,
    subject: Option<String>,
    fields: Value,
}

impl Kept {
    fn event(&self, kind: Kind, artifact: &str) -> RdpEvent {
        let locator = Locator::record(channel(kind), self.record_id);
        RdpEvent {
            kind,
            event_id: self.event_id,
            record_id: self.record_id,
            time: self.time,
            subject: self.subject.clone(),
            evidence: Evidence::new(artifact, locator, self.fields.clone()).at(Some(self.time)),
        }
    }
}

/// The channel of a kind.
fn channel(kind: Kind) -> &'static str {
    match kind {
        Kind::UdpListener | Kind::Accepted => RDPCORETS_OPERATIONAL,
        Kind::ListenerStarted | Kind::ListenerStopped | Kind::Received | Kind::Authenticated => {
            RCM_OPERATIONAL
        }
        Kind::LoggedOn | Kind::Reconnected => LSM_OPERATIONAL,
        Kind::MachinePolicies | Kind::UserPolicies | Kind::PoliciesFailed => SYSTEM,
    }
}

/// The kind of a wanted record, and its subject. `None` for a logon at the console.
fn classify(event: &Event<'_>) -> Option<(Kind, Option<String>)> {
    let fields = &event.fields;
    Some(match event.header.event_id {
        129 => (Kind::UdpListener, text(fields, "Port")),
        131 => (Kind::Accepted, text(fields, "ClientIP")),
        258 => (Kind::ListenerStarted, text(fields, "listenerName")),
        259 => (Kind::ListenerStopped, text(fields, "listenerName")),
        261 => (Kind::Received, text(fields, "listenerName")),
        1149 => (Kind::Authenticated, text(fields, "Param3")),
        id @ (21 | 25) => {
            let address = text(fields, "Address")?;
            // Windows writes this word in every language.
            if address.eq_ignore_ascii_case("LOCAL") {
                return None;
            }
            let kind = if id == 21 {
                Kind::LoggedOn
            } else {
                Kind::Reconnected
            };
            (kind, Some(address))
        }
        1500 | 1502 => (Kind::MachinePolicies, None),
        1501 | 1503 => (Kind::UserPolicies, None),
        1030 | 1058 | 1129 => (Kind::PoliciesFailed, None),
        _ => return None,
    })
}

/// What goes wrong in a wanted record: the listener for the first two, else the status.
fn trouble(event: &Event<'_>) -> Option<(Trouble, Option<String>)> {
    let fields = &event.fields;
    let first = || fields.at(0).map(ToString::to_string);
    Some(match event.header.event_id {
        260 => (Trouble::ListenerFailed, text(fields, "listenerName")),
        262 => (Trouble::AskedToStop, text(fields, "listenerName")),
        1035 => (Trouble::StackDown, first()),
        1036 => (Trouble::SessionFailed, first()),
        _ => return None,
    })
}

/// A field that is not empty.
fn text(fields: &Fields, name: &str) -> Option<String> {
    let value = fields.get(name)?;
    (!value.is_empty()).then(|| value.to_string())
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: RDPCORETS_OPERATIONAL,
            providers: &["Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"],
            ids: &[129, 131],
        },
        Want {
            channel: RCM_OPERATIONAL,
            providers: MANAGER,
            ids: &[258, 259, 260, 261, 262, 1035, 1036, 1149],
        },
        Want {
            channel: LSM_OPERATIONAL,
            providers: &["Microsoft-Windows-TerminalServices-LocalSessionManager"],
            ids: &[21, 25],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-GroupPolicy"],
            ids: &[1030, 1058, 1129, 1500, 1501, 1502, 1503],
        },
        Want {
            channel: SYSTEM,
            providers: MANAGER,
            ids: &[1035, 1036],
        },
        Want {
            channel: RCM_ADMIN,
            providers: MANAGER,
            ids: &[1035, 1036],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        if let Some((trouble, subject)) = trouble(event) {
            if let Some(channel) = records::channel(Self::WANTS, &event.header) {
                self.troubles.offer(trouble, channel, event, subject);
            }
            return;
        }
        let Some((kind, subject)) = classify(event) else {
            return;
        };
        let header = &event.header;
        let make = || Kept {
            event_id: header.event_id,
            record_id: header.record_id,
            time: header.time,
            subject,
            fields: Value::Object(event.fields.to_json()),
        };
        self.newest
            .entry(kind)
            .or_default()
            .offer(header.record_id, header.time, make);
    }

    fn merge(&mut self, later: Self) {
        for (kind, list) in later.newest {
            self.newest.entry(kind).or_default().merge(list);
        }
        self.troubles.merge(later.troubles);
    }
}
