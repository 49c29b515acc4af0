//! Port ranges and redirects.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapdiag_bundle::records::{self, AddressFamily, Transport};

use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::registry::data;
use crate::facts::sources::{ConsoleText, Sources};
use crate::formats::netstat::Protocol;
use crate::formats::portranges::{self, Family};

/// Ports of one protocol and family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortRange {
    /// Protocol.
    pub protocol: Transport,
    /// Family.
    pub family: AddressFamily,
    /// First port.
    pub first: u16,
    /// Last port, included.
    pub last: u16,
    /// Its first port in the record.
    pub evidence: Vec<Evidence>,
}

/// A redirect of `netsh interface portproxy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PortProxy {
    /// `address/port` that it takes; the address may be `*`.
    pub from: String,
    /// `address/port` that it hands on to.
    pub to: String,
    /// The value.
    pub evidence: Evidence,
}

impl PortRange {
    /// How many ports it has.
    pub fn count(&self) -> usize {
        (self.first..=self.last).len()
    }

    /// Whether a port is in it.
    pub fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

impl PortProxy {
    /// The port that it takes.
    pub fn port(&self) -> Option<u16> {
        self.from.rsplit('/').next()?.trim().parse().ok()
    }
}

/// The dynamic and the excluded ranges: of `network.port-ranges`, each from the text of netsh
/// where the record does not tell it.
pub(super) fn gather(sources: &Sources) -> (Fact<Vec<PortRange>>, Fact<Vec<PortRange>>) {
    let (dynamic, excluded) = of_record(sources);
    let lacks_dynamic = dynamic.value().is_none_or(Vec::is_empty);
    if !lacks_dynamic && excluded.value().is_some() {
        return (dynamic, excluded);
    }
    let text = sources
        .console_text("network.port-ranges-text")
        .map(|text| (portranges::PortRanges::parse(&text.text), text));
    let better = |known: Fact<Vec<PortRange>>, lacks: bool, from_text: Fact<Vec<PortRange>>| {
        if lacks && from_text.value().is_some() {
            from_text
        } else {
            known
        }
    };
    let lacks_excluded = excluded.value().is_none();
    let dynamic_text = text.clone().and_then(|(ranges, text)| {
        if ranges.dynamic.is_empty() {
            return Err("the text of netsh holds no dynamic range".to_owned());
        }
        Ok(of_text(&ranges.dynamic, &text))
    });
    let excluded_text = text.and_then(|(ranges, text)| {
        if ranges.tables.is_empty() {
            return Err("the text of netsh holds no table of excluded ranges".to_owned());
        }
        Ok(of_text(&ranges.excluded, &text))
    });
    (
        better(dynamic, lacks_dynamic, bare(dynamic_text)),
        better(excluded, lacks_excluded, bare(excluded_text)),
    )
}

fn of_text(ranges: &[portranges::Range], text: &ConsoleText) -> Vec<PortRange> {
    let mut lines = (1..=u32::MAX).zip(text.text.lines());
    let mut evidence = |number: u32| {
        let (_, line) = lines.find(|(line, _)| *line == number)?;
        let place = Locator::line(text.artifact.as_str(), number);
        Some(Evidence::new(text.artifact.as_str(), place, line))
    };
    ranges
        .iter()
        .map(|range| PortRange {
            protocol: match range.protocol {
                Protocol::Tcp => Transport::Tcp,
                Protocol::Udp => Transport::Udp,
            },
            family: match range.family {
                Family::V4 => AddressFamily::Ipv4,
                Family::V6 => AddressFamily::Ipv6,
            },
            first: range.first,
            last: range.last,
            evidence: evidence(range.line).into_iter().collect(),
        })
        .collect()
}

fn of_record(sources: &Sources) -> (Fact<Vec<PortRange>>, Fact<Vec<PortRange>>) {
    let record = sources.record::<records::PortRanges>("network.port-ranges");
    let at = |list: &str, index: usize, start: u16| -> Vec<Evidence> {
        let pointer = format!("/{list}/{index}/start");
        Fact::known(start, record.evidence.clone())
            .at_pointer(&pointer, |start| json!(start))
            .evidence
    };
    let dynamic = record
        .clone()
        .map(|ranges| {
            let ranges = ranges.dynamic.into_iter().enumerate();
            ranges
                .map(|(index, range)| PortRange {
                    protocol: range.protocol,
                    family: range.family,
                    first: range.start,
                    last: last(range.start, range.count),
                    evidence: at("dynamic", index, range.start),
                })
                .collect()
        })
        .at_pointer("/dynamic", |_: &Vec<PortRange>| Value::Null);
    let excluded = record
        .clone()
        .and_then(|ranges| {
            let ranges = ranges
                .excluded
                .ok_or("the collector could not read the excluded ranges")?;
            let ranges = ranges.into_iter().enumerate();
            Ok(ranges
                .map(|(index, range)| PortRange {
                    protocol: range.protocol,
                    family: range.family,
                    first: range.start,
                    last: range.end,
                    evidence: at("excluded", index, range.start),
                })
                .collect())
        })
        .at_pointer("/excluded", |_: &Vec<PortRange>| Value::Null);
    (bare(dynamic), bare(excluded))
}

/// The last of `count` ports from `start`.
fn last(start: u16, count: u16) -> u16 {
    start.saturating_add(count.saturating_sub(1))
}

/// The redirects of TCP over IPv4.
pub(super) fn port_proxies(sources: &Sources) -> Fact<Vec<PortProxy>> {
    let values = sources
        .system()
        .control_set()
        .values("Services\\PortProxy\\v4tov4\\tcp");
    let key = values.evidence.first().cloned();
    values.map(|entries| {
        let entries = entries.into_iter();
        entries
            .filter_map(|entry| {
                let to = entry.value.as_string()?;
                let key = key.as_ref()?;
                Some(PortProxy {
                    evidence: Evidence::new(
                        key.artifact.as_str(),
                        entry.locator,
                        data(&entry.value),
                    )
                    .at(key.time)
                    .doubted(key.doubt.clone()),
                    from: entry.value.name,
                    to,
                })
            })
            .collect()
    })
}
