//! What the tables say.

use snapdiag_bundle::records::Transport;

use super::{ONE_PROCESS, USED_CRITICAL, USED_WARNING, holder, remedies};
use crate::checks::check::{Context, Judge, Problem};
use crate::checks::network::ports::{self, Load, Pool};
use crate::checks::verdict::{Confidence, Verdict};
use crate::facts::sockets::Sockets;

/// `15800 of 16384 dynamic ports of TCP over IPv4 in use on 10.0.0.4 (96 %)`.
pub(super) fn words(pool: &Pool<'_>, load: &Load) -> String {
    let address = load
        .address
        .filter(|address| !address.is_unspecified())
        .map(|address| format!(" on {address}"))
        .unwrap_or_default();
    format!(
        "{} of {} dynamic ports of {} in use{address} ({:.0} %)",
        load.used,
        pool.capacity(),
        pool.name(),
        pool.percent(load.used)
    )
}

/// A pool is used up; only a range that was read can say so.
pub(super) fn used_up(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let limit = cx.limit(&USED_CRITICAL);
    for (pool, load) in pools {
        let percent = load.as_ref().map(|load| pool.percent(load.used));
        let compared = compared(pool, percent, limit);
        let holds = percent.map(|percent| pool.range.is_some() && percent >= limit);
        let problem = judge.rule(Verdict::Critical, "used-up", compared, holds);
        if let (Some(problem), Some(load)) = (problem, load) {
            problem.headline(words(pool, load));
            explain(problem, &cx.snapshot.sockets, pool, load);
        }
    }
}

/// A pool fills.
pub(super) fn filling(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let limit = cx.limit(&USED_WARNING);
    let critical = cx.limit(&USED_CRITICAL);
    for (pool, load) in pools {
        let percent = load.as_ref().map(|load| pool.percent(load.used));
        let compared = compared(pool, percent, limit);
        let holds =
            percent.map(|percent| percent >= limit && (percent < critical || pool.range.is_none()));
        let problem = judge.rule(Verdict::Warning, "filling", compared, holds);
        if let (Some(problem), Some(load)) = (problem, load) {
            problem.headline(words(pool, load));
            if pool.range.is_none() {
                problem.because(format!(
                    "The range was not read; {} to {}, the default, is assumed.",
                    pool.first, pool.last
                ));
                problem.confidence(Confidence::Medium);
            }
            explain(problem, &cx.snapshot.sockets, pool, load);
        }
    }
}

fn compared(pool: &Pool<'_>, percent: Option<f64>, limit: f64) -> String {
    match percent {
        Some(percent) => format!("{}: {percent:.1} % in use, limit {limit} %", pool.name()),
        None => format!("{}: no table, limit {limit} %", pool.name()),
    }
}

fn explain(problem: &mut Problem, sockets: &Sockets, pool: &Pool<'_>, load: &Load) {
    if let Some(holder) = holder(sockets, load) {
        problem.because(holder);
    }
    if let Some((remote, count)) = load.top_remote() {
        problem.because(format!(
            "{count} of them go to {}.",
            std::net::SocketAddr::from(remote)
        ));
    }
    if let Some(example) = &load.example {
        problem.exhibits(
            format!("{}; this row is one of them", words(pool, load)),
            std::slice::from_ref(example),
        );
    }
    if let Some((pid, _)) = load.top_process()
        && let Some(owner) = sockets.owner(pid)
    {
        let says = format!("process {pid} is {}", owner.image);
        problem.exhibits(says, std::slice::from_ref(&owner.evidence));
    }
    problem.because("The share is indicative: Windows may use one port for several remote ends.");
    problem.remedy(remedies::find_the_holder(load.top_process(), sockets));
    if let Some(remedy) = remedies::widen(sockets, pool.protocol) {
        problem.remedy(remedy);
    }
}

/// One process holds most of a pool.
pub(super) fn one_process(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let sockets = &cx.snapshot.sockets;
    let limit = cx.limit(&ONE_PROCESS);
    for (pool, load) in pools {
        let top = load.as_ref().and_then(Load::top_process);
        let percent = top.map_or(0.0, |(_, count)| pool.percent(count));
        let large = load.as_ref().map(|_| top.is_some() && percent > limit);
        let by_design = pool.protocol == Transport::Udp
            && top.is_some_and(|(pid, _)| is_dns_server(sockets, pid));
        let compared = format!(
            "{}: one process holds {percent:.1} %, limit {limit} %",
            pool.name()
        );
        let holds = large.map(|large| large && !by_design);
        let problem = judge.rule(Verdict::Warning, "one-process", compared, holds);
        if let (Some(problem), Some((pid, count))) = (problem, top) {
            problem.headline(format!(
                "{} holds {count} of {} dynamic ports of {}",
                ports::process(sockets, pid),
                pool.capacity(),
                pool.name()
            ));
            problem.because("Proxies and load generators do so by design; other programs leak.");
            problem.remedy(remedies::find_the_holder(top, sockets));
        } else if by_design && large == Some(true) {
            judge.note(
                "The DNS server holds its pool of UDP ports, which is by design (SocketPoolSize).",
            );
        }
    }
}

fn is_dns_server(sockets: &Sockets, pid: u32) -> bool {
    sockets.owner(pid).is_some_and(|owner| {
        owner.image.eq_ignore_ascii_case("dns.exe")
            || owner
                .services
                .iter()
                .any(|name| name.eq_ignore_ascii_case("DNS"))
    })
}
