//! Servicing: when packages and updates of Windows were put in or taken out.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{EventFamily, Want};
use super::records::{self, Record, Records};
use super::sources::Sources;
use crate::formats::evtx::{Event, Fields};

const SYSTEM: &str = "System";
const SETUP: &str = "Setup";

/// Records so close to each other belong to one window. Ours: between the start and the end of a
/// package, and over the restart that it asks for, pass minutes.
const GAP: SignedDuration = SignedDuration::from_hours(1);

/// The service that updates apps of the Store, as `WindowsUpdateClient` names it in every language
/// (seen in a Windows 10 21H1 log for every app, and for no update).
const STORE: &str = "855e8a7c-ecb4-4ca3-b045-1dfa50104289";
/// Definitions of Microsoft Defender: they come several times a day and change no setting.
const DEFINITIONS: &str = "KB2267602";

/// A step of servicing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Servicing 1: a package begins to change; `WindowsUpdateClient` 43: an update begins.
    Began,
    /// Servicing 2, 3: a package was changed, or could not be; `WindowsUpdateClient` 19: an
    /// update was installed.
    Ended,
    /// Servicing 4: a restart is needed before a package is changed.
    RestartNeeded,
}

/// What the logs say of servicing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Servicing {
    /// By kind, channel and record id; at most eight of each. The subject is the package or the
    /// update. Apps of the Store and definitions of Defender are left out.
    pub records: Vec<Record<Step>>,
}

/// A span in which Windows was serviced.
#[derive(Clone, Debug, PartialEq)]
pub struct Window<'a> {
    /// Its records, oldest first; never empty.
    pub records: Vec<&'a Record<Step>>,
    /// The time of the first.
    pub from: Timestamp,
    /// The time of the last.
    pub to: Timestamp,
}

impl Servicing {
    pub(super) fn gather(sources: &Sources) -> Self {
        Self {
            records: sources.events().servicing.records.gather(sources),
        }
    }

    /// The window in which `time` lies, or that it misses by `slack` at most.
    pub fn around(&self, time: Timestamp, slack: SignedDuration) -> Option<Window<'_>> {
        let holds = |window: &Window<'_>| {
            time.duration_since(window.from) >= -slack && time.duration_since(window.to) <= slack
        };
        self.windows().into_iter().find(holds)
    }

    fn windows(&self) -> Vec<Window<'_>> {
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort_by_key(|record| (record.time, &record.channel, record.record_id));
        let mut windows: Vec<Window<'_>> = Vec::new();
        for record in records {
            match windows.last_mut() {
                Some(window) if record.time.duration_since(window.to) <= GAP => {
                    window.to = record.time;
                    window.records.push(record);
                }
                _ => windows.push(Window {
                    records: vec![record],
                    from: record.time,
                    to: record.time,
                }),
            }
        }
        windows
    }
}

impl<'a> Window<'a> {
    /// What was put in or taken out: packages and updates, each once, in their order.
    pub fn subjects(&self) -> Vec<&'a str> {
        let mut subjects: Vec<&str> = Vec::new();
        for subject in self.records.iter().filter_map(|one| one.subject.as_deref()) {
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }
}

/// The newest records of servicing, while the logs are read.
#[derive(Default)]
pub struct Events {
    records: Records<Step>,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SETUP,
            providers: &["Microsoft-Windows-Servicing"],
            ids: &[1, 2, 3, 4],
        },
        Want {
            channel: SYSTEM,
            providers: &["Microsoft-Windows-WindowsUpdateClient"],
            ids: &[19, 43],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let step = match event.header.event_id {
            1 | 43 => Step::Began,
            2 | 3 | 19 => Step::Ended,
            _ => Step::RestartNeeded,
        };
        let subject =
            text(&event.fields, "PackageIdentifier").or_else(|| text(&event.fields, "updateTitle"));
        let is_definition = subject.as_ref().is_some_and(|it| it.contains(DEFINITIONS));
        if is_definition || is_of_store(&event.fields) {
            return;
        }
        if let Some(channel) = records::channel(Self::WANTS, &event.header) {
            self.records.offer(step, channel, event, subject);
        }
    }

    fn merge(&mut self, later: Self) {
        self.records.merge(later.records);
    }
}

fn text(fields: &Fields, name: &str) -> Option<String> {
    let value = fields.get(name)?;
    (!value.is_empty()).then(|| value.to_string())
}

fn is_of_store(fields: &Fields) -> bool {
    let service = fields.get("serviceGuid").map(ToString::to_string);
    service.is_some_and(|service| service.to_lowercase().contains(STORE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::evidence::Evidence;
    use crate::facts::locator::Locator;

    fn at(minutes: i64) -> Timestamp {
        let start: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        start + SignedDuration::from_mins(minutes)
    }

    fn record(minutes: i64, subject: &str) -> Record<Step> {
        Record {
            kind: Step::Began,
            channel: SETUP.to_owned(),
            event_id: 1,
            record_id: 1,
            time: at(minutes),
            subject: Some(subject.to_owned()),
            evidence: Evidence::new("eventlog/Setup.evtx", Locator::record(SETUP, 1), "x"),
        }
    }

    #[test]
    fn records_an_hour_apart_are_one_window() {
        let servicing = Servicing {
            records: vec![record(121, "B"), record(0, "A"), record(60, "A")],
        };
        let none = SignedDuration::ZERO;
        let first = servicing.around(at(30), none).unwrap();
        assert_eq!((first.from, first.to), (at(0), at(60)));
        assert_eq!(first.subjects(), ["A"]);
        assert_eq!(servicing.around(at(121), none).unwrap().subjects(), ["B"]);
        assert_eq!(servicing.around(at(90), none), None);
        let slack = SignedDuration::from_mins(5);
        assert!(servicing.around(at(65), slack).is_some());
        assert!(servicing.around(at(-5), slack).is_some());
        for minutes in [-6, 66, 115, 127] {
            assert_eq!(servicing.around(at(minutes), slack), None, "{minutes}");
        }
    }
}
