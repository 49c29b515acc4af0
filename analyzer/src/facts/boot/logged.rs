//! Records that are facts by themselves: shutdowns, disks, file systems, changes.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{APPLICATION, Events, Kept, SYSTEM};
use crate::facts::evidence::Evidence;

/// A record and the parts of it that are worth saying.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoggedEvent {
    /// The event ID.
    pub id: u32,
    /// The record's id in its log; tells the order.
    pub record_id: u64,
    /// When, UTC.
    pub time: Timestamp,
    /// What it is about: a volume, a disk, an update, a driver, the process that asked for a
    /// shutdown; empty where the event names nothing.
    pub subject: String,
    /// What it says of that.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The record.
    pub evidence: Evidence,
}

fn event(kept: &Kept, subject: String, detail: String, artifact: &str) -> LoggedEvent {
    LoggedEvent {
        id: kept.id,
        record_id: kept.record_id,
        time: kept.time,
        subject,
        detail,
        evidence: kept.evidence(artifact),
    }
}

fn in_order(mut list: Vec<LoggedEvent>) -> Vec<LoggedEvent> {
    list.sort_by(|a, b| (a.record_id, a.time, &a.subject).cmp(&(b.record_id, b.time, &b.subject)));
    list
}

/// Shutdowns that somebody asked for (User32 1074: process, kind) or the kernel carried out
/// (Kernel-Power 109).
pub(super) fn shutdowns(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let asked = events.of(SYSTEM, 1074).map(|kept| {
        let detail = format!("{} by {}", kept.text("param5", 4), kept.text("param7", 6));
        event(kept, kept.text("param1", 0), detail, artifact)
    });
    let carried_out = events
        .of(SYSTEM, 109)
        .map(|kept| event(kept, String::new(), String::new(), artifact));
    in_order(asked.chain(carried_out).collect())
}

/// What Ntfs said of volumes: 55, 98, 130, 131, 137. The detail of 98 is the state that it found.
pub(super) fn file_systems(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let list = events.of_volumes().map(|(volume, kept)| {
        let state = match kept.id {
            98 => kept.text("CorruptionActionState", 2),
            _ => String::new(),
        };
        event(kept, volume.to_owned(), state, artifact)
    });
    in_order(list.collect())
}

/// What the disk driver said: 7 bad block, 11 controller, 51 paging, 153 retried.
pub(super) fn disks(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let list = [7, 11, 51, 153]
        .into_iter()
        .flat_map(|id| events.of(SYSTEM, id))
        .map(|kept| event(kept, kept.text("DeviceName", 0), String::new(), artifact));
    in_order(list.collect())
}

/// Dumps that could not be prepared (volmgr 46) or written (161).
pub(super) fn dump_failures(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let list = [46, 161]
        .into_iter()
        .flat_map(|id| events.of(SYSTEM, id))
        .map(|kept| event(kept, kept.text("DeviceName", 0), String::new(), artifact));
    in_order(list.collect())
}

/// New drivers (7045: name, file) and installed updates (`WindowsUpdateClient` 19: title).
pub(super) fn changes(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let drivers = events.of(SYSTEM, 7045).map(|kept| {
        let file = kept.text("ImagePath", 1);
        event(kept, kept.text("ServiceName", 0), file, artifact)
    });
    let updates = events
        .of(SYSTEM, 19)
        .map(|kept| event(kept, kept.text("updateTitle", 0), String::new(), artifact));
    in_order(drivers.chain(updates).collect())
}

/// What `autochk` wrote at a start (Wininit 1001), in the machine's language.
pub(super) fn disk_checks(events: &Events, artifact: &str) -> Vec<LoggedEvent> {
    let list = events
        .of(APPLICATION, 1001)
        .map(|kept| event(kept, String::new(), String::new(), artifact));
    in_order(list.collect())
}

/// The newest report of the boot loader (Kernel-Boot 20), whether the last start was good.
pub(super) fn newest_boot_status(events: &Events) -> Option<&Kept> {
    events.of(SYSTEM, 20).next_back()
}

/// The newest of the daily records of how long Windows has been up (`EventLog` 6013): its time
/// and the seconds, which are the fifth text.
pub(super) fn newest_uptime(events: &Events) -> Option<(&Kept, i64)> {
    let kept = events.of(SYSTEM, 6013).next_back()?;
    let seconds = kept.text("", 4).trim().parse().ok()?;
    Some((kept, seconds))
}
