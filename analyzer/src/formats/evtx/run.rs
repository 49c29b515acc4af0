//! Folding chunks into runs of ascending records, and putting the runs in order.

use super::chunk::{self, Chunk, Records};
use super::file::FileHeader;
use super::model::{Damage, Event, Fold, LogOutcome, Need};
use super::{CHUNK_SIZE, FILE_HEADER_BLOCK, Horizon, NotALog, Options};

/// How many runs are kept apart. A log that wrapped has two; a hostile one any number.
const MAX_RUNS: usize = 64;

/// A stretch of chunks whose records ascend.
struct Run<F> {
    fold: F,
    horizon: Horizon,
}

/// What counts the same in any order.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) stale: u64,
    pub(super) failed: u64,
    pub(super) chunks: u64,
    pub(super) empty_chunks: u64,
    pub(super) fallback_chunks: u64,
    pub(super) dirty: bool,
    pub(super) damage: Vec<Damage>,
    pub(super) damage_left_out: u64,
}

/// What a group of chunks gave.
pub(super) struct Group<F> {
    runs: Vec<Run<F>>,
    tally: Tally,
    slots: u64,
}

/// What all groups so far gave.
pub(super) struct Total<'a, F> {
    file: Option<FileHeader>,
    empty: F,
    runs: Vec<Run<F>>,
    tally: Tally,
    options: Options<'a>,
    /// Places for chunks seen so far, damaged and empty ones included.
    slots: u64,
}

impl Tally {
    pub(super) fn damage(&mut self, damage: Damage) {
        if self.damage.len() < Options::MAX_DAMAGE {
            self.damage.push(damage);
        } else {
            self.damage_left_out += 1;
        }
    }

    fn merge(&mut self, later: Self) {
        self.stale += later.stale;
        self.failed += later.failed;
        self.chunks += later.chunks;
        self.empty_chunks += later.empty_chunks;
        self.fallback_chunks += later.fallback_chunks;
        self.dirty |= later.dirty;
        self.damage_left_out += later.damage_left_out;
        for damage in later.damage {
            self.damage(damage);
        }
    }
}

impl<F: Fold> Run<F> {
    fn new(fold: F) -> Self {
        Self {
            fold,
            horizon: Horizon::default(),
        }
    }

    fn last_sequence(&self) -> Option<u64> {
        self.horizon.last.map(|mark| mark.sequence)
    }

    fn merge(&mut self, later: Self) {
        self.fold.merge(later.fold);
        self.horizon.merge(later.horizon);
    }

    /// Shows the chunk's records to the fold.
    fn fold_chunk(&mut self, records: &mut Records<'_>, number: u64, tally: &mut Tally) {
        for index in 0..records.len() {
            let Some((header, _)) = records.header(index) else {
                continue;
            };
            if header.stale {
                tally.stale += 1;
            } else {
                self.horizon.record(&header);
            }
            if self.fold.glance(&header) == Need::Skip {
                continue;
            }
            let decoded = records.decode(index);
            let Some((header, offset)) = records.header(index) else {
                continue;
            };
            match decoded {
                Ok((system, fields)) => self.fold.event(&Event {
                    header,
                    system,
                    fields,
                }),
                Err(what) => {
                    tally.failed += 1;
                    tally.damage(chunk::damage(number, offset, Some(header.record_id), what));
                }
            }
        }
    }
}

/// Where a chunk starts in the file.
pub(super) fn chunk_offset(number: u64) -> u64 {
    number
        .saturating_mul(CHUNK_SIZE as u64)
        .saturating_add(FILE_HEADER_BLOCK as u64)
}

/// Adds a run after those that are there: to the last one if its records follow, else apart.
fn push_run<F: Fold>(runs: &mut Vec<Run<F>>, run: Run<F>) {
    let full = runs.len() >= MAX_RUNS;
    match (runs.last_mut(), run.horizon.first) {
        (Some(last), Some(first)) if !full && last.last_sequence() >= Some(first.sequence) => {
            runs.push(run);
        }
        (Some(last), _) => last.merge(run),
        (None, _) => runs.push(run),
    }
}

impl<'a, F: Fold> Total<'a, F> {
    /// Looks at the file's header. Without one, a first chunk makes it a log all the same.
    pub(super) fn start(
        head: &[u8],
        chunks: &[u8],
        fold: F,
        options: Options<'a>,
    ) -> Result<Self, NotALog> {
        let mut tally = Tally::default();
        let file = match FileHeader::parse(head) {
            Ok(file) => Some(file),
            Err(error) if chunks.starts_with(chunk::MAGIC) => {
                tally.damage(header_damage(error.to_string()));
                None
            }
            Err(error) => return Err(error),
        };
        if file.is_some_and(|file| !file.intact) {
            tally.damage(header_damage(
                "the file header's checksum is wrong".to_owned(),
            ));
        }
        tally.dirty = file.is_some_and(|file| file.dirty);
        Ok(Self {
            file,
            empty: fold,
            runs: Vec::new(),
            tally,
            options,
            slots: 0,
        })
    }

    /// The number of the first chunk that has not been added.
    pub(super) fn next_chunk(&self) -> u64 {
        self.slots
    }

    /// Folds chunks that follow each other in the file, the first one being `number`.
    pub(super) fn fold_group(&self, chunks: &[u8], number: u64) -> Group<F> {
        let mut group = Group {
            runs: Vec::new(),
            tally: Tally::default(),
            slots: 0,
        };
        for (bytes, number) in chunks.chunks(CHUNK_SIZE).zip(number..) {
            group.slots += 1;
            let Some(chunk) = Chunk::open(bytes, number, &mut group.tally) else {
                continue;
            };
            let Some(mut records) = chunk.records(self.options, &mut group.tally) else {
                continue;
            };
            let ascends = |run: &Run<F>| records.first_sequence() > run.last_sequence();
            if !group.runs.last().is_some_and(ascends) {
                group.runs.push(Run::new(self.empty.fork()));
            }
            if let Some(run) = group.runs.last_mut() {
                run.fold_chunk(&mut records, number, &mut group.tally);
            }
        }
        group
    }

    /// Adds what the next groups of the file gave.
    pub(super) fn add(&mut self, groups: Vec<Group<F>>) {
        for group in groups {
            self.slots += group.slots;
            self.tally.merge(group.tally);
            for run in group.runs {
                push_run(&mut self.runs, run);
            }
        }
    }

    /// Puts the runs in the order in which they were written: the log may have wrapped.
    pub(super) fn finish(mut self) -> LogOutcome<F> {
        self.runs
            .sort_by_key(|run| run.horizon.first.map(|mark| mark.sequence));
        let mut all = Run::new(self.empty);
        for run in self.runs {
            all.merge(run);
        }
        LogOutcome {
            fold: all.fold,
            file: self.file,
            records: all.horizon.records,
            horizon: all.horizon,
            stale: self.tally.stale,
            failed: self.tally.failed,
            chunks: self.tally.chunks,
            empty_chunks: self.tally.empty_chunks,
            fallback_chunks: self.tally.fallback_chunks,
            dirty: self.tally.dirty,
            damage: self.tally.damage,
            damage_left_out: self.tally.damage_left_out,
        }
    }
}

fn header_damage(what: String) -> Damage {
    Damage {
        chunk: None,
        offset: 0,
        record: None,
        what,
    }
}
