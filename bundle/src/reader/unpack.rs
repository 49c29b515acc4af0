//! Unpacks one entry of a zip in bounded memory.

use std::ops::ControlFlow;

use crc32fast::Hasher;
use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::error::ReadFault;
use super::source::Source;

/// Bytes read, and bytes handed on, at once.
const STEP_BYTES: usize = 64 * 1024;

/// Largest window of Zstandard that is accepted: 32 MiB.
const WINDOW_LOG: u32 = 25;

/// Deflate never expands a byte to more than this.
const DEFLATE_MAXIMUM_RATIO: u64 = 1032;

/// How an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflate,
    Zstd,
}

impl Method {
    pub(super) fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Stored),
            8 => Some(Self::Deflate),
            // 20 was Zstandard's number for a while.
            20 | 93 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The most that so many packed bytes can expand to.
    pub(super) fn possible(self, packed: u64) -> u64 {
        match self {
            Self::Stored => packed,
            Self::Deflate => packed.saturating_mul(DEFLATE_MAXIMUM_RATIO),
            Self::Zstd => u64::MAX,
        }
    }
}

/// Where an entry's packed bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packed {
    pub(super) method: Method,
    pub(super) at: u64,
    pub(super) len: u64,
    /// `len` is the entry's own length. Otherwise the entry ends where its stream does, within
    /// `len` bytes.
    pub(super) exact: bool,
}

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unpacked {
    pub(super) output: u64,
    pub(super) consumed: u64,
    pub(super) crc: u32,
    /// The sink asked to stop.
    pub(super) stopped: bool,
}

/// A fault, after what came out before it.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) fault: ReadFault,
    pub(super) before: Unpacked,
}

pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> ControlFlow<()>;

/// Unpacks into the sink, at most `limit` bytes: one more is a fault, and never reaches the sink.
pub(super) fn unpack(
    source: &Source,
    packed: &Packed,
    limit: u64,
    sink: Sink<'_>,
) -> Result<Unpacked, Box<Broken>> {
    let mut run = Run {
        source,
        packed,
        limit,
        output: 0,
        consumed: 0,
        crc: Hasher::new(),
    };
    match run.run_out(sink) {
        Ok(stopped) => Ok(run.state(stopped)),
        Err(fault) => Err(Box::new(Broken {
            fault,
            before: run.state(false),
        })),
    }
}

struct Run<'a> {
    source: &'a Source,
    packed: &'a Packed,
    limit: u64,
    output: u64,
    consumed: u64,
    crc: Hasher,
}

impl Run<'_> {
    fn state(&self, stopped: bool) -> Unpacked {
        Unpacked {
            output: self.output,
            consumed: self.consumed,
            crc: self.crc.clone().finalize(),
            stopped,
        }
    }

    /// Runs until the packed stream ends, or the sink says stop (then `true`).
    fn run_out(&mut self, sink: Sink<'_>) -> Result<bool, ReadFault> {
        let mut engine = Engine::new(self.packed)?;
        let mut buffer = vec![0; STEP_BYTES];
        let mut output = vec![0; STEP_BYTES];
        let mut input: &[u8] = &[];
        let mut fetched = 0;
        loop {
            if input.is_empty() {
                let left = self.packed.len.saturating_sub(fetched);
                let want = usize::try_from(left).unwrap_or(STEP_BYTES).min(STEP_BYTES);
                let window = buffer.get_mut(..want).unwrap_or_default();
                let at = self.packed.at.saturating_add(fetched);
                input = self.source.read_at(at, window)?;
                fetched += input.len() as u64;
            }
            let step = engine
                .step(input, &mut output)
                .ok_or(ReadFault::Corrupt { at: self.consumed })?;
            let starved = input.is_empty();
            input = input.get(step.consumed..).unwrap_or_default();
            self.consumed += step.consumed as u64;
            if self.emit(output.get(..step.produced).unwrap_or_default(), sink)? {
                return Ok(true);
            }
            if step.ended || (self.consumed == self.packed.len && engine.may_end()) {
                return Ok(false);
            }
            if step.consumed == 0 && step.produced == 0 {
                return Err(if starved {
                    ReadFault::Truncated
                } else {
                    ReadFault::Corrupt { at: self.consumed }
                });
            }
        }
    }

    /// Hands bytes on as far as the limit allows.
    fn emit(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<bool, ReadFault> {
        let room = usize::try_from(self.limit.saturating_sub(self.output)).unwrap_or(usize::MAX);
        let (inside, beyond) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        if !inside.is_empty() {
            self.crc.update(inside);
            self.output += inside.len() as u64;
            if sink(inside).is_break() {
                return Ok(true);
            }
        }
        if beyond.is_empty() {
            Ok(false)
        } else {
            Err(ReadFault::Longer {
                declared: self.limit,
            })
        }
    }
}

struct Step {
    consumed: usize,
    produced: usize,
    ended: bool,
}

enum Engine {
    Stored,
    Deflate(Box<Decompress>),
    Zstd {
        decoder: Box<Decoder<'static>>,
        /// Between two frames.
        idle: bool,
        /// The first frame is all.
        single: bool,
    },
}

impl Engine {
    fn new(packed: &Packed) -> Result<Self, ReadFault> {
        Ok(match packed.method {
            Method::Stored => Self::Stored,
            Method::Deflate => Self::Deflate(Box::new(Decompress::new(false))),
            Method::Zstd => {
                let mut decoder = Decoder::new()?;
                decoder.set_parameter(DParameter::WindowLogMax(WINDOW_LOG))?;
                Self::Zstd {
                    decoder: Box::new(decoder),
                    idle: true,
                    single: !packed.exact,
                }
            }
        })
    }

    /// Whether the stream may end where it is, once its bytes are used up.
    fn may_end(&self) -> bool {
        match self {
            Self::Stored => true,
            Self::Deflate(_) => false,
            Self::Zstd { idle, .. } => *idle,
        }
    }

    /// One step; `None` if the input makes no sense.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Option<Step> {
        match self {
            Self::Stored => {
                let n = input.len().min(output.len());
                output.get_mut(..n)?.copy_from_slice(input.get(..n)?);
                Some(Step {
                    consumed: n,
                    produced: n,
                    ended: false,
                })
            }
            Self::Deflate(engine) => {
                let (before_in, before_out) = (engine.total_in(), engine.total_out());
                let status = engine
                    .decompress(input, output, FlushDecompress::None)
                    .ok()?;
                Some(Step {
                    consumed: usize::try_from(engine.total_in() - before_in).ok()?,
                    produced: usize::try_from(engine.total_out() - before_out).ok()?,
                    ended: status == Status::StreamEnd,
                })
            }
            Self::Zstd {
                decoder,
                idle,
                single,
            } => {
                let status = decoder.run_on_buffers(input, output).ok()?;
                if status.bytes_read > 0 || status.bytes_written > 0 {
                    *idle = status.remaining == 0;
                }
                Some(Step {
                    consumed: status.bytes_read,
                    produced: status.bytes_written,
                    ended: *single && *idle && status.bytes_read > 0,
                })
            }
        }
    }
}
