//! `TIME_WAIT`: connections that wait for time to pass.

use std::collections::BTreeMap;

use snapdiag_bundle::records::{AddressFamily, Transport};

use super::{
    SERVER_TIME_WAIT, TIME_WAIT, TIME_WAIT_CRITICAL, TIME_WAIT_WARNING, large, listening, remedies,
    samples,
};
use crate::checks::check::{Context, Judge};
use crate::checks::network::port_exhaustion;
use crate::checks::network::ports::{Load, Pool};
use crate::checks::verdict::{Confidence, Verdict};

/// Ephemeral ports in `TIME_WAIT`. Gives the fullest pool in words.
pub(super) fn judge(judge: &mut Judge, cx: &Context<'_>) -> Option<String> {
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
                if let Some(widen) = port_exhaustion::remedies::widen(sockets, Transport::Tcp) {
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
pub(super) fn of_listeners(judge: &mut Judge, cx: &Context<'_>) {
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
