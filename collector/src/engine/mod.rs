//! Runs the items: those that sample the machine over the counter window all at once, meanwhile
//! the quick ones one after another, then it takes in the samples, then the heavy ones. Whatever
//! an item does, it costs no more than its time limit; its row is in the journal as it ends.

mod intake;
mod running;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use snapdiag_bundle::{BundleWriter, ItemRow, WriteError, ZipTarget};

use crate::items::{Job, Outcome, Phase, Settings};
use crate::output::{Output, Room};
use crate::system::System;
use intake::Intake;

/// How an item is collected, once.
pub type Work = Box<dyn FnOnce(&mut Job) -> Outcome + Send>;

/// What writes the bundle.
pub type Writer = BundleWriter<ZipTarget<Output>>;

/// One item to collect.
pub struct Task {
    /// Id in the bundle's item table.
    pub item: &'static str,
    /// When it runs.
    pub phase: Phase,
    /// How long it may take.
    pub limit: Duration,
    /// Collects it, on a thread of its own.
    pub work: Work,
}

/// What a run works with.
pub struct Run {
    /// The machine.
    pub system: Arc<dyn System>,
    /// What items care for.
    pub settings: Arc<Settings>,
    /// When the run started: the times of rows count from here.
    pub started: Instant,
    /// When nothing is started any more and what still runs is given up; `None`: never.
    pub deadline: Option<Instant>,
    /// Becomes true when the run is to end: Ctrl-C, a closing console.
    pub interrupted: Arc<AtomicBool>,
    /// Bytes of the bundle at which no further heavy item is started; `None`: no such limit.
    pub most_bytes: Option<u64>,
    /// How the writing of the bundle goes.
    pub room: Arc<Room>,
}

/// Runs the tasks, and writes each one's artifacts and row. `tell` hears of each row as its item
/// ends. Answers whether every item ended as it should: collected, or there is nothing of it by
/// nature.
///
/// # Errors
/// When the bundle cannot be written for another reason than its disk, of which [`Run::room`] knows.
pub fn run(
    run: &Run,
    tasks: Vec<Task>,
    writer: &mut Writer,
    tell: &mut dyn FnMut(&ItemRow),
) -> Result<bool, WriteError> {
    let mut intake = Intake::new(run, writer, tell);
    let (sampling, rest) = split(tasks, Phase::Window);
    let (quick, heavy) = split(rest, Phase::Quick);

    let sampling: Vec<_> = sampling.into_iter().map(|task| run.start(task)).collect();
    for task in quick {
        intake.finish(run.start(task))?;
    }
    for started in sampling {
        intake.finish(started)?;
    }
    for task in heavy {
        intake.finish(run.start(task))?;
    }
    Ok(intake.whole)
}

/// The tasks of a phase, and the others.
fn split(tasks: Vec<Task>, phase: Phase) -> (Vec<Task>, Vec<Task>) {
    tasks.into_iter().partition(|task| task.phase == phase)
}

impl Run {
    /// Why nothing more is started, if so.
    fn over(&self) -> Option<String> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some("interrupted".to_owned());
        }
        if let Some(fault) = self.room.fault() {
            return Some(format!("the bundle's disk took no more: {fault}"));
        }
        let late = self.deadline.is_some_and(|end| Instant::now() >= end);
        late.then(|| "the deadline of the run had passed".to_owned())
    }

    /// Why a task is not started, if so.
    fn refuses(&self, task: &Task) -> Option<String> {
        let full = self
            .most_bytes
            .filter(|most| self.room.written() >= *most)
            .filter(|_| task.phase == Phase::Heavy);
        self.over()
            .or_else(|| full.map(|most| format!("the bundle has reached {} MB", most / 1_000_000)))
    }
}
