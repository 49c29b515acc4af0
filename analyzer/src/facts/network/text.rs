//! What the texts of ipconfig and route say where the collector's records are missing.

use std::net::{IpAddr, Ipv4Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::records;

use super::{Route, Row};
use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::{ConsoleText, Sources};
use crate::formats::ipconfig;
use crate::formats::route_print::Routes;

/// An adapter in the text of ipconfig.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TextAdapter {
    /// Its heading, which is translated.
    pub heading: String,
    /// MAC address, lower-case hex.
    pub mac: Option<String>,
    /// IPv4 addresses and the lengths of their prefixes.
    pub addresses: Vec<(Ipv4Addr, u8)>,
    /// IPv4 gateways.
    pub gateways: Vec<Ipv4Addr>,
    /// The heading's line.
    pub evidence: Evidence,
}

/// The fact, or the other one where it is not known and the other one is.
pub(super) fn instead<T>(fact: Fact<T>, other: impl FnOnce() -> Fact<T>) -> Fact<T> {
    if fact.value().is_some() {
        return fact;
    }
    let other = other();
    if other.value().is_some() { other } else { fact }
}

/// A line of the text as evidence.
fn line(text: &ConsoleText, number: u32) -> Option<Evidence> {
    let (_, line) = (1..=u32::MAX)
        .zip(text.text.lines())
        .find(|(place, _)| *place == number)?;
    let place = Locator::line(text.artifact.as_str(), number);
    Some(Evidence::new(text.artifact.as_str(), place, line))
}

/// The adapters with an address or a MAC address. More than a few hundred are no machine.
pub(super) fn adapters(sources: &Sources) -> Fact<Vec<TextAdapter>> {
    const MOST: usize = 512;
    let text = sources.console_text("network.ipconfig-text");
    bare(text.and_then(|text| {
        let blocks = ipconfig::parse(&text.text);
        if blocks.is_empty() {
            return Err("the text of ipconfig holds no adapter".to_owned());
        }
        let adapters = blocks.into_iter().take(MOST).filter_map(|block| {
            Some(TextAdapter {
                evidence: line(&text, block.line)?,
                heading: block.heading,
                mac: block.mac,
                addresses: block.addresses,
                gateways: block.gateways,
            })
        });
        Ok(adapters.collect())
    }))
}

/// The IPv4 routes in force.
pub(super) fn routes(sources: &Sources) -> Fact<Vec<Route>> {
    const MOST: usize = 4096;
    let text = sources.console_text("network.route-text");
    bare(text.and_then(|text| {
        let routes = Routes::parse(&text.text);
        if routes.active.is_empty() {
            return Err("the text of route holds no route".to_owned());
        }
        let routes = routes.active.into_iter().take(MOST).filter_map(|route| {
            let next_hop = route.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED);
            Some(Row {
                evidence: line(&text, route.line)?,
                row: records::Route {
                    destination: IpAddr::V4(route.destination),
                    prefix_length: route.prefix_length,
                    next_hop: IpAddr::V4(next_hop),
                    interface_index: 0,
                    metric: route.metric.unwrap_or_default(),
                    protocol: None,
                    origin: None,
                },
            })
        });
        Ok(routes.collect())
    }))
}
