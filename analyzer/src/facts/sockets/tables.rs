//! The tables, from the collector's records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use snapdiag_bundle::records::{self, ProcessTables, TcpTables, UdpTables};

use super::{
    LISTEN, Listener, Owner, TableSource, TcpRow, TcpSample, TcpTable, UdpRow, UdpSample, UdpTable,
    netstat,
};
use crate::facts::document::{at, bare, typed};
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// The TCP table and its listeners; from the text where there is no record.
pub(super) fn tcp(sources: &Sources) -> (Fact<TcpTable>, Fact<Vec<Listener>>) {
    let record = sources.record::<Value>("network.tcp");
    let table = typed::<TcpTables>(&record).and_then(|tables| tcp_table(&tables));
    if table.value().is_none() {
        let (table, listeners) = netstat::tcp(sources);
        if table.value().is_some() {
            return (table, listeners);
        }
    }
    let listeners = table.clone().map(|table| listeners(&table, &record));
    (dated(table, &record), bare(listeners))
}

/// The table with the time of its last sample as evidence: the whole of it as one raw value helps
/// nobody.
fn dated<T>(mut table: Fact<T>, record: &Fact<Value>) -> Fact<T> {
    if table.value().is_none() {
        return table;
    }
    let samples = record
        .value()
        .and_then(|record| record["samples"].as_array());
    let number = samples.map_or(0, Vec::len).saturating_sub(1);
    let pointer = format!("/samples/{number}/taken_at");
    let raw = record.value().and_then(|record| record.pointer(&pointer));
    if let (Some(whole), Some(raw)) = (record.evidence.first(), raw) {
        table.evidence = vec![at(whole, pointer, raw.clone())];
    }
    table
}

/// The UDP table; from the text where there is no record.
pub(super) fn udp(sources: &Sources) -> Fact<UdpTable> {
    let record = sources.record::<Value>("network.udp");
    let table = typed::<UdpTables>(&record).and_then(|tables| udp_table(&tables));
    if table.value().is_none() {
        let text = netstat::udp(sources);
        if text.value().is_some() {
            return text;
        }
    }
    dated(table, &record)
}

/// From how many sockets on a process is named that owns no listener.
const BUSY: u32 = 100;

/// The processes worth naming: those with a listener, or with many sockets.
pub(super) fn owning(
    tcp: &Fact<TcpTable>,
    udp: &Fact<UdpTable>,
    listeners: &Fact<Vec<Listener>>,
) -> BTreeSet<u32> {
    let tcp = tcp.value().into_iter().flat_map(|table| &table.samples);
    let udp = udp.value().into_iter().flat_map(|table| &table.samples);
    let mut counts: BTreeMap<u32, u32> = BTreeMap::new();
    let rows = tcp.flat_map(|sample| sample.rows.iter().map(|row| row.pid));
    for pid in rows
        .chain(udp.flat_map(|sample| sample.rows.iter().map(|row| row.pid)))
        .flatten()
    {
        *counts.entry(pid).or_default() += 1;
    }
    counts.retain(|pid, count| *pid != 0 && *count >= BUSY);
    let listeners = listeners.value().into_iter().flatten();
    listeners
        .filter_map(|listener| listener.pid)
        .chain(counts.into_keys())
        .collect()
}

/// These processes, from the newest sample of the process table.
pub(super) fn owners(sources: &Sources, pids: &BTreeSet<u32>) -> Fact<Vec<Owner>> {
    let record = sources.record::<ProcessTables>("processes.table");
    let document = record.evidence.first().cloned();
    let owners = record.and_then(|tables| {
        let (number, sample) = last(&tables.samples)?;
        let rows = sample.rows.iter().enumerate();
        Ok(rows
            .filter(|(_, row)| pids.contains(&row.pid))
            .filter_map(|(index, row)| {
                let pointer = format!("/samples/{number}/rows/{index}/image");
                Some(Owner {
                    pid: row.pid,
                    image: row.image.clone(),
                    created_at: row.created_at,
                    services: row.services.clone(),
                    evidence: at(document.as_ref()?, pointer, row.image.as_str()),
                })
            })
            .collect())
    });
    bare(owners)
}

fn tcp_table(tables: &TcpTables) -> Result<TcpTable, String> {
    last(&tables.samples)?;
    let sample = |sample: &records::TcpSample| TcpSample {
        taken_at: Some(sample.taken_at),
        families: sample.families.clone(),
        rows: (0..).zip(&sample.rows).map(tcp_row).collect(),
    };
    Ok(TcpTable {
        source: TableSource::Record,
        samples: tables.samples.iter().map(sample).collect(),
        malformed: 0,
        unknown_states: 0,
    })
}

fn tcp_row((place, row): (u32, &records::TcpRow)) -> TcpRow {
    TcpRow {
        place,
        local: row.local_address,
        local_port: row.local_port,
        remote: row.remote_address,
        remote_port: row.remote_port,
        state: Some(row.state),
        inferred: false,
        pid: Some(row.pid),
        line: None,
    }
}

fn udp_table(tables: &UdpTables) -> Result<UdpTable, String> {
    last(&tables.samples)?;
    let row = |(place, row): (u32, &records::UdpRow)| UdpRow {
        place,
        local: row.local_address,
        local_port: row.local_port,
        pid: Some(row.pid),
        line: None,
    };
    let sample = |sample: &records::UdpSample| UdpSample {
        taken_at: Some(sample.taken_at),
        families: sample.families.clone(),
        rows: (0..).zip(&sample.rows).map(row).collect(),
    };
    Ok(UdpTable {
        source: TableSource::Record,
        samples: tables.samples.iter().map(sample).collect(),
    })
}

fn listeners(table: &TcpTable, record: &Fact<Value>) -> Vec<Listener> {
    let number = table.samples.len().saturating_sub(1);
    let (Some(sample), Some(document), Some(whole)) = (
        table.samples.last(),
        record.value(),
        record.evidence.first(),
    ) else {
        return Vec::new();
    };
    let rows = sample.rows.iter();
    rows.filter(|row| row.state == Some(LISTEN))
        .map(|row| {
            let pointer = format!("/samples/{number}/rows/{}", row.place);
            let raw = document.pointer(&pointer).cloned().unwrap_or_default();
            Listener {
                address: row.local,
                port: row.local_port,
                pid: row.pid,
                evidence: at(whole, pointer, raw),
            }
        })
        .collect()
}

/// The newest sample and its number.
fn last<T>(samples: &[T]) -> Result<(usize, &T), String> {
    let number = samples.len().saturating_sub(1);
    samples
        .last()
        .map(|sample| (number, sample))
        .ok_or_else(|| "the record holds no sample".to_owned())
}
