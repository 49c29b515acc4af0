//! Little-endian fields and the zip64 extra field.

/// A cursor over bytes; every read past the end is `None`.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }

    /// Bytes left.
    pub(super) fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.take(2)?.try_into().ok()?))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

/// Header id of the zip64 extra field.
const ZIP64: u16 = 1;

/// In a 32-bit field: the value is in the zip64 extra field.
const IN_ZIP64: u32 = u32::MAX;

/// Replaces each 32-bit value that says so by its 64-bit one, in the fixed order of the field.
/// `None` if the extra field lacks one.
pub(super) fn widen<const N: usize>(narrow: [u32; N], extra: &[u8]) -> Option<[u64; N]> {
    let mut wide = narrow.map(u64::from);
    if narrow.contains(&IN_ZIP64) {
        let mut values = Fields::new(find(extra, ZIP64)?);
        for (wide, _) in wide.iter_mut().zip(narrow).filter(|(_, n)| *n == IN_ZIP64) {
            *wide = values.u64()?;
        }
    }
    Some(wide)
}

/// Whether there is a zip64 extra field.
pub(super) fn has_zip64(extra: &[u8]) -> bool {
    find(extra, ZIP64).is_some()
}

fn find(extra: &[u8], id: u16) -> Option<&[u8]> {
    let mut fields = Fields::new(extra);
    loop {
        let found = fields.u16()?;
        let len = fields.u16()?;
        let data = fields.take(usize::from(len))?;
        if found == id {
            return Some(data);
        }
    }
}
