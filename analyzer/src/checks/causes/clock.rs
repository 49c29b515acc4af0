//! What the calendar says of a certificate is worth as much as the clock.

use jiff::{SignedDuration, Timestamp};

use super::{Cause, Origin, View};
use crate::checks::remote_desktop::rdp_certificate::CLOCK;
use crate::facts::capture::TimeSource;

/// The capture may be so much older than the newest record: both are read one after the other.
/// Kerberos tolerates as much.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// What Windows says of its licence when a server of volume licences refused the time of the
/// request: more than four hours off.
const REFUSED_TIME: u32 = 0xC004_F06C;

/// A clock that disagrees with the System log makes a valid certificate look expired, or not
/// valid yet: its end, or its start, lies between the two times.
pub(super) fn skewed(view: &View<'_>) -> Option<Cause> {
    let snapshot = view.snapshot();
    // The manifest's time is the machine's own clock; others come from the logs themselves.
    if snapshot.capture.source != TimeSource::Manifest {
        return None;
    }
    let now = snapshot.capture.time?;
    let newest = snapshot.certificates.system.value()?.newest?.time;
    let used = snapshot.certificates.used.value()?;
    let ahead = now.duration_since(newest);
    let silence = SignedDuration::try_from_secs_f64(view.context.limit(&CLOCK) * 86_400.0).ok()?;
    let expired = view.holds("rdp-certificate", &["expired", "expired-and-broken"]);
    let too_early = view.holds("rdp-certificate", &["not-yet-valid"]);
    let looks = if expired && ahead > silence && newest <= used.not_after {
        "expired"
    } else if too_early && -ahead > TOLERANCE && used.not_before <= newest {
        "not valid yet"
    } else {
        return None;
    };
    let because = format!(
        "by the time of the newest record of System the certificate is valid; by the machine's clock it is {looks}. Check the clock first"
    );
    let cause = Cause::of(
        Origin::Fact(said(now, newest)),
        vec!["rdp-certificate"],
        because,
    )?;
    Some(with_evidence(view, cause))
}

fn said(now: Timestamp, newest: Timestamp) -> String {
    format!(
        "the machine's clock is in doubt: it said {now} at the capture, and the newest record of System is of {newest}"
    )
}

fn with_evidence(view: &View<'_>, mut cause: Cause) -> Cause {
    let snapshot = view.snapshot();
    for place in &snapshot.certificates.system.evidence {
        cause = cause.resting_on("records of System", place);
    }
    let license = &snapshot.activation.windows;
    let refused = |reason: Option<u32>| reason == Some(REFUSED_TIME);
    if license.value().is_some_and(|one| refused(one.reason)) {
        for place in &license.evidence {
            let says = "the licence server refused the machine's time (0xC004F06C)";
            cause = cause.resting_on(says, place);
        }
    }
    cause
}
