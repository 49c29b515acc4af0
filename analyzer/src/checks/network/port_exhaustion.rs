//! `port-exhaustion`: whether Windows runs out of ports for outgoing connections.

mod events;
mod ranges;
pub(super) mod remedies;
mod usage;

use snapdiag_bundle::records::{AddressFamily, Transport};

use super::logs;
use super::ports::{self, Load, Pool};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence};
use crate::checks::words;
use crate::facts::Snapshot;
use crate::facts::sockets::{LISTS_BOUND, Sockets};

/// The check.
pub const CHECK: Check = Check {
    id: "port-exhaustion",
    category: Category::Network,
    title: "Port exhaustion",
    page: include_str!("port_exhaustion.md"),
    inputs: &[
        Input::required("eventlog.system"),
        Input::helpful("network.tcp"),
        Input::helpful("network.udp"),
        Input::helpful("network.port-ranges"),
        Input::helpful("network.port-ranges-text"),
        Input::helpful("network.netstat-text"),
        Input::helpful("processes.table"),
        Input::helpful("registry.system"),
    ],
    thresholds: &[
        USED_WARNING,
        USED_CRITICAL,
        EVENT_CRITICAL,
        EVENT_WARNING,
        COLLISIONS,
        SMALL_RANGE,
        EXCLUDED_RANGES,
        ONE_PROCESS,
    ],
    decide,
};

const USED_WARNING: Threshold = Threshold {
    key: "port-exhaustion.used-warning",
    default: 70.0,
    unit: "% of the dynamic range",
    meaning: "this or more in use on one local address is a warning",
    source: "ours",
};
const USED_CRITICAL: Threshold = Threshold {
    key: "port-exhaustion.used-critical",
    default: 95.0,
    unit: "% of the dynamic range",
    meaning: "this or more in use on one local address is critical, where the range was read",
    source: "ours",
};
const EVENT_CRITICAL: Threshold = Threshold {
    key: "port-exhaustion.event-critical",
    default: 24.0,
    unit: "hours before the capture",
    meaning: "Tcpip 4231 or 4266 no older than this is critical",
    source: "Microsoft, \"Troubleshoot port exhaustion issues\" (the events); ours (the span)",
};
const EVENT_WARNING: Threshold = Threshold {
    key: "port-exhaustion.event-warning",
    default: 7.0,
    unit: "days before the capture",
    meaning: "Tcpip 4227, 4231 or 4266 no older than this is a warning",
    source: "Microsoft, \"Troubleshoot port exhaustion issues\" (the events); ours (the span)",
};
const COLLISIONS: Threshold = Threshold {
    key: "port-exhaustion.collisions",
    default: 10.0,
    unit: "Tcpip 4227 in one hour",
    meaning: "more in an hour of the last 24 is critical where the table is at the warning limit, too",
    source: "ours",
};
const SMALL_RANGE: Threshold = Threshold {
    key: "port-exhaustion.small-range",
    default: 10_000.0,
    unit: "ports",
    meaning: "a dynamic range with fewer is a warning",
    source: "aliyun/alibabacloud-ecs-troubleshoot-skills",
};
const EXCLUDED_RANGES: Threshold = Threshold {
    key: "port-exhaustion.excluded-ranges",
    default: 100.0,
    unit: "excluded ranges of a protocol and family",
    meaning: "more is a warning",
    source: "aliyun/alibabacloud-ecs-troubleshoot-skills",
};
const ONE_PROCESS: Threshold = Threshold {
    key: "port-exhaustion.one-process",
    default: 50.0,
    unit: "% of the dynamic range",
    meaning: "more held by one process is a warning",
    source: "ours",
};

/// What settles the tables.
const TABLES: &str = "a live capture: the TCP and UDP tables (network.tcp, network.udp)";
/// What settles the ports that are bound and not connected.
const BOUND_TEXT: &str = "the text of netstat -anoq (network.netstat-text)";
/// What settles the ranges.
const RANGES: &str = "the dynamic ranges (network.port-ranges, or network.port-ranges-text)";

/// The four pools of ports.
const POOLS: [(Transport, AddressFamily); 4] = [
    (Transport::Tcp, AddressFamily::Ipv4),
    (Transport::Tcp, AddressFamily::Ipv6),
    (Transport::Udp, AddressFamily::Ipv4),
    (Transport::Udp, AddressFamily::Ipv6),
];

fn decide(cx: &Context<'_>) -> Decision {
    let sockets = &cx.snapshot.sockets;
    let pools: Vec<(Pool<'_>, Option<Load>)> = POOLS
        .into_iter()
        .map(|(protocol, family)| {
            let pool = Pool::of(sockets, protocol, family);
            let load = pool.fullest(sockets);
            (pool, load)
        })
        .collect();
    let mut judge = Judge::new();
    events::exhausted(&mut judge, cx, &pools);
    usage::used_up(&mut judge, cx, &pools);
    events::collisions(&mut judge, cx, &pools);
    usage::filling(&mut judge, cx, &pools);
    usage::one_process(&mut judge, cx, &pools);
    ranges::small(&mut judge, cx, &pools);
    ranges::excluded(&mut judge, cx, &pools);
    events::notes(&mut judge, cx);
    ranges::notes(&mut judge, sockets);
    demand(&mut judge, cx, &pools);
    show(&mut judge, &pools);
    if ports::from_text(sockets) {
        judge.at_most(Confidence::Medium);
        judge.note("The table is the text of netstat.");
    }
    bound(&mut judge, cx.snapshot);
    let fullest = words(&pools);
    judge.finish(format!("ports are left: {fullest}"), fullest)
}

/// What must have been seen before the check may say `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let sockets = &cx.snapshot.sockets;
    judge.require(&sockets.tcp, "the TCP table", TABLES);
    judge.require(&sockets.udp, "the UDP table", TABLES);
    if sockets.tcp.value().is_some() && !sockets.lists_every_listener() {
        judge.lacks("the TCP table is not whole", TABLES);
    }
    for (pool, load) in pools {
        let in_use = load.as_ref().is_some_and(|load| load.used > 0);
        if pool.range.is_none() && (in_use || pool.family == AddressFamily::Ipv4) {
            judge.lacks(
                format!(
                    "the dynamic range of {} was not read ({} to {} is assumed)",
                    pool.name(),
                    pool.first,
                    pool.last
                ),
                RANGES,
            );
        }
    }
    logs::require(
        judge,
        cx.snapshot,
        &cx.snapshot.network_events.system,
        "System",
        cx.limit(&EVENT_CRITICAL),
    );
}

/// Ports that are bound and not connected: they are taken, and no table holds them. Without them
/// `ok` would be too good, wherever netstat can list them.
fn bound(judge: &mut Judge, snapshot: &Snapshot) {
    let lists = snapshot.machine.build.value();
    let lists = lists.is_some_and(|build| *build >= LISTS_BOUND);
    match snapshot.sockets.bound.value() {
        Some(bound) if bound.rows.is_empty() => {}
        Some(bound) => judge.note(format!(
            "{} bound and not connected: taken, too.",
            words::count(bound.rows.len(), "port")
        )),
        None if lists && snapshot.sockets.tcp.value().is_some() => {
            judge.lacks(
                "ports that are bound and not connected are not known",
                BOUND_TEXT,
            );
        }
        None => judge.note("Ports that are bound and not connected are not known."),
    }
    if snapshot
        .sockets
        .bound
        .value()
        .is_some_and(|bound| bound.unclear > 0)
    {
        judge.lacks("not every line of netstat -anoq was understood", BOUND_TEXT);
    }
}

/// Evidence that is shown whatever the verdict.
fn show(judge: &mut Judge, pools: &[(Pool<'_>, Option<Load>)]) {
    for (pool, load) in pools {
        if let Some(range) = pool.range {
            judge.exhibit_evidence(
                format!(
                    "dynamic range of {}: {} to {}",
                    pool.name(),
                    pool.first,
                    pool.last
                ),
                &range.evidence,
            );
        }
        if let Some((load, example)) = load
            .as_ref()
            .and_then(|load| Some((load, load.example.as_ref()?)))
        {
            judge.exhibit_evidence(
                format!("{}; this row is one of them", usage::words(pool, load)),
                std::slice::from_ref(example),
            );
        }
    }
}

/// The fullest pool in words.
fn words(pools: &[(Pool<'_>, Option<Load>)]) -> String {
    let known = pools
        .iter()
        .filter_map(|(pool, load)| Some((pool, load.as_ref()?)));
    // Of equal ones the first.
    known
        .rev()
        .max_by(|(a, one), (b, other)| a.percent(one.used).total_cmp(&b.percent(other.used)))
        .map(|(pool, load)| usage::words(pool, load))
        .unwrap_or_default()
}

/// The sockets of the processes in words.
fn holder(sockets: &Sockets, load: &Load) -> Option<String> {
    let (pid, count) = load.top_process()?;
    Some(format!(
        "{} holds {count} of them.",
        ports::process(sockets, pid)
    ))
}

#[cfg(test)]
mod tests;
