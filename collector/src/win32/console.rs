//! The console: being asked to end by Ctrl-C, Ctrl-Break, a console that is closed, a shutdown; and
//! no dialogs, for which nobody may be there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::Win32::System::Diagnostics::Debug::{
    SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX, SetErrorMode,
};
use windows_sys::core::BOOL;

/// How long a closing console lets its programs run at least.
const CLOSING: Duration = Duration::from_secs(5);

static ENDING: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Lets calls fail where Windows would ask for a disk in a dialog, as for a directory of `Path` on a
/// drive without one. The programs that the collector starts inherit this.
pub fn no_dialogs() {
    // SAFETY: takes a number and sets a property of this process.
    unsafe { SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX) };
}

/// Sets the flag when the program is asked to end. The second Ctrl-C ends it at once.
pub fn on_end(flag: Arc<AtomicBool>) {
    if ENDING.set(flag).is_ok() {
        // SAFETY: the handler is a function that lives as long as the program. Where it cannot be
        // set, Ctrl-C just ends the program.
        unsafe { SetConsoleCtrlHandler(Some(handler), 1) };
    }
}

/// Runs on a thread of its own that Windows makes.
unsafe extern "system" fn handler(event: u32) -> BOOL {
    let again = ENDING
        .get()
        .is_some_and(|flag| flag.swap(true, Ordering::Relaxed));
    match event {
        CTRL_C_EVENT | CTRL_BREAK_EVENT => BOOL::from(!again),
        _ => {
            // When this returns the program is ended: until then it may finish the bundle.
            thread::sleep(CLOSING);
            0
        }
    }
}
