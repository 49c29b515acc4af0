//! A listener does not come up without a certificate whose key can be used.

use super::{Cause, Origin, View};
use crate::facts::certificates::CertificateEvent;
use crate::facts::records::{self, Record};
use crate::facts::services::STOPPED;

/// Rules of `rdp-certificate` that tell of a certificate that cannot be used now.
const UNUSABLE: &[&str] = &["broken", "expired-and-broken"];

/// Both must be in the log: that no certificate could be made or replaced (1057, 1058), and that
/// the key was refused (36870).
pub(super) fn no_listener(view: &View<'_>) -> Option<Cause> {
    let silent = view.holds("rdp-port", &["not-listening"]);
    if !silent || !view.holds("rdp-certificate", UNUSABLE) || is_off(view) {
        return None;
    }
    let not_made = newest(view, |kind| {
        matches!(
            kind,
            CertificateEvent::CreateFailed | CertificateEvent::ReplaceFailed
        )
    })?;
    let refused = newest(view, |kind| kind == CertificateEvent::KeyRefused)?;
    let cause = Cause::of(
        Origin::check("rdp-certificate"),
        vec!["rdp-port"],
        "the listener needs the private key of its certificate, and the logs say that it cannot be had: give the service its certificate back, then look at the port again",
    )?;
    Some(
        cause
            .resting_on(
                format!("no certificate could be made (event {})", not_made.event_id),
                &not_made.evidence,
            )
            .resting_on(
                format!("the key was refused (Schannel {})", refused.event_id),
                &refused.evidence,
            ),
    )
}

/// The newest record of some kinds that no new certificate ended.
fn newest<'a>(
    view: &View<'a>,
    wanted: impl Fn(CertificateEvent) -> bool,
) -> Option<&'a Record<CertificateEvent>> {
    let list = &view.snapshot().certificates.records;
    let made = records::newest(list, |one| one.kind == CertificateEvent::Created);
    let found = records::newest(list, |one| wanted(one.kind))?;
    made.is_none_or(|made| made.time < found.time)
        .then_some(found)
}

/// Whether something simpler explains the silence: the service is stopped, or its listener is
/// switched off.
fn is_off(view: &View<'_>) -> bool {
    let snapshot = view.snapshot();
    let service = snapshot.services.service("TermService");
    let state = service.and_then(|service| service.runtime.state.value());
    let listener = snapshot.remote_desktop.rdp_tcp();
    state == Some(&STOPPED) || listener.is_some_and(|listener| listener.is_enabled() == Some(false))
}
