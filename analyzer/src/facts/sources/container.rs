//! The container: a bundle, or any archive or set of files, read entry by entry.

use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use sha2::{Digest, Sha256};
use snapdiag_bundle::{Archive, Bundle, Entry, ReadError};

use super::registry::hex;

/// Pieces of a streamed entry, at most 64 KiB each, that wait for their reader.
const PIECES_IN_FLIGHT: usize = 64;

/// What is said of an artifact whose hash is not the manifest's.
pub const WRONG_HASH: &str = "its SHA-256 is not the one in the manifest";

/// Named bytes: the entries of a [`Bundle`].
pub struct Container(pub Bundle);

/// An entry that could not be read whole.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct ReadProblem {
    /// What went wrong.
    pub why: String,
    /// What could be read before that.
    pub partial: Vec<u8>,
}

impl From<ReadError> for ReadProblem {
    fn from(error: ReadError) -> Self {
        Self {
            why: error.fault.to_string(),
            partial: error.partial,
        }
    }
}

impl Container {
    fn archive(&self) -> &Archive {
        self.0.archive()
    }

    fn entry(&self, name: &str) -> Result<&Entry, ReadProblem> {
        self.archive().entry(name).ok_or_else(|| ReadProblem {
            why: "no such entry".to_owned(),
            partial: Vec::new(),
        })
    }

    /// The name as spelled of the entry that `name` means, compared without case.
    pub fn find(&self, name: &str) -> Option<&str> {
        self.archive().entry(name).map(Entry::name)
    }

    /// The first bytes of an entry, at most `length`; fewer where it is shorter or damaged.
    pub fn head(&self, entry: &Entry, length: usize) -> Vec<u8> {
        let mut head = Vec::new();
        // Damage behind the head does not matter here; damage in it ends the head.
        let _ = self.archive().stream(entry, &mut |piece| {
            let wanted = length.saturating_sub(head.len());
            head.extend(piece.iter().take(wanted));
            if head.len() < length {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        head
    }

    /// A whole entry of at most `limit` bytes.
    ///
    /// # Errors
    /// What could be read, when it is damaged, unreadable or longer than `limit`.
    pub fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadProblem> {
        Ok(self.archive().read_up_to(self.entry(name)?, limit)?)
    }

    /// As [`Self::read`], and compared with the manifest: bytes with another hash are not what
    /// was collected, so they are not handed out.
    ///
    /// # Errors
    /// As [`Self::read`], and when the hash is not that of the manifest.
    pub fn read_checked(&self, name: &str, limit: u64) -> Result<Vec<u8>, ReadProblem> {
        let bytes = self.read(name, limit)?;
        match self.hash_fault(name, &bytes) {
            None => Ok(bytes),
            Some(fault) => Err(ReadProblem {
                why: fault.to_owned(),
                partial: Vec::new(),
            }),
        }
    }

    /// What is wrong with the hash of an entry's bytes, by the manifest.
    pub fn hash_fault(&self, name: &str, bytes: &[u8]) -> Option<&'static str> {
        let expected = self.expected_hash(name)?;
        let right = hex(&Sha256::digest(bytes)).eq_ignore_ascii_case(expected);
        (!right).then_some(WRONG_HASH)
    }

    /// The declared size of an entry in bytes; 0 where there is none.
    pub fn size(&self, name: &str) -> u64 {
        self.archive().entry(name).map_or(0, Entry::size)
    }

    /// The SHA-256 that the manifest gives an entry.
    fn expected_hash(&self, name: &str) -> Option<&str> {
        let bundle = &self.0;
        let name = name.strip_prefix(bundle.prefix()).unwrap_or(name);
        let (_, artifact) = bundle.manifest()?.artifact(name)?;
        artifact.sha256.as_deref()
    }

    /// Streams an entry into `consume` with bounded memory. Damage ends the stream as if the
    /// entry ended there, and is returned beside the result; so is a hash that is not the
    /// manifest's, for an entry that was consumed to its end.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn stream<T>(
        &self,
        name: &str,
        consume: impl FnOnce(&mut (dyn Read + Send)) -> T,
    ) -> Result<(T, Option<String>), ReadProblem> {
        let entry = self.entry(name)?;
        Ok(std::thread::scope(|scope| {
            // One thread unpacks, the caller's reads: neither holds more than a few pieces.
            let (pieces, received) = sync_channel(PIECES_IN_FLIGHT);
            let unpacker = scope.spawn(move || unpack_into(self.archive(), entry, &pieces));
            let expected = self.expected_hash(name);
            let mut reader = Pieces {
                received,
                piece: Vec::new(),
                at: 0,
                hash: expected.map(|_| Sha256::new()),
            };
            let result = consume(&mut reader);
            let hash = reader.hash.take().map(|hash| hex(&hash.finalize()));
            drop(reader);
            let fault = match unpacker.join() {
                Ok(None) if hash.as_deref() != expected => Some(WRONG_HASH.to_owned()),
                Ok(fault) => fault,
                Err(_) => Some("a panic of the unpacker".to_owned()),
            };
            (result, fault)
        }))
    }
}

fn unpack_into(archive: &Archive, entry: &Entry, pieces: &SyncSender<Vec<u8>>) -> Option<String> {
    archive
        .stream(entry, &mut |piece| match pieces.send(piece.to_vec()) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        })
        .err()
        .map(|error| error.fault.to_string())
}

/// The reading end of a streamed entry.
struct Pieces {
    received: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
    hash: Option<Sha256>,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.piece.len() {
            match self.received.recv() {
                Ok(piece) => {
                    if let Some(hash) = &mut self.hash {
                        hash.update(&piece);
                    }
                    (self.piece, self.at) = (piece, 0);
                }
                Err(_) => return Ok(0),
            }
        }
        let read = self.piece.get(self.at..).unwrap_or_default().read(buffer)?;
        self.at += read;
        Ok(read)
    }
}
