//! Takes in what an item brings, and writes it into the bundle.

use std::io::{self, Read};
use std::time::Instant;

use snapdiag_bundle::{ItemRow, State, WriteError, items};

use super::running::{Event, Running, Started};
use super::{Run, Writer};
use crate::items::Outcome;

pub(super) struct Intake<'a> {
    run: &'a Run,
    writer: &'a mut Writer,
    tell: &'a mut dyn FnMut(&ItemRow),
    /// Whether every item so far ended as it should.
    pub(super) whole: bool,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        run: &'a Run,
        writer: &'a mut Writer,
        tell: &'a mut dyn FnMut(&ItemRow),
    ) -> Self {
        Self {
            run,
            writer,
            tell,
            whole: true,
        }
    }

    /// Waits for the end of an item, writes its artifacts as they come, then its row.
    pub(super) fn finish(&mut self, started: Started) -> Result<(), WriteError> {
        let (outcome, done) = match started.way {
            Ok(running) => (self.take(&running)?, running.done()),
            Err(outcome) => {
                self.whole = false;
                (*outcome, started.at)
            }
        };
        let row = ItemRow {
            method: outcome.method.map(str::to_owned),
            started_ms: millis(self.run.started, started.at),
            elapsed_ms: millis(started.at, done),
            error: outcome.error,
            reason: outcome.reason,
            log: outcome.log,
            ..ItemRow::new(started.item, outcome.state)
        };
        let row = self.write(row)?;
        self.whole &= self.is_fine(&row);
        (self.tell)(&row);
        Ok(())
    }

    /// Writes a row behind its artifacts. Where the disk did not take them, they are taken out
    /// again and the row says so: that makes room for it, and for the end of the bundle.
    fn write(&mut self, row: ItemRow) -> Result<ItemRow, WriteError> {
        let row = self.writer.end_item(row)?;
        if !self.run.room.is_full() {
            return Ok(row);
        }
        self.writer.take_back_item()?;
        self.run.room.reopen();
        self.writer.end_item(ItemRow {
            state: State::Failed,
            reason: self.run.over(),
            ..row
        })
    }

    fn is_fine(&self, row: &ItemRow) -> bool {
        match row.state {
            State::Ok | State::Absent => true,
            State::Empty => items::by_id(&row.item).is_some_and(|item| item.may_be_empty),
            // By its nature, unless the run's end cut it off.
            State::Skipped => self.run.over().is_none(),
            _ => false,
        }
    }

    fn take(&mut self, running: &Running) -> Result<Outcome, WriteError> {
        let give_up = running.give_up();
        let mut artifacts = 0;
        let mut event = running.next(self.run, give_up);
        loop {
            let (name, expected_bytes) = match event {
                Event::Start {
                    name,
                    expected_bytes,
                } => (name, expected_bytes),
                Event::End(outcome) if outcome.state.has_content() && artifacts == 0 => {
                    return Ok(failed("it brought no artifact"));
                }
                Event::End(outcome) => return Ok(*outcome),
                Event::Bytes(_) => return Ok(failed("it sent bytes of no artifact")),
            };
            let mut pieces = Pieces {
                next: &mut || {
                    if self.run.room.is_full() {
                        return Event::End(Box::new(failed("the bundle's disk took no more")));
                    }
                    running.next(self.run, give_up)
                },
                piece: Vec::new(),
                read: 0,
                after: None,
            };
            match self.writer.artifact(&name, expected_bytes, &mut pieces) {
                Ok(_) => artifacts += 1,
                Err(error @ WriteError::Target(_)) => return Err(error),
                Err(error) => return Ok(failed(&error.to_string())),
            }
            event = match pieces.after {
                Some(event) => event,
                None => running.next(self.run, give_up),
            };
        }
    }
}

/// The bytes of one artifact, as they come.
struct Pieces<'a> {
    next: &'a mut dyn FnMut() -> Event,
    piece: Vec<u8>,
    read: usize,
    /// What came after the artifact's bytes.
    after: Option<Event>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.piece.len() {
            if self.after.is_some() {
                return Ok(0);
            }
            match (self.next)() {
                Event::Bytes(bytes) => (self.piece, self.read) = (bytes, 0),
                event => self.after = Some(event),
            }
        }
        let mut rest = self.piece.get(self.read..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.read += read;
        Ok(read)
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::new(State::Failed).because(reason)
}

fn millis(from: Instant, to: Instant) -> u64 {
    let time = to.saturating_duration_since(from);
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
