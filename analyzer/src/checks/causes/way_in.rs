//! Of two broken stages of the way in, the one that a connection meets first comes first.

use super::{Cause, Link, Origin, View};

/// The stages are policy, service, listener, socket, certificate, firewall, logon: the socket
/// stands before the firewall. A packet that passes still finds nobody there.
pub(super) fn first_broken_stage(view: &View<'_>) -> Option<Cause> {
    if !view.is_critical("rdp-port") || !view.is_critical("rdp-firewall") {
        return None;
    }
    let because = "the firewall matters only when something listens on the port of Remote Desktop: mend the port first, then the firewall";
    let cause = Cause::of(Origin::check("rdp-port"), vec!["rdp-firewall"], because)?;
    Some(Cause {
        link: Link::Precedes,
        ..cause
    })
}
