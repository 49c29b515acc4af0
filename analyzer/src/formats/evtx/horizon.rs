//! How far a log reaches, and where records are missing.

use jiff::Timestamp;
use serde::Serialize;

use super::Header;

/// A record's id and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Mark {
    /// The record's id.
    pub record_id: u64,
    /// When it was written, UTC.
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

/// What an artifact holds of its channel, in the order of record ids.
///
/// A filtered export has gaps by nature: they mean something in an unfiltered artifact only.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Horizon {
    /// The record with the lowest id.
    pub first: Option<Mark>,
    /// The record with the highest id.
    pub last: Option<Mark>,
    /// How many records there are.
    pub records: u64,
    /// Where ids are missing, oldest first; at most [`Horizon::MAX_GAPS`].
    pub gaps: Vec<Gap>,
    /// How many gaps there are, those beyond the limit included.
    pub gap_count: u64,
    /// How many record ids are missing in all gaps.
    pub missing: u64,
    /// How often an id was not higher than that of the record before it.
    pub disorder: u64,
}

impl Horizon {
    /// How many gaps are kept.
    pub const MAX_GAPS: usize = 64;

    /// Takes in the next record of the file.
    pub(super) fn record(&mut self, header: &Header<'_>) {
        let mark = Mark {
            record_id: header.record_id,
            time: header.time,
        };
        self.join(mark);
        self.records += 1;
        self.first = self
            .first
            .filter(|first| first.record_id <= mark.record_id)
            .or(Some(mark));
        self.last = self
            .last
            .filter(|last| last.record_id > mark.record_id)
            .or(Some(mark));
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
        self.first = self
            .first
            .filter(|own| own.record_id <= first.record_id)
            .or(Some(first));
        self.last = self
            .last
            .filter(|own| own.record_id > last.record_id)
            .or(Some(last));
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
