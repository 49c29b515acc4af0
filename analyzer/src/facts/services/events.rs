//! What the logs say of services: the Service Control Manager's events, and crashes of the
//! process that hosts Remote Desktop.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::names;
use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::formats::evtx::{Event, Fields};

/// How many records of one kind are kept of one service.
const KEPT: usize = 16;
/// How many records are kept whose service has no known name: a translated display name, which
/// only the registry can tell.
const KEPT_UNNAMED: usize = 64;
/// An event of the Service Control Manager is a few hundred bytes; a larger one is not believed,
/// so that hostile logs cannot fill the memory.
const MAX_TEXT: usize = 16 * 1024;

const SYSTEM: &str = "System";
const APPLICATION: &str = "Application";
const SCM: &str = "Service Control Manager";

/// A record about a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceEvent {
    /// The event ID.
    pub id: u32,
    /// The record's id in its log; tells the order.
    pub record_id: u64,
    /// When, UTC.
    pub time: Timestamp,
    /// The service as the event names it: the short name where the event carries it.
    pub service: String,
    /// The state that the service entered (7036): 1 stopped, 4 running. `None` where the event
    /// has only a translated word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<u32>,
    /// The error number that the event carries (`%%1053`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<u64>,
    /// The parameters as logged, some of them translated.
    pub texts: Vec<String>,
    /// The record.
    pub evidence: Evidence,
}

/// A record as the fold keeps it; the artifact's name is known only when facts are gathered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) channel: &'static str,
    pub(super) id: u32,
    pub(super) record_id: u64,
    pub(super) time: Timestamp,
    pub(super) service: String,
    pub(super) entered: Option<u32>,
    pub(super) error: Option<u64>,
    pub(super) texts: Vec<String>,
    pub(super) fields: Map<String, Json>,
}

impl Kept {
    /// The fact about it, found in `artifact`.
    pub(super) fn event(&self, artifact: &str) -> ServiceEvent {
        let locator = Locator::record(self.channel, self.record_id);
        ServiceEvent {
            id: self.id,
            record_id: self.record_id,
            time: self.time,
            service: self.service.clone(),
            entered: self.entered,
            error: self.error,
            texts: self.texts.clone(),
            evidence: Evidence::new(artifact, locator, self.fields.clone()).at(Some(self.time)),
        }
    }
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    /// The newest events by service (a name of [`names::KNOWN`]) and event ID.
    pub(super) named: BTreeMap<(&'static str, u32), Newest<Kept, KEPT>>,
    /// The newest events of services under other names.
    pub(super) unnamed: Newest<Kept, KEPT_UNNAMED>,
    /// The newest starts of Windows (Kernel-General 12, `EventLog` 6005).
    pub(super) boots: Newest<Kept, 4>,
    /// The newest crashes of the process or the library of Remote Desktop Services.
    pub(super) crashes: Newest<Kept, KEPT>,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SYSTEM,
            providers: &[SCM],
            ids: &[
                7000, 7001, 7009, 7011, 7022, 7023, 7024, 7031, 7034, 7036, 7038, 7040, 7041, 7045,
            ],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-Kernel-General"],
            ids: &[12],
        },
        Want {
            channel: SYSTEM,
            providers: &["EventLog"],
            ids: &[6005],
        },
        Want {
            channel: APPLICATION,
            providers: &["Application Error"],
            ids: &[1000],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let size: usize = event.fields.iter().map(|f| text_size(&f.value)).sum();
        if size > MAX_TEXT {
            return;
        }
        let header = &event.header;
        match header.event_id {
            12 | 6005 => offer(&mut self.boots, keep(event, SYSTEM, String::new())),
            1000 => {
                if let Some(service) = crashed(&event.fields) {
                    offer(&mut self.crashes, keep(event, APPLICATION, service));
                }
            }
            id => {
                let short = short_name(id, &event.fields);
                let logged = match &short {
                    Some(name) => name.clone(),
                    None => parameter(id, &event.fields),
                };
                if let Some(name) = names::find(&logged) {
                    let list = self.named.entry((name, id)).or_default();
                    offer(list, keep(event, SYSTEM, logged));
                } else if short.is_none() {
                    offer(&mut self.unnamed, keep(event, SYSTEM, logged));
                }
            }
        }
    }

    fn merge(&mut self, later: Self) {
        for (key, list) in later.named {
            self.named.entry(key).or_default().merge(list);
        }
        self.unnamed.merge(later.unnamed);
        self.boots.merge(later.boots);
        self.crashes.merge(later.crashes);
    }
}

fn offer<const N: usize>(list: &mut Newest<Kept, N>, kept: Kept) {
    list.offer(kept.record_id, kept.time, || kept);
}

fn keep(event: &Event<'_>, channel: &'static str, service: String) -> Kept {
    let texts: Vec<String> = event
        .fields
        .iter()
        .filter(|field| field.name.as_deref() != Some("Binary"))
        .map(|field| field.value.to_string())
        .collect();
    Kept {
        channel,
        id: event.header.event_id,
        record_id: event.header.record_id,
        time: event.header.time,
        service,
        entered: entered(event.header.event_id, &event.fields),
        error: texts.iter().find_map(|text| message_number(text)),
        texts,
        fields: event.fields.to_json(),
    }
}

fn text_size(value: &crate::formats::evtx::Value) -> usize {
    match value.as_bytes() {
        Some(bytes) => bytes.len().saturating_mul(2),
        None => value.as_str().map_or(32, str::len),
    }
}

/// `%%1053` stands for the text of error 1053.
fn message_number(text: &str) -> Option<u64> {
    text.strip_prefix("%%")?.trim().parse().ok()
}

/// The short name of the service that an event is about. `Binary` holds it in UTF-16LE, in 7036
/// followed by `/` and the state; 7040 has it as its last parameter.
fn short_name(id: u32, fields: &Fields) -> Option<String> {
    let text = match id {
        7040 => fields.at(3)?.to_string(),
        _ => binary_text(fields)?,
    };
    let name = match (id, text.rsplit_once('/')) {
        (7036, Some((name, _))) => name,
        _ => &text,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// The parameter that names the service: mostly its translated display name.
fn parameter(id: u32, fields: &Fields) -> String {
    let position = match id {
        7009 | 7011 => 1,
        _ => 0,
    };
    fields
        .at(position)
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// The text in `Binary` up to its first NUL.
fn binary_text(fields: &Fields) -> Option<String> {
    let units: Vec<u16> = fields
        .binary()?
        .chunks_exact(2)
        .filter_map(|pair| pair.try_into().ok().map(u16::from_le_bytes))
        .take_while(|unit| *unit != 0)
        .collect();
    (!units.is_empty()).then(|| String::from_utf16_lossy(&units))
}

/// The state that a service entered (7036), by the number in `Binary`; an English log tells it in
/// words, too.
fn entered(id: u32, fields: &Fields) -> Option<u32> {
    if id != 7036 {
        return None;
    }
    let by_number = binary_text(fields)
        .and_then(|text| text.rsplit_once('/')?.1.parse().ok())
        .filter(|state| (1..=7).contains(state));
    by_number.or_else(|| match fields.at(1)?.as_str()? {
        "stopped" => Some(1),
        "running" => Some(4),
        "paused" => Some(7),
        _ => None,
    })
}

/// The process or library of Remote Desktop Services that an Application Error 1000 is about:
/// its first field is the process, the fourth the module.
fn crashed(fields: &Fields) -> Option<String> {
    let process = fields.at(0)?.as_str()?;
    let module = fields.at(3).and_then(|value| value.as_str()).unwrap_or("");
    let service = process
        .split_once('_')
        .is_some_and(|(_, service)| service.eq_ignore_ascii_case("TermService"));
    (service || module.eq_ignore_ascii_case("termsrv.dll")).then(|| process.to_owned())
}

#[cfg(test)]
mod tests;
