//! The base block: the first 4,096 bytes of a hive, and (512 of them) of its logs.
//!
//! After "Windows registry file format specification" by Maxim Suhanov.

use jiff::Timestamp;

use super::bytes::{u32_at, u64_at};
use crate::formats::registry::{RegistryError, filetime};

/// Where the hive bins begin: every offset in a hive counts from here.
pub(super) const BINS: usize = 4096;
/// What the checksum covers, and where it is.
const CHECKSUM: usize = 508;
/// The file name: up to 32 UTF-16 units, the end of the path if that is longer.
const FILE_NAME: std::ops::Range<usize> = 48..112;

/// What the base block of a hive or of a transaction log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Incremented when a write begins.
    pub primary_sequence: u32,
    /// Incremented when a write ends.
    pub secondary_sequence: u32,
    /// When the hive was last written. Windows 8.1 and later often leave it empty.
    pub last_written: Option<Timestamp>,
    /// The same, as the stored FILETIME.
    pub last_written_ticks: u64,
    /// Major and minor version of the format; 1.3 to 1.6 are in use.
    pub version: (u32, u32),
    /// 0 for a hive, 1 and 2 for an old log, 6 for a new log.
    pub file_type: u32,
    /// The cell of the root key, in bytes from the first hive bin.
    pub root_cell: u32,
    /// How long the hive bins say they are, in bytes.
    pub bins_size: u32,
    /// The end of the path that the hive was loaded from.
    pub file_name: String,
    /// Whether the checksum fits the bytes.
    pub checksum_ok: bool,
}

impl Header {
    /// Reads the base block at the start of `file`.
    ///
    /// # Errors
    /// When `file` is shorter than 512 bytes or does not start with `regf`.
    pub fn read(file: &[u8]) -> Result<Self, RegistryError> {
        let sector: &[u8; 512] = file.first_chunk().ok_or_else(|| {
            let found = format!("{} bytes", file.len());
            RegistryError::new(0, "base block", "at least 512 bytes", found)
        })?;
        if !sector.starts_with(b"regf") {
            let found = format!("{:?}", String::from_utf8_lossy(&sector[..4]));
            return Err(RegistryError::new(
                0,
                "base block",
                "the signature \"regf\"",
                found,
            ));
        }
        let field = |at| u32_at(sector, at).unwrap_or_default();
        let last_written_ticks = u64_at(sector, 12).unwrap_or_default();
        Ok(Self {
            primary_sequence: field(4),
            secondary_sequence: field(8),
            last_written: filetime(last_written_ticks),
            last_written_ticks,
            version: (field(20), field(24)),
            file_type: field(28),
            root_cell: field(36),
            bins_size: field(40),
            file_name: file_name(sector.get(FILE_NAME).unwrap_or_default()),
            checksum_ok: field(CHECKSUM) == checksum(sector),
        })
    }

    /// Whether the hive was being written when it was copied.
    pub fn is_dirty(&self) -> bool {
        self.primary_sequence != self.secondary_sequence || !self.checksum_ok
    }
}

/// The XOR of the 32-bit words before the checksum, which is never 0 nor `u32::MAX`.
pub(super) fn checksum(sector: &[u8; 512]) -> u32 {
    let (words, _) = sector.as_chunks::<4>();
    let covered = words.iter().take(CHECKSUM / 4);
    match covered.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Recomputes the checksum of the base block at the start of `file`.
pub(super) fn seal(file: &mut [u8]) {
    if let Some(sector) = file.first_chunk_mut::<512>() {
        let sum = checksum(sector);
        sector[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
    }
}

fn file_name(field: &[u8]) -> String {
    let (units, _) = field.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}
