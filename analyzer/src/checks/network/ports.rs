//! How many dynamic ports there are and how many are taken.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use snapdiag_bundle::records::{AddressFamily, Transport};

use crate::facts::evidence::Evidence;
use crate::facts::sockets::{PortRange, Sockets, TableSource, TcpRow, UdpRow};

/// The dynamic range of Windows where none was set (KB929851).
pub(super) const DEFAULT_FIRST: u16 = 49152;
/// The last port there is.
const LAST: u16 = u16::MAX;

/// The dynamic ports of a protocol and family.
pub(super) struct Pool<'a> {
    pub(super) protocol: Transport,
    pub(super) family: AddressFamily,
    pub(super) first: u16,
    pub(super) last: u16,
    /// Where the range was read; `None` for an assumed one.
    pub(super) range: Option<&'a PortRange>,
    /// By port: whether Windows must not hand it out.
    excluded: Vec<bool>,
}

/// One use of a port.
struct Use<'a> {
    local: IpAddr,
    port: u16,
    pid: Option<u32>,
    remote: Option<(IpAddr, u16)>,
    row: Row<'a>,
}

/// A row with the number of its sample.
#[derive(Clone, Copy)]
enum Row<'a> {
    Tcp(usize, &'a TcpRow),
    Udp(usize, &'a UdpRow),
    /// A bound port, of a text of its own.
    Bound(&'a TcpRow),
}

impl Row<'_> {
    fn evidence(self, sockets: &Sockets) -> Option<Evidence> {
        match self {
            Self::Tcp(sample, row) => sockets.tcp_row(sample, row),
            Self::Udp(sample, row) => sockets.udp_row(sample, row),
            Self::Bound(row) => sockets.bound_row(row),
        }
    }
}

/// The ports of a pool that one local address has in use. A port that is bound to all addresses
/// is taken on each.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// The address, unspecified where only sockets bound to all addresses use the pool.
    pub(super) address: Option<IpAddr>,
    /// How many distinct ports.
    pub(super) used: usize,
    /// How many of them each process has.
    pub(super) by_pid: BTreeMap<u32, usize>,
    /// How many of them go to each remote end.
    pub(super) by_remote: BTreeMap<(IpAddr, u16), usize>,
    /// A row of it.
    pub(super) example: Option<Evidence>,
}

impl<'a> Pool<'a> {
    pub(super) fn of(sockets: &'a Sockets, protocol: Transport, family: AddressFamily) -> Self {
        let of_pool = |range: &&PortRange| range.protocol == protocol && range.family == family;
        let range = sockets.dynamic.value().into_iter().flatten().find(of_pool);
        let ranges = sockets
            .excluded
            .value()
            .into_iter()
            .flatten()
            .filter(of_pool);
        Self {
            protocol,
            family,
            first: range.map_or(DEFAULT_FIRST, |range| range.first),
            last: range.map_or(LAST, |range| range.last),
            range,
            excluded: marked(ranges),
        }
    }

    /// Whether Windows hands the port out.
    pub(super) fn contains(&self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
            && !self
                .excluded
                .get(usize::from(port))
                .is_some_and(|excluded| *excluded)
    }

    /// How many ports Windows can hand out.
    pub(super) fn capacity(&self) -> usize {
        (self.first..=self.last)
            .filter(|port| self.contains(*port))
            .count()
    }

    /// How much of the pool is used, in percent; a pool without a port is used up.
    pub(super) fn percent(&self, used: usize) -> f64 {
        match self.capacity() {
            0 => 100.0,
            capacity => ratio(used, capacity) * 100.0,
        }
    }

    /// `TCP over IPv4`.
    pub(super) fn name(&self) -> String {
        let protocol = match self.protocol {
            Transport::Tcp => "TCP",
            Transport::Udp => "UDP",
        };
        let family = match self.family {
            AddressFamily::Ipv4 => "IPv4",
            AddressFamily::Ipv6 => "IPv6",
        };
        format!("{protocol} over {family}")
    }

    /// The fullest address over all samples, of the sockets that `counts` lets through; `None`
    /// without a table of the protocol.
    pub(super) fn fullest_of(
        &self,
        sockets: &Sockets,
        counts: impl Fn(&TcpRow) -> bool,
    ) -> Option<Load> {
        let samples = self.samples(sockets, counts)?;
        samples
            .into_iter()
            .map(|uses| self.fullest_in(sockets, &uses))
            .max_by_key(|load| load.used)
    }

    /// The fullest address over all samples.
    pub(super) fn fullest(&self, sockets: &Sockets) -> Option<Load> {
        self.fullest_of(sockets, |_| true)
    }

    fn samples<'s>(
        &self,
        sockets: &'s Sockets,
        counts: impl Fn(&TcpRow) -> bool,
    ) -> Option<Vec<Vec<Use<'s>>>> {
        Some(match self.protocol {
            Transport::Tcp => {
                let uses = |row: &'s TcpRow, place: Row<'s>| {
                    let taken = self.takes(row.local, row.local_port) && counts(row);
                    taken.then(|| Use {
                        local: row.local,
                        port: row.local_port,
                        pid: row.pid,
                        remote: (row.remote_port != 0).then_some((row.remote, row.remote_port)),
                        row: place,
                    })
                };
                let samples = sockets.tcp.value()?.samples.iter().enumerate();
                let samples = samples.map(|(number, sample)| -> Vec<Use<'s>> {
                    let rows = sample.rows.iter();
                    rows.filter_map(|row| uses(row, Row::Tcp(number, row)))
                        .collect()
                });
                let mut samples: Vec<Vec<Use<'s>>> = samples.collect();
                // Their text was taken once, after the tables.
                let bound = sockets.bound.value().into_iter().flat_map(|b| &b.rows);
                if let Some(newest) = samples.last_mut() {
                    newest.extend(bound.filter_map(|row| uses(row, Row::Bound(row))));
                }
                samples
            }
            Transport::Udp => {
                let samples = sockets.udp.value()?.samples.iter().enumerate();
                let uses = samples.map(|(number, sample)| {
                    let rows = sample.rows.iter();
                    rows.filter(|row| self.takes(row.local, row.local_port))
                        .map(|row| Use {
                            local: row.local,
                            port: row.local_port,
                            pid: row.pid,
                            remote: None,
                            row: Row::Udp(number, row),
                        })
                        .collect()
                });
                uses.collect()
            }
        })
    }

    fn takes(&self, local: IpAddr, port: u16) -> bool {
        self.contains(port) && local.is_ipv4() == (self.family == AddressFamily::Ipv4)
    }

    fn fullest_in(&self, sockets: &Sockets, uses: &[Use<'_>]) -> Load {
        let all: IpAddr = match self.family {
            AddressFamily::Ipv4 => Ipv4Addr::UNSPECIFIED.into(),
            AddressFamily::Ipv6 => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut ports: BTreeMap<IpAddr, BTreeSet<u16>> = BTreeMap::new();
        for one in uses {
            ports.entry(one.local).or_default().insert(one.port);
        }
        let shared = ports.remove(&all).unwrap_or_default();
        let own = |ports: &BTreeSet<u16>| ports.difference(&shared).count();
        let fullest = ports.iter().max_by_key(|(_, ports)| own(ports));
        let address = fullest.map_or(all, |(address, _)| *address);
        let mut load = Load {
            address: Some(address),
            used: shared.len() + fullest.map_or(0, |(_, ports)| own(ports)),
            ..Load::default()
        };
        let mut counted = uses
            .iter()
            .filter(|one| one.local == address || one.local == all)
            .peekable();
        let example = counted.peek().and_then(|one| one.row.evidence(sockets));
        load.example = example;
        load.count(counted);
        load
    }
}

impl Load {
    fn count<'u>(&mut self, uses: impl Iterator<Item = &'u Use<'u>>) {
        let mut seen = BTreeSet::new();
        let mut remotes = BTreeSet::new();
        for one in uses {
            if let Some(pid) = one.pid
                && seen.insert((pid, one.port))
            {
                *self.by_pid.entry(pid).or_default() += 1;
            }
            if let Some(remote) = one.remote
                && remotes.insert((remote, one.port))
            {
                *self.by_remote.entry(remote).or_default() += 1;
            }
        }
    }

    /// The process with the most ports; process 0 owns what outlived its process.
    pub(super) fn top_process(&self) -> Option<(u32, usize)> {
        let known = self.by_pid.iter().filter(|(pid, _)| **pid != 0);
        known
            .max_by_key(|(pid, count)| (**count, std::cmp::Reverse(**pid)))
            .map(|(pid, count)| (*pid, *count))
    }

    /// The remote end with the most ports.
    pub(super) fn top_remote(&self) -> Option<((IpAddr, u16), usize)> {
        let top = self.by_remote.iter().max_by_key(|(_, count)| **count);
        top.map(|(remote, count)| (*remote, *count))
    }
}

/// The part that `of` is of `whole`.
pub(super) fn ratio(of: usize, whole: usize) -> f64 {
    // Counts of sockets are far below 2^32.
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(of) / number(whole)
}

/// A process in words, with the services inside.
pub(super) fn process(sockets: &Sockets, pid: u32) -> String {
    match sockets.owner(pid) {
        Some(owner) if owner.services.is_empty() => format!("{} (process {pid})", owner.image),
        Some(owner) => format!(
            "{} (process {pid} with {})",
            owner.image,
            owner.services.join(", ")
        ),
        None => format!("process {pid}"),
    }
}

/// Whether the table is only the text of netstat.
pub(super) fn from_text(sockets: &Sockets) -> bool {
    let table = sockets.tcp.value();
    table.is_some_and(|table| table.source == TableSource::NetstatText)
}

/// Marks the ports of ranges, in time of ranges plus ports however they overlap.
fn marked<'a>(ranges: impl Iterator<Item = &'a PortRange>) -> Vec<bool> {
    let mut steps = vec![0_i64; usize::from(LAST) + 2];
    for range in ranges.filter(|range| range.first <= range.last) {
        if let Some(step) = steps.get_mut(usize::from(range.first)) {
            *step += 1;
        }
        if let Some(step) = steps.get_mut(usize::from(range.last) + 1) {
            *step -= 1;
        }
    }
    let mut open = 0;
    steps
        .into_iter()
        .map(|step| {
            open += step;
            open > 0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::fact::Fact;
    use crate::facts::sources::Sources;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange {
            protocol: Transport::Tcp,
            family: AddressFamily::Ipv4,
            first,
            last,
            evidence: Vec::new(),
        }
    }

    #[test]
    fn excluded_ports_are_not_handed_out_however_ranges_overlap() {
        let mut sockets = Sockets::gather(&Sources::none());
        sockets.dynamic = Fact::known(vec![range(1000, 1009)], []);
        sockets.excluded = Fact::known(
            vec![
                range(900, 1001),
                range(1001, 1001),
                range(1009, 65535),
                range(5, 4),
            ],
            [],
        );
        let pool = Pool::of(&sockets, Transport::Tcp, AddressFamily::Ipv4);
        let free: Vec<u16> = (0..=u16::MAX).filter(|port| pool.contains(*port)).collect();
        assert_eq!(free, [1002, 1003, 1004, 1005, 1006, 1007, 1008]);
        assert_eq!(pool.capacity(), 7);
        sockets.excluded = Fact::known(vec![range(0, 65535)], []);
        let none = Pool::of(&sockets, Transport::Tcp, AddressFamily::Ipv4);
        assert_eq!((none.capacity(), none.percent(0)), (0, 100.0));
    }

    #[test]
    fn another_protocol_or_family_has_the_default_range() {
        let mut sockets = Sockets::gather(&Sources::none());
        sockets.dynamic = Fact::known(vec![range(1000, 1009)], []);
        for (protocol, family) in [
            (Transport::Udp, AddressFamily::Ipv4),
            (Transport::Tcp, AddressFamily::Ipv6),
        ] {
            let pool = Pool::of(&sockets, protocol, family);
            assert!(pool.range.is_none());
            assert_eq!(
                (pool.first, pool.last, pool.capacity()),
                (49152, 65535, 16384)
            );
        }
    }
}
