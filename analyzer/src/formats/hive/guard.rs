//! The boundary to nt-hive: a panic behind it becomes an error.
//!
//! Cells are looked at before nt-hive is asked for them, so that no panic is known to be left;
//! this is for those that are not known.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use nt_hive::NtHiveError;

use super::cells::position;
use crate::formats::registry::RegistryError;

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Counts the panics that were caught.
#[derive(Debug, Default)]
pub(super) struct Guard {
    panics: AtomicU64,
}

impl Guard {
    /// Runs `ask`, which calls nt-hive for the structure `what` in the cell at `offset`.
    pub(super) fn run<T>(
        &self,
        what: &'static str,
        offset: u32,
        ask: impl FnOnce() -> Result<T, NtHiveError>,
    ) -> Result<T, RegistryError> {
        GUARDED.set(true);
        let answer = catch_unwind(AssertUnwindSafe(ask));
        GUARDED.set(false);
        let found = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                self.panics.fetch_add(1, Ordering::Relaxed);
                "a panic of the reader".to_owned()
            }
        };
        Err(RegistryError::new(
            position(offset),
            what,
            "what nt-hive accepts",
            found,
        ))
    }

    pub(super) fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }
}

/// Keeps the process's panic hook from printing panics that the hive reader catches.
///
/// For a program's `main`: a library must not change the hook of its process unasked. Only the
/// first call does something; all other panics go to the hook that was there before.
pub fn silence_guarded_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                before(panic);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_counted_error() {
        silence_guarded_panics();
        let guard = Guard::default();
        let answer: Result<(), _> = guard.run("key", 32, || panic!("as nt-hive may"));
        assert_eq!(answer.expect_err("an error").offset, 4128);
        assert_eq!(guard.panics(), 1);
        assert_eq!(guard.run("key", 32, || Ok(7)), Ok(7));
    }
}
