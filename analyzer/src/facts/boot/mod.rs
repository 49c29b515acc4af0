//! Boots, shutdowns, crashes and the state of setup.

mod bugcheck;
mod events;
mod live;
mod logged;
mod sessions;
mod settings;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::bugcheck::Bugcheck;
pub use self::events::Events;
pub use self::live::{DumpFile, VolumeState};
pub use self::logged::LoggedEvent;
pub use self::sessions::{Incident, IncidentClass, Session};
pub use self::settings::{ControlSets, CrashControl, PendingRestart, Setup};
use super::fact::Fact;
use super::inventory::Channel;
use super::sources::Sources;

/// Boots, shutdowns, crashes and the state of setup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boot {
    /// How far the System log reaches.
    pub log: Fact<Channel>,
    /// The starts of Windows that the System log holds, oldest first.
    pub sessions: Vec<Session>,
    /// Crashes, power losses and hard resets that it holds, oldest first.
    pub incidents: Vec<Incident>,
    /// When the running Windows was started, UTC, by the newest start in the log, else by the
    /// newest record of its uptime. A live capture's uptime is `machine.uptime_seconds`.
    pub started: Fact<Timestamp>,
    /// Whether the boot loader calls the last start good (Kernel-Boot 20 of the newest start).
    pub last_boot_good: Fact<bool>,
    /// Shutdowns that somebody asked for or the kernel carried out, oldest first.
    pub shutdowns: Vec<LoggedEvent>,
    /// What Ntfs said of volumes, oldest first.
    pub file_systems: Vec<LoggedEvent>,
    /// What the disk driver said, oldest first.
    pub disks: Vec<LoggedEvent>,
    /// Dumps that could not be written, oldest first.
    pub dump_failures: Vec<LoggedEvent>,
    /// New drivers and updates, oldest first.
    pub changes: Vec<LoggedEvent>,
    /// Disk checks at a start, oldest first.
    pub disk_checks: Vec<LoggedEvent>,
    /// When Windows last shut down in order, UTC.
    pub shutdown_time: Fact<Timestamp>,
    /// The state of setup.
    pub setup: Setup,
    /// What is written when Windows crashes.
    pub crash_control: CrashControl,
    /// Which control set Windows uses.
    pub control_sets: ControlSets,
    /// `BootExecute`: what runs before the services, `autocheck autochk *` on a healthy machine.
    pub boot_execute: Fact<Vec<String>>,
    /// Marks of a restart that is waited for.
    pub pending: PendingRestart,
    /// Safe mode at capture: 1 minimal, 2 with network, 3 directory services repair; absent in
    /// normal mode.
    pub safe_boot: Fact<u64>,
    /// `SM_CLEANBOOT` at capture: 0 normal, 1 safe mode, 2 safe mode with network.
    pub clean_boot: Fact<u32>,
    /// `Win32_OperatingSystem.Status` at capture.
    pub wmi_status: Fact<String>,
    /// The dirty bits of the volumes at capture.
    pub volumes: Fact<Vec<VolumeState>>,
    /// The dumps on the disk at capture.
    pub dumps: Fact<Vec<DumpFile>>,
}

impl Boot {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let logged = &sources.events().boot;
        let log = sources.channel("System");
        let system = artifact(&log);
        let application = artifact(&sources.channel("Application"));
        let (sessions, incidents) = sessions::assemble(logged, &system);
        Self {
            started: started(&log, &sessions, logged),
            last_boot_good: last_boot_good(&log, &sessions, logged),
            sessions,
            incidents,
            shutdowns: logged::shutdowns(logged, &system),
            file_systems: logged::file_systems(logged, &system),
            disks: logged::disks(logged, &system),
            dump_failures: logged::dump_failures(logged, &system),
            changes: logged::changes(logged, &system),
            disk_checks: logged::disk_checks(logged, &application),
            log,
            shutdown_time: settings::shutdown_time(sources),
            setup: Setup::gather(sources),
            crash_control: CrashControl::gather(sources),
            control_sets: ControlSets::gather(sources),
            boot_execute: sources
                .system()
                .control_set()
                .texts("Control\\Session Manager", "BootExecute"),
            pending: PendingRestart::gather(sources),
            safe_boot: settings::safe_boot(sources),
            clean_boot: live::clean_boot(sources),
            wmi_status: live::wmi_status(sources),
            volumes: live::volumes(sources),
            dumps: live::dumps(sources),
        }
    }
}

/// The name of the artifact that a channel was read from.
fn artifact(channel: &Fact<Channel>) -> String {
    channel
        .value()
        .map(|channel| channel.artifact.clone())
        .unwrap_or_default()
}

fn started(log: &Fact<Channel>, sessions: &[Session], events: &Events) -> Fact<Timestamp> {
    if let Some(session) = sessions.last() {
        return Fact::known(session.started, session.evidence.clone());
    }
    let by_uptime = logged::newest_uptime(events).and_then(|(kept, seconds)| {
        let time = kept
            .time
            .checked_sub(SignedDuration::from_secs(seconds))
            .ok()?;
        Some(Fact::known(time, [kept.evidence(&artifact(log))]))
    });
    by_uptime.unwrap_or_else(|| nothing_logged(log))
}

/// Only the record of the newest start speaks of the last start.
fn last_boot_good(log: &Fact<Channel>, sessions: &[Session], events: &Events) -> Fact<bool> {
    let newest = logged::newest_boot_status(events).filter(|kept| {
        let first = sessions.last().map(|session| session.first_record);
        first.is_none_or(|first| kept.record_id >= first)
    });
    let Some(kept) = newest else {
        return nothing_logged(log);
    };
    let evidence = [kept.evidence(&artifact(log))];
    match kept.truth("LastBootGood") {
        Some(good) => Fact::known(good, evidence),
        None => Fact::unreadable("event 20 without LastBootGood", evidence),
    }
}

/// Absent from a log that could be read, else as the log itself.
fn nothing_logged<T>(log: &Fact<Channel>) -> Fact<T> {
    log.carry()
        .unwrap_or_else(|| Fact::absent(log.evidence.clone()))
}

#[cfg(test)]
mod tests;
