//! The way through a log: windows of chunks in file order, groups of chunks in parallel.

use std::io::{self, Read};

use rayon::prelude::*;

use super::model::{Fold, LogOutcome};
use super::run::{Group, Total};
use super::{CHUNK_SIZE, FILE_HEADER_BLOCK, NotALog};

/// Chunks that are folded into one fork. Fixed, so that results do not depend on threads.
const GROUP: usize = 16;
/// Bytes of a stream that are read at a time: 8 MiB.
const SLAB: usize = 8 * GROUP * CHUNK_SIZE;
/// Bytes of a log in memory that are folded before their groups are merged: 64 MiB.
const WINDOW: usize = 8 * SLAB;

/// How a log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options<'a> {
    /// The channel of records that name none: see [`channel_of_file`].
    pub channel: Option<&'a str>,
    /// Also show records left over from an earlier use of their chunk (after a clear or a wrap),
    /// marked [`super::Header::stale`]. They are not part of the horizon.
    pub stale: bool,
}

impl Options<'_> {
    /// How many pieces of damage an outcome describes; the rest is counted.
    pub const MAX_DAMAGE: usize = 1000;
}

/// The channel that a log's file name stands for: without folders and extension, `%4` for `/`.
pub fn channel_of_file(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = match base.rsplit_once('.') {
        Some((stem, extension)) if extension.eq_ignore_ascii_case("evtx") => stem,
        _ => base,
    };
    stem.replace("%4", "/")
}

/// Why a log could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It is not an event log.
    #[error(transparent)]
    NotALog(#[from] NotALog),
    /// Reading the input failed.
    #[error("reading the event log failed")]
    Io(#[from] io::Error),
}

/// Folds a log that is in memory.
///
/// # Errors
/// [`NotALog`] if neither the file's header nor a first chunk is there.
pub fn read_bytes<F: Fold>(
    bytes: &[u8],
    fold: F,
    options: Options<'_>,
) -> Result<LogOutcome<F>, NotALog> {
    let (head, chunks) = bytes.split_at(bytes.len().min(FILE_HEADER_BLOCK));
    let mut total = Total::start(head, chunks, fold, options)?;
    for window in chunks.chunks(WINDOW) {
        let first = total.next_chunk();
        let groups = fold_groups(window, first, &total);
        total.add(groups);
    }
    Ok(total.finish())
}

/// Folds a log that is streamed. At most two slabs of 8 MiB are in memory; the next one is read
/// while the chunks of the last one are folded.
///
/// # Errors
/// [`LogError::NotALog`] if neither the file's header nor a first chunk is there,
/// [`LogError::Io`] if the stream fails.
pub fn read_stream<F: Fold>(
    stream: &mut (dyn Read + Send),
    fold: F,
    options: Options<'_>,
) -> Result<LogOutcome<F>, LogError> {
    let head = read_up_to(stream, FILE_HEADER_BLOCK)?;
    let mut slab = read_up_to(stream, SLAB)?;
    let mut total = Total::start(&head, &slab, fold, options)?;
    while !slab.is_empty() {
        let first = total.next_chunk();
        let (next, groups) = rayon::join(
            || read_up_to(stream, SLAB),
            || fold_groups(&slab, first, &total),
        );
        total.add(groups);
        slab = next?;
    }
    Ok(total.finish())
}

/// Reads until `size` bytes are there or the stream ends.
fn read_up_to(stream: &mut (dyn Read + Send), size: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(size as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn fold_groups<F: Fold>(window: &[u8], first: u64, total: &Total<'_, F>) -> Vec<Group<F>> {
    window
        .par_chunks(GROUP * CHUNK_SIZE)
        .enumerate()
        .map(|(group, chunks)| total.fold_group(chunks, first + (group * GROUP) as u64))
        .collect()
}
