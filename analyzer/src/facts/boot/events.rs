//! What the logs say of boots, shutdowns, crashes, disks and file systems.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};

use crate::facts::events::{EventFamily, Want};
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::newest::Newest;
use crate::formats::evtx::{Event, Fields, Value};

/// How many records of one kind are kept.
const KEPT: usize = 256;
/// How many records about the file system are kept of one volume and event ID.
const KEPT_OF_VOLUME: usize = 16;
/// How many volumes are told apart; backups mount a new shadow copy every day.
const VOLUMES: usize = 128;
/// These events are a few hundred bytes; a larger one is not believed, so that hostile logs
/// cannot fill the memory. `autochk` alone writes its whole output.
const MAX_TEXT: usize = 16 * 1024;

pub(super) const SYSTEM: &str = "System";
pub(super) const APPLICATION: &str = "Application";

/// A record as the fold keeps it; the artifact's name is known only when facts are gathered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    pub(super) channel: &'static str,
    pub(super) id: u32,
    pub(super) record_id: u64,
    pub(super) time: Timestamp,
    pub(super) fields: Fields,
}

impl Kept {
    /// The record as evidence, found in `artifact`.
    pub(super) fn evidence(&self, artifact: &str) -> Evidence {
        let locator = Locator::record(self.channel, self.record_id);
        let fields: Map<String, Json> = self.fields.to_json();
        Evidence::new(artifact, locator, fields).at(Some(self.time))
    }

    /// The text of a field by its name, or of the positional one; empty where there is none.
    pub(super) fn text(&self, name: &str, position: usize) -> String {
        let named = self.fields.get(name);
        named
            .or_else(|| self.positional(position))
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// The number in a field.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.fields.get(name)?.as_u64()
    }

    /// The truth value in a field.
    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        match self.fields.get(name)? {
            Value::Bool(truth) => Some(*truth),
            Value::Text(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::Text(text) if text.eq_ignore_ascii_case("false") => Some(false),
            other => other.as_u64().map(|number| number != 0),
        }
    }

    fn positional(&self, position: usize) -> Option<&Value> {
        self.fields
            .iter()
            .filter(|field| field.name.is_none())
            .nth(position)
            .map(|field| &field.value)
    }
}

/// What the logs say for this family.
#[derive(Default)]
pub struct Events {
    kinds: BTreeMap<(&'static str, u32), Newest<Kept, KEPT>>,
    volumes: BTreeMap<(String, u32), Newest<Kept, KEPT_OF_VOLUME>>,
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        want(SYSTEM, &["Microsoft-Windows-Kernel-General"], &[12, 13]),
        want(SYSTEM, &["Microsoft-Windows-Kernel-Power"], &[41, 109]),
        want(SYSTEM, &["Microsoft-Windows-Kernel-Boot"], &[20]),
        want(SYSTEM, &["EventLog"], &[6005, 6006, 6008, 6009, 6013]),
        want(SYSTEM, &["User32"], &[1074, 1076]),
        want(
            SYSTEM,
            &["Microsoft-Windows-WER-SystemErrorReporting", "BugCheck"],
            &[1001],
        ),
        want(SYSTEM, &["volmgr"], &[46, 161]),
        want(SYSTEM, &["disk"], &[7, 11, 51, 153]),
        want(
            SYSTEM,
            &["Ntfs", "Microsoft-Windows-Ntfs"],
            &[55, 98, 130, 131, 137],
        ),
        want(SYSTEM, &["Service Control Manager"], &[7045]),
        want(SYSTEM, &["Microsoft-Windows-WindowsUpdateClient"], &[19]),
        want(
            APPLICATION,
            &["Microsoft-Windows-Wininit", "Wininit"],
            &[1001],
        ),
    ];

    fn event(&mut self, event: &Event<'_>) {
        let size: usize = event.fields.iter().map(|field| size(&field.value)).sum();
        if size > MAX_TEXT {
            return;
        }
        let header = &event.header;
        let channel = if header.channel.eq_ignore_ascii_case(APPLICATION) {
            APPLICATION
        } else {
            SYSTEM
        };
        let keep = || Kept {
            channel,
            id: header.event_id,
            record_id: header.record_id,
            time: header.time,
            fields: event.fields.clone(),
        };
        match header.event_id {
            55 | 98 | 130 | 131 | 137 => {
                let key = (volume(&event.fields), header.event_id);
                let list = self.volumes.entry(key).or_default();
                list.offer(header.record_id, header.time, keep);
                self.forget_volumes();
            }
            7045 if !installs_driver(&event.fields) => {}
            id => {
                let list = self.kinds.entry((channel, id)).or_default();
                list.offer(header.record_id, header.time, keep);
            }
        }
    }

    fn merge(&mut self, later: Self) {
        for (key, list) in later.kinds {
            self.kinds.entry(key).or_default().merge(list);
        }
        for (key, list) in later.volumes {
            self.volumes.entry(key).or_default().merge(list);
        }
        self.forget_volumes();
    }
}

impl Events {
    /// The newest records of that channel and event ID, oldest first.
    pub(super) fn of(
        &self,
        channel: &'static str,
        id: u32,
    ) -> impl DoubleEndedIterator<Item = &Kept> {
        self.kinds
            .get(&(channel, id))
            .into_iter()
            .flat_map(Newest::iter)
    }

    /// The newest records about file systems, each with its volume.
    pub(super) fn of_volumes(&self) -> impl Iterator<Item = (&str, &Kept)> {
        self.volumes
            .iter()
            .flat_map(|((volume, _), list)| list.iter().map(move |kept| (volume.as_str(), kept)))
    }

    /// Keeps the names that sort first, drive letters among them: a name that is dropped has so
    /// many before it that it would be dropped in any order of arrival.
    fn forget_volumes(&mut self) {
        while self.volumes.len() > VOLUMES {
            self.volumes.pop_last();
        }
    }
}

const fn want(
    channel: &'static str,
    providers: &'static [&'static str],
    ids: &'static [u32],
) -> Want {
    Want {
        channel,
        providers,
        ids,
    }
}

fn size(value: &Value) -> usize {
    match value.as_bytes() {
        Some(bytes) => bytes.len().saturating_mul(2),
        None => value.as_str().map_or(32, str::len),
    }
}

/// The volume that an event of Ntfs is about: its drive, else its name, else its device. Windows 7
/// has it as the second positional text, behind an empty one.
fn volume(fields: &Fields) -> String {
    ["DriveName", "VolumeName", "DeviceName", "VolumeGuid"]
        .into_iter()
        .filter_map(|name| fields.get(name))
        .chain(
            fields
                .iter()
                .filter(|field| field.name.is_none())
                .map(|field| &field.value),
        )
        .map(ToString::to_string)
        .find(|text| !text.trim().is_empty())
        .unwrap_or_default()
}

/// Whether an installed service is a driver. The event's word for its type is translated; the
/// file's name is not.
fn installs_driver(fields: &Fields) -> bool {
    let path = fields.get("ImagePath").or_else(|| fields.at(1));
    path.is_some_and(|path| path.to_string().to_lowercase().contains(".sys"))
}
