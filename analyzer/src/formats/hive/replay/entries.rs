//! The new log format (Windows 8.1 and later): a row of log entries, each with its dirty pages.

use super::super::bytes::{slice_at, u32_at, u64_at};
use super::marvin32::marvin32;
use crate::formats::registry::RegistryError;

/// Log entries begin behind the first sector and are aligned to sectors.
pub(super) const SECTOR: usize = 512;
/// The fixed fields of a log entry.
const HEADER: usize = 40;

/// A log entry whose hashes are right and whose pages are all there.
pub(super) struct Entry<'l> {
    pub(super) sequence: u32,
    pub(super) bins_size: u32,
    pub(super) pages: Vec<Page<'l>>,
    /// Where the next entry begins.
    pub(super) end: usize,
}

/// Bytes to be written into the hive bins.
pub(super) struct Page<'l> {
    /// From the first hive bin.
    pub(super) offset: usize,
    pub(super) bytes: &'l [u8],
}

/// Reads the log entry at `at`; `None` where the log ends before it.
pub(super) fn read(log: &[u8], at: usize) -> Option<Result<Entry<'_>, RegistryError>> {
    let rest = log.get(at..)?;
    if !rest.starts_with(b"HvLE") {
        return None;
    }
    Some(read_signed(rest, at))
}

fn read_signed(rest: &[u8], at: usize) -> Result<Entry<'_>, RegistryError> {
    let fail =
        |expected, found: String| Err(RegistryError::new(at as u64, "log entry", expected, found));
    let field = |at| u32_at(rest, at).unwrap_or_default();
    let size = field(4) as usize;
    let Some(entry) = rest
        .get(..size)
        .filter(|_| size >= HEADER && size.is_multiple_of(SECTOR))
    else {
        return fail(
            "a whole number of sectors inside the log",
            format!("{size} bytes"),
        );
    };
    let hashes = [
        (24, entry.get(HEADER..).unwrap_or_default()),
        (32, entry.get(..32).unwrap_or_default()),
    ];
    for (stored, covered) in hashes {
        if u64_at(entry, stored) != Some(marvin32(covered)) {
            return fail("the hash of its bytes", "another".to_owned());
        }
    }
    let bins_size = field(16);
    if !bins_size.is_multiple_of(4096) {
        return fail(
            "a size of hive bins in pages of 4096 bytes",
            format!("{bins_size}"),
        );
    }
    let count = field(20) as usize;
    let Some(pages) = pages(entry, count, bins_size as usize) else {
        return fail(
            "all its pages inside the entry and the hive",
            format!("{count} pages"),
        );
    };
    Ok(Entry {
        sequence: field(12),
        bins_size,
        pages,
        end: at + size,
    })
}

/// The pages of an entry: references first, then the bytes without gaps.
fn pages(entry: &[u8], count: usize, bins_size: usize) -> Option<Vec<Page<'_>>> {
    let references = slice_at(entry, HEADER, count.checked_mul(8)?)?;
    let mut from = HEADER + references.len();
    let pages = references.as_chunks::<8>().0.iter().map(|reference| {
        let offset = u32_at(reference, 0)? as usize;
        let size = u32_at(reference, 4)? as usize;
        let bytes = slice_at(entry, from, size)?;
        from += size;
        (offset.checked_add(size)? <= bins_size).then_some(Page { offset, bytes })
    });
    pages.collect()
}
