//! `network.tcp`, `network.udp`: the socket tables at both ends of the counter window.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use serde::ser::{SerializeSeq, SerializeStruct};
use serde::{Serialize, Serializer};
use snapdiag_bundle::records::{AddressFamily, TcpRow, UdpRow};

use super::parts::Parts;
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
    let mut parts = Parts::default();
    let window = job.settings.window();
    let mut samples = Vec::new();
    samples.extend(sample(&*job.system, &take, &mut parts));
    if !job.sleep(window) {
        parts.cut("the run ended before the second sample");
    } else if !window.is_zero() {
        samples.extend(sample(&*job.system, &take, &mut parts));
    }
    parts.finish(job, entry, &Tables { samples }, method)
}

/// Both families at one moment, unless neither can be read.
fn sample<F, S>(
    system: &dyn System,
    take: impl Fn(&dyn Sockets) -> (SysResult<Vec<F>>, SysResult<Vec<S>>),
    parts: &mut Parts,
) -> Option<Sample<F, S>> {
    let taken_at = Timestamp::now();
    let (v4, v6) = take(system.sockets());
    let (v4, v6) = (parts.take(v4), parts.take(v6));
    let mut families = Vec::new();
    families.extend(v4.as_ref().map(|_| AddressFamily::Ipv4));
    families.extend(v6.as_ref().map(|_| AddressFamily::Ipv6));
    (!families.is_empty()).then(|| Sample {
        taken_at,
        families,
        v4: v4.unwrap_or_default(),
        v6: v6.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
