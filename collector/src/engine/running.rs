//! An item on its thread, and what comes from it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use snapdiag_bundle::State;

use super::{Run, Task};
use crate::items::{Chunk, Job, Outcome, Phase, Sink};

/// How long an item may take, after its time is up, to hand over what it has.
const GRACE: Duration = Duration::from_secs(2);

/// How often a wait looks whether the run was interrupted.
const LOOK: Duration = Duration::from_millis(100);

/// Pieces that wait between an item and the bundle.
const WAITING: usize = 4;

/// Stack of an item's thread, bytes.
const STACK: usize = 1024 * 1024;

/// What comes from a running item.
pub(super) enum Event {
    /// An artifact starts.
    Start {
        /// Its entry name.
        name: String,
        /// Its size, where that is known.
        expected_bytes: Option<u64>,
    },
    /// The next bytes of the artifact.
    Bytes(Vec<u8>),
    /// The item has ended, or was given up.
    End(Box<Outcome>),
}

/// An item that was started, or why it was not.
pub(super) struct Started {
    pub(super) item: &'static str,
    pub(super) at: Instant,
    pub(super) way: Result<Running, Box<Outcome>>,
}

/// An item on its thread. When this is dropped the item is told to stop, and left alone.
pub(super) struct Running {
    chunks: Receiver<Chunk>,
    stop: Arc<AtomicBool>,
    limit: Duration,
    until: Instant,
    /// When its work was done: it may be taken in much later.
    done: Arc<OnceLock<Instant>>,
}

impl Run {
    /// Starts a task on a thread of its own.
    pub(super) fn start(&self, task: Task) -> Started {
        let at = Instant::now();
        let item = task.item;
        let way = match self.refuses(&task) {
            Some(reason) => Err(Box::new(Outcome::new(State::Skipped).because(reason))),
            None => self.spawn(task, at),
        };
        Started { item, at, way }
    }

    fn spawn(&self, task: Task, at: Instant) -> Result<Running, Box<Outcome>> {
        let (sender, chunks) = sync_channel(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let until = self
            .deadline
            .map_or(at + task.limit, |end| end.min(at + task.limit));
        // A sampling item waits with its answer until the quick items are through: that time is
        // not its own.
        let own_until = match task.phase {
            Phase::Window => self.deadline.unwrap_or(at + task.limit * 10),
            Phase::Quick | Phase::Heavy => until,
        };
        let mut job = Job {
            system: Arc::clone(&self.system),
            sink: Sink::new(sender),
            settings: Arc::clone(&self.settings),
            stop: Arc::clone(&stop),
            until: own_until,
        };
        let work = task.work;
        let done = Arc::new(OnceLock::new());
        let is_done = Arc::clone(&done);
        thread::Builder::new()
            .name(task.item.to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let outcome = work(&mut job);
                let _ = is_done.set(Instant::now());
                job.sink.end(outcome);
            })
            .map_err(|error| {
                let reason = format!("no thread for it: {error}");
                Box::new(Outcome::new(State::Failed).because(reason))
            })?;
        Ok(Running {
            chunks,
            stop,
            limit: task.limit,
            until,
            done,
        })
    }
}

impl Running {
    /// When the wait for this item ends, if it begins now.
    pub(super) fn give_up(&self) -> Instant {
        self.until.max(Instant::now()) + GRACE
    }

    /// When its work was done; now, if it is not.
    pub(super) fn done(&self) -> Instant {
        self.done.get().copied().unwrap_or_else(Instant::now)
    }

    /// Waits for what comes next.
    pub(super) fn next(&self, run: &Run, give_up: Instant) -> Event {
        loop {
            if run.interrupted.load(Ordering::Relaxed) {
                return end(State::Skipped, "interrupted in the middle of this item");
            }
            let left = give_up.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return self.late(run);
            }
            match self.chunks.recv_timeout(left.min(LOOK)) {
                Ok(Chunk::Start {
                    name,
                    expected_bytes,
                }) => {
                    return Event::Start {
                        name,
                        expected_bytes,
                    };
                }
                Ok(Chunk::Bytes(bytes)) => return Event::Bytes(bytes),
                Ok(Chunk::End(outcome)) => return Event::End(outcome),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return end(State::Failed, "it ended without an answer");
                }
            }
        }
    }

    fn late(&self, run: &Run) -> Event {
        if run.deadline.is_some_and(|end| Instant::now() >= end) {
            return end(State::Timeout, "given up at the deadline of the run");
        }
        let reason = format!("given up after {} s", self.limit.as_secs_f32());
        end(State::Timeout, &reason)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn end(state: State, reason: &str) -> Event {
    Event::End(Box::new(Outcome::new(state).because(reason)))
}
