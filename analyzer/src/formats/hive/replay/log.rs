//! Whether a file is a log that fits the hive.

use std::cmp::Ordering;

use super::super::header::Header;
use super::entries::SECTOR;

/// The file types of logs in a base block.
const OLD: [u32; 2] = [1, 2];
const NEW: u32 = 6;

/// A log whose base block is sound and does not speak against the hive.
pub(super) struct LogFile<'l> {
    /// Its place among the logs given.
    pub(super) number: usize,
    pub(super) bytes: &'l [u8],
    pub(super) header: Header,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `DIRT`, up to Windows 8.
    DirtyVector,
    /// `HvLE`, Windows 8.1 and later.
    Entries,
}

impl<'l> LogFile<'l> {
    /// Reads the base block of a log; the error is the reason to leave the log alone.
    pub(super) fn read(
        number: usize,
        bytes: &'l [u8],
        hive: Option<&Header>,
    ) -> Result<Self, String> {
        let header = Header::read(bytes).map_err(|error| error.to_string())?;
        if !header.checksum_ok {
            return Err("its base block has a wrong checksum".to_owned());
        }
        if header.primary_sequence != header.secondary_sequence {
            return Err("it was being written itself".to_owned());
        }
        let form = match header.file_type {
            NEW => Form::Entries,
            kind if OLD.contains(&kind) => Form::DirtyVector,
            kind => return Err(format!("its file type {kind} is not that of a log")),
        };
        if let Some(hive) = hive {
            fits(&header, form, hive)?;
        }
        let signature = match form {
            Form::DirtyVector => b"DIRT",
            Form::Entries => b"HvLE",
        };
        if !bytes
            .get(SECTOR..)
            .is_some_and(|rest| rest.starts_with(signature))
        {
            return Err("it holds nothing".to_owned());
        }
        Ok(Self {
            number,
            bytes,
            header,
            form,
        })
    }

    /// By sequence number, which wraps.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        distance(other.header.primary_sequence, self.header.primary_sequence).cmp(&0)
    }
}

fn fits(log: &Header, form: Form, hive: &Header) -> Result<(), String> {
    let names = [file_of(&hive.file_name), file_of(&log.file_name)];
    if names[0] != names[1] && names.iter().all(|name| !name.is_empty()) {
        let name = &log.file_name;
        return Err(format!("it belongs to another hive ({name})"));
    }
    let (log, hive) = (log.primary_sequence, hive.secondary_sequence);
    if form == Form::Entries && distance(hive, log) < 0 {
        return Err(format!(
            "it is older (sequence {log}) than the hive ({hive})"
        ));
    }
    Ok(())
}

/// How far `to` is ahead of `from`.
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// The last name of a path, which base blocks may hold without its beginning.
fn file_of(path: &str) -> String {
    let name = path.rsplit('\\').next().unwrap_or_default();
    name.to_lowercase()
}
