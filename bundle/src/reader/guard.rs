//! Applies the rules to what a zip says it holds.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::archive::{Entry, Place};
use super::error::Damage;
use super::limits::Limits;
use super::source::Source;
use super::unpack::unpack;
use super::zip::Raw;
use crate::name::{clean, folded};

/// Names that are taken. The first to come keeps its name.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The clean form of a name, if it keeps the rules and is free.
    pub(super) fn take(&mut self, raw: &str) -> Result<String, Damage> {
        let name = clean(raw).map_err(|fault| Damage::BadName {
            name: raw.escape_default().to_string(),
            fault,
        })?;
        if self.0.insert(folded(&name)) {
            Ok(name)
        } else {
            Err(Damage::Duplicate { name })
        }
    }
}

/// The entries that keep every rule. Judged in the order of the file, so that the answer depends on
/// its bytes alone.
pub(super) fn admit(
    source: &Source,
    limits: &Limits,
    raw: Vec<Raw>,
    damage: &mut Vec<Damage>,
) -> Vec<Entry> {
    let raw = named(raw, damage);
    let raw = apart(raw, damage);
    let packed: u64 = raw.iter().map(|entry| packed_here(source, entry)).sum();
    let allowance = limits.allowance(packed.min(source.len()));
    let raw = if trusted(&raw, limits, allowance) {
        raw
    } else {
        measured(source, limits, allowance, raw, damage)
    };
    raw.into_iter()
        .filter_map(|entry| {
            let Some(size) = entry.size else {
                damage.push(Damage::Expansion {
                    name: entry.name,
                    allowed: limits.entry_bytes,
                });
                return None;
            };
            Some(Entry {
                name: entry.name,
                size,
                crc: entry.crc,
                torn: entry.torn,
                place: Place::Packed(entry.packed),
            })
        })
        .collect()
}

fn named(raw: Vec<Raw>, damage: &mut Vec<Damage>) -> Vec<Raw> {
    let mut names = Names::default();
    raw.into_iter()
        .filter_map(|entry| match names.take(&entry.name) {
            Ok(name) => Some(Raw { name, ..entry }),
            Err(refused) => {
                damage.push(refused);
                None
            }
        })
        .collect()
}

/// Leaves out entries that begin before the previous one has ended. They come sorted by offset.
fn apart(raw: Vec<Raw>, damage: &mut Vec<Damage>) -> Vec<Raw> {
    let mut end = 0;
    raw.into_iter()
        .filter_map(|entry| {
            if entry.header_at < end {
                damage.push(Damage::Overlapping { name: entry.name });
                return None;
            }
            end = entry.packed.at.saturating_add(entry.packed.len);
            Some(entry)
        })
        .collect()
}

/// Packed bytes that are really in the file.
fn packed_here(source: &Source, entry: &Raw) -> u64 {
    let left = source.len().saturating_sub(entry.packed.at);
    entry.packed.len.min(left)
}

/// Whether the declared sizes, where the packed bytes make them possible, keep the limits. Reading
/// never gives more than the declared size, so nothing has to be counted then.
fn trusted(raw: &[Raw], limits: &Limits, allowance: u64) -> bool {
    let mut total: u64 = 0;
    raw.iter().all(|entry| {
        let possible = entry.packed.method.possible(entry.packed.len);
        let size = entry.size.unwrap_or(u64::MAX).min(possible);
        total = total.saturating_add(size);
        size <= limits.entry_bytes && total <= allowance
    })
}

/// How many times the allowance is unpacked to measure real sizes.
const PATIENCE: u64 = 4;

/// Declared sizes may lie in either direction: unpacks every entry, keeps nothing, and leaves out
/// those whose real output breaks a limit. When that has cost too much, the declared sizes count
/// after all.
fn measured(
    source: &Source,
    limits: &Limits,
    allowance: u64,
    raw: Vec<Raw>,
    damage: &mut Vec<Damage>,
) -> Vec<Raw> {
    let mut left = allowance;
    let mut work = allowance.saturating_mul(PATIENCE);
    raw.into_iter()
        .filter_map(|entry| {
            let allowed = left.min(limits.entry_bytes);
            let possible = entry.packed.method.possible(entry.packed.len);
            let most = entry.size.unwrap_or(u64::MAX).min(possible);
            let output = if work == 0 {
                most
            } else {
                real_size(source, &entry, most.min(allowed)).min(most)
            };
            work = work.saturating_sub(output);
            if output > allowed {
                damage.push(Damage::Expansion {
                    name: entry.name,
                    allowed,
                });
                return None;
            }
            left -= output;
            Some(entry)
        })
        .collect()
}

/// How much an entry really expands to, or a little more than `bound` if it is more.
fn real_size(source: &Source, entry: &Raw, bound: u64) -> u64 {
    let mut count: u64 = 0;
    // A fault in the middle is found again, and reported, when the entry is read.
    let _ = unpack(source, &entry.packed, u64::MAX, &mut |chunk| {
        count = count.saturating_add(chunk.len() as u64);
        if count > bound {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    count
}
