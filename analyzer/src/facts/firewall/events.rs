//! What the logs say of the firewall: changes of settings and rules, dropped connections, and
//! the network that was connected last.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use snapdiag_bundle::channel::{FIREWALL, NETWORK_PROFILE};

use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::formats::evtx::{Event, Fields, Value};

/// How many changes of settings are kept.
const KEPT: usize = 16;
/// How many changes of rules and how many drops are kept before the port is known.
const KEPT_RULES: usize = 64;
/// A record larger than this is not kept; a rule with hundreds of addresses stays below.
const MAX_TEXT: usize = 64 * 1024;
/// The same for dropped connections, of which one is kept for each port.
const MAX_DROP: usize = 1024;

/// A record of one of the firewall's logs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FirewallEvent {
    /// The event ID.
    pub id: u32,
    /// When, UTC.
    pub time: Timestamp,
    /// The record.
    pub evidence: Evidence,
}

impl FirewallEvent {
    /// A field of the record as text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.evidence.raw.get(name)?.as_str()
    }

    /// A field of the record as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        let field = self.evidence.raw.get(name)?;
        field
            .as_u64()
            .or_else(|| field.as_str()?.trim().parse().ok())
    }
}

/// A record as the fold keeps it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    channel: &'static str,
    id: u32,
    record_id: u64,
    time: Timestamp,
    fields: Map<String, Json>,
}

impl Kept {
    pub(super) fn event(&self, artifact: &str) -> FirewallEvent {
        let locator = Locator::record(self.channel, self.record_id);
        FirewallEvent {
            id: self.id,
            time: self.time,
            evidence: Evidence::new(artifact, locator, self.fields.clone()).at(Some(self.time)),
        }
    }
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    /// The newest changes of settings (2002, 2003).
    settings: Newest<Kept, KEPT>,
    /// The newest changes of rules for connections in (2004, 2005, 2006).
    rules: Newest<Kept, KEPT_RULES>,
    /// The newest dropped TCP connections (5152, 5157) by local port, for ports that have any.
    drops: BTreeMap<u16, Newest<Kept, 1>>,
    /// The newest networks that were connected (10000).
    pub(super) connected: Newest<Kept, 1>,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: FIREWALL,
            providers: &["Microsoft-Windows-Windows Firewall With Advanced Security"],
            ids: &[2002, 2003, 2004, 2005, 2006],
        },
        Want {
            channel: NETWORK_PROFILE,
            providers: &["Microsoft-Windows-NetworkProfile"],
            ids: &[10000],
        },
        Want {
            channel: "Security",
            providers: &["Microsoft-Windows-Security-Auditing"],
            ids: &[5152, 5157],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let size: usize = event
            .fields
            .iter()
            .map(|field| field.value.as_str().map_or(32, str::len))
            .sum();
        if size > MAX_TEXT {
            return;
        }
        match event.header.event_id {
            2002 | 2003 => offer(&mut self.settings, event, FIREWALL),
            2004..=2006 if concerns_inbound(event) => offer(&mut self.rules, event, FIREWALL),
            10000 => offer(&mut self.connected, event, NETWORK_PROFILE),
            5152 | 5157 if size <= MAX_DROP => {
                if let Some(port) = dropped_port(&event.fields) {
                    offer(self.drops.entry(port).or_default(), event, "Security");
                }
            }
            _ => {}
        }
    }

    fn merge(&mut self, later: Self) {
        self.settings.merge(later.settings);
        self.rules.merge(later.rules);
        self.connected.merge(later.connected);
        for (port, list) in later.drops {
            self.drops.entry(port).or_default().merge(list);
        }
    }
}

fn offer<const N: usize>(list: &mut Newest<Kept, N>, event: &Event<'_>, channel: &'static str) {
    let header = &event.header;
    list.offer(header.record_id, header.time, || Kept {
        channel,
        id: header.event_id,
        record_id: header.record_id,
        time: header.time,
        fields: event.fields.to_json(),
    });
}

fn number(fields: &Fields, name: &str) -> Option<u64> {
    fields.get(name).and_then(Value::as_u64)
}

/// Whether a change of rules can concern connections in; a deletion (2006) says no more than the
/// rule's id and name.
fn concerns_inbound(event: &Event<'_>) -> bool {
    match number(&event.fields, "Direction") {
        Some(direction) => direction == 1,
        None => event.header.event_id == 2006,
    }
}

/// The local port of a dropped connection in by TCP. `%%14592` stands for "inbound".
fn dropped_port(fields: &Fields) -> Option<u16> {
    let inbound = fields.get("Direction")?.as_str()? == "%%14592";
    let tcp = number(fields, "Protocol")? == 6;
    (inbound && tcp).then_some(())?;
    u16::try_from(number(fields, "DestPort")?).ok()
}

/// The newest changes of settings, and of rules for one of `ports`, oldest first.
pub(super) fn changes(events: &Events, log: &Fact<Channel>, ports: &[u16]) -> Vec<FirewallEvent> {
    let Some(log) = log.value() else {
        return Vec::new();
    };
    let rules = events.rules.iter().filter(|kept| is_for(kept, ports));
    let mut kept: Vec<&Kept> = events.settings.iter().chain(rules).collect();
    kept.sort_by_key(|kept| (kept.record_id, kept.time));
    kept.into_iter()
        .map(|kept| kept.event(&log.artifact))
        .collect()
}

/// Whether a change of rules is for Remote Desktop: by its port, or by the built-in rule's id.
fn is_for(kept: &Kept, ports: &[u16]) -> bool {
    let text = |name: &str| kept.fields.get(name).and_then(Json::as_str).unwrap_or("");
    text("RuleId").starts_with("RemoteDesktop-")
        || text("LocalPorts").split(',').any(|part| {
            part.trim()
                .parse()
                .is_ok_and(|port: u16| ports.contains(&port))
        })
}

/// The newest dropped connection to each of `ports`, oldest first.
pub(super) fn drops(events: &Events, log: &Fact<Channel>, ports: &[u16]) -> Vec<FirewallEvent> {
    let Some(log) = log.value() else {
        return Vec::new();
    };
    let mut kept: Vec<&Kept> = events
        .drops
        .iter()
        .filter(|(port, _)| ports.contains(port))
        .filter_map(|(_, list)| list.newest())
        .collect();
    kept.sort_by_key(|kept| (kept.record_id, kept.time));
    kept.into_iter()
        .map(|kept| kept.event(&log.artifact))
        .collect()
}

#[cfg(test)]
mod tests;
