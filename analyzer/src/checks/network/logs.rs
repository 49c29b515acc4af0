//! What a log must be before its silence means something.

use jiff::{SignedDuration, Timestamp};

use crate::checks::check::Judge;
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::inventory::Channel;
use crate::facts::network_events::{Kind, NetworkEvent};

/// The moment `hours` before the capture; `None` where nothing tells when that was.
pub(super) fn before_capture(snapshot: &Snapshot, hours: f64) -> Option<Timestamp> {
    let span = SignedDuration::try_from_secs_f64(hours * 3600.0).ok()?;
    snapshot.capture.time?.checked_sub(span).ok()
}

/// The newest record of a kind at or after the moment `hours` before the capture; where nothing
/// tells the capture time, any record counts.
pub(super) fn recent(snapshot: &Snapshot, kind: Kind, hours: f64) -> Option<&NetworkEvent> {
    let newest = snapshot.network_events.newest(kind)?;
    let since = before_capture(snapshot, hours).unwrap_or(Timestamp::MIN);
    (newest.time >= since).then_some(newest)
}

/// Demands a log that lost no record of the last `hours` before it may testify by silence.
pub(super) fn require(
    judge: &mut Judge,
    snapshot: &Snapshot,
    log: &Fact<Channel>,
    name: &str,
    hours: f64,
) {
    let collect = format!("the {name} log, whole");
    let Some(channel) = log.value() else {
        let why = log
            .why_unsettled()
            .unwrap_or_else(|| "there is none".to_owned());
        judge.lacks(format!("the {name} log is not known ({why})"), &collect);
        return;
    };
    if channel.failed > 0 || !channel.damage.is_empty() {
        judge.lacks(
            format!("the {name} log is damaged: records may be missing from it"),
            &collect,
        );
    }
    let since = before_capture(snapshot, hours);
    let cut = channel.held_from.filter(|held| {
        channel.oldest.is_none_or(|oldest| oldest.time < held.time)
            && since.is_none_or(|since| held.time > since)
    });
    if let Some(held) = cut {
        judge.lacks(
            format!("the {name} log was collected from {} on only", held.time),
            &collect,
        );
    }
    let oldest = channel.oldest.or(channel.held_from);
    if let (Some(oldest), Some(since)) = (oldest, since)
        && oldest.time > since
    {
        judge.note(format!(
            "The {name} log reaches back to {} only.",
            oldest.time
        ));
    }
}
