//! The file header.

use serde::Serialize;

use super::bytes::Bytes;

/// The log file's header. Nothing in it is needed to find the chunks, and nothing is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FileHeader {
    /// Number of the chunk that holds the oldest records.
    pub first_chunk: u64,
    /// Number of the chunk that was written last.
    pub last_chunk: u64,
    /// The id that the next record would have got.
    pub next_record: u64,
    /// The chunk count as stored: 16 bits, so wrong from 4 GiB on.
    pub chunk_count: u16,
    /// Major and minor version of the format (3.1, or 3.2 since Windows 10 2004).
    pub version: (u16, u16),
    /// Whether the log was open when it was copied.
    pub dirty: bool,
    /// Whether the log had reached its maximum size.
    pub full: bool,
    /// Whether the stored checksum is that of the header.
    pub intact: bool,
}

/// The input does not start as an event log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event log: expected \"ElfFile\" at offset 0, found {found:02x?}")]
pub struct NotALog {
    /// The first eight bytes, zeroes where the input is shorter.
    pub found: [u8; 8],
}

impl FileHeader {
    /// Reads the header from the start of a log.
    ///
    /// # Errors
    /// [`NotALog`] if the magic is not there or the input ends within the header's 128 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotALog> {
        const NO_CRC32: u32 = 4;
        let found: [u8; 8] = bytes.array(0).unwrap_or_default();
        let fields = || {
            let flags = bytes.u32_at(120)?;
            let computed = crc32fast::hash(bytes.get(..120)?);
            Some(Self {
                first_chunk: bytes.u64_at(8)?,
                last_chunk: bytes.u64_at(16)?,
                next_record: bytes.u64_at(24)?,
                version: (bytes.u16_at(38)?, bytes.u16_at(36)?),
                chunk_count: bytes.u16_at(42)?,
                dirty: flags & 1 != 0,
                full: flags & 2 != 0,
                intact: flags & NO_CRC32 != 0 || bytes.u32_at(124)? == computed,
            })
        };
        if &found != b"ElfFile\0" {
            return Err(NotALog { found });
        }
        fields().ok_or(NotALog { found })
    }
}
