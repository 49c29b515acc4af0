//! Services end when Windows cannot give them memory.

use jiff::SignedDuration;

use super::{Cause, Origin, View};
use crate::facts::processes::Shortage;
use crate::facts::services::{Service, ServiceEvent};

/// A service that ended at most so long before or after a diagnosed shortage ended of it: the
/// diagnosis (Resource-Exhaustion-Detector 2004) runs every few minutes.
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Service Control Manager: a service ended unexpectedly.
const ENDED: [u32; 2] = [7031, 7034];

/// Which rules of which checks speak of services that ended, and of which ones.
const SPEAK: [(&str, &[&str], &[&str]); 3] = [
    (
        "rds-service",
        &["stopped", "failed", "crashes"],
        &["TermService", "UmRdpService", "SessionEnv"],
    ),
    ("rdp-port", &["not-listening"], &["TermService"]),
    ("rdp-firewall", &["service-stopped"], &["MpsSvc", "BFE"]),
];

/// The facts keep the events of the services that checks ask for, so that one of them is enough:
/// a burst among the others cannot be seen.
pub(super) fn ended_services(view: &View<'_>) -> Option<Cause> {
    if !view.is_problem("virtual-memory-usage") {
        return None;
    }
    let mut consequences = Vec::new();
    let mut ended: Vec<(&Service, &ServiceEvent, &Shortage)> = Vec::new();
    for (check, rules, services) in SPEAK {
        if !view.holds(check, rules) {
            continue;
        }
        let found: Vec<_> = services
            .iter()
            .filter_map(|name| ended_in_shortage(view, name))
            .collect();
        if found.is_empty() {
            continue;
        }
        consequences.push(check);
        for one in found {
            if !ended.iter().any(|(service, ..)| service.name == one.0.name) {
                ended.push(one);
            }
        }
    }
    let names: Vec<&str> = ended.iter().map(|(of, ..)| of.name.as_str()).collect();
    let because = format!(
        "Windows diagnosed a shortage of memory within {} minutes of the unexpected end of {}",
        WINDOW.as_mins(),
        names.join(", ")
    );
    let cause = Origin::check("virtual-memory-usage");
    let mut cause = Cause::of(cause, consequences, because)?;
    for (service, event, shortage) in ended {
        let says = "a shortage of memory (Resource-Exhaustion-Detector 2004)";
        if !cause
            .evidence
            .iter()
            .any(|known| known.evidence == shortage.evidence)
        {
            cause = cause.resting_on(says, &shortage.evidence);
        }
        let says = format!("{} ended unexpectedly (event {})", service.name, event.id);
        cause = cause.resting_on(says, &event.evidence);
    }
    Some(cause)
}

/// The newest unexpected end of a service near a shortage, and that shortage.
fn ended_in_shortage<'a>(
    view: &View<'a>,
    name: &str,
) -> Option<(&'a Service, &'a ServiceEvent, &'a Shortage)> {
    let snapshot = view.snapshot();
    let service = snapshot.services.service(name)?;
    let ends = service.events.iter().rev();
    ends.filter(|event| ENDED.contains(&event.id))
        .find_map(|event| {
            let near =
                |shortage: &&Shortage| event.time.duration_since(shortage.time).abs() <= WINDOW;
            let mut shortages = snapshot.processes.shortages.iter().rev();
            Some((service, event, shortages.find(near)?))
        })
}
