//! The IPv4 tables of `route print`, in any language.
//!
//! A route in force is a row of destination, mask, gateway, address of the interface, metric; the
//! gateway may be words ("On-link"). A persistent route is a row of destination, mask, gateway and
//! a metric or a word. Everything else is headings, interfaces and IPv6.

use std::net::Ipv4Addr;

use nom::bytes::complete::take_while1;
use nom::character::complete::{not_line_ending, space0, space1};
use nom::combinator::map_res;
use nom::sequence::preceded;
use nom::{IResult, Parser};

/// The tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routes {
    /// Routes in force.
    pub active: Vec<Route>,
    /// Routes that are set at every start.
    pub persistent: Vec<Route>,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its line, from 1.
    pub line: u32,
    /// Destination.
    pub destination: Ipv4Addr,
    /// Length of the prefix, bits.
    pub prefix_length: u8,
    /// Next hop; `None` for an on-link route.
    pub gateway: Option<Ipv4Addr>,
    /// Address of the interface; `None` for a persistent route.
    pub interface: Option<Ipv4Addr>,
    /// Metric; `None` where a word stands for the default.
    pub metric: Option<u32>,
}

impl Routes {
    /// Reads the text.
    pub fn parse(text: &str) -> Self {
        let mut routes = Self::default();
        for (number, line) in (1..=u32::MAX).zip(text.lines()) {
            let Ok((_, (destination, mask, rest))) = start(line) else {
                continue;
            };
            let words: Vec<&str> = rest.split_whitespace().collect();
            let metric = words.last().and_then(|word| word.parse().ok());
            let quad =
                |place: Option<usize>| -> Option<Ipv4Addr> { words.get(place?)?.parse().ok() };
            let route = Route {
                line: number,
                destination,
                prefix_length: prefix_length(mask),
                gateway: quad(Some(0)),
                interface: quad(words.len().checked_sub(2)),
                metric,
            };
            if words.len() >= 3 && route.interface.is_some() && metric.is_some() {
                routes.active.push(route);
            } else if route.gateway.is_some() && words.len() >= 2 {
                routes.persistent.push(Route {
                    interface: None,
                    ..route
                });
            }
        }
        routes
    }
}

fn prefix_length(mask: Ipv4Addr) -> u8 {
    // At most 32.
    u8::try_from(u32::from(mask).leading_ones()).unwrap_or(32)
}

fn quad(input: &str) -> IResult<&str, Ipv4Addr> {
    let characters = take_while1(|c: char| c.is_ascii_digit() || c == '.');
    map_res(characters, str::parse).parse(input)
}

fn start(input: &str) -> IResult<&str, (Ipv4Addr, Ipv4Addr, &str)> {
    let (rest, (destination, mask, tail)) = (
        preceded(space0, quad),
        preceded(space1, quad),
        preceded(space1, not_line_ending),
    )
        .parse(input)?;
    Ok((rest, (destination, mask, tail)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(name: &str) -> Option<Routes> {
        let folder = snapdiag_tests::captures()?.join("text/kellyjonbrazil-jc");
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        Some(Routes::parse(&text))
    }

    fn defaults(routes: &[Route]) -> Vec<(Option<String>, Option<u32>)> {
        let rows = routes.iter().filter(|route| route.prefix_length == 0);
        rows.map(|route| {
            (
                route.gateway.map(|gateway| gateway.to_string()),
                route.metric,
            )
        })
        .collect()
    }

    #[test]
    fn real_tables_are_read_whole() {
        for (name, active, persistent, gateway, metric) in [
            ("windows-10__route_print.out", 18, 4, "10.211.55.1", 15),
            ("windows-7__route_print.out", 11, 0, "192.168.22.1", 10),
            ("windows-xp__route_print.out", 8, 1, "192.168.22.1", 10),
        ] {
            let Some(routes) = captured(name) else {
                return;
            };
            assert_eq!(routes.active.len(), active, "{name}");
            assert_eq!(routes.persistent.len(), persistent, "{name}");
            let expected = vec![(Some(gateway.to_owned()), Some(metric))];
            assert_eq!(defaults(&routes.active), expected, "{name}");
        }
    }

    #[test]
    fn words_of_any_language_stand_for_on_link_and_for_the_default_metric() {
        let text = "  10.0.0.0  255.255.255.0  Auf Verbindung  10.0.0.4  271\n  0.0.0.0  0.0.0.0  10.0.0.1  Standard\n  10.0.0.0 255.0.0.0\n  999.0.0.0 255.0.0.0 10.0.0.1 1\n";
        let routes = Routes::parse(text);
        assert_eq!(routes.active.len(), 1);
        assert_eq!(
            (routes.active[0].gateway, routes.active[0].prefix_length),
            (None, 24)
        );
        assert_eq!(routes.persistent.len(), 1);
        assert_eq!(
            (routes.persistent[0].line, routes.persistent[0].metric),
            (2, None)
        );
    }
}
