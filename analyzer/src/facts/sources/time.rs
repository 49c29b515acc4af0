//! The time of capture, and by what it is known.

use jiff::{SignedDuration, Timestamp};
use snapdiag_bundle::{CaptureMode, Manifest};

use super::Options;
use super::registry::Hive;
use crate::facts::capture::{Capture, CaptureKind, TimeSource};
use crate::facts::inventory::Channel;
use crate::formats::registry::filetime;

/// Two sources confirm each other when they are no further apart.
const AGREE: SignedDuration = SignedDuration::from_hours(24);

/// Seconds since 1970 of 2001 (Windows XP) to 2101: a lone FILETIME outside is damage, not time.
const PLAUSIBLE: std::ops::Range<i64> = 978_307_200..4_133_980_800;

/// The time of capture: given, the manifest's, else that of the System log's last record by
/// record id, confirmed within a day by the registry (the last write of a root key, the time of
/// the last shutdown). A time from the registry alone may be damage: it comes last. The manifest of
/// a copied disk yields to a confirmed time that is more than a day older.
pub(super) fn capture(
    manifest: Option<&Manifest>,
    system: &Hive,
    software: &Hive,
    channels: &[Channel],
    options: &Options,
) -> Capture {
    let kind = match manifest.map(|manifest| manifest.capture.mode) {
        Some(CaptureMode::Live) => CaptureKind::Live,
        Some(CaptureMode::DiskOnly) | None => CaptureKind::DiskOnly,
    };
    let collector = manifest
        .map(|manifest| format!("{} {}", manifest.collector.name, manifest.collector.version));
    let (time, source, because) = match (options.captured_at, manifest) {
        (Some(time), _) => (
            Some(time),
            TimeSource::Given,
            "given on the command line".into(),
        ),
        (None, Some(manifest)) => {
            let copied = manifest.capture.ended_at;
            let copied = copied.unwrap_or(manifest.capture.started_at);
            let left = (kind == CaptureKind::DiskOnly)
                .then(|| from_artifacts(system, software, channels))
                .and_then(|left| left_before(copied, left));
            left.unwrap_or_else(|| {
                let because = "the manifest of the bundle".into();
                (Some(copied), TimeSource::Manifest, because)
            })
        }
        (None, None) => from_artifacts(system, software, channels),
    };
    Capture {
        time,
        source,
        because,
        kind,
        collector,
        cost: manifest.and_then(|manifest| manifest.cost),
    }
}

type Known = (Option<Timestamp>, TimeSource, String);

/// A disk may be copied long after its Windows ran for the last time, and shows the machine as it
/// was then: that time counts where a log and the registry agree on it.
fn left_before(copied: Timestamp, (time, source, because): Known) -> Option<Known> {
    let long_ago = copied.duration_since(time?) > AGREE;
    (long_ago && source == TimeSource::EventLog).then(|| {
        let because = format!("{because}; the disk was copied at {copied}");
        (time, source, because)
    })
}

fn from_artifacts(system: &Hive, software: &Hive, channels: &[Channel]) -> Known {
    let registry = registry_times(system, software);
    let newest_of = |channel: &Channel| {
        let time = channel.newest?.time;
        PLAUSIBLE.contains(&time.as_second()).then_some(time)
    };
    let log = channels
        .iter()
        .find(|channel| channel.name.eq_ignore_ascii_case("System"))
        .and_then(|channel| Some((newest_of(channel)?, channel.name.as_str())))
        .or_else(|| {
            channels
                .iter()
                .filter_map(|channel| Some((newest_of(channel)?, channel.name.as_str())))
                .max()
        });
    if let Some((time, channel)) = log {
        let agrees = registry
            .iter()
            .find(|(_, other)| time.duration_since(*other).abs() <= AGREE);
        return match agrees {
            Some((what, _)) => (
                Some(time),
                TimeSource::EventLog,
                format!("the last record of the log {channel}, confirmed by {what}"),
            ),
            None => (
                Some(time),
                TimeSource::EventLogAlone,
                format!("the last record of the log {channel}; nothing confirms it"),
            ),
        };
    }
    let confirmed = registry.iter().filter(|(_, time)| {
        let close = |other: &&(String, Timestamp)| time.duration_since(other.1).abs() <= AGREE;
        registry.iter().filter(close).count() > 1
    });
    let newest = confirmed.max_by_key(|(_, time)| *time);
    match newest.or(registry.iter().max_by_key(|(_, time)| *time)) {
        Some((what, time)) => (
            Some(*time),
            TimeSource::Registry,
            format!("{what}; no event log confirms it"),
        ),
        None => (
            None,
            TimeSource::Unknown,
            "nothing in the snapshot tells when it was taken".into(),
        ),
    }
}

fn registry_times(system: &Hive, software: &Hive) -> Vec<(String, Timestamp)> {
    let root = |hive: &Hive| {
        let key = hive.root().key("");
        let time = key.value()?.last_write?;
        Some((
            format!("the last write of {}'s root key", hive.name()),
            time,
        ))
    };
    let shutdown = system
        .control_set()
        .bytes("Control\\Windows", "ShutdownTime");
    let shutdown = shutdown
        .value()
        .and_then(|bytes| bytes.as_slice().try_into().ok())
        .and_then(|bytes| filetime(u64::from_le_bytes(bytes)))
        .map(|time| ("the time of the last shutdown".to_owned(), time));
    [root(system), root(software), shutdown]
        .into_iter()
        .flatten()
        .filter(|(_, time)| PLAUSIBLE.contains(&time.as_second()))
        .collect()
}
