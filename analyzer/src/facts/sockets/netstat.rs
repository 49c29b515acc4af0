//! The tables, from the text of `netstat -ano`.

use std::net::IpAddr;

use snapdiag_bundle::records::AddressFamily;

use super::{
    BOUND, BoundPorts, LISTEN, Listener, TableSource, TcpRow, TcpSample, TcpTable, UdpRow,
    UdpSample, UdpTable,
};
use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::{ConsoleText, Sources};
use crate::formats::netstat::{Endpoint, Netstat, Protocol, Row};

/// Where bound ports stand.
const WITH_BOUND: &str = "network/netstat-anoq.txt";
/// netstat lists both families.
const FAMILIES: [AddressFamily; 2] = [AddressFamily::Ipv4, AddressFamily::Ipv6];

/// The TCP table and its listeners.
pub(super) fn tcp(sources: &Sources) -> (Fact<TcpTable>, Fact<Vec<Listener>>) {
    let read = sources
        .console_text("network.netstat-text")
        .and_then(|text| {
            let netstat = parse(&text)?;
            let listeners = listeners(&netstat, &text);
            let first = first_row(&netstat, &text);
            Ok((tcp_table(&netstat, &text), listeners, first))
        });
    let listeners = read.clone().map(|(_, listeners, _)| listeners);
    let first = read.value().and_then(|(_, _, first)| first.clone());
    let table = at_row(read.map(|(table, _, _)| table), first);
    (table, bare(listeners))
}

/// The first row as evidence of the whole text.
fn first_row(netstat: &Netstat, text: &ConsoleText) -> Option<Evidence> {
    let number = netstat.rows.first()?.line;
    let (_, line) = (1..=u32::MAX)
        .zip(text.text.lines())
        .find(|(line, _)| *line == number)?;
    let place = Locator::line(text.artifact.as_str(), number);
    Some(Evidence::new(text.artifact.as_str(), place, line))
}

fn at_row<T>(mut table: Fact<T>, row: Option<Evidence>) -> Fact<T> {
    if table.value().is_some() {
        table.evidence = row.into_iter().collect();
    }
    table
}

/// The rows that `read` understands, each with its line.
fn rows<T>(
    netstat: &Netstat,
    text: &ConsoleText,
    read: impl Fn(&Row, &str) -> Option<T>,
) -> Vec<T> {
    let mut lines = (1..=u32::MAX).zip(text.text.lines());
    netstat
        .rows
        .iter()
        .filter_map(|row| {
            let (_, line) = lines.find(|(number, _)| *number == row.line)?;
            read(row, line)
        })
        .collect()
}

/// The UDP table.
pub(super) fn udp(sources: &Sources) -> Fact<UdpTable> {
    let table = sources
        .console_text("network.netstat-text")
        .and_then(|text| {
            let netstat = parse(&text)?;
            let table = UdpTable {
                source: TableSource::NetstatText,
                samples: vec![UdpSample {
                    taken_at: None,
                    families: FAMILIES.to_vec(),
                    rows: rows(&netstat, &text, udp_row),
                }],
            };
            Ok((table, first_row(&netstat, &text)))
        });
    let first = table.value().and_then(|(_, first)| first.clone());
    at_row(table.map(|(table, _)| table), first)
}

/// The bound ports. Where the word for a listener is known, a row to nowhere with another word is
/// one, in any language.
pub(super) fn bound(sources: &Sources) -> Fact<BoundPorts> {
    let read = sources
        .console_text_of("network.netstat-text", WITH_BOUND)
        .and_then(|text| {
            let netstat = parse(&text)?;
            let tcp = rows(&netstat, &text, tcp_row);
            let nowhere = |row: &TcpRow| row.remote.is_unspecified() && row.remote_port == 0;
            let (known, unknown): (Vec<TcpRow>, Vec<TcpRow>) = tcp
                .into_iter()
                .filter(|row| row.state.is_none_or(|state| state == BOUND))
                .partition(|row| row.state.is_some() || nowhere(row));
            let unknown = u64::try_from(unknown.len()).unwrap_or(u64::MAX);
            let rows = known.into_iter().map(|row| TcpRow {
                inferred: row.state.is_none(),
                state: Some(BOUND),
                ..row
            });
            let ports = BoundPorts {
                rows: rows.collect(),
                unclear: netstat.malformed.count.saturating_add(unknown),
            };
            Ok((ports, first_row(&netstat, &text)))
        });
    let first = read.value().and_then(|(_, first)| first.clone());
    at_row(read.map(|(ports, _)| ports), first)
}

/// A text without a single row is no table: no machine has no socket at all.
fn parse(text: &ConsoleText) -> Result<Netstat, String> {
    let netstat = Netstat::parse(&text.text);
    if netstat.rows.is_empty() {
        return Err("the text of netstat holds no row".to_owned());
    }
    Ok(netstat)
}

fn tcp_table(netstat: &Netstat, text: &ConsoleText) -> TcpTable {
    let rows = rows(netstat, text, tcp_row);
    let of_tcp = |row: &&Row| row.protocol == Protocol::Tcp;
    // Rows without a numeric address are not in the table; they count as not understood.
    let lost = netstat.rows.iter().filter(of_tcp).count() - rows.len();
    TcpTable {
        source: TableSource::NetstatText,
        malformed: netstat.malformed.count + u64::try_from(lost).unwrap_or(u64::MAX),
        unknown_states: netstat.unknown_states.count,
        samples: vec![TcpSample {
            taken_at: None,
            families: FAMILIES.to_vec(),
            rows,
        }],
    }
}

fn tcp_row(row: &Row, line: &str) -> Option<TcpRow> {
    if row.protocol != Protocol::Tcp {
        return None;
    }
    let (local, local_port) = numeric(&row.local)?;
    let (remote, remote_port) = numeric(row.remote.as_ref()?)?;
    Some(TcpRow {
        place: row.line,
        local,
        local_port,
        remote,
        remote_port,
        state: row.state.map(|reading| reading.state.number()),
        inferred: row.state.is_some_and(|reading| reading.inferred),
        pid: row.pid,
        line: Some(line.to_owned()),
    })
}

fn udp_row(row: &Row, line: &str) -> Option<UdpRow> {
    let (local, local_port) = numeric(&row.local)?;
    (row.protocol == Protocol::Udp).then_some(UdpRow {
        place: row.line,
        local,
        local_port,
        pid: row.pid,
        line: Some(line.to_owned()),
    })
}

fn numeric(end: &Endpoint) -> Option<(IpAddr, u16)> {
    Some((end.address?, end.port?))
}

fn listeners(netstat: &Netstat, text: &ConsoleText) -> Vec<Listener> {
    rows(netstat, text, tcp_row)
        .into_iter()
        .filter(|row| row.state == Some(LISTEN))
        .filter_map(|row| {
            let place = Locator::line(text.artifact.as_str(), row.place);
            Some(Listener {
                address: row.local,
                port: row.local_port,
                pid: row.pid,
                evidence: Evidence::new(text.artifact.as_str(), place, row.line?),
            })
        })
        .collect()
}
