//! A sign of life on stderr, for a person who waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use snapdiag::report::sanitize;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);

/// Says what goes on as long as it lives, after a second, and only on a terminal.
pub(super) struct Progress {
    end: Option<Sender<()>>,
    speaker: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins something.
    pub(super) fn begin(what: &str) -> Self {
        if !io::stderr().is_terminal() {
            return Self {
                end: None,
                speaker: None,
            };
        }
        let (end, ended) = channel();
        let what = sanitize::shortened(what, 60);
        Self {
            end: Some(end),
            speaker: Some(thread::spawn(move || speak(&what, &ended))),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(speaker) = self.speaker.take() {
            // A speaker that fell silent is nothing to stop for.
            let _ = speaker.join();
        }
    }
}

fn speak(what: &str, ended: &Receiver<()>) {
    let mut seconds = 0;
    while ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
        seconds += PATIENCE.as_secs();
        let _ = write!(io::stderr(), "\r{what} … {seconds} s");
    }
    if seconds > 0 {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
