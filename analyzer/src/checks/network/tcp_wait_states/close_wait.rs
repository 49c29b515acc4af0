//! `CLOSE_WAIT`: connections whose program does not close its socket.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::SignedDuration;

use super::{CLOSE_WAIT, CLOSE_WAIT_CRITICAL, CLOSE_WAIT_WARNING, large, remedies, samples};
use crate::checks::check::{Context, Judge};
use crate::checks::network::ports;
use crate::checks::verdict::Verdict;
use crate::facts::sockets::{TcpRow, TcpSample};

/// How far apart samples must be to say that something stays.
const APART: SignedDuration = SignedDuration::from_secs(30);

/// Sockets that a program does not close. Gives the most that one process has.
pub(super) fn judge(judge: &mut Judge, cx: &Context<'_>) -> Option<usize> {
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
