//! `tcp-wait-states`: connections that wait: `TIME_WAIT` for time to pass, `CLOSE_WAIT` for a
//! program to close its socket.

mod remedies;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::SignedDuration;
use snapdiag_bundle::records::{AddressFamily, Transport};

use super::ports::{self, Load, Pool};
use crate::checks::check::{Check, Context, Decision, Input, Judge};
use crate::checks::thresholds::Threshold;
use crate::checks::verdict::{Category, Confidence, Verdict};
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
/// How far apart samples must be to say that something stays.
const APART: SignedDuration = SignedDuration::from_secs(30);
const TABLE: &str = "a live capture: the TCP table (network.tcp), two samples 30 s apart";

fn decide(cx: &Context<'_>) -> Decision {
    let sockets = &cx.snapshot.sockets;
    let mut judge = Judge::new();
    let close_wait = close_wait(&mut judge, cx);
    let time_wait = time_wait(&mut judge, cx);
    server_time_wait(&mut judge, cx);
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

/// Ephemeral ports in `TIME_WAIT`. Gives the fullest pool in words.
fn time_wait(judge: &mut Judge, cx: &Context<'_>) -> Option<String> {
    let sockets = &cx.snapshot.sockets;
    let listening = listening(sockets);
    let mut fullest: Option<(f64, String)> = None;
    for family in [AddressFamily::Ipv4, AddressFamily::Ipv6] {
        let pool = Pool::of(sockets, Transport::Tcp, family);
        let load = pool.fullest_of(sockets, |row| {
            row.state == Some(TIME_WAIT) && !listening.contains(&row.local_port)
        });
        let percent = load.as_ref().map(|load| pool.percent(load.used));
        let said = load.as_ref().map(|load| words(&pool, load));
        let critical = cx.limit(&TIME_WAIT_CRITICAL);
        let limits = [
            (
                Verdict::Critical,
                "time-wait-full",
                critical,
                pool.range.is_some(),
            ),
            (
                Verdict::Warning,
                "time-wait",
                cx.limit(&TIME_WAIT_WARNING),
                true,
            ),
        ];
        for (verdict, rule, limit, allowed) in limits {
            let compared = format!(
                "{}: {:.1} % of the range in TIME_WAIT, limit {limit} %",
                pool.name(),
                percent.unwrap_or_default()
            );
            let holds = percent.map(|percent| percent >= limit && allowed);
            let problem = judge.rule(verdict, rule, compared, holds);
            if let (Some(problem), Some(load), Some(said)) = (problem, &load, &said) {
                problem.headline(said.as_str());
                if pool.range.is_none() {
                    problem.because("The dynamic range was not read; the default is assumed.");
                    problem.confidence(Confidence::Medium);
                }
                if let Some((remote, count)) = load.top_remote() {
                    problem.because(format!(
                        "{count} of them were connections to {}: connection pooling there would keep them from piling up.",
                        std::net::SocketAddr::from(remote)
                    ));
                }
                if let Some(example) = &load.example {
                    let says = format!("{said}; this row is one of them");
                    problem.exhibits(says, std::slice::from_ref(example));
                }
                problem.remedy(remedies::pool_connections(load));
                problem.remedy(remedies::shorten(&sockets.timed_wait_delay));
                if let Some(widen) =
                    super::port_exhaustion::remedies::widen(sockets, Transport::Tcp)
                {
                    problem.remedy(widen);
                }
                break;
            }
        }
        if let (Some(percent), Some(said)) = (percent, said)
            && fullest.as_ref().is_none_or(|(most, _)| percent > *most)
        {
            fullest = Some((percent, said));
        }
    }
    fullest.map(|(_, said)| said)
}

fn words(pool: &Pool<'_>, load: &Load) -> String {
    format!(
        "{} of {} dynamic ports of {} in TIME_WAIT ({:.0} %)",
        load.used,
        pool.capacity(),
        pool.name(),
        pool.percent(load.used)
    )
}

/// `TIME_WAIT` behind listening ports takes no ephemeral port.
fn server_time_wait(judge: &mut Judge, cx: &Context<'_>) {
    let sockets = &cx.snapshot.sockets;
    let limit = cx.limit(&SERVER_TIME_WAIT);
    let listening = listening(sockets);
    let most = samples(sockets).and_then(|samples| {
        let counts = samples.iter().map(|sample| {
            let rows = sample
                .rows
                .iter()
                .filter(|row| row.state == Some(TIME_WAIT));
            let mut ports: BTreeMap<u16, usize> = BTreeMap::new();
            for row in rows.filter(|row| listening.contains(&row.local_port)) {
                *ports.entry(row.local_port).or_default() += 1;
            }
            let top = ports
                .iter()
                .max_by_key(|(_, count)| **count)
                .map(|(port, _)| *port);
            (ports.values().sum::<usize>(), top)
        });
        counts.max_by_key(|(count, _)| *count)
    });
    let count = most.map_or(0, |(count, _)| count);
    let compared = format!("{count} connections of listening ports in TIME_WAIT, limit {limit}");
    let holds = most.map(|(count, _)| large(count, limit));
    let problem = judge.rule(Verdict::Warning, "server-time-wait", compared, holds);
    if let (Some(problem), Some((count, Some(port)))) = (problem, most) {
        problem.headline(format!(
            "{count} connections of listening ports in TIME_WAIT, most of port {port}"
        ));
        problem.because(
            "They take memory and time, and no dynamic port: the side that closes first waits.",
        );
        let row = sockets.tcp.value().and_then(|table| {
            let number = table.samples.len().checked_sub(1)?;
            let rows = table.samples.last()?.rows.iter();
            let mut rows =
                rows.filter(|row| row.local_port == port && row.state == Some(TIME_WAIT));
            sockets.tcp_row(number, rows.next()?)
        });
        if let Some(row) = row.or_else(|| sockets.tcp.evidence.first().cloned()) {
            problem.exhibits("one of them", std::slice::from_ref(&row));
        }
        problem.remedy(remedies::keep_alive(port));
    }
}

/// Sockets that a program does not close. Gives the most that one process has.
fn close_wait(judge: &mut Judge, cx: &Context<'_>) -> Option<usize> {
    let sockets = &cx.snapshot.sockets;
    let samples = samples(sockets)?;
    let warning = cx.limit(&CLOSE_WAIT_WARNING);
    let critical = cx.limit(&CLOSE_WAIT_CRITICAL);
    let (number, (pid, count)) = samples
        .iter()
        .enumerate()
        .filter_map(|(number, sample)| Some((number, top_close_wait(sample)?)))
        .max_by_key(|(_, (_, count))| *count)
        .unwrap_or_default();
    let stays = stays(samples, pid);
    let lasting = stays.is_some_and(|stays| large(stays, warning));
    let compared = format!(
        "process {pid}: {count} in CLOSE_WAIT, limit {critical}; {} stay for 30 s, limit {warning}",
        stays.map_or_else(
            || "not known how many".to_owned(),
            |stays| stays.to_string()
        )
    );
    let bad = large(count, critical) || lasting;
    let owner = ports::process(sockets, pid);
    let compared_warning = format!("process {pid}: {count} in CLOSE_WAIT, limit {warning}");
    let rules = [
        (Verdict::Critical, "sockets-not-closed", compared, bad),
        (
            Verdict::Warning,
            "close-wait",
            compared_warning,
            large(count, warning) && !bad,
        ),
    ];
    for (verdict, rule, compared, holds) in rules {
        let Some(problem) = judge.rule(verdict, rule, compared, Some(holds)) else {
            continue;
        };
        problem.headline(format!(
            "{owner} does not close its sockets: {count} connections in CLOSE_WAIT"
        ));
        problem.because("The other side has closed; only the program can close its own. No setting of Windows shortens this wait, keep-alive and TcpTimedWaitDelay included.");
        if let Some(stays) = stays.filter(|_| lasting) {
            problem.because(format!("{stays} of them were there 30 s later, too."));
        }
        let example = samples
            .get(number)
            .and_then(|sample| sample.rows.iter().find(|row| is_close_wait(row, pid)))
            .and_then(|row| sockets.tcp_row(number, row));
        if let Some(example) = example {
            problem.exhibits("one of them", std::slice::from_ref(&example));
        }
        if let Some(named) = sockets.owner(pid) {
            let is = format!("process {pid} is {}", named.image);
            problem.exhibits(is, std::slice::from_ref(&named.evidence));
        }
        problem.remedy(remedies::restart_program(pid, &owner));
    }
    Some(count)
}

fn top_close_wait(sample: &TcpSample) -> Option<(u32, usize)> {
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for pid in sample
        .rows
        .iter()
        .filter(|row| row.state == Some(CLOSE_WAIT))
        .filter_map(|row| row.pid)
    {
        *counts.entry(pid).or_default() += 1;
    }
    let top = counts
        .into_iter()
        .max_by_key(|(pid, count)| (*count, std::cmp::Reverse(*pid)));
    top.filter(|(_, count)| *count > 0)
}

fn is_close_wait(row: &TcpRow, pid: u32) -> bool {
    row.state == Some(CLOSE_WAIT) && row.pid == Some(pid)
}

/// How many connections of a process are in `CLOSE_WAIT` in two samples at least 30 s apart.
fn stays(samples: &[TcpSample], pid: u32) -> Option<usize> {
    type Ends = (IpAddr, u16, IpAddr, u16);
    let (first, last) = (samples.first()?, samples.last()?);
    let apart = last.taken_at?.duration_since(first.taken_at?);
    if apart < APART {
        return None;
    }
    let of = |sample: &TcpSample| -> BTreeSet<Ends> {
        let rows = sample.rows.iter().filter(|row| is_close_wait(row, pid));
        rows.map(|row| (row.local, row.local_port, row.remote, row.remote_port))
            .collect()
    };
    Some(of(first).intersection(&of(last)).count())
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
