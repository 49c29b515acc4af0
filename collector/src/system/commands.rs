//! Console programs of Windows whose output is evidence.

use std::io::Read;
use std::time::Duration;

use super::{SysResult, not_implemented};

/// Console programs of Windows whose output is evidence.
pub trait Commands: Send + Sync {
    /// Starts a program of the system folder (`CreateProcessW`), without a window and without
    /// input. It and its children end when they have run for `time`, or when the answer is dropped.
    ///
    /// # Errors
    /// That of the call: 2 where there is no such program.
    fn start(
        &self,
        program: &str,
        arguments: &[&str],
        time: Duration,
    ) -> SysResult<Box<dyn Running>> {
        let _ = (program, arguments, time);
        not_implemented("CreateProcessW")
    }
}

/// A running program. Reading it gives its output as it comes, in the OEM code page;
/// [`std::io::ErrorKind::TimedOut`] where its time was up.
pub trait Running: Read {
    /// Waits for the end; the exit status, unless the program had to be ended.
    fn exit_status(&mut self) -> Option<u32>;
}
