//! The tables, from the text of `netstat -ano`.

use std::net::IpAddr;

use snapdiag_bundle::records::AddressFamily;

use super::{
    LISTEN, Listener, TableSource, TcpRow, TcpSample, TcpTable, UdpRow, UdpSample, UdpTable,
};
use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::{ConsoleText, Sources};
use crate::formats::netstat::{Endpoint, Netstat, Protocol, Row};

/// netstat lists both families.
const FAMILIES: [AddressFamily; 2] = [AddressFamily::Ipv4, AddressFamily::Ipv6];

/// The TCP table and its listeners.
pub(super) fn tcp(sources: &Sources) -> (Fact<TcpTable>, Fact<Vec<Listener>>) {
    let read = sources
        .console_text("network.netstat-text")
        .and_then(|text| {
            let netstat = parse(&text)?;
            let listeners = listeners(&netstat, &text);
            Ok((tcp_table(&netstat), listeners))
        });
    let listeners = read.clone().map(|(_, listeners)| listeners);
    (bare(read.map(|(table, _)| table)), bare(listeners))
}

/// The UDP table.
pub(super) fn udp(sources: &Sources) -> Fact<UdpTable> {
    let table = sources
        .console_text("network.netstat-text")
        .and_then(|text| {
            let netstat = parse(&text)?;
            let rows = netstat.rows.iter().filter_map(udp_row).collect();
            Ok(UdpTable {
                source: TableSource::NetstatText,
                samples: vec![UdpSample {
                    taken_at: None,
                    families: FAMILIES.to_vec(),
                    rows,
                }],
            })
        });
    bare(table)
}

/// A text without a single row is no table: no machine has no socket at all.
fn parse(text: &ConsoleText) -> Result<Netstat, String> {
    let netstat = Netstat::parse(&text.text);
    if netstat.rows.is_empty() {
        return Err("the text of netstat holds no row".to_owned());
    }
    Ok(netstat)
}

fn tcp_table(netstat: &Netstat) -> TcpTable {
    let rows: Vec<TcpRow> = netstat.rows.iter().filter_map(tcp_row).collect();
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

fn tcp_row(row: &Row) -> Option<TcpRow> {
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
    })
}

fn udp_row(row: &Row) -> Option<UdpRow> {
    let (local, local_port) = numeric(&row.local)?;
    (row.protocol == Protocol::Udp).then_some(UdpRow {
        place: row.line,
        local,
        local_port,
        pid: row.pid,
    })
}

fn numeric(end: &Endpoint) -> Option<(IpAddr, u16)> {
    Some((end.address?, end.port?))
}

fn listeners(netstat: &Netstat, text: &ConsoleText) -> Vec<Listener> {
    let mut lines = (1..=u32::MAX).zip(text.text.lines());
    netstat
        .rows
        .iter()
        .filter_map(tcp_row)
        .filter(|row| row.state == Some(LISTEN))
        .filter_map(|row| {
            let (number, line) = lines.find(|(number, _)| *number == row.place)?;
            Some(Listener {
                address: row.local,
                port: row.local_port,
                pid: row.pid,
                evidence: Evidence::new(
                    text.artifact.as_str(),
                    Locator::line(text.artifact.as_str(), number),
                    line,
                ),
            })
        })
        .collect()
}
