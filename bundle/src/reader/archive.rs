//! Entries by name, wherever they are stored.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{Damage, OpenError, ReadError, ReadFault};
use super::folder;
use super::guard;
use super::limits::Limits;
use super::source::Source;
use super::unpack::{Packed, Unpacked, unpack};
use super::zip;
use crate::hash::hex;
use crate::name::folded;

/// Bytes read from a file at once.
const STEP_BYTES: usize = 64 * 1024;

/// Named entries of a zip, a folder or a set of files.
#[derive(Debug)]
pub struct Archive {
    source: Option<Source>,
    limits: Limits,
    entries: Vec<Entry>,
    /// Index by name without case.
    by_name: BTreeMap<String, usize>,
    damage: Vec<Damage>,
}

/// One file of an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
    pub(super) crc: Option<u32>,
    pub(super) torn: bool,
    pub(super) place: Place,
}

/// Where an entry's bytes are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Packed(Packed),
    File(PathBuf),
}

impl Entry {
    /// Name with forward slashes, relative, clean.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Expanded size as declared, bytes. Reading gives at most so many; fewer are a fault.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size in the zip, bytes; that of the file elsewhere.
    pub fn packed_size(&self) -> u64 {
        match &self.place {
            Place::Packed(packed) => packed.len,
            Place::File(_) => self.size,
        }
    }

    /// The zip was cut off in this entry, or its writer was stopped in it.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// The file on disk, where the entry is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.place {
            Place::Packed(_) => None,
            Place::File(path) => Some(path),
        }
    }
}

impl Archive {
    /// Opens a folder, or a zip by its content.
    ///
    /// # Errors
    /// If the path cannot be read, or is neither.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, OpenError> {
        let io = |error| OpenError::io(path, error);
        if path.metadata().map_err(io)?.is_dir() {
            let mut damage = Vec::new();
            let files = folder::list(path, limits, &mut damage).map_err(io)?;
            return Ok(Self::of_files(files, limits, damage));
        }
        let source = Source::open(path).map_err(io)?;
        if !zip::is_zip(&source).map_err(io)? {
            return Err(OpenError::NotAnArchive {
                path: path.to_path_buf(),
            });
        }
        let mut damage = Vec::new();
        let raw = zip::entries(&source, limits, &mut damage).map_err(io)?;
        let entries = guard::admit(&source, limits, raw, &mut damage);
        Ok(Self::new(Some(source), limits, entries, damage))
    }

    /// Chosen files under the names given to them, such as a hive and its logs, or what a search
    /// found on a mounted disk.
    pub fn from_files(files: impl IntoIterator<Item = (String, PathBuf)>, limits: &Limits) -> Self {
        Self::of_files(files, limits, Vec::new())
    }

    fn of_files(
        files: impl IntoIterator<Item = (String, PathBuf)>,
        limits: &Limits,
        mut damage: Vec<Damage>,
    ) -> Self {
        let mut names = guard::Names::default();
        let mut entries = Vec::new();
        for (raw, path) in files {
            if entries.len() == limits.entries {
                damage.push(Damage::TooMany {
                    limit: limits.entries,
                });
                break;
            }
            match (names.take(&raw), path.metadata()) {
                (Ok(name), Ok(metadata)) => entries.push(Entry {
                    name,
                    size: metadata.len(),
                    crc: None,
                    torn: false,
                    place: Place::File(path),
                }),
                (Ok(name), Err(error)) => damage.push(Damage::Folder {
                    name,
                    what: error.to_string(),
                }),
                (Err(refused), _) => damage.push(refused),
            }
        }
        Self::new(None, limits, entries, damage)
    }

    fn new(
        source: Option<Source>,
        limits: &Limits,
        mut entries: Vec<Entry>,
        damage: Vec<Damage>,
    ) -> Self {
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        let by_name = entries
            .iter()
            .enumerate()
            .map(|(index, entry)| (folded(&entry.name), index))
            .collect();
        Self {
            source,
            limits: limits.clone(),
            entries,
            by_name,
            damage,
        }
    }

    /// All entries, sorted by name, without folders.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with a name; names compare without case, as on Windows.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.get(*self.by_name.get(&folded(name))?)
    }

    /// What is wrong with the structure, in the order in which it was found.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Reads an entry into memory, up to [`Limits::whole_bytes`].
    ///
    /// # Errors
    /// If it is larger, damaged or cut off; the error carries what could be read.
    pub fn read(&self, entry: &Entry) -> Result<Vec<u8>, ReadError> {
        self.read_up_to(entry, self.limits.whole_bytes)
    }

    /// Reads an entry into memory if it has at most `limit` bytes.
    ///
    /// # Errors
    /// If it is larger, damaged or cut off; the error carries what could be read.
    pub fn read_up_to(&self, entry: &Entry, limit: u64) -> Result<Vec<u8>, ReadError> {
        if entry.size > limit {
            return Err(ReadError {
                entry: entry.name.clone(),
                fault: ReadFault::TooLarge { limit },
                bytes: 0,
                partial: Vec::new(),
            });
        }
        // The declared size is only believed as far as the packed bytes make it possible.
        let likely = match &entry.place {
            Place::Packed(packed) => entry.size.min(packed.method.possible(packed.len)),
            Place::File(_) => entry.size,
        };
        let mut bytes = Vec::with_capacity(usize::try_from(likely.min(1 << 20)).unwrap_or(0));
        let streamed = self.stream(entry, &mut |chunk| {
            bytes.extend_from_slice(chunk);
            ControlFlow::Continue(())
        });
        match streamed {
            Ok(_) => Ok(bytes),
            Err(error) => Err(ReadError {
                partial: bytes,
                ..error
            }),
        }
    }

    /// Streams an entry into a sink in pieces of at most 64 KiB and returns how many bytes went.
    /// The sink may break off; that is no error.
    ///
    /// # Errors
    /// If the entry is damaged or cut off: what came before the fault is in the sink.
    pub fn stream(
        &self,
        entry: &Entry,
        sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
    ) -> Result<u64, ReadError> {
        let outcome = match (&entry.place, &self.source) {
            (Place::File(path), _) => stream_file(path, entry.size, sink),
            (Place::Packed(packed), Some(source)) => stream_packed(source, packed, entry, sink),
            (Place::Packed(_), None) => Err((ReadFault::Truncated, 0)),
        };
        outcome.map_err(|(fault, bytes)| ReadError {
            entry: entry.name.clone(),
            fault,
            bytes,
            partial: Vec::new(),
        })
    }

    /// Size and SHA-256 (lower-case hex) of an entry's content.
    ///
    /// # Errors
    /// If the entry is damaged or cut off.
    pub fn sha256(&self, entry: &Entry) -> Result<(u64, String), ReadError> {
        let mut hash = Sha256::new();
        let size = self.stream(entry, &mut |chunk| {
            hash.update(chunk);
            ControlFlow::Continue(())
        })?;
        Ok((size, hex(&hash.finalize())))
    }
}

type Streamed = Result<u64, (ReadFault, u64)>;

fn stream_packed(
    source: &Source,
    packed: &Packed,
    entry: &Entry,
    sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Streamed {
    let done = unpack(source, packed, entry.size, sink)
        .map_err(|broken| (broken.fault, broken.before.output))?;
    confirm(entry, done).map_err(|fault| (fault, done.output))?;
    Ok(done.output)
}

fn confirm(entry: &Entry, done: Unpacked) -> Result<(), ReadFault> {
    if done.stopped {
        return Ok(());
    }
    if done.output < entry.size {
        return Err(ReadFault::Shorter {
            declared: entry.size,
            found: done.output,
        });
    }
    match entry.crc {
        Some(declared) if declared != done.crc => Err(ReadFault::Checksum {
            declared,
            found: done.crc,
        }),
        _ => Ok(()),
    }
}

/// Streams a file, at most as long as it was when the archive was opened.
fn stream_file(path: &Path, size: u64, sink: &mut dyn FnMut(&[u8]) -> ControlFlow<()>) -> Streamed {
    let mut file = File::open(path).map_err(|e| (e.into(), 0))?.take(size);
    let mut buffer = vec![0; STEP_BYTES];
    let mut total = 0;
    loop {
        let n = match file.read(&mut buffer) {
            Ok(0) if total < size => {
                let declared = size;
                let found = total;
                return Err((ReadFault::Shorter { declared, found }, total));
            }
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err((error.into(), total)),
        };
        total += n as u64;
        if sink(buffer.get(..n).unwrap_or_default()).is_break() {
            return Ok(total);
        }
    }
}
