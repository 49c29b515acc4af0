//! Items made of several answers: what was answered is kept, what was not is remembered.

use serde::Serialize;
use snapdiag_bundle::{OsError, State};

use super::{Job, Outcome};
use crate::system::{NOT_IMPLEMENTED, SysResult};

/// How many calls that failed are named in the reason.
const NAMED: usize = 4;
/// `ERROR_PROC_NOT_FOUND`: this version of Windows has no such function.
const PROC_NOT_FOUND: u32 = 127;

/// What became of the parts of one item.
#[derive(Debug, Default)]
pub(super) struct Parts {
    answered: bool,
    /// The first error of each call.
    faults: Vec<OsError>,
    /// Why it is not whole, besides calls that failed.
    cuts: Vec<String>,
}

impl Parts {
    /// The answer, or `None` and a fault.
    pub(super) fn take<T>(&mut self, answer: SysResult<T>) -> Option<T> {
        match answer {
            Ok(value) => {
                self.answered = true;
                Some(value)
            }
            Err(error) => {
                self.fault(error);
                None
            }
        }
    }

    /// The same for what not every version of Windows or every processor has: its lack is no fault.
    pub(super) fn take_newer<T>(&mut self, answer: SysResult<T>) -> Option<T> {
        match answer {
            Err(error) if matches!(error.code, NOT_IMPLEMENTED | PROC_NOT_FOUND) => None,
            answer => self.take(answer),
        }
    }

    /// Notes an error that cost a part.
    pub(super) fn fault(&mut self, error: OsError) {
        if self.faults.iter().all(|known| known.call != error.call) {
            self.faults.push(error);
        }
    }

    /// Notes that something is missing for another reason.
    pub(super) fn cut(&mut self, why: impl Into<String>) {
        self.cuts.push(why.into());
    }

    /// Writes the record and says how the item ended: failed with the first error where nothing
    /// was answered.
    pub(super) fn finish<T: Serialize>(
        self,
        job: &mut Job,
        name: &str,
        record: &T,
        method: &'static str,
    ) -> Outcome {
        if !self.answered {
            return self.failed(method);
        }
        if job.sink.json(name, record).is_err() {
            return Outcome::stopped().by(method);
        }
        match self.reason() {
            None => Outcome::ok(method),
            Some(reason) => Outcome::new(State::Truncated)
                .by(method)
                .after(self.faults.into_iter().next())
                .because(reason),
        }
    }

    /// The end of an item of which nothing is there.
    pub(super) fn failed(self, method: &'static str) -> Outcome {
        let reason = self.reason();
        let outcome = match self.faults.into_iter().next() {
            Some(error) => Outcome::failed(error),
            None => Outcome::new(State::Failed),
        };
        let outcome = outcome.by(method);
        match reason {
            Some(reason) => outcome.because(reason),
            None => outcome,
        }
    }

    fn reason(&self) -> Option<String> {
        let faults = self.faults.iter().take(NAMED).map(ToString::to_string);
        let mut parts: Vec<String> = faults.chain(self.cuts.iter().cloned()).collect();
        if let Some(more) = self
            .faults
            .len()
            .checked_sub(NAMED)
            .filter(|more| *more > 0)
        {
            parts.push(format!("and {more} more calls failed"));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
