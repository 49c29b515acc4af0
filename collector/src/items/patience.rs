//! Questions that may never be answered.

use std::sync::mpsc;
use std::time::Duration;

/// The answer of `ask`, if it comes within that time. It is asked on a thread of its own, which is
/// left behind when it does not answer.
pub(super) fn within<T: Send + 'static>(
    time: Duration,
    ask: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (answer, answered) = mpsc::channel();
    // A send fails when nobody waits any more.
    let thread = std::thread::Builder::new().spawn(move || drop(answer.send(ask())));
    thread.ok()?;
    answered.recv_timeout(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_does_not_come_is_not_waited_for() {
        assert_eq!(within(Duration::from_secs(5), || 7), Some(7));
        let (never, silence) = mpsc::channel::<()>();
        let hangs = move || silence.recv().is_ok();
        assert_eq!(within(Duration::from_millis(20), hangs), None);
        drop(never);
    }
}
