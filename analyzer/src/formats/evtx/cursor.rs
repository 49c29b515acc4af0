//! A position in a chunk, from which BinXML is read.

use super::bytes::Bytes;

/// Something in BinXML that this reader does not take; the `evtx` crate may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusual {
    /// Offset in the chunk.
    pub(super) offset: usize,
    pub(super) what: &'static str,
}

/// What reading BinXML gives.
pub(super) type Result<T> = std::result::Result<T, Unusual>;

/// Reads forward through a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) chunk: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn unusual<T>(&self, what: &'static str) -> Result<T> {
        Err(Unusual {
            offset: self.at,
            what,
        })
    }

    pub(super) fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        let end = self.at.saturating_add(size);
        let Some(bytes) = self.chunk.get(self.at..end) else {
            return self.unusual("the chunk ends here");
        };
        self.at = end;
        Ok(bytes)
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A 32-bit offset or size.
    pub(super) fn size(&mut self) -> Result<usize> {
        let at = self.at;
        let what = "a size beyond this system's";
        usize::try_from(self.u32()?).map_err(|_| Unusual { offset: at, what })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let Some(bytes) = self.chunk.array(self.at) else {
            return self.unusual("the chunk ends here");
        };
        self.at += N;
        Ok(bytes)
    }
}
