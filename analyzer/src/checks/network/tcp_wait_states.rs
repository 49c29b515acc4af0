//! `tcp-wait-states`: connections that wait: `TIME_WAIT` for time to pass, `CLOSE_WAIT` for a
//! program to close its socket.

mod close_wait;
mod remedies;
mod time_wait;

use std::collections::BTreeSet;

use snapdiag_bundle::records::{AddressFamily, Transport};

use super::ports::{self, Pool};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence};
use crate::facts::remote_desktop::Listener;
use crate::facts::sockets::{Sockets, TcpRow, TcpSample};

/// The check.
pub const CHECK: Check = Check {
    id: "tcp-wait-states",
    category: Category::Network,
    title: "TIME_WAIT and CLOSE_WAIT connections",
    page: include_str!("tcp_wait_states.md"),
    inputs: &[
        Input::helpful("network.tcp"),
        Input::helpful("network.netstat-text"),
        Input::helpful("network.port-ranges"),
        Input::helpful("network.port-ranges-text"),
        Input::helpful("processes.table"),
        Input::helpful("registry.system"),
    ],
    thresholds: &[
        TIME_WAIT_WARNING,
        TIME_WAIT_CRITICAL,
        SERVER_TIME_WAIT,
        CLOSE_WAIT_WARNING,
        CLOSE_WAIT_CRITICAL,
        HALF_OPEN,
    ],
    decide,
};

const TIME_WAIT_WARNING: Threshold = Threshold {
    key: "tcp-wait-states.time-wait-warning",
    default: 50.0,
    unit: "% of the dynamic range",
    meaning: "this or more of it in TIME_WAIT on one local address is a warning",
    source: "ours",
};
const TIME_WAIT_CRITICAL: Threshold = Threshold {
    key: "tcp-wait-states.time-wait-critical",
    default: 80.0,
    unit: "% of the dynamic range",
    meaning: "this or more of it in TIME_WAIT is critical, where the range was read",
    source: "ours",
};
const SERVER_TIME_WAIT: Threshold = Threshold {
    key: "tcp-wait-states.server-time-wait",
    default: 20_000.0,
    unit: "connections of listening ports",
    meaning: "more in TIME_WAIT is a warning; they take memory and no dynamic port",
    source: "ours",
};
const CLOSE_WAIT_WARNING: Threshold = Threshold {
    key: "tcp-wait-states.close-wait-warning",
    default: 500.0,
    unit: "connections of one process",
    meaning: "more in CLOSE_WAIT is a warning; critical when more than this many stay for 30 s",
    source: "ours",
};
const CLOSE_WAIT_CRITICAL: Threshold = Threshold {
    key: "tcp-wait-states.close-wait-critical",
    default: 2000.0,
    unit: "connections of one process",
    meaning: "more in CLOSE_WAIT is critical",
    source: "ours",
};
const HALF_OPEN: Threshold = Threshold {
    key: "tcp-wait-states.half-open",
    default: 200.0,
    unit: "half-open connections of the Remote Desktop port",
    meaning: "more is a note that points to brute-force",
    source: "ours",
};

/// `MIB_TCP_STATE`.
const SYN_RECEIVED: u32 = 4;
const CLOSE_WAIT: u32 = 8;
const TIME_WAIT: u32 = 11;
const TABLE: &str = "a live capture: the TCP table (network.tcp), two samples 30 s apart";

fn decide(cx: &Context<'_>) -> Decision {
    let sockets = &cx.snapshot.sockets;
    let mut judge = Judge::new();
    let close_wait = close_wait::judge(&mut judge, cx);
    let time_wait = time_wait::judge(&mut judge, cx);
    time_wait::of_listeners(&mut judge, cx);
    half_open(&mut judge, cx);
    demand(&mut judge, cx, close_wait);
    configured(&mut judge, sockets);
    if ports::from_text(sockets) {
        judge.at_most(Confidence::Medium);
    }
    let known = match (&time_wait, close_wait) {
        (Some(time_wait), Some(close_wait)) => {
            format!("{time_wait}; at most {close_wait} in CLOSE_WAIT for one process")
        }
        _ => String::new(),
    };
    judge.finish(format!("nothing waits in large numbers: {known}"), known)
}

/// Half-open connections of the Remote Desktop port: a hint, no verdict.
fn half_open(judge: &mut Judge, cx: &Context<'_>) {
    let listeners = cx
        .snapshot
        .remote_desktop
        .listeners
        .value()
        .into_iter()
        .flatten();
    let ports: BTreeSet<u16> = listeners.filter_map(Listener::port_number).collect();
    let limit = cx.limit(&HALF_OPEN);
    let count = samples(&cx.snapshot.sockets)
        .into_iter()
        .flatten()
        .map(|sample| {
            let rows = sample
                .rows
                .iter()
                .filter(|row| row.state == Some(SYN_RECEIVED));
            rows.filter(|row| ports.contains(&row.local_port)).count()
        })
        .max()
        .unwrap_or_default();
    if large(count, limit) {
        judge.note(format!(
            "{count} half-open connections of the Remote Desktop port: somebody floods it (see brute-force)."
        ));
    }
}

/// What must have been seen before the check may say `ok`.
fn demand(judge: &mut Judge, cx: &Context<'_>, close_wait: Option<usize>) {
    let sockets = &cx.snapshot.sockets;
    judge.require(&sockets.tcp, "the TCP table", TABLE);
    let Some(table) = sockets.tcp.value() else {
        if close_wait.is_none() && sockets.tcp.is_absent() {
            judge.lacks("there is no TCP table", TABLE);
        }
        return;
    };
    if !sockets.lists_every_listener() {
        judge.lacks("the TCP table is not whole", TABLE);
    }
    if table.unknown_states > 0 {
        judge.lacks(
            format!("the state of {} rows is not known", table.unknown_states),
            TABLE,
        );
    }
    let rows = || table.samples.iter().flat_map(|sample| &sample.rows);
    if rows().any(|row| row.state == Some(CLOSE_WAIT) && row.pid.is_none()) {
        judge.lacks("the table does not name the processes", TABLE);
    }
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        let pool = Pool::of(sockets, Transport::Tcp, family);
        let waits = |row: &TcpRow| {
            row.state == Some(TIME_WAIT) && row.local.is_ipv4() == (family == AddressFamily::Ipv4)
        };
        if pool.range.is_none() && (family == AddressFamily::Ipv4 || rows().any(waits)) {
            judge.lacks(
                format!("the dynamic range of {} was not read", pool.name()),
                "the dynamic ranges (network.port-ranges, or network.port-ranges-text)",
            );
        }
    }
    if table.samples.len() < 2 {
        judge.would_help(TABLE);
    }
}

/// The setting that people change.
fn configured(judge: &mut Judge, sockets: &Sockets) {
    let delay = &sockets.timed_wait_delay;
    match delay.value().map(|delay| (delay.value, &delay.wrong_type)) {
        Some((Some(seconds), None)) => {
            judge.exhibit(format!("TcpTimedWaitDelay = {seconds} s"), delay);
            if !(30..=300).contains(&seconds) {
                judge.note(format!(
                    "TcpTimedWaitDelay is {seconds}: Windows takes 30 to 300 seconds."
                ));
            }
        }
        Some(_) => judge.note("TcpTimedWaitDelay is no REG_DWORD: Windows ignores it."),
        None if delay.is_absent() => judge.exhibit("TcpTimedWaitDelay: not set", delay),
        None => {}
    }
}

fn samples(sockets: &Sockets) -> Option<&[TcpSample]> {
    Some(&sockets.tcp.value()?.samples)
}

fn listening(sockets: &Sockets) -> BTreeSet<u16> {
    let listeners = sockets.listeners.value().into_iter().flatten();
    listeners.map(|listener| listener.port).collect()
}

fn large(count: usize, limit: f64) -> bool {
    // Counts of sockets are far below 2^32.
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) > limit
}

#[cfg(test)]
mod tests;
