//! How near to the capture the event logs reach: a log that ends long before says nothing of the
//! time in between.

use jiff::{SignedDuration, Timestamp};

use super::Snapshot;
use super::capture::CaptureKind;
use super::inventory::Channel;

/// The longest silence of the System log of a running machine: `EventLog` 6013 is written every
/// 24 hours; an hour of slack.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_hours(25);

/// Records so long after the capture are no wonder: the collector reads the logs while it runs.
const LATENESS: SignedDuration = SignedDuration::from_mins(15);

/// The last record and the stored time of the shutdown are no further apart after a clean one.
const SHUTDOWN: SignedDuration = SignedDuration::from_mins(10);

/// Where logs end, seen from the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEnd {
    /// The time of capture or that of the newest record is not known.
    Unknown,
    /// At most 25 hours before it.
    Reached,
    /// Earlier, with a clean shutdown, and the snapshot is one of a disk: the machine was off.
    ShutDown,
    /// So long before it.
    Early(SignedDuration),
    /// So long after it: a clock or the time of capture is wrong.
    Late(SignedDuration),
}

impl LogEnd {
    /// Where the System log ends.
    pub fn of_system(snapshot: &Snapshot) -> Self {
        let log = snapshot.boot.log.value();
        Self::of(snapshot, log.and_then(|log| log.newest).map(|it| it.time))
    }

    /// Where the System log ends, or that another one reaches further, to the capture. The logs of
    /// logons are driven by events: a log that goes on tells that nothing happened, not that
    /// nothing was written. A log that a wrong clock dates after the capture tells nothing.
    pub fn of_logs(snapshot: &Snapshot) -> Self {
        let inventory = &snapshot.inventory;
        let end = |log: &Channel| Self::of(snapshot, log.newest.map(|it| it.time));
        match inventory.channel("System").map_or(Self::Unknown, end) {
            Self::Early(_) | Self::Unknown
                if inventory
                    .channels
                    .iter()
                    .any(|log| end(log) == Self::Reached) =>
            {
                Self::Reached
            }
            system => system,
        }
    }

    fn of(snapshot: &Snapshot, newest: Option<Timestamp>) -> Self {
        let Some((capture, newest)) = snapshot.capture.time.zip(newest) else {
            return Self::Unknown;
        };
        let gap = capture.duration_since(newest);
        if gap < -LATENESS {
            Self::Late(-gap)
        } else if gap <= LONGEST_SILENCE {
            Self::Reached
        } else if snapshot.capture.kind == CaptureKind::DiskOnly && ends_with_shutdown(snapshot) {
            Self::ShutDown
        } else {
            Self::Early(gap)
        }
    }
}

/// Whether a clean shutdown is the last thing in the System log: the log service was stopped
/// (6006) and not started again, or the registry's time of the last shutdown is that of the end.
fn ends_with_shutdown(snapshot: &Snapshot) -> bool {
    let boot = &snapshot.boot;
    let session = boot.sessions.last();
    if session.is_some_and(|session| session.stopped) {
        return true;
    }
    let newest = boot.log.value().and_then(|log| log.newest);
    let shutdown = boot.shutdown_time.value();
    newest.zip(shutdown).is_some_and(|(newest, shutdown)| {
        newest.time.duration_since(*shutdown).abs() <= SHUTDOWN
            && session.is_none_or(|session| session.started < *shutdown)
    })
}

/// A span in words, rounded down: days from two on, else hours, else minutes.
pub fn words(span: SignedDuration) -> String {
    match (span.as_hours(), span.as_mins()) {
        (48.., _) => format!("{} days", span.as_hours() / 24),
        (2.., _) => format!("{} hours", span.as_hours()),
        (_, minutes) => format!("{minutes} minutes"),
    }
}
