//! Without a free port no question about a name leaves the machine.

use jiff::SignedDuration;

use super::{Cause, Origin, View};
use crate::facts::network_events::{Kind, NetworkEvent};

/// What `intranet-dns` says when questions are asked and not answered; its other rules are about
/// the configuration, which no port changes.
const UNANSWERED: &[&str] = &[
    "nothing-resolves",
    "internal-fails",
    "first-dead",
    "timeouts",
];
/// A controller that was out of reach so long before the capture belongs to it.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// Netlogon 5719 adds to it and is not asked for: only members of a domain write it.
pub(super) fn no_port_for_names(view: &View<'_>) -> Option<Cause> {
    if !view.is_critical("port-exhaustion") || !view.holds("intranet-dns", UNANSWERED) {
        return None;
    }
    let cause = Cause::of(
        Origin::check("port-exhaustion"),
        vec!["intranet-dns"],
        "a question about a name needs a dynamic port of its own: look for who holds the ports before the DNS servers are blamed",
    )?;
    Some(match out_of_reach(view) {
        Some(event) => {
            let says = "no domain controller could be reached (Netlogon 5719)";
            cause.resting_on(says, &event.evidence)
        }
        None => cause,
    })
}

/// The newest record of a domain controller that could not be reached, where it is recent.
fn out_of_reach<'a>(view: &View<'a>) -> Option<&'a NetworkEvent> {
    let snapshot = view.snapshot();
    let event = snapshot.network_events.newest(Kind::SecureChannel)?;
    let age = snapshot.capture.time?.duration_since(event.time);
    (age <= RECENT).then_some(event)
}
