//! What the System log says.

use snapdiag_bundle::records::Transport;

use super::{COLLISIONS, EVENT_CRITICAL, EVENT_WARNING, USED_WARNING, holder, remedies};
use crate::checks::check::{Context, Judge};
use crate::checks::network::logs::{before_capture, recent};
use crate::checks::network::ports::{Load, Pool};
use crate::checks::verdict::{Confidence, Verdict};
use crate::checks::words;
use crate::facts::network_events::Kind;

/// Windows itself said that no port was left.
pub(super) fn exhausted(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let events = &cx.snapshot.network_events;
    let hours = cx.limit(&EVENT_CRITICAL);
    let days = cx.limit(&EVENT_WARNING);
    let dated = cx.snapshot.capture.time.is_some();
    for (kind, protocol, id) in [
        (Kind::TcpExhausted, Transport::Tcp, 4231),
        (Kind::UdpExhausted, Transport::Udp, 4266),
    ] {
        let name = name(protocol);
        // Without a capture time nothing tells how old a record is.
        let fresh = recent(cx.snapshot, kind, hours).filter(|_| dated);
        let newest = recent(cx.snapshot, kind, days * 24.0);
        for (verdict, rule, event, span) in [
            (Verdict::Critical, "exhausted", fresh, format!("{hours} h")),
            (
                Verdict::Warning,
                "was-exhausted",
                newest.filter(|_| fresh.is_none()),
                format!("{days} d"),
            ),
        ] {
            let holds =
                (events.system.value().is_some() || event.is_some()).then_some(event.is_some());
            let compared = format!("Tcpip {id} within {span} before the capture");
            let (Some(problem), Some(event)) = (judge.rule(verdict, rule, compared, holds), event)
            else {
                continue;
            };
            problem.headline(format!(
                "Windows ran out of dynamic {name} ports (Tcpip {id} at {})",
                event.time
            ));
            problem.exhibits(
                format!("Tcpip {id}: no dynamic {name} port was left"),
                std::slice::from_ref(&event.evidence),
            );
            if let Some(hour) = before_capture(cx.snapshot, days * 24.0)
                .and_then(|since| events.busiest_hour(kind, since))
            {
                let says = format!(
                    "{} in the hour from {}",
                    words::count(hour.count, "record"),
                    hour.begin
                );
                problem.exhibits(says, std::slice::from_ref(&hour.evidence));
            }
            problem.confidence(Confidence::Medium);
            let load = pools
                .iter()
                .filter(|(pool, _)| pool.protocol == protocol)
                .filter_map(|(_, load)| load.as_ref())
                .max_by_key(|load| load.used);
            if let Some(holder) = load.and_then(|load| holder(&cx.snapshot.sockets, load)) {
                problem.because(format!("At the capture {holder}"));
            }
            problem.remedy(remedies::find_the_holder(
                load.and_then(Load::top_process),
                &cx.snapshot.sockets,
            ));
            if let Some(remedy) = remedies::widen(&cx.snapshot.sockets, protocol) {
                problem.remedy(remedy);
            }
        }
    }
}

fn name(protocol: Transport) -> &'static str {
    match protocol {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
    }
}

/// A port was asked for that was still in `TIME_WAIT`: alone at most a warning.
pub(super) fn collisions(judge: &mut Judge, cx: &Context<'_>, pools: &[(Pool<'_>, Option<Load>)]) {
    let events = &cx.snapshot.network_events;
    let limit = cx.limit(&COLLISIONS);
    let days = cx.limit(&EVENT_WARNING);
    let hour = before_capture(cx.snapshot, cx.limit(&EVENT_CRITICAL))
        .and_then(|since| events.busiest_hour(Kind::TimeWaitCollision, since));
    let rate = hour.map_or(0, |hour| hour.count);
    // A count of records in an hour is far below 2^32.
    let many = f64::from(u32::try_from(rate).unwrap_or(u32::MAX)) > limit;
    let agrees = pools.iter().any(|(pool, load)| {
        pool.protocol == Transport::Tcp
            && pool.range.is_some()
            && load
                .as_ref()
                .is_some_and(|load| pool.percent(load.used) >= cx.limit(&USED_WARNING))
    });
    let newest = recent(cx.snapshot, Kind::TimeWaitCollision, days * 24.0);
    let seen = events.system.value().is_some() || newest.is_some();
    let compared =
        format!("{rate} Tcpip 4227 in an hour, limit {limit}; the table agrees: {agrees}");
    let critical = judge.rule(
        Verdict::Critical,
        "collisions",
        compared,
        seen.then_some(many && agrees),
    );
    if let (Some(problem), Some(hour)) = (critical, hour) {
        problem.headline(format!(
            "{} times in an hour a port was still in TIME_WAIT (Tcpip 4227), and the table is full",
            hour.count
        ));
        problem.exhibits(
            format!(
                "{} in the hour from {}",
                words::count(hour.count, "record"),
                hour.begin
            ),
            std::slice::from_ref(&hour.evidence),
        );
        problem.remedy(remedies::find_the_holder(None, &cx.snapshot.sockets));
        return;
    }
    let compared = format!("Tcpip 4227 within {days} d before the capture");
    let warning = judge.rule(
        Verdict::Warning,
        "collided",
        compared,
        seen.then_some(newest.is_some()),
    );
    if let (Some(problem), Some(event)) = (warning, newest) {
        problem.headline(format!(
            "a port was asked for that was still in TIME_WAIT (Tcpip 4227 at {})",
            event.time
        ));
        problem.because(format!(
            "{rate} such records in the busiest hour of the last day."
        ));
        problem.exhibits("Tcpip 4227", std::slice::from_ref(&event.evidence));
        problem.confidence(Confidence::Medium);
        problem.remedy(remedies::find_the_holder(None, &cx.snapshot.sockets));
    }
}

/// Other records of the same matter.
pub(super) fn notes(judge: &mut Judge, cx: &Context<'_>) {
    let hours = cx.limit(&EVENT_WARNING) * 24.0;
    for (kind, says) in [
        (
            Kind::ConnectLimit,
            "Tcpip 4226: the limit on concurrent connection attempts was reached",
        ),
        (
            Kind::UdpLimit,
            "Tcpip 4265: the limit on UDP ports was reached",
        ),
        (
            Kind::SecureChannel,
            "Netlogon 5719: no domain controller could be reached, which lack of ports explains, too",
        ),
    ] {
        if let Some(event) = recent(cx.snapshot, kind, hours) {
            judge.note(format!("{says} ({}).", event.time));
            judge.exhibit_evidence(says, std::slice::from_ref(&event.evidence));
        }
    }
}
