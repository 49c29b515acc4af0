//! The way of an item's bytes to the bundle: in pieces over a bounded channel, so that an item that
//! hangs holds nothing up and memory does not grow with an artifact.

use std::io::{self, Read, Write};
use std::sync::mpsc::{SendError, SyncSender};

use serde::Serialize;
use thiserror::Error;

use super::Outcome;

/// Bytes of one piece.
const PIECE: usize = 64 * 1024;

/// What an item sends to the engine.
#[derive(Debug)]
pub enum Chunk {
    /// An artifact starts.
    Start {
        /// Its entry name.
        name: String,
        /// Its size, where that is known.
        expected_bytes: Option<u64>,
    },
    /// The next bytes of the artifact that started last.
    Bytes(Vec<u8>),
    /// The item has ended.
    End(Box<Outcome>),
}

/// The engine takes no more: the item was given up.
#[derive(Debug, Error)]
#[error("the item was given up")]
pub struct Stopped;

impl From<SendError<Chunk>> for Stopped {
    fn from(_: SendError<Chunk>) -> Self {
        Self
    }
}

/// How the copy of a source ended.
#[derive(Debug)]
pub struct Streamed {
    /// Bytes that were sent.
    pub bytes: u64,
    /// The error that ended the source early.
    pub source_error: Option<io::Error>,
}

/// Where an item's artifacts go.
#[derive(Debug)]
pub struct Sink {
    channel: SyncSender<Chunk>,
}

impl Sink {
    /// A sink that sends to that channel.
    pub fn new(channel: SyncSender<Chunk>) -> Self {
        Self { channel }
    }

    /// Sends a record as a JSON artifact on one line.
    ///
    /// # Errors
    /// When the item was given up.
    pub fn json<T: Serialize>(&mut self, name: &str, record: &T) -> Result<(), Stopped> {
        self.start(name, Some(0))?;
        let mut pieces = io::BufWriter::with_capacity(PIECE, Pieces(self));
        // Records are plain data: that they cannot be written has one reason, a channel closed.
        serde_json::to_writer(&mut pieces, record).map_err(|_| Stopped)?;
        pieces.write_all(b"\n").map_err(|_| Stopped)?;
        pieces.flush().map_err(|_| Stopped)
    }

    /// Sends bytes at hand as an artifact.
    ///
    /// # Errors
    /// When the item was given up.
    pub fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), Stopped> {
        self.start(name, u64::try_from(bytes.len()).ok())?;
        for piece in bytes.chunks(PIECE) {
            self.channel.send(Chunk::Bytes(piece.to_vec()))?;
        }
        Ok(())
    }

    /// Copies a source into an artifact. `expected_bytes` is its size where that is known; what
    /// comes before an error of the source stays.
    ///
    /// # Errors
    /// When the item was given up. An error of the source is in the answer.
    pub fn stream(
        &mut self,
        name: &str,
        expected_bytes: Option<u64>,
        source: &mut dyn Read,
    ) -> Result<Streamed, Stopped> {
        self.start(name, expected_bytes)?;
        let mut bytes = 0;
        loop {
            let mut piece = vec![0; PIECE];
            match source.read(&mut piece) {
                Ok(0) => {
                    return Ok(Streamed {
                        bytes,
                        source_error: None,
                    });
                }
                Ok(read) => {
                    piece.truncate(read);
                    bytes += read as u64;
                    self.channel.send(Chunk::Bytes(piece))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Ok(Streamed {
                        bytes,
                        source_error: Some(error),
                    });
                }
            }
        }
    }

    /// Tells the engine that the item has ended. An engine that has given it up hears nothing.
    pub fn end(self, outcome: Outcome) {
        drop(self.channel.send(Chunk::End(Box::new(outcome))));
    }

    fn start(&mut self, name: &str, expected_bytes: Option<u64>) -> Result<(), Stopped> {
        let name = name.to_owned();
        Ok(self.channel.send(Chunk::Start {
            name,
            expected_bytes,
        })?)
    }
}

/// Sends what is written.
struct Pieces<'a>(&'a mut Sink);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = Chunk::Bytes(bytes.to_vec());
        self.0.channel.send(piece).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
