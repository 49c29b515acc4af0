//! An attack on the logon costs processor time and keeps Remote Desktop from answering.

use super::{Cause, Origin, View};
use crate::facts::consumers::Consumer;

/// Rules of `brute-force` that tell of so many attempts that they are a load by themselves.
const LOAD: &[&str] = &["flood", "rolled-over-by-failures"];

pub(super) fn slows_down(view: &View<'_>) -> Option<Cause> {
    if !view.is_critical("brute-force") {
        return None;
    }
    let heavy = view.holds("brute-force", LOAD);
    let busiest = busiest(view);
    // Who uses most is known with a process table alone; without one the load must speak.
    let serves_logons = busiest.map_or(heavy, serves_logons);
    let mut consequences = Vec::new();
    for check in ["cpu-usage", "single-cpu-usage"] {
        if serves_logons && view.is_problem(check) {
            consequences.push(check);
        }
    }
    if heavy && view.holds("rdp-port", &["unanswered"]) {
        consequences.push("rdp-port");
    }
    let because = "every refused logon costs a TLS handshake and a password check: the attack makes the machine slow, and Remote Desktop fails now and then with an internal error";
    let cause = Cause::of(Origin::check("brute-force"), consequences, because)?;
    Some(match busiest.filter(|_| serves_logons) {
        Some(one) => cause.resting_on(
            format!("{} uses most processor time", one.name()),
            &one.evidence,
        ),
        None => cause,
    })
}

/// The process that used most processor time.
fn busiest<'a>(view: &View<'a>) -> Option<&'a Consumer> {
    view.snapshot().consumers.processor.value()?.first()
}

/// Whether a process checks passwords or takes Remote Desktop connections.
fn serves_logons(process: &Consumer) -> bool {
    let holds = |service: &String| service.eq_ignore_ascii_case("TermService");
    process.image.eq_ignore_ascii_case("lsass.exe") || process.services.iter().any(holds)
}
