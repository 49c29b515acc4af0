//! Little-endian reading that cannot leave its bounds.

/// Reads numbers out of a slice; `None` beyond its end.
pub(super) trait Bytes {
    /// `N` bytes at an offset.
    fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]>;

    /// A 16-bit number at an offset.
    fn u16_at(&self, offset: usize) -> Option<u16> {
        self.array(offset).map(u16::from_le_bytes)
    }

    /// A 32-bit number at an offset.
    fn u32_at(&self, offset: usize) -> Option<u32> {
        self.array(offset).map(u32::from_le_bytes)
    }

    /// A 64-bit number at an offset.
    fn u64_at(&self, offset: usize) -> Option<u64> {
        self.array(offset).map(u64::from_le_bytes)
    }
}

impl Bytes for [u8] {
    fn array<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.get(offset..)?.first_chunk().copied()
    }
}
