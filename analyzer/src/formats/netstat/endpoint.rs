//! One end of a connection as `netstat` prints it.

use std::net::IpAddr;

use nom::bytes::complete::{is_not, tag, take_till1};
use nom::character::complete::char;
use nom::combinator::{map, opt};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser, branch::alt};

/// An address and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The host as printed, without brackets and zone: an address, a name (without `-n`), `*`.
    pub host: String,
    /// The address, where the host is one.
    pub address: Option<IpAddr>,
    /// The zone of a link-local IPv6 address: an interface index.
    pub zone: Option<u32>,
    /// The port as printed: a number, a service name (without `-n`), `*`.
    pub service: String,
    /// The port, where it is a number.
    pub port: Option<u16>,
    /// Printed in brackets, as IPv6 addresses are.
    bracketed: bool,
}

impl Endpoint {
    /// Whether it is the remote end of a listener: port 0 of the unspecified address, or, without
    /// `-n`, of the machine's own name.
    pub fn is_nowhere(&self) -> bool {
        self.port == Some(0) && self.address.is_none_or(|address| address.is_unspecified())
    }

    /// Whether it looks like an address or a port and is none. A name is not malformed.
    pub fn is_malformed(&self) -> bool {
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let numeric_host =
            self.bracketed || self.host.chars().all(|c| c.is_ascii_digit() || c == '.');
        (self.address.is_none() && numeric_host) || (self.port.is_none() && digits(&self.service))
    }

    fn new(host: &str, zone: Option<&str>, service: &str, bracketed: bool) -> Self {
        Self {
            host: host.to_owned(),
            address: host.parse().ok(),
            zone: zone.and_then(|zone| zone.parse().ok()),
            service: service.to_owned(),
            port: service.parse().ok(),
            bracketed,
        }
    }
}

/// `192.0.2.1:80`, `[fe80::1%9]:80`, `host:https`.
pub(super) fn endpoint(input: &str) -> IResult<&str, Endpoint> {
    alt((bracketed, plain)).parse(input)
}

/// The same, or `*:*`.
pub(super) fn remote(input: &str) -> IResult<&str, Option<Endpoint>> {
    alt((map(tag("*:*"), |_| None), map(endpoint, Some))).parse(input)
}

fn bracketed(input: &str) -> IResult<&str, Endpoint> {
    let inside = (is_not("%] \t"), opt(preceded(char('%'), is_not("] \t"))));
    let (rest, ((host, zone), service)) =
        (delimited(char('['), inside, char(']')), port).parse(input)?;
    Ok((rest, Endpoint::new(host, zone, service, true)))
}

fn plain(input: &str) -> IResult<&str, Endpoint> {
    let (rest, (host, service)) = (is_not(":[] \t"), port).parse(input)?;
    Ok((rest, Endpoint::new(host, None, service, false)))
}

fn port(input: &str) -> IResult<&str, &str> {
    preceded(
        char(':'),
        take_till1(|c: char| c.is_whitespace() || c == ':'),
    )
    .parse(input)
}
