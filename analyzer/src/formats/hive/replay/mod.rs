//! Brings a dirty hive up to date from its transaction logs, as Windows does when it loads one.
//!
//! After "Windows registry file format specification" and "Missing log entries for a dirty primary
//! file" by Maxim Suhanov.
//!
//! * A hive is dirty when its sequence numbers differ or its base block has a wrong checksum;
//!   logs of any other hive are ignored.
//! * Of two new logs the one with the lower sequence number comes first, and the other follows
//!   where its number continues. The first may start later than the hive says: Windows writes
//!   pages back without touching the base block.
//! * Where the base block is damaged, Windows takes the later log alone, and its base block.
//! * An old log fits when its time of last write is the hive's.

mod dirty_vector;
mod entries;
mod log;
mod marvin32;

use serde::{Deserialize, Serialize};

use self::entries::{Page, SECTOR};
use self::log::{Form, LogFile};
use super::bytes::u64_at;
use super::header::{BINS, Header, seal};

/// A transaction log and the name it is reported under.
#[derive(Debug, Clone, Copy)]
pub struct Log<'l> {
    /// What the report calls it.
    pub name: &'l str,
    /// The whole file.
    pub bytes: &'l [u8],
}

/// What became of a hive and its logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayReport {
    /// Whether the hive needed its logs.
    pub was_dirty: bool,
    /// Whether the base block was damaged and was taken from a log.
    pub header_recovered: bool,
    /// The hive's secondary sequence number before.
    pub from: u32,
    /// The sequence number of the last entry applied; `from` where none was.
    pub to: u32,
    /// Entries may be missing before the first: it starts later than the hive says, and the log
    /// that would show whether they are in the hive already was not there.
    pub gap: bool,
    /// Log entries applied; an old log counts as one.
    pub entries: u32,
    /// Each log, in the order they were given.
    pub logs: Vec<LogReport>,
}

/// What became of one log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogReport {
    /// Its name as given.
    pub name: String,
    /// Log entries applied from it.
    pub entries: u32,
    /// Why it was not applied, or not to its end.
    pub stopped: Option<String>,
}

/// Applies `logs` to the hive in `file` if it is dirty. Nothing of a log entry is applied before
/// all of it was found sound.
pub fn replay(file: &mut Vec<u8>, logs: &[Log]) -> ReplayReport {
    let header = Header::read(file).ok();
    let from = header
        .as_ref()
        .map_or(0, |header| header.secondary_sequence);
    let mut report = ReplayReport {
        was_dirty: header.as_ref().is_none_or(Header::is_dirty),
        header_recovered: false,
        from,
        to: from,
        gap: false,
        entries: 0,
        logs: logs.iter().map(LogReport::unread).collect(),
    };
    if !report.was_dirty {
        report.refuse_rest("the hive is clean");
        return report;
    }
    let sound = header.filter(|header| header.checksum_ok);
    if sound.is_none() && file.get(BINS..BINS + 4) != Some(b"hbin") {
        report.refuse_rest("the file is no hive");
        return report;
    }
    let mut readable = Vec::new();
    for (number, log) in logs.iter().enumerate() {
        match LogFile::read(number, log.bytes, sound.as_ref()) {
            Ok(log) => readable.push(log),
            Err(reason) => report.stop(number, reason),
        }
    }
    let mut replay = Replay {
        file,
        sound,
        report,
        applied: None,
        room: logs.iter().map(|log| log.bytes.len()).sum(),
    };
    replay.run(readable);
    replay.finish();
    replay.report
}

impl LogReport {
    fn unread(log: &Log) -> Self {
        Self {
            name: log.name.to_owned(),
            entries: 0,
            stopped: None,
        }
    }
}

impl ReplayReport {
    /// Whether anything was applied.
    pub fn is_replayed(&self) -> bool {
        self.entries > 0
    }

    fn stop(&mut self, number: usize, reason: impl Into<String>) {
        if let Some(log) = self.logs.get_mut(number) {
            log.stopped.get_or_insert(reason.into());
        }
    }

    /// Gives a reason to the logs that were neither applied nor refused.
    fn refuse_rest(&mut self, reason: &str) {
        for log in self.logs.iter_mut().filter(|log| log.entries == 0) {
            log.stopped.get_or_insert_with(|| reason.to_owned());
        }
    }
}

struct Replay<'f> {
    file: &'f mut Vec<u8>,
    /// The base block of the hive, unless it is damaged.
    sound: Option<Header>,
    report: ReplayReport,
    /// The base block of the last log applied, and the size of the hive bins after it.
    applied: Option<([u8; SECTOR], u32)>,
    /// By how much the hive may still grow: what is new must stand in the logs.
    room: usize,
}

impl Replay<'_> {
    fn run(&mut self, logs: Vec<LogFile>) {
        let (mut new, mut old): (Vec<_>, Vec<_>) =
            logs.into_iter().partition(|log| log.form == Form::Entries);
        if new.is_empty() {
            // Of several that fit, the latest.
            old.sort_by(LogFile::order);
            if let Some(log) = old.pop() {
                self.apply_old(&log);
            }
            self.report.refuse_rest("another log was used");
            return;
        }
        new.sort_by(LogFile::order);
        if self.sound.is_none() {
            if let Some(latest) = new.pop() {
                self.apply_new(&latest);
            }
            self.report
                .refuse_rest("a damaged base block is recovered from the later log alone");
            return;
        }
        let due = self.report.from;
        let first = new.first().map(|log| log.header.primary_sequence);
        self.report.gap = new.len() < 2 && first != Some(due);
        for log in &new {
            if self.report.entries > 0 && log.header.primary_sequence != self.next_sequence() {
                let next = self.next_sequence();
                let first = log.header.primary_sequence;
                let reason = format!("starts at sequence {first}, the hive needs {next}");
                self.report.stop(log.number, reason);
                continue;
            }
            self.apply_new(log);
        }
        self.report
            .refuse_rest("a log of the newer format was used");
    }

    fn next_sequence(&self) -> u32 {
        self.report.to.wrapping_add(1)
    }

    fn apply_new(&mut self, log: &LogFile) {
        let mut at = SECTOR;
        let mut expected = log.header.primary_sequence;
        while let Some(entry) = entries::read(log.bytes, at) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.report.stop(log.number, error.to_string()),
            };
            if entry.sequence != expected {
                let found = entry.sequence;
                let reason = format!("what follows is older: sequence {found}, not {expected}");
                return self.report.stop(log.number, reason);
            }
            if !self.write(&entry.pages, entry.bins_size) {
                let reason = "the hive would grow by more than the logs hold";
                return self.report.stop(log.number, reason);
            }
            self.note(log, entry.sequence, entry.bins_size);
            expected = entry.sequence.wrapping_add(1);
            at = entry.end;
        }
    }

    fn apply_old(&mut self, log: &LogFile) {
        let time = match &self.sound {
            Some(header) => header.last_written_ticks,
            None => u64_at(self.file, BINS + 20).unwrap_or_default(),
        };
        if time != log.header.last_written_ticks {
            let reason = "its time of last write is not the hive's";
            return self.report.stop(log.number, reason);
        }
        match dirty_vector::pages(log.bytes, &log.header) {
            Ok(pages) if self.write(&pages, log.header.bins_size) => {
                self.note(log, log.header.secondary_sequence, log.header.bins_size);
            }
            Ok(_) => {
                let reason = "the hive would grow by more than the log holds";
                self.report.stop(log.number, reason);
            }
            Err(error) => self.report.stop(log.number, error.to_string()),
        }
    }

    /// Writes pages into the hive bins; `false`, and nothing written, where there is no room.
    fn write(&mut self, pages: &[Page], bins_size: u32) -> bool {
        let end = BINS + bins_size as usize;
        let growth = end.saturating_sub(self.file.len());
        let Some(room) = self.room.checked_sub(growth) else {
            return false;
        };
        self.room = room;
        self.file.resize(end.max(self.file.len()), 0);
        for page in pages {
            let start = BINS + page.offset;
            if let Some(place) = self.file.get_mut(start..start + page.bytes.len()) {
                place.copy_from_slice(page.bytes);
            }
        }
        true
    }

    fn note(&mut self, log: &LogFile, sequence: u32, bins_size: u32) {
        self.report.to = sequence;
        self.report.entries += 1;
        if let Some(report) = self.report.logs.get_mut(log.number) {
            report.entries += 1;
        }
        self.applied = log.bytes.first_chunk().map(|sector| (*sector, bins_size));
    }

    /// Rebuilds the base block from that of the last log, with the numbers of a clean hive.
    fn finish(&mut self) {
        let Some((mut sector, bins_size)) = self.applied else {
            return;
        };
        let fields = [
            (4, self.report.to),
            (8, self.report.to),
            (28, 0),
            (40, bins_size),
        ];
        for (at, number) in fields {
            sector[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        if let Some(place) = self.file.first_chunk_mut() {
            *place = sector;
        }
        seal(self.file);
        self.report.header_recovered = self.sound.is_none();
    }
}
