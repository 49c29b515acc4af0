//! How much a bundle may ask of its reader.

/// A mebibyte.
const MIB: u64 = 1024 * 1024;

/// Limits of the reader, meant for hostile input: no real bundle comes near them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Entries of an archive; more are left out.
    pub entries: usize,
    /// Expanded bytes of an entry.
    pub entry_bytes: u64,
    /// Expanded bytes of all entries of a zip together.
    pub total_bytes: u64,
    /// Expanded bytes of a zip for each packed one, judged on the total.
    pub ratio: u64,
    /// Expanded bytes that are free of the ratio.
    pub ratio_free_bytes: u64,
    /// Bytes of an entry that [`Archive::read`](super::Archive::read) puts into memory.
    pub whole_bytes: u64,
    /// Depth of a folder.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 20_000,
            entry_bytes: 16 * 1024 * MIB,
            total_bytes: 64 * 1024 * MIB,
            ratio: 400,
            ratio_free_bytes: 64 * MIB,
            whole_bytes: 32 * MIB,
            depth: 32,
        }
    }
}

impl Limits {
    /// What a zip with so many packed bytes may expand to.
    pub(crate) fn allowance(&self, packed: u64) -> u64 {
        packed
            .saturating_mul(self.ratio)
            .max(self.ratio_free_bytes)
            .min(self.total_bytes)
    }
}
