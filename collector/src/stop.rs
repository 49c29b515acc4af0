//! Ending early: Ctrl-C, a closing console, a shutdown.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag that becomes true when the program is asked to end. A second Ctrl-C ends it at once.
pub fn on_request() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    listen(&flag);
    flag
}

#[cfg(unix)]
fn listen(flag: &Arc<AtomicBool>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    // 128 and the number of SIGINT, as shells have it.
    const INTERRUPTED: i32 = 130;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let again = Arc::clone(flag);
        // Without a handler the signal just ends the program: the bundle stays readable.
        drop(signal_hook::flag::register_conditional_shutdown(
            signal,
            INTERRUPTED,
            again,
        ));
        drop(signal_hook::flag::register(signal, Arc::clone(flag)));
    }
}

#[cfg(windows)]
fn listen(flag: &Arc<AtomicBool>) {
    crate::win32::console::on_end(Arc::clone(flag));
}
