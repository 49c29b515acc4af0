//! TCP and UDP tables and port ranges.

mod netstat;
mod ranges;
mod tables;

use std::net::IpAddr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use snapdiag_bundle::records::{AddressFamily, Transport};

pub use self::ranges::{PortProxy, PortRange};
use super::document::at;
use super::evidence::Evidence;
use super::fact::Fact;
use super::locator::Locator;
use super::sources::Sources;
use super::sources::registry::Number;

/// `MIB_TCP_STATE` of a listener.
pub const LISTEN: u32 = 2;

/// `BOUND` as `MSFT_NetTCPConnection` numbers it; `MIB_TCP_STATE` has no such state.
pub const BOUND: u32 = 100;
/// The first build whose netstat lists bound ports (`-q`): Windows 10 (Microsoft, "Troubleshoot
/// port exhaustion issues").
pub const LISTS_BOUND: u32 = 10_240;

/// TCP and UDP tables and port ranges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sockets {
    /// The TCP table, from the collector's record or else from the text of netstat.
    pub tcp: Fact<TcpTable>,
    /// The UDP table, likewise.
    pub udp: Fact<UdpTable>,
    /// The TCP listeners of the newest sample, each with its row.
    pub listeners: Fact<Vec<Listener>>,
    /// TCP ports that are bound and neither listen nor are connected, from the text of
    /// `netstat -anoq`: no table of Windows holds them. Absent where that was not run.
    #[serde(default = "no_bound_ports")]
    pub bound: Fact<BoundPorts>,
    /// The processes that own a listener, or at least 100 sockets.
    pub owners: Fact<Vec<Owner>>,
    /// Dynamic (ephemeral) ranges; a protocol and family that is not listed was not read.
    pub dynamic: Fact<Vec<PortRange>>,
    /// Ranges that Windows does not hand out.
    pub excluded: Fact<Vec<PortRange>>,
    /// `Tcpip\Parameters\ReservedPorts`: ranges (`a-b`) that were excluded before `netsh` could.
    pub reserved: Fact<Vec<String>>,
    /// `PortProxy\v4tov4\tcp`: redirects of `netsh interface portproxy`.
    pub port_proxies: Fact<Vec<PortProxy>>,
    /// `Tcpip\Parameters\TcpTimedWaitDelay`: seconds in `TIME_WAIT`, 30 to 300.
    pub timed_wait_delay: Fact<Number>,
    /// `Tcpip\Parameters\MaxUserPort`: the end of the dynamic range before Windows Vista.
    pub max_user_port: Fact<Number>,
}

/// In facts of a version that did not know of them.
fn no_bound_ports() -> Fact<BoundPorts> {
    Fact::not_collected("bound ports are not among these facts")
}

/// TCP ports that are bound and neither listen nor are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoundPorts {
    /// The rows; the remote end is unspecified.
    pub rows: Vec<TcpRow>,
    /// Lines that could not be read as rows, or whose state nothing tells.
    pub unclear: u64,
}

/// A row of a table as evidence.
fn row_evidence(
    table: &[Evidence],
    sample: usize,
    place: u32,
    line: Option<&str>,
    field: impl FnOnce() -> (&'static str, serde_json::Value),
) -> Option<Evidence> {
    let table = table.first()?;
    if let Some(line) = line {
        let locator = Locator::line(table.artifact.as_str(), place);
        return Some(Evidence::new(table.artifact.as_str(), locator, line));
    }
    let (name, raw) = field();
    let pointer = format!("/samples/{sample}/rows/{place}/{name}");
    Some(at(table, pointer, raw))
}

/// By what a table is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TableSource {
    /// Numbers from Windows.
    Record,
    /// The text of `netstat`; states may be inferred, and the first line is line 1.
    NetstatText,
}

/// The TCP table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpTable {
    /// By what it is known.
    pub source: TableSource,
    /// In order of time; never empty.
    pub samples: Vec<TcpSample>,
    /// Lines of the text that could not be read as rows; 0 for a record.
    pub malformed: u64,
    /// Rows whose state nothing tells; 0 for a record.
    pub unknown_states: u64,
}

/// The TCP table at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpSample {
    /// When; a text does not say.
    pub taken_at: Option<Timestamp>,
    /// The families that were read.
    pub families: Vec<AddressFamily>,
    /// The rows, in the order of Windows.
    pub rows: Vec<TcpRow>,
}

/// One row of the TCP table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpRow {
    /// Where it stands: index in the sample, or the line of the text, from 1.
    pub place: u32,
    /// Local address.
    pub local: IpAddr,
    /// Local port.
    pub local_port: u16,
    /// Remote address; unspecified for a listener.
    pub remote: IpAddr,
    /// Remote port; 0 for a listener.
    pub remote_port: u16,
    /// `MIB_TCP_STATE`, or 100 for a bound port; `None` when the word of the text is not known.
    pub state: Option<u32>,
    /// The state was inferred from the shape of the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// Owning process; 0 for connections that outlived theirs; `None` in a text without it.
    pub pid: Option<u32>,
    /// The line of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// The UDP table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpTable {
    /// By what it is known.
    pub source: TableSource,
    /// In order of time; never empty.
    pub samples: Vec<UdpSample>,
}

/// The UDP table at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpSample {
    /// When; a text does not say.
    pub taken_at: Option<Timestamp>,
    /// The families that were read.
    pub families: Vec<AddressFamily>,
    /// The rows, in the order of Windows.
    pub rows: Vec<UdpRow>,
}

/// One row of the UDP table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpRow {
    /// Where it stands, as in [`TcpRow::place`].
    pub place: u32,
    /// Local address.
    pub local: IpAddr,
    /// Local port.
    pub local_port: u16,
    /// Owning process; `None` in a text without it.
    pub pid: Option<u32>,
    /// The line of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
}

/// A TCP listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The address it is bound to; unspecified for all of its family.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// The owning process; `None` in a text without it.
    pub pid: Option<u32>,
    /// The row.
    pub evidence: Evidence,
}

/// A process that owns a listener, or many sockets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// File name of the image.
    pub image: String,
    /// Start time.
    pub created_at: Option<Timestamp>,
    /// Short names of the services inside.
    pub services: Vec<String>,
    /// Its image in the process table.
    pub evidence: Evidence,
}

impl Sockets {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let (tcp, listeners) = tables::tcp(sources);
        let udp = tables::udp(sources);
        let owners = tables::owners(sources, &tables::owning(&tcp, &udp, &listeners));
        let bound = netstat::bound(sources);
        let (dynamic, excluded) = ranges::gather(sources);
        let tcpip = sources.system().control_set().below("Services\\Tcpip");
        Self {
            tcp,
            udp,
            listeners,
            bound,
            owners,
            dynamic,
            excluded,
            reserved: tcpip.texts("Parameters", "ReservedPorts"),
            port_proxies: ranges::port_proxies(sources),
            timed_wait_delay: tcpip.number("Parameters", "TcpTimedWaitDelay"),
            max_user_port: tcpip.number("Parameters", "MaxUserPort"),
        }
    }

    /// A row of a sample as evidence: its state in the record, or its line of the text.
    pub fn tcp_row(&self, sample: usize, row: &TcpRow) -> Option<Evidence> {
        row_evidence(
            &self.tcp.evidence,
            sample,
            row.place,
            row.line.as_deref(),
            || ("state", json!(row.state)),
        )
    }

    /// A row of a bound port as evidence: its line.
    pub fn bound_row(&self, row: &TcpRow) -> Option<Evidence> {
        let evidence = &self.bound.evidence;
        row_evidence(evidence, 0, row.place, row.line.as_deref(), || {
            ("state", json!(row.state))
        })
    }

    /// The same of UDP: the local port in the record.
    pub fn udp_row(&self, sample: usize, row: &UdpRow) -> Option<Evidence> {
        row_evidence(
            &self.udp.evidence,
            sample,
            row.place,
            row.line.as_deref(),
            || ("local_port", json!(row.local_port)),
        )
    }

    /// The listeners on a port; `None` where the table is not known.
    pub fn on_port(&self, port: u16) -> Option<Vec<&Listener>> {
        let listeners = self.listeners.value()?;
        Some(listeners.iter().filter(|one| one.port == port).collect())
    }

    /// The owner of a listener, where the process table was collected.
    pub fn owner(&self, pid: u32) -> Option<&Owner> {
        self.owners.value()?.iter().find(|owner| owner.pid == pid)
    }

    /// Whether a listener that is not in the table is not there: both families were read, and
    /// every line of a text was.
    pub fn lists_every_listener(&self) -> bool {
        self.tcp.value().is_some_and(|table| {
            let families = table
                .samples
                .last()
                .map(|sample| sample.families.as_slice());
            table.malformed == 0
                && [AddressFamily::Ipv4, AddressFamily::Ipv6]
                    .iter()
                    .all(|family| families.is_some_and(|read| read.contains(family)))
        })
    }

    /// The dynamic range of a protocol over IPv4, where it was read.
    pub fn dynamic_range(&self, protocol: Transport) -> Option<&PortRange> {
        self.dynamic
            .value()?
            .iter()
            .find(|range| range.protocol == protocol && range.family == AddressFamily::Ipv4)
    }

    /// The exclusion that covers a TCP port over IPv4; `None` where there is none, or none is known.
    pub fn exclusion(&self, port: u16) -> Option<&PortRange> {
        self.excluded.value()?.iter().find(|range| {
            range.protocol == Transport::Tcp
                && range.family == AddressFamily::Ipv4
                && range.contains(port)
        })
    }

    /// Whether `ReservedPorts` names a port.
    pub fn is_reserved(&self, port: u16) -> bool {
        self.reserved.value().is_some_and(|ranges| {
            ranges.iter().any(|range| {
                let (from, to) = range.split_once('-').unwrap_or((range, range));
                let ends = (from.trim().parse::<u16>(), to.trim().parse::<u16>());
                matches!(ends, (Ok(from), Ok(to)) if (from..=to).contains(&port))
            })
        })
    }
}

#[cfg(test)]
mod tests;
