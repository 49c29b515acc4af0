//! `network.probes`: what answers when asked. All questions are put at once, each with a short time
//! of its own.

mod ask;
mod dns;
mod plan;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use snapdiag_bundle::records::{Probe, ProbeKind, ProbeOutcome, Probes, Transport};

use self::plan::{Known, Planned};
use super::clouds::Cloud;
use super::machine_signs;
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::System;
use crate::system::files::io_error;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "network.probes",
    phase: Phase::Quick,
    limit: Duration::from_secs(20),
    collect,
}];

/// A question to a name server over UDP.
const DNS_TIME: Duration = Duration::from_secs(2);
/// An echo.
const ECHO_TIME: Duration = Duration::from_secs(2);
/// A connection, and a question to a name server over TCP. Windows tells of a closed port only after
/// it has tried for two seconds.
const CONNECT_TIME: Duration = Duration::from_secs(4);
/// All questions together; the calls that take no time end by themselves before.
const ALL_TIME: Duration = Duration::from_secs(7);
/// Stack of a thread that asks, bytes: address space, of which memory is what is used. Providers of
/// other makers run on it inside the calls of Windows.
const STACK: usize = 512 * 1024;

fn collect(job: &mut Job) -> Outcome {
    const METHOD: &str = "sockets";
    let mut parts = Parts::default();
    let adapters = parts.take(job.system.network().adapters());
    let known = Known {
        adapters: adapters.unwrap_or_default(),
        domain: machine_signs::domain(&*job.system),
        cloud: machine_signs::cloud(&*job.system),
        rdp_port: machine_signs::rdp_port(&*job.system),
    };
    let mut probes = ask_all(job, plan::plan(&known));
    if let Some(address) = known.cloud.and_then(|cloud| kms_address(cloud, &probes)) {
        probes.extend(ask_all(job, vec![plan::kms(address)]));
    }
    match parts.take(Ok(Probes { probes })) {
        Some(probes) => parts.finish(job, "network/probes.json", &probes, METHOD),
        None => parts.failed(METHOD),
    }
}

/// The address of the activation service, as the first server gave it.
fn kms_address(cloud: &Cloud, probes: &[Probe]) -> Option<IpAddr> {
    let kms = cloud.kms?;
    probes
        .iter()
        .find_map(|probe| match (&probe.probe, &probe.outcome) {
            (ProbeKind::Dns { name, .. }, ProbeOutcome::Answered { values }) if name == kms => {
                values.iter().find_map(|value| value.parse().ok())
            }
            _ => None,
        })
}

/// Puts all questions at once. One that hangs in a call of Windows is left behind.
fn ask_all(job: &Job, plan: Vec<Planned>) -> Vec<Probe> {
    let begin = Instant::now();
    let until = (begin + ALL_TIME).min(job.until);
    let (answers, inbox) = channel();
    let mut probes: Vec<Vec<Probe>> = Vec::new();
    let mut open = 0;
    for (number, planned) in plan.into_iter().enumerate() {
        let (system, answers) = (Arc::clone(&job.system), answers.clone());
        let kind = planned.probe.clone();
        let ask = move || {
            // Nobody listens any more where the item was given up.
            drop(answers.send((number, ask_one(&*system, &planned))));
        };
        let thread = std::thread::Builder::new().stack_size(STACK).spawn(ask);
        let outcome = match thread {
            Ok(_) => {
                open += 1;
                ProbeOutcome::Timeout
            }
            Err(error) => {
                let error = io_error("CreateThread", &error);
                ProbeOutcome::Failed {
                    code: error.code,
                    call: error.call,
                }
            }
        };
        // What holds until the answer comes.
        probes.push(vec![Probe {
            probe: kind,
            started_at: Timestamp::now(),
            latency_ms: milliseconds(ALL_TIME),
            outcome,
        }]);
    }
    while open > 0 && !job.is_over() {
        let left = until.saturating_duration_since(Instant::now());
        let Ok((number, answer)) = inbox.recv_timeout(left) else {
            break;
        };
        open -= 1;
        if let Some(slot) = probes.get_mut(number) {
            *slot = answer;
        }
    }
    probes.into_iter().flatten().collect()
}

/// Puts a question; where a name server cuts its answer, the same over TCP.
fn ask_one(system: &dyn System, planned: &Planned) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut next = Some(planned.clone());
    while let Some(planned) = next {
        let (started_at, begin) = (Timestamp::now(), Instant::now());
        let (outcome, over_tcp) = answer(system, &planned);
        probes.push(Probe {
            probe: planned.probe,
            started_at,
            latency_ms: milliseconds(begin.elapsed()),
            outcome,
        });
        next = over_tcp;
    }
    probes
}

/// What comes of a question, and the question that is put then.
fn answer(system: &dyn System, planned: &Planned) -> (ProbeOutcome, Option<Planned>) {
    let outcome = match (&planned.probe, planned.to) {
        (
            ProbeKind::Neighbour {
                target,
                interface_index,
            },
            _,
        ) => ask::neighbour(system.probing(), *target, *interface_index),
        (
            ProbeKind::Echo {
                target: IpAddr::V4(target),
            },
            _,
        ) => ask::echo(system.probing(), *target, ECHO_TIME),
        (
            ProbeKind::Dns {
                name,
                record_type,
                transport,
                ..
            },
            Some(to),
        ) => match transport {
            Transport::Tcp => ask::tcp(to, name, *record_type, CONNECT_TIME),
            Transport::Udp => {
                let resolved = ask::udp(to, name, *record_type, DNS_TIME);
                let again = resolved.truncated.then(|| planned.over_tcp());
                return (resolved.outcome, again);
            }
        },
        (ProbeKind::Connect { .. }, Some(to)) => ask::connect(to, CONNECT_TIME),
        (ProbeKind::Echo { .. } | ProbeKind::Dns { .. } | ProbeKind::Connect { .. }, _) => {
            ask::not_supported()
        }
    };
    (outcome, None)
}

fn milliseconds(time: Duration) -> u64 {
    time.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
