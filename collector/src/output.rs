//! The bundle's file: its name, what is written of it, its hash.

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Bytes read at once for the hash.
const BUFFER: usize = 64 * 1024;

/// How often another name is tried when one is taken.
const TRIES: u32 = 100;

/// How the writing of the bundle goes, for those who do not write.
#[derive(Debug, Default)]
pub struct Room {
    written: AtomicU64,
    full: AtomicBool,
    fault: Mutex<Option<String>>,
}

impl Room {
    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Whether the file takes no more: mostly a full disk. What is written is dropped then.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Lets the file try again, from where its writer has gone back to.
    pub fn reopen(&self) {
        self.full.store(false, Ordering::Relaxed);
    }

    /// What the system said when the file took no more; also after [`Room::reopen`].
    pub fn fault(&self) -> Option<String> {
        self.fault.lock().ok()?.clone()
    }

    fn close(&self, error: &io::Error) {
        self.full.store(true, Ordering::Relaxed);
        if let Ok(mut fault) = self.fault.lock() {
            fault.get_or_insert_with(|| error.to_string());
        }
    }
}

/// A file that a zip is written into. It has its final name from the start: what was written can be
/// read at any moment, and a killed run leaves nothing that would have to be renamed.
///
/// To the zip it never fails: what the disk does not take is dropped and [`Room`] says so. So the
/// zip can go back to the last whole item and be finished in the room that this makes.
pub struct Output {
    file: File,
    room: Arc<Room>,
    /// Where the zip is.
    at: u64,
    /// Whether the file is somewhere else, since something was dropped.
    astray: bool,
}

impl Output {
    /// Creates a file that is not there yet, and says under which path.
    ///
    /// # Errors
    /// The system's.
    pub fn create(folder: &Path, host: &str, at: Timestamp) -> io::Result<(Self, PathBuf)> {
        let stem = format!("snapdiag-{}-{}", tame(host), at.strftime("%Y%m%dT%H%M%SZ"));
        for again in 1..=TRIES {
            let name = match again {
                1 => format!("{stem}.zip"),
                again => format!("{stem}-{again}.zip"),
            };
            let path = folder.join(name);
            match private(&path) {
                Ok(file) => return Ok((Self::new(file), path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Writes into an empty file.
    pub fn new(file: File) -> Self {
        Self {
            file,
            room: Arc::default(),
            at: 0,
            astray: false,
        }
    }

    /// How the writing goes.
    pub fn room(&self) -> Arc<Room> {
        Arc::clone(&self.room)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.astray {
            self.file.set_len(self.at)?;
            self.file.seek(SeekFrom::Start(self.at))?;
            self.astray = false;
        }
        self.file.write(bytes)
    }
}

/// Creates a file that no other user can read, since it will hold hives. On Windows that is for the
/// folder to say.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = bytes.len();
        if !self.room.is_full() {
            match self.put(bytes) {
                Ok(written) => {
                    taken = written;
                    let end = self.at + written as u64;
                    self.room.written.fetch_max(end, Ordering::Relaxed);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    self.room.close(&error);
                    self.astray = true;
                }
            }
        }
        self.at += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(to) => to,
            _ if self.astray => return Ok(self.at),
            to => self.file.seek(to)?,
        };
        if !self.astray {
            self.file.seek(SeekFrom::Start(self.at))?;
        }
        Ok(self.at)
    }
}

/// The SHA-256 of a file in hex digits.
///
/// # Errors
/// If it cannot be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => hash.update(buffer.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(snapdiag_bundle::hex(&hash.finalize()))
}

/// A word that says nothing, for the name of a machine.
pub fn anonymous() -> String {
    // The seed of the standard hasher is random.
    let random = RandomState::new().hash_one(std::process::id());
    format!("{:06x}", random & 0xFF_FFFF)
}

/// A host name as part of a file name.
fn tame(host: &str) -> String {
    let tame: String = host
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "-_.".contains(c) => c,
            _ => '_',
        })
        .take(63)
        .collect();
    match tame.trim_start_matches('.') {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}
