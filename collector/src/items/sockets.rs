//! `network.tcp`, `network.udp`: the socket tables at both ends of the counter window.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use snapdiag_bundle::records::{AddressFamily, TcpRow, UdpRow};
use snapdiag_bundle::{OsError, State};

use super::{Collector, Job, Outcome, Phase};
use crate::system::sockets::{Endpoint, Sockets, TcpEntry, UdpEntry};
use crate::system::{SysResult, System};

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "network.tcp",
        phase: Phase::Window,
        limit: Duration::from_secs(60),
        collect: tcp,
    },
    Collector {
        item: "network.udp",
        phase: Phase::Window,
        limit: Duration::from_secs(60),
        collect: udp,
    },
];

fn tcp(job: &mut Job) -> Outcome {
    let take = |sockets: &dyn Sockets| (sockets.tcp4(), sockets.tcp6());
    both_ends(job, "GetExtendedTcpTable", "network/tcp.json", take)
}

fn udp(job: &mut Job) -> Outcome {
    let take = |sockets: &dyn Sockets| (sockets.udp4(), sockets.udp6());
    both_ends(job, "GetExtendedUdpTable", "network/udp.json", take)
}

/// A row as Windows gives it, which becomes a row of the record as it is written: the rows of two
/// samples are held in their small form only.
trait Row {
    type Record: Serialize;
    fn record(&self) -> Self::Record;
}

impl<A: Into<IpAddr> + Copy> Row for TcpEntry<A> {
    type Record = TcpRow;
    fn record(&self) -> TcpRow {
        TcpRow {
            local_address: self.local.address.into(),
            local_port: self.local.port,
            remote_address: self.remote.address.into(),
            remote_port: self.remote.port,
            state: self.state,
            pid: self.pid,
            local_scope_id: scope(&self.local),
            remote_scope_id: scope(&self.remote),
        }
    }
}

impl<A: Into<IpAddr> + Copy> Row for UdpEntry<A> {
    type Record = UdpRow;
    fn record(&self) -> UdpRow {
        UdpRow {
            local_address: self.local.address.into(),
            local_port: self.local.port,
            pid: self.pid,
            local_scope_id: scope(&self.local),
        }
    }
}

fn scope<A>(endpoint: &Endpoint<A>) -> Option<u32> {
    (endpoint.scope_id != 0).then_some(endpoint.scope_id)
}

/// `TcpTables` or `UdpTables`.
#[derive(Serialize)]
#[serde(bound = "")]
struct Tables<F: Row, S: Row> {
    samples: Vec<Sample<F, S>>,
}

/// `TcpSample` or `UdpSample`: the rows of IPv4, then those of IPv6.
struct Sample<F, S> {
    taken_at: Timestamp,
    families: Vec<AddressFamily>,
    v4: Vec<F>,
    v6: Vec<S>,
}

impl<F: Row, S: Row> Serialize for Sample<F, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut sample = serializer.serialize_struct("Sample", 3)?;
        sample.serialize_field("taken_at", &self.taken_at)?;
        sample.serialize_field("families", &self.families)?;
        sample.serialize_field("rows", &Rows(self))?;
        sample.end()
    }
}

struct Rows<'a, F, S>(&'a Sample<F, S>);

impl<F: Row, S: Row> Serialize for Rows<'_, F, S> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.v4.len() + self.0.v6.len()))?;
        for row in &self.0.v4 {
            rows.serialize_element(&row.record())?;
        }
        for row in &self.0.v6 {
            rows.serialize_element(&row.record())?;
        }
        rows.end()
    }
}

fn both_ends<F: Row, S: Row>(
    job: &mut Job,
    method: &'static str,
    entry: &str,
    take: impl Fn(&dyn Sockets) -> (SysResult<Vec<F>>, SysResult<Vec<S>>),
) -> Outcome {
    let mut fault = None;
    let mut samples = Vec::new();
    let window = job.settings.window();
    samples.extend(sample(&*job.system, &take, &mut fault));
    let whole = job.sleep(window);
    if whole && !window.is_zero() {
        samples.extend(sample(&*job.system, &take, &mut fault));
    }
    match fault {
        Some(error) if samples.is_empty() => return Outcome::failed(error).by(method),
        _ => {}
    }
    if job.sink.json(entry, &Tables { samples }).is_err() {
        return Outcome::stopped();
    }
    let truncated = Outcome::new(State::Truncated).by(method);
    match fault {
        Some(error) => truncated
            .after(Some(error))
            .because("a table of one family or moment could not be read"),
        None if whole => Outcome::ok(method),
        None => truncated.because("the run ended before the second sample"),
    }
}

/// Both families at one moment, unless neither can be read.
fn sample<F, S>(
    system: &dyn System,
    take: impl Fn(&dyn Sockets) -> (SysResult<Vec<F>>, SysResult<Vec<S>>),
    fault: &mut Option<OsError>,
) -> Option<Sample<F, S>> {
    let taken_at = Timestamp::now();
    let (v4, v6) = take(system.sockets());
    let mut families = Vec::new();
    let v4 = kept(v4, AddressFamily::Ipv4, &mut families, fault);
    let v6 = kept(v6, AddressFamily::Ipv6, &mut families, fault);
    (!families.is_empty()).then_some(Sample {
        taken_at,
        families,
        v4,
        v6,
    })
}

fn kept<T>(
    rows: SysResult<Vec<T>>,
    family: AddressFamily,
    families: &mut Vec<AddressFamily>,
    fault: &mut Option<OsError>,
) -> Vec<T> {
    match rows {
        Ok(rows) => {
            families.push(family);
            rows
        }
        Err(error) => {
            fault.get_or_insert(error);
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
