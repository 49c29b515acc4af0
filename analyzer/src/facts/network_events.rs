//! What the logs say of ports, addresses, leases and name resolution.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapdiag_bundle::channel::DHCP_CLIENT_ADMIN;

use super::events::{EventFamily, Want};
use super::evidence::Evidence;
use super::fact::Fact;
use super::inventory::Channel;
use super::locator::{EventQuery, Locator};
use super::newest::Newest;
use super::sources::Sources;
use crate::formats::evtx::{Event, Fields};

const SYSTEM: &str = "System";
const TCPIP: &str = "Tcpip";
const DNS_CLIENT: &str = "Microsoft-Windows-DNS-Client";
const NETLOGON: &str = "NETLOGON";
const DHCP: &str = "Microsoft-Windows-Dhcp-Client";

/// How many records of each kind are kept.
const KEPT: usize = 16;
/// How many hours with records of a kind are kept: a month.
const HOURS: usize = 31 * 24;
const HOUR: i64 = 3600;

/// What a record says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Tcpip 4226: the limit on concurrent connection attempts of old systems.
    ConnectLimit,
    /// Tcpip 4227: a port was still in `TIME_WAIT` towards the same remote end.
    TimeWaitCollision,
    /// Tcpip 4231: no dynamic TCP port was left.
    TcpExhausted,
    /// Tcpip 4265: the limit on UDP ports.
    UdpLimit,
    /// Tcpip 4266: no dynamic UDP port was left.
    UdpExhausted,
    /// Tcpip 4198, 4199: another machine has the address.
    DuplicateAddress,
    /// Tcpip 4202: the medium was disconnected.
    MediaDisconnected,
    /// DNS-Client 1014: no configured server answered.
    DnsTimeout,
    /// Netlogon 5719: no domain controller could be reached.
    SecureChannel,
    /// Dhcp-Client 1001, 1002, 1003, 1006, 1007 in its own log: no lease, or none renewed.
    LeaseFailed,
    /// The same in the System log, where older systems write it.
    LeaseFailedOld,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkEvent {
    /// What it says.
    pub kind: Kind,
    /// Event ID.
    pub event_id: u32,
    /// When it was written.
    pub time: Timestamp,
    /// The address in conflict and the MAC address of the other machine; the DNS server that did
    /// not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The name that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The record.
    pub evidence: Evidence,
}

/// The records of a kind in one hour of the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hour {
    /// What they say.
    pub kind: Kind,
    /// When the hour began, UTC.
    pub begin: Timestamp,
    /// How many there are.
    pub count: u64,
    /// The count, as a query.
    pub evidence: Evidence,
}

/// What the logs say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkEvents {
    /// The newest records of each kind, oldest first; at most sixteen of each.
    pub newest: Vec<NetworkEvent>,
    /// The hours with records of a kind, oldest first; at most a month.
    pub hours: Vec<Hour>,
    /// How far System reaches.
    pub system: Fact<Channel>,
    /// How far Dhcp-Client/Admin reaches.
    pub dhcp: Fact<Channel>,
}

impl NetworkEvents {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let mut facts = Self {
            newest: Vec::new(),
            hours: Vec::new(),
            system: sources.channel(SYSTEM),
            dhcp: sources.channel(DHCP_CLIENT_ADMIN),
        };
        let events = &sources.events().network;
        for (kind, newest) in &events.newest {
            let artifact = facts.artifact(*kind);
            let events = newest.iter().map(|kept| kept.event(*kind, &artifact));
            facts.newest.extend(events);
        }
        for (kind, hours) in &events.hours {
            let artifact = facts.artifact(*kind);
            let hours = hours.iter();
            facts
                .hours
                .extend(hours.filter_map(|(hour, count)| tally(*kind, *hour, *count, &artifact)));
        }
        facts
    }

    fn artifact(&self, kind: Kind) -> String {
        let log = if channel(kind) == SYSTEM {
            &self.system
        } else {
            &self.dhcp
        };
        log.value()
            .map(|log| log.artifact.clone())
            .unwrap_or_default()
    }

    /// The newest record of a kind by its time.
    pub fn newest(&self, kind: Kind) -> Option<&NetworkEvent> {
        self.of(kind).max_by_key(|event| event.time)
    }

    /// The newest records of a kind, oldest first.
    pub fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &NetworkEvent> {
        self.newest.iter().filter(move |event| event.kind == kind)
    }

    /// The hour with the most records of a kind among those that end after `since`; the newest of
    /// equal ones.
    pub fn busiest_hour(&self, kind: Kind, since: Timestamp) -> Option<&Hour> {
        self.hours
            .iter()
            .filter(|hour| hour.kind == kind && end(hour.begin) > since)
            .max_by_key(|hour| (hour.count, hour.begin))
    }

    /// How many records of a kind there are in the hours that end after `since`.
    pub fn count_since(&self, kind: Kind, since: Timestamp) -> u64 {
        let hours = self.hours.iter();
        hours
            .filter(|hour| hour.kind == kind && end(hour.begin) > since)
            .fold(0, |sum, hour| sum.saturating_add(hour.count))
    }
}

/// When an hour ends.
fn end(begin: Timestamp) -> Timestamp {
    begin
        .checked_add(SignedDuration::from_secs(HOUR))
        .unwrap_or(Timestamp::MAX)
}

fn tally(kind: Kind, hour: i64, count: u64, artifact: &str) -> Option<Hour> {
    let begin = Timestamp::from_second(hour.checked_mul(HOUR)?).ok()?;
    let query = Locator::Events(EventQuery {
        channel: channel(kind).to_owned(),
        ids: ids(kind).to_vec(),
        provider: Some(provider(kind).to_owned()),
        after: Some(begin),
        before: Some(end(begin)),
        ..EventQuery::default()
    });
    let evidence = Evidence::new(artifact, query, json!(count)).at(Some(begin));
    Some(Hour {
        kind,
        begin,
        count,
        evidence,
    })
}

/// Counts by hour and the newest records, while the logs are read.
#[derive(Default)]
pub struct Events {
    newest: BTreeMap<Kind, Newest<Kept, KEPT>>,
    hours: BTreeMap<Kind, BTreeMap<i64, u64>>,
}

struct Kept {
    event_id: u32,
    record_id: u64,
    time: Timestamp,
    subject: Option<String>,
    name: Option<String>,
    fields: Value,
}

impl Kept {
    fn event(&self, kind: Kind, artifact: &str) -> NetworkEvent {
        let locator = Locator::record(channel(kind), self.record_id);
        NetworkEvent {
            kind,
            event_id: self.event_id,
            time: self.time,
            subject: self.subject.clone(),
            name: self.name.clone(),
            evidence: Evidence::new(artifact, locator, self.fields.clone()).at(Some(self.time)),
        }
    }
}

fn channel(kind: Kind) -> &'static str {
    match kind {
        Kind::LeaseFailed => DHCP_CLIENT_ADMIN,
        _ => SYSTEM,
    }
}

fn provider(kind: Kind) -> &'static str {
    match kind {
        Kind::DnsTimeout => DNS_CLIENT,
        Kind::SecureChannel => NETLOGON,
        Kind::LeaseFailed | Kind::LeaseFailedOld => DHCP,
        _ => TCPIP,
    }
}

fn ids(kind: Kind) -> &'static [u32] {
    match kind {
        Kind::ConnectLimit => &[4226],
        Kind::TimeWaitCollision => &[4227],
        Kind::TcpExhausted => &[4231],
        Kind::UdpLimit => &[4265],
        Kind::UdpExhausted => &[4266],
        Kind::DuplicateAddress => &[4198, 4199],
        Kind::MediaDisconnected => &[4202],
        Kind::DnsTimeout => &[1014],
        Kind::SecureChannel => &[5719],
        Kind::LeaseFailed | Kind::LeaseFailedOld => LEASE,
    }
}

/// No address given; lease denied; lease not renewed; and the fallback to a self-made address.
const LEASE: &[u32] = &[1001, 1002, 1003, 1006, 1007];

/// The kind of a wanted record. The IDs of the four providers do not overlap.
fn classify(event: &Event<'_>) -> Option<Kind> {
    Some(match event.header.event_id {
        4226 => Kind::ConnectLimit,
        4227 => Kind::TimeWaitCollision,
        4231 => Kind::TcpExhausted,
        4265 => Kind::UdpLimit,
        4266 => Kind::UdpExhausted,
        4198 | 4199 => Kind::DuplicateAddress,
        4202 => Kind::MediaDisconnected,
        1014 => Kind::DnsTimeout,
        5719 => Kind::SecureChannel,
        id if LEASE.contains(&id) => {
            if event.header.channel.eq_ignore_ascii_case(SYSTEM) {
                Kind::LeaseFailedOld
            } else {
                Kind::LeaseFailed
            }
        }
        _ => return None,
    })
}

/// What a record is about.
fn subject(kind: Kind, fields: &Fields) -> Option<String> {
    match kind {
        // Device, address, MAC address of the other machine (netevent.h: EVENT_TCPIP_ADDRESS_CONFLICT1).
        Kind::DuplicateAddress => {
            let address = text(fields, 1)?;
            Some(match text(fields, 2) {
                Some(mac) => format!("{address} {mac}"),
                None => address,
            })
        }
        Kind::DnsTimeout => {
            let address = fields.get("Address")?.as_bytes()?;
            socket_address(address).map(|address| address.to_string())
        }
        _ => None,
    }
}

fn text(fields: &Fields, position: usize) -> Option<String> {
    let value = fields.at(position)?;
    (!value.is_empty()).then(|| value.to_string())
}

/// The address in a SOCKADDR: the family (2 or 23), the port, then 4 bytes of IPv4, or the flow
/// and 16 bytes of IPv6.
fn socket_address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.get(..2)? {
        [2, 0] => {
            let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(Ipv4Addr::from(octets).into())
        }
        [23, 0] => {
            let octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(Ipv6Addr::from(octets).into())
        }
        _ => None,
    }
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SYSTEM,
            providers: &[TCPIP],
            ids: &[4198, 4199, 4202, 4226, 4227, 4231, 4265, 4266],
        },
        Want {
            channel: SYSTEM,
            providers: &[DNS_CLIENT],
            ids: &[1014],
        },
        Want {
            channel: SYSTEM,
            providers: &[NETLOGON],
            ids: &[5719],
        },
        Want {
            channel: SYSTEM,
            providers: &[DHCP],
            ids: LEASE,
        },
        Want {
            channel: DHCP_CLIENT_ADMIN,
            providers: &[DHCP],
            ids: LEASE,
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let Some(kind) = classify(event) else {
            return;
        };
        let header = &event.header;
        let hours = self.hours.entry(kind).or_default();
        *hours
            .entry(header.time.as_second().div_euclid(HOUR))
            .or_default() += 1;
        trim(hours);
        let make = || Kept {
            event_id: header.event_id,
            record_id: header.record_id,
            time: header.time,
            subject: subject(kind, &event.fields),
            name: event.fields.get("QueryName").map(ToString::to_string),
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
        for (kind, more) in later.hours {
            let hours = self.hours.entry(kind).or_default();
            for (hour, count) in more {
                *hours.entry(hour).or_default() += count;
            }
            trim(hours);
        }
    }
}

/// Keeps the newest hours. An hour that is dropped has enough newer ones beside it for good, so
/// the result does not depend on the grouping of the records.
fn trim(hours: &mut BTreeMap<i64, u64>) {
    while hours.len() > HOURS {
        hours.pop_first();
    }
}

#[cfg(test)]
mod tests;
