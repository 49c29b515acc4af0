//! How to get ports back.

use snapdiag_bundle::records::{AddressFamily, Transport};

use crate::checks::network::ports::{DEFAULT_FIRST, Pool, process};
use crate::checks::remedy::{Remedy, Risk, Step};
use crate::facts::sockets::Sockets;

/// Where the wider range begins: half of all ports, above the ports of most services.
const WIDE_FIRST: u16 = 32768;
const WIDE_COUNT: u32 = 32768;
/// How many listeners are named in commands.
const LISTENERS: usize = 16;

/// Finds the program that takes the ports.
pub(in crate::checks::network) fn find_the_holder(
    top: Option<(u32, usize)>,
    sockets: &Sockets,
) -> Remedy {
    let whom = top.map_or_else(
        || "the program that holds the ports".to_owned(),
        |(pid, _)| process(sockets, pid),
    );
    Remedy::new("Find the program that takes the ports, and mend it")
        .risk(
            Risk::Medium,
            "A restart interrupts what the program does. Restart it by its service or its own means; never end a shared svchost: other services live in it.",
        )
        .step(Step::powershell(
            "See who holds what. TIME_WAIT belongs to process 0: group it by remote end.",
            "Get-NetTCPConnection | Group-Object OwningProcess, State | Sort-Object Count -Descending | Select-Object -First 10 Count, Name; Get-NetTCPConnection -State TimeWait | Group-Object RemoteAddress, RemotePort | Sort-Object Count -Descending | Select-Object -First 10 Count, Name",
        ))
        .step(Step::text(format!(
            "Restart {whom}, and have it reuse connections (pooling, keep-alive) instead of opening one for each request."
        )))
        .undo(Step::text("Nothing to undo: no setting changes."))
        .verify(Step::powershell(
            "The number of ports in use falls and stays low.",
            "(Get-NetTCPConnection | Select-Object -ExpandProperty LocalPort -Unique).Count",
        ))
}

/// Widens the range of a protocol, safely; `None` where it is as wide already.
pub(in crate::checks::network) fn widen(sockets: &Sockets, protocol: Transport) -> Option<Remedy> {
    let word = match protocol {
        Transport::Tcp => "tcp",
        Transport::Udp => "udp",
    };
    let pools = [
        ("ipv4", Pool::of(sockets, protocol, AddressFamily::Ipv4)),
        ("ipv6", Pool::of(sockets, protocol, AddressFamily::Ipv6)),
    ];
    let narrow = |pool: &Pool<'_>| u32::from(pool.last) + 1 - u32::from(pool.first) < WIDE_COUNT;
    if !pools.iter().any(|(_, pool)| narrow(pool)) {
        return None;
    }
    let mut remedy = Remedy::new("Widen the dynamic range")
        .risk(
            Risk::Medium,
            "Temporary help only, says Microsoft: a leak fills any range. Not 10000 to 65535, as is often advised: outgoing connections then take the ports of services that start later, a Remote Desktop port of one's own among them. Firewalls between servers must let the new RPC range through.",
        );
    for port in listeners(sockets, protocol, &pools) {
        remedy = remedy
            .step(Step::cmd(
                format!("Reserve port {port} for the program that listens there. Where it is refused because the port is in use, stop that program for the moment."),
                format!("netsh int ipv4 add excludedportrange protocol={word} startport={port} numberofports=1 store=persistent"),
            ))
            .undo(Step::cmd(
                format!("Give port {port} back."),
                format!("netsh int ipv4 delete excludedportrange protocol={word} startport={port} numberofports=1 store=persistent"),
            ));
    }
    for (family, pool) in pools.iter().filter(|(_, pool)| narrow(pool)) {
        remedy = remedy.step(Step::cmd(
            format!("Widen the range of {}.", pool.name()),
            format!(
                "netsh int {family} set dynamicport {word} start={WIDE_FIRST} num={WIDE_COUNT}"
            ),
        ));
        remedy = remedy.undo(match pool.range {
            Some(range) => Step::cmd(
                format!(
                    "Put the range of {} back as it was in the snapshot.",
                    pool.name()
                ),
                format!(
                    "netsh int {family} set dynamicport {word} start={} num={}",
                    range.first,
                    range.count()
                ),
            ),
            None => Step::cmd(
                format!(
                    "The snapshot does not hold the range of {}; the default is this.",
                    pool.name()
                ),
                format!(
                    "netsh int {family} set dynamicport {word} start={DEFAULT_FIRST} num=16384"
                ),
            ),
        });
    }
    Some(remedy.verify(Step::cmd(
        "The range is 32768 and 32768.",
        format!("netsh int ipv4 show dynamicport {word} & netsh int ipv6 show dynamicport {word}"),
    )))
}

/// The listeners that the wider range would cover and the present one does not.
fn listeners(sockets: &Sockets, protocol: Transport, pools: &[(&str, Pool<'_>)]) -> Vec<u16> {
    if protocol == Transport::Udp {
        return Vec::new();
    }
    let mut ports: Vec<u16> = sockets
        .listeners
        .value()
        .into_iter()
        .flatten()
        .map(|listener| listener.port)
        .filter(|port| *port >= WIDE_FIRST)
        .filter(|port| {
            pools
                .iter()
                .all(|(_, pool)| !(pool.first..=pool.last).contains(port))
        })
        .filter(|port| sockets.exclusion(*port).is_none())
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports.truncate(LISTENERS);
    ports
}

/// Finds out who excluded the ranges.
pub(super) fn look_at_exclusions() -> Remedy {
    Remedy::new("Find out who excludes the ranges")
        .risk(Risk::Low, "Only looks. Delete no exclusion that is not understood: a program relies on it.")
        .step(Step::cmd(
            "List them; a star marks those that an administrator made.",
            "netsh int ipv4 show excludedportrange protocol=tcp & netsh int ipv4 show excludedportrange protocol=udp",
        ))
        .step(Step::powershell(
            "See whether the makers of such blocks are in use.",
            "Get-Service winnat, hns, vmcompute, com.docker.service -ErrorAction SilentlyContinue | Format-Table Name, Status, StartType",
        ))
        .undo(Step::text("Nothing to undo: nothing changes."))
        .verify(Step::cmd(
            "After a restart of that program the list is shorter.",
            "netsh int ipv4 show excludedportrange protocol=tcp",
        ))
}
