use std::net::{Ipv4Addr, Ipv6Addr};

use snapdiag_bundle::State;
use snapdiag_bundle::records::{TcpTables, UdpTables};

use super::*;
use crate::items::testing::run;
use crate::system::os_error;

/// A machine with so many connections in `TIME_WAIT`, and IPv6 or not.
struct Machine {
    connections: u16,
    ipv6: bool,
}

impl System for Machine {
    fn sockets(&self) -> &dyn Sockets {
        self
    }
}

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);

fn end<A>(address: A, port: u16, scope_id: u32) -> Endpoint<A> {
    Endpoint {
        address,
        port,
        scope_id,
    }
}

impl Sockets for Machine {
    fn tcp4(&self) -> SysResult<Vec<TcpEntry<Ipv4Addr>>> {
        let row = |port| TcpEntry {
            local: end(ADDRESS, port, 0),
            remote: end(Ipv4Addr::new(198, 51, 100, 7), 443, 0),
            state: 11,
            pid: 0,
        };
        Ok((0..self.connections).map(row).collect())
    }

    fn tcp6(&self) -> SysResult<Vec<TcpEntry<Ipv6Addr>>> {
        if !self.ipv6 {
            return Err(os_error("GetExtendedTcpTable", 50));
        }
        Ok(vec![TcpEntry {
            local: end(LINK_LOCAL, 3389, 12),
            remote: end(Ipv6Addr::UNSPECIFIED, 0, 0),
            state: 2,
            pid: 1064,
        }])
    }

    fn udp4(&self) -> SysResult<Vec<UdpEntry<Ipv4Addr>>> {
        Ok(vec![UdpEntry {
            local: end(Ipv4Addr::UNSPECIFIED, 123, 0),
            pid: 1756,
        }])
    }

    fn udp6(&self) -> SysResult<Vec<UdpEntry<Ipv6Addr>>> {
        Ok(Vec::new())
    }
}

#[test]
fn both_ends_of_the_window_are_sampled() {
    let machine = Machine {
        connections: 2,
        ipv6: true,
    };
    let ran = run(machine, tcp);
    assert_eq!(ran.outcome, Outcome::ok("GetExtendedTcpTable"));
    let tables: TcpTables = ran.record("network/tcp.json");
    let [first, second] = &tables.samples[..] else {
        panic!("{} samples", tables.samples.len());
    };
    assert!(second.taken_at.duration_since(first.taken_at).as_secs_f64() >= 1.0);
    assert_eq!(first.families, [AddressFamily::Ipv4, AddressFamily::Ipv6]);
    assert_eq!(first.rows, second.rows);
    assert_eq!(first.rows.len(), 3);
    assert_eq!(first.rows[1].local_address, IpAddr::from(ADDRESS));
    assert_eq!(first.rows[1].local_port, 1);
    assert_eq!(first.rows[1].local_scope_id, None);
    assert_eq!(first.rows[2].local_scope_id, Some(12));
    assert_eq!((first.rows[2].state, first.rows[2].pid), (2, 1064));
}

#[test]
fn a_missing_family_is_named_by_its_absence() {
    let machine = Machine {
        connections: 1,
        ipv6: false,
    };
    let ran = run(machine, tcp);
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("GetExtendedTcpTable", 50)));
    let tables: TcpTables = ran.record("network/tcp.json");
    assert_eq!(tables.samples.len(), 2);
    assert_eq!(tables.samples[0].families, [AddressFamily::Ipv4]);
}

#[test]
fn udp_is_read_by_its_own_calls() {
    let machine = Machine {
        connections: 0,
        ipv6: true,
    };
    let ran = run(machine, udp);
    assert_eq!(ran.outcome, Outcome::ok("GetExtendedUdpTable"));
    let tables: UdpTables = ran.record("network/udp.json");
    assert_eq!(tables.samples[0].rows.len(), 1);
    assert_eq!(tables.samples[0].rows[0].local_port, 123);
}

#[test]
fn a_machine_without_the_tables_fails_with_its_error() {
    let ran = run(crate::system::Unanswered, tcp);
    assert_eq!(ran.outcome.state, State::Failed);
    assert!(ran.artifacts.is_empty());
}

#[test]
fn a_table_of_all_ports_is_held_in_few_bytes() {
    assert!(size_of::<TcpEntry<Ipv4Addr>>() <= 32);
    assert!(size_of::<TcpEntry<Ipv6Addr>>() <= 56);
    let machine = Machine {
        connections: u16::MAX,
        ipv6: true,
    };
    let ran = run(machine, tcp);
    let tables: TcpTables = ran.record("network/tcp.json");
    assert_eq!(tables.samples[0].rows.len(), 65_536);
}
