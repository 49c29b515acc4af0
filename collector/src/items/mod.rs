//! What can be collected: one file a family of items, and the table that says when each runs and
//! how long it may take.

mod accounts;
mod clouds;
mod counters;
mod dump_files;
mod event_logs;
mod expand;
mod exported;
mod filetime;
mod firewall;
mod hardware;
mod licensing;
mod machine_keys;
mod machine_signs;
mod metadata;
mod network;
mod outcome;
mod parts;
mod paths;
mod patience;
mod port_ranges;
mod probes;
mod processes;
mod registry;
mod registry_keys;
mod services;
mod sessions;
mod sink;
mod sockets;
#[cfg(test)]
mod testing;
mod texts;
mod volumes;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::system::System;

pub use outcome::{Outcome, state_of};
pub use sink::{Chunk, Sink, Stopped, Streamed};

/// When an item runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Samples the machine over the counter window: started first, all at once, and ended when the
    /// window closes. Only [`Phase::Quick`] items run beside them, so that the collector does not
    /// measure itself.
    Window,
    /// Cheap and volatile.
    Quick,
    /// Reads or writes much: hives, event logs, what goes over the disk. After the window.
    Heavy,
}

/// How one item is collected.
pub struct Collector {
    /// Id in the bundle's item table.
    pub item: &'static str,
    /// When it runs.
    pub phase: Phase,
    /// How long it may take before the engine gives it up.
    pub limit: Duration,
    /// Collects it. Runs on a thread of its own that the engine abandons when it hangs, so it owns
    /// all that it uses.
    pub collect: fn(&mut Job) -> Outcome,
}

/// What a running item works with.
pub struct Job {
    /// The machine.
    pub system: Arc<dyn System>,
    /// Where its artifacts go.
    pub sink: Sink,
    /// What the run was asked for.
    pub settings: Arc<Settings>,
    /// Becomes true when the item has to stop: interrupted, out of time, or past the deadline.
    pub stop: Arc<AtomicBool>,
    /// When its time is up. The engine waits a moment longer for what it has by then.
    pub until: Instant,
}

/// Every way to collect an item, family by family. The order of a run is that of the bundle's item
/// table within each phase.
pub static COLLECTORS: &[&[Collector]] = &[
    counters::COLLECTORS,
    hardware::COLLECTORS,
    processes::COLLECTORS,
    services::COLLECTORS,
    sessions::COLLECTORS,
    licensing::COLLECTORS,
    accounts::COLLECTORS,
    firewall::COLLECTORS,
    metadata::COLLECTORS,
    network::COLLECTORS,
    port_ranges::COLLECTORS,
    probes::COLLECTORS,
    sockets::COLLECTORS,
    texts::COLLECTORS,
    registry_keys::COLLECTORS,
    registry::COLLECTORS,
    event_logs::COLLECTORS,
    volumes::COLLECTORS,
    dump_files::COLLECTORS,
    paths::COLLECTORS,
    machine_keys::COLLECTORS,
];

impl Job {
    /// Whether the item should end now with what it has.
    pub fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || Instant::now() >= self.until
    }

    /// Sleeps, but not past the end of the item; false when the item should end now.
    pub fn sleep(&self, time: Duration) -> bool {
        const STEP: Duration = Duration::from_millis(50);
        let wake = Instant::now() + time;
        loop {
            if self.is_over() {
                return false;
            }
            let left = wake.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(STEP));
        }
    }
}

/// What a run was asked for, as far as items care.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Events older than this are not collected.
    pub since: Timestamp,
    /// Most bytes of one event log's export; the newest records are kept. `None`: no cap.
    pub log_bytes: Option<u64>,
    /// Samples of the performance counters, one a second; the process and socket tables are taken
    /// at both ends of that window.
    pub samples: u32,
    /// The folder, open to administrators alone, for the one exported file that may lie there, see
    /// [`Settings::export_file`].
    pub scratch: PathBuf,
    /// How often that file was used so far.
    pub exports: Arc<AtomicU64>,
}

impl Settings {
    /// Length of the counter window: the time between the first and the last sample.
    pub fn window(&self) -> Duration {
        Duration::from_secs(u64::from(self.samples.saturating_sub(1)))
    }

    /// The one file that an item may export on its way into the bundle. The item removes it when it
    /// is read; after a kill the next run does, which knows this name alone.
    pub fn export_file(&self) -> PathBuf {
        self.scratch.join(crate::scratch::FILE)
    }
}
