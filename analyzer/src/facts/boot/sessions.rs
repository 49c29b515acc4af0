//! Boot sessions, and the incidents that began some of them.
//!
//! Record ids tell the order: at boot the clock may be hours wrong, and Kernel-General 12 is
//! written before or after `EventLog` 6005, depending on how early the log service starts. So the
//! two are taken as one boot: a session ends where a mark comes a second time, or after the log
//! service stopped (6006).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bugcheck::Bugcheck;
use super::events::{Events, Kept, SYSTEM};
use crate::facts::evidence::Evidence;

/// Windows from one start to the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// When Windows started, UTC: the log service's start, else the kernel's.
    pub started: Timestamp,
    /// Id of the first record of the session.
    pub first_record: u64,
    /// Whether the log service was stopped (6006), as it is when Windows shuts down in order.
    pub stopped: bool,
    /// The records of the start.
    pub evidence: Vec<Evidence>,
}

/// A start of Windows that followed a crash, a power loss or a hard reset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Incident {
    /// When Windows was up again, UTC.
    pub time: Timestamp,
    /// The last sign of life before, UTC (`EventLog` 6008).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_alive: Option<Timestamp>,
    /// What happened.
    pub class: IncidentClass,
    /// The stop of Windows, for a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bugcheck: Option<Bugcheck>,
    /// The power button was pressed.
    pub power_button: bool,
    /// The machine was on its way into sleep.
    pub sleeping: bool,
    /// The reason that an administrator gave afterwards (User32 1076), in the machine's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The records: Kernel-Power 41, `EventLog` 6008, 1001.
    pub evidence: Vec<Evidence>,
}

/// What an incident was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IncidentClass {
    /// Windows stopped itself: 1001, or 41 with a stop code.
    Bugcheck,
    /// Power loss or hard reset: 41 without a stop code, or 6008, and no 1001.
    PowerLoss,
}

/// The sessions that the log holds, and the incidents, both oldest first.
pub(super) fn assemble(events: &Events, artifact: &str) -> (Vec<Session>, Vec<Incident>) {
    let mut marks: Vec<&Kept> = [12, 41, 1001, 1076, 6005, 6006, 6008, 6009]
        .into_iter()
        .flat_map(|id| events.of(SYSTEM, id))
        .collect();
    marks.sort_by_key(|kept| (kept.record_id, kept.time));
    let mut boots: Vec<Boot<'_>> = Vec::new();
    for mark in marks {
        match boots.last_mut() {
            Some(boot) if !boot.ended_by(mark.id) => boot.marks.push(mark),
            _ => boots.push(Boot { marks: vec![mark] }),
        }
    }
    let sessions = boots
        .iter()
        .filter_map(|boot| boot.session(artifact))
        .collect();
    let incidents = boots
        .iter()
        .filter_map(|boot| boot.incident(artifact))
        .collect();
    (sessions, incidents)
}

/// The records of one session.
struct Boot<'a> {
    marks: Vec<&'a Kept>,
}

impl Boot<'_> {
    fn find(&self, id: u32) -> Option<&Kept> {
        self.marks.iter().find(|mark| mark.id == id).copied()
    }

    /// Whether a mark is the first of the next session. The log service writes 6008, 6009 and
    /// 6005, in this order, when it starts.
    fn ended_by(&self, id: u32) -> bool {
        let has = |id| self.find(id).is_some();
        match id {
            12 => has(12) || has(6006),
            6005 => has(6005) || has(6006),
            6008 | 6009 => has(id) || has(6005) || has(6006),
            _ => false,
        }
    }

    fn session(&self, artifact: &str) -> Option<Session> {
        let start = self.find(6005).or(self.find(12)).or(self.find(6009))?;
        let starts = [12, 6005].into_iter().filter_map(|id| self.find(id));
        Some(Session {
            started: start.time,
            first_record: self
                .marks
                .first()
                .map_or(start.record_id, |mark| mark.record_id),
            stopped: self.find(6006).is_some(),
            evidence: starts.map(|kept| kept.evidence(artifact)).collect(),
        })
    }

    fn incident(&self, artifact: &str) -> Option<Incident> {
        let (power, unexpected) = (self.find(41), self.find(6008));
        let report = self.find(1001);
        // 6008 comes first here: the kernel's 41 may be dated by a clock not yet set right.
        let first = unexpected.or(power).or(report)?;
        let bugcheck = report
            .and_then(reported)
            .or_else(|| power.and_then(recorded));
        let crashed = report.is_some() || bugcheck.is_some();
        Some(Incident {
            time: first.time,
            last_alive: unexpected.and_then(|kept| last_alive(kept.fields.binary()?)),
            class: if crashed {
                IncidentClass::Bugcheck
            } else {
                IncidentClass::PowerLoss
            },
            bugcheck,
            power_button: power.is_some_and(power_button),
            sleeping: power.and_then(|kept| kept.truth("SleepInProgress")) == Some(true),
            reason: self
                .find(1076)
                .map(|kept| kept.text("param1", 0))
                .filter(|reason| !reason.is_empty()),
            evidence: [power, unexpected, report]
                .into_iter()
                .flatten()
                .map(|kept| kept.evidence(artifact))
                .collect(),
        })
    }
}

/// The stop that 1001 reports after the next start.
fn reported(kept: &Kept) -> Option<Bugcheck> {
    let mut bugcheck = Bugcheck::parse(&kept.text("param1", 0))?;
    bugcheck.dump = Some(kept.text("param2", 1)).filter(|dump| !dump.is_empty());
    Some(bugcheck)
}

/// The stop that Kernel-Power 41 carries, in decimal; 0 says that there was none.
fn recorded(kept: &Kept) -> Option<Bugcheck> {
    let code = kept
        .number("BugcheckCode")
        .and_then(|code| u32::try_from(code).ok())
        .filter(|code| *code != 0)?;
    let parameters = (1..=4)
        .filter_map(|n| kept.number(&format!("BugcheckParameter{n}")))
        .collect();
    Some(Bugcheck {
        code,
        parameters,
        dump: None,
    })
}

fn power_button(kept: &Kept) -> bool {
    kept.number("PowerButtonTimestamp").unwrap_or(0) != 0
        || kept.truth("LongPowerButtonPressDetected") == Some(true)
}

/// The second SYSTEMTIME of 6008's `Binary`: the first is local time, this one UTC.
fn last_alive(binary: &[u8]) -> Option<Timestamp> {
    let part = |index: usize| {
        let bytes = binary.get(16 + index * 2..18 + index * 2)?;
        bytes.try_into().ok().map(u16::from_le_bytes)
    };
    let small = |index| part(index).and_then(|part| i8::try_from(part).ok());
    let year = i16::try_from(part(0)?).ok().filter(|year| *year >= 1601)?;
    let nanoseconds = i32::from(part(7)?).checked_mul(1_000_000)?;
    let time = DateTime::new(
        year,
        small(1)?,
        small(3)?,
        small(4)?,
        small(5)?,
        small(6)?,
        nanoseconds,
    );
    Offset::UTC.to_timestamp(time.ok()?).ok()
}
