//! The old log format (up to Windows 8): a bitmap of dirty pages, then the pages.

use super::super::bytes::{slice_at, u32_at};
use super::super::header::Header;
use super::entries::{Page, SECTOR};
use crate::formats::registry::RegistryError;

/// The size of a page, whatever the sectors of the disk.
const PAGE: usize = 512;

/// The dirty pages of an old log, all of them there.
pub(super) fn pages<'l>(log: &'l [u8], header: &Header) -> Result<Vec<Page<'l>>, RegistryError> {
    let fail = |expected, found: String| {
        RegistryError::new(SECTOR as u64, "dirty vector", expected, found)
    };
    let bitmap = (header.bins_size as usize / PAGE).div_ceil(8);
    let bits = slice_at(log, SECTOR, 4 + bitmap)
        .and_then(|vector| vector.strip_prefix(b"DIRT"))
        .ok_or_else(|| {
            fail(
                "DIRT and a bitmap of all pages",
                "something else".to_owned(),
            )
        })?;
    let mut from = (SECTOR + 4 + bitmap).next_multiple_of(SECTOR);
    let mut pages = Vec::new();
    for number in 0..bitmap * 8 {
        let byte = bits.get(number / 8).copied().unwrap_or_default();
        if byte >> (number % 8) & 1 == 0 {
            continue;
        }
        let bytes = slice_at(log, from, PAGE).ok_or_else(|| {
            fail(
                "every dirty page inside the log",
                format!("the end at page {number}"),
            )
        })?;
        let offset = number * PAGE;
        let is_bin = offset.is_multiple_of(4096) && bytes.starts_with(b"hbin");
        if is_bin && u32_at(bytes, 4).map(|at| at as usize) != Some(offset) {
            let found = format!("the hive bin of another place at page {number}");
            return Err(fail("hive bins in their places", found));
        }
        pages.push(Page { offset, bytes });
        from += PAGE;
    }
    Ok(pages)
}
