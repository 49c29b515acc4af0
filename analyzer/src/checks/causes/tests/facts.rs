//! Handmade facts.

use super::*;
use crate::facts::certificates::{Certificate, CertificateEvent};
use crate::facts::consumers::Consumer;
use crate::facts::fact::Fact;
use crate::facts::inventory::{Channel, Mark};
use crate::facts::network_events::{Kind as NetworkKind, NetworkEvent};
use crate::facts::processes::{Process, Shortage, Table};
use crate::facts::records::Record;
use crate::facts::remote_desktop::{Kind, Layered, RdpEvent};
use crate::facts::services::ServiceEvent;
use crate::facts::servicing::Step;
use crate::facts::sockets::{TableSource, TcpRow, TcpSample, TcpTable};
use crate::facts::sources::registry::Number;

pub(super) fn shortage(snapshot: &mut Snapshot, time: Timestamp) {
    snapshot.processes.shortages.push(Shortage {
        record_id: 1,
        time,
        commit_limit_bytes: None,
        commit_bytes: None,
        physical_bytes: None,
        processes: Vec::new(),
        evidence: record(1, time),
    });
}

pub(super) fn service_event(snapshot: &mut Snapshot, service: &str, id: u32, time: Timestamp) {
    let event = ServiceEvent {
        id,
        record_id: 2,
        time,
        service: service.to_owned(),
        entered: None,
        error: None,
        texts: Vec::new(),
        evidence: record(2, time),
    };
    let service = snapshot.services.service_mut(service).unwrap();
    service.events.push(event);
}

pub(super) fn unreachable(snapshot: &mut Snapshot, time: Timestamp) {
    snapshot.network_events.newest.push(NetworkEvent {
        kind: NetworkKind::SecureChannel,
        event_id: 5719,
        time,
        subject: None,
        name: None,
        evidence: record(3, time),
    });
}

pub(super) fn busiest(snapshot: &mut Snapshot, image: &str, services: &[&str]) {
    let consumer = Consumer {
        pid: 800,
        image: image.to_owned(),
        services: services.iter().map(|name| (*name).to_owned()).collect(),
        amount: 90.0,
        evidence: row(0),
    };
    snapshot.consumers.processor = Fact::known(vec![consumer], []);
}

fn row(index: u32) -> Evidence {
    let place = Locator::json("processes/processes.json", format!("/samples/0/{index}"));
    Evidence::new("processes/processes.json", place, index)
}

pub(super) fn process(snapshot: &mut Snapshot, pid: u32, handles: u64) -> Evidence {
    let process = Process {
        pid,
        image: "app.exe".to_owned(),
        created_at: None,
        services: Vec::new(),
        handles: Some(handles),
        handles_before: None,
        threads: None,
        working_set_bytes: None,
        private_working_set_bytes: None,
        private_bytes: None,
        cpu_ms: None,
        gdi_objects: None,
        user_objects: None,
        evidence: vec![row(pid)],
    };
    let mut top = match snapshot.processes.table.value() {
        Some(table) => table.top.clone(),
        None => Vec::new(),
    };
    top.push(process);
    let table = Table {
        taken_at: captured(),
        interval_ms: 30_000,
        processes: 100,
        handles: 100_000,
        untold: 0,
        ids: None,
        top,
    };
    snapshot.processes.table = Fact::known(table, []);
    row(pid)
}

/// Connections: process id, state, how many.
pub(super) fn connections(snapshot: &mut Snapshot, rows: &[(u32, u32, usize)]) {
    let one = |pid, state| TcpRow {
        place: 0,
        local: [10, 0, 0, 4].into(),
        local_port: 50_000,
        remote: [192, 0, 2, 1].into(),
        remote_port: 443,
        state: Some(state),
        inferred: false,
        pid: Some(pid),
        line: None,
    };
    let rows = rows
        .iter()
        .flat_map(|(pid, state, count)| vec![one(*pid, *state); *count])
        .collect();
    let table = TcpTable {
        source: TableSource::Record,
        samples: vec![TcpSample {
            taken_at: None,
            families: Vec::new(),
            rows,
        }],
        malformed: 0,
        unknown_states: 0,
    };
    snapshot.sockets.tcp = Fact::known(table, []);
}

pub(super) fn certificate_event(
    snapshot: &mut Snapshot,
    kind: CertificateEvent,
    event_id: u32,
    time: Timestamp,
) {
    snapshot.certificates.records.push(Record {
        kind,
        channel: "System".to_owned(),
        event_id,
        record_id: 4,
        time,
        subject: None,
        evidence: record(4, time),
    });
}

pub(super) fn certificate(snapshot: &mut Snapshot, from: Timestamp, to: Timestamp) {
    let certificate = Certificate {
        thumbprint: "00".repeat(20),
        store: String::new(),
        subject: "CN=HOST-A".to_owned(),
        issuer: "CN=HOST-A".to_owned(),
        not_before: from,
        not_after: to,
        signature: String::new(),
        rsa_bits: None,
        usages: None,
        has_key: true,
    };
    snapshot.certificates.used = Fact::known(certificate, []);
}

/// The System log with its newest record.
pub(super) fn newest_record(snapshot: &mut Snapshot, time: Timestamp) {
    let channel = Channel {
        computer: String::new(),
        name: "System".to_owned(),
        artifact: "eventlog/System.evtx".to_owned(),
        records: 1,
        failed: 0,
        oldest: None,
        newest: Some(Mark { record_id: 9, time }),
        live_records: None,
        live_size_bytes: None,
        live_max_bytes: None,
        filtered: false,
        held_from: None,
        damage: Vec::new(),
    };
    snapshot.certificates.system = Fact::known(channel, [record(9, time)]);
}

/// A policy that refuses, its key written at that time.
pub(super) fn denied_by_policy(snapshot: &mut Snapshot, written: Timestamp) {
    let policy = refusing("SOFTWARE", "Policies\\X", written);
    snapshot.remote_desktop.deny = Layered::new(policy, Fact::absent([]));
}

/// No policy, and a value of the machine's own that refuses, its key written at that time.
pub(super) fn denied_locally(snapshot: &mut Snapshot, written: Timestamp) {
    let local = refusing("SYSTEM", "Control\\X", written);
    snapshot.remote_desktop.deny = Layered::new(Fact::absent([]), local);
}

fn refusing(hive: &str, key: &str, written: Timestamp) -> Fact<Number> {
    let place = Locator::value(hive, key, "fDenyTSConnections");
    let evidence = Evidence::new("registry", place, 1).at(Some(written));
    let number = Number {
        value: Some(1),
        wrong_type: None,
    };
    Fact::known(number, [evidence])
}

pub(super) fn refresh(snapshot: &mut Snapshot, kind: Kind, event_id: u32, time: Timestamp) {
    snapshot.remote_desktop.logged.events.push(RdpEvent {
        kind,
        event_id,
        record_id: 5,
        time,
        subject: None,
        evidence: record(5, time),
    });
}

/// A package that was changed.
pub(super) fn serviced(snapshot: &mut Snapshot, package: &str, time: Timestamp) {
    snapshot.servicing.records.push(Record {
        kind: Step::Ended,
        channel: "Setup".to_owned(),
        event_id: 2,
        record_id: 6,
        time,
        subject: Some(package.to_owned()),
        evidence: record(6, time),
    });
}
