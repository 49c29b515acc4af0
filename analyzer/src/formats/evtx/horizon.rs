//! How far a log reaches, and where records are missing.

use jiff::Timestamp;
use serde::Serialize;

use super::Header;

/// The second at which FILETIME starts counting, 1601-01-01 UTC.
const NO_TIME: i64 = -11_644_473_600;

/// A record's place, id and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// Its number in the file ([`Header::sequence`]).
    pub sequence: u64,
    /// The record's id.
    pub record_id: u64,
    /// When the event happened, UTC.
    pub time: Timestamp,
}

/// Records that are missing between two neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The last record before the gap.
    pub after: Mark,
    /// The first record after it.
    pub before: Mark,
}

impl Gap {
    /// How many record ids are missing.
    pub fn missing(&self) -> u64 {
        self.before
            .record_id
            .saturating_sub(self.after.record_id)
            .saturating_sub(1)
    }
}

/// What an artifact holds of its channel, in the order in which records were written.
///
/// A filtered export has gaps by nature: they mean something in an unfiltered artifact only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Horizon {
    /// The record that was written first.
    pub first: Option<Mark>,
    /// The record that was written last.
    pub last: Option<Mark>,
    /// The earliest time of an event: not that of the first record if the clock was set back.
    pub earliest: Option<Timestamp>,
    /// The latest time of an event.
    pub latest: Option<Timestamp>,
    /// How many records there are.
    pub records: u64,
    /// Where ids are missing, oldest first; at most [`Horizon::MAX_GAPS`].
    pub gaps: Vec<Gap>,
    /// How many gaps there are, those beyond the limit included.
    pub gap_count: u64,
    /// How many record ids are missing in all gaps.
    pub missing: u64,
    /// How often an id was not higher than that of the record before it: records of several logs
    /// in one file, or damage.
    pub disorder: u64,
}

impl Horizon {
    /// How many gaps are kept.
    pub const MAX_GAPS: usize = 64;

    /// Takes in the next record of the file.
    pub(super) fn record(&mut self, header: &Header<'_>) {
        let Header {
            sequence,
            record_id,
            time,
            ..
        } = *header;
        let mark = Mark {
            sequence,
            record_id,
            time,
        };
        // A FILETIME of zero is no time at all.
        let known = (time.as_second() > NO_TIME).then_some(time);
        self.merge(Self {
            first: Some(mark),
            last: Some(mark),
            earliest: known,
            latest: known,
            records: 1,
            ..Self::default()
        });
    }

    /// Takes in the horizon of the records that follow.
    pub(super) fn merge(&mut self, later: Self) {
        let (Some(first), Some(last)) = (later.first, later.last) else {
            return;
        };
        self.join(first);
        self.records += later.records;
        self.disorder += later.disorder;
        self.gap_count += later.gap_count;
        self.missing = self.missing.saturating_add(later.missing);
        let room = Self::MAX_GAPS.saturating_sub(self.gaps.len());
        self.gaps.extend(later.gaps.into_iter().take(room));
        let keep_first = |own: &Mark| own.sequence <= first.sequence;
        self.first = self.first.filter(keep_first).or(Some(first));
        let keep_last = |own: &Mark| own.sequence > last.sequence;
        self.last = self.last.filter(keep_last).or(Some(last));
        self.earliest = [self.earliest, later.earliest].into_iter().flatten().min();
        self.latest = [self.latest, later.latest].into_iter().flatten().max();
    }

    /// Looks at the seam between the last record so far and the next one.
    fn join(&mut self, next: Mark) {
        let Some(last) = self.last else { return };
        if next.record_id <= last.record_id {
            self.disorder += 1;
            return;
        }
        let gap = Gap {
            after: last,
            before: next,
        };
        if gap.missing() == 0 {
            return;
        }
        self.gap_count += 1;
        self.missing = self.missing.saturating_add(gap.missing());
        if self.gaps.len() < Self::MAX_GAPS {
            self.gaps.push(gap);
        }
    }
}
