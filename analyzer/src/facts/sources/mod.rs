//! Sources: where the artifacts of a snapshot are found and opened, each once.

pub mod container;
pub mod counter_log;
mod find;
pub mod hives;
pub mod intake;
mod located;
pub mod logs;
mod open;
pub mod registry;
mod time;
mod unreadable;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use snapdiag_bundle::{Entry, Manifest, items};

use self::container::Container;
use self::counter_log::CounterLog;
use self::registry::{Hive, Missing};
use self::unreadable::Unreadable;
use super::capture::{Capture, CaptureKind, TimeSource};
use super::events::EventFacts;
use super::evidence::Evidence;
use super::fact::{Fact, State as FactState};
use super::inventory::{Channel, Inventory, Kind};
use super::locator::{EventQuery, Locator};
use super::machine::Cloud;
use crate::formats::text::decode;

/// The largest JSON or text artifact that is read, in bytes; a full TCP table has about 10 MB.
const LARGEST: u64 = 256 << 20;

/// What can be set from outside when a snapshot is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The capture time, where somebody knows better than the snapshot.
    pub captured_at: Option<Timestamp>,
    /// The cloud, where somebody knows better.
    pub cloud: Option<Cloud>,
}

/// Why a path is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error("cannot open {}: {error}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The container cannot be read.
    #[error(transparent)]
    Bundle(#[from] snapdiag_bundle::OpenError),
    /// A file that is none of what is read.
    #[error(
        "{} is no bundle, hive, event log, registry text, netstat output, counter log or facts file",
        .0.display()
    )]
    NotRecognised(PathBuf),
    /// A pipe, a socket or a device: reading it could wait for ever.
    #[error("{} is neither a file nor a folder", .0.display())]
    NotAFile(PathBuf),
    /// A container without anything that is read.
    #[error("nothing in it is recognised ({files} files){}", in_brackets(.notes))]
    NothingRecognised {
        /// How many files there are.
        files: usize,
        /// What is wrong with the container.
        notes: Vec<String>,
    },
}

fn in_brackets(notes: &[String]) -> String {
    match notes {
        [] => String::new(),
        notes => format!(": {}", notes.join("; ")),
    }
}

/// The opened snapshot, as fact families ask it.
pub struct Sources {
    container: Option<Container>,
    /// Where each item is, or why it is missing.
    items: BTreeMap<&'static str, Result<String, Missing>>,
    capture: Capture,
    inventory: Inventory,
    system: Hive,
    software: Hive,
    bcd: Hive,
    events: EventFacts,
    counter_log: Option<CounterLog>,
    cloud: Option<Cloud>,
    unreadable: Unreadable,
}

/// The text of a console program, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleText {
    /// The artifact's name, for locators of lines.
    pub artifact: String,
    /// The text, whatever its encoding was.
    pub text: String,
}

impl Sources {
    /// A snapshot with nothing in it: every fact is "not collected".
    pub fn none() -> Self {
        Self {
            container: None,
            items: BTreeMap::new(),
            capture: Capture {
                time: None,
                source: TimeSource::Unknown,
                because: "nothing in the snapshot tells when it was taken".to_owned(),
                kind: CaptureKind::DiskOnly,
                collector: None,
                cost: None,
            },
            inventory: Inventory::default(),
            system: Hive::new("SYSTEM", Err(hives::not_found("SYSTEM"))),
            software: Hive::new("SOFTWARE", Err(hives::not_found("SOFTWARE"))),
            bcd: Hive::new("BCD", Err(hives::not_found("BCD"))),
            events: EventFacts::default(),
            counter_log: None,
            cloud: None,
            unreadable: Unreadable::default(),
        }
    }

    /// The container, to read back single places.
    pub fn container(&self) -> Option<&Container> {
        self.container.as_ref()
    }

    /// The manifest, for a bundle.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.container.as_ref()?.0.manifest()
    }

    /// When and how the snapshot was taken.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// What the snapshot consists of, as it was when it was opened.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What the snapshot consists of, with what turned out when its artifacts were read. To be
    /// asked when all facts are gathered.
    pub fn inventory_as_read(&self) -> Inventory {
        let mut inventory = self.inventory.clone();
        self.unreadable.tell(&mut inventory);
        inventory
    }

    /// The SYSTEM hive.
    pub fn system(&self) -> &Hive {
        &self.system
    }

    /// The SOFTWARE hive.
    pub fn software(&self) -> &Hive {
        &self.software
    }

    /// The boot configuration store.
    pub fn bcd(&self) -> &Hive {
        &self.bcd
    }

    /// The cloud, where it was given from outside.
    pub fn given_cloud(&self) -> Option<Cloud> {
        self.cloud
    }

    /// What the event logs say.
    pub fn events(&self) -> &EventFacts {
        &self.events
    }

    /// The counter log that stands in for the collector's record of counters.
    pub fn counter_log(&self) -> Option<&CounterLog> {
        self.counter_log.as_ref()
    }

    /// How far a channel reaches, by its name; its evidence is the count of all its records.
    pub fn channel(&self, name: &str) -> Fact<Channel> {
        if let Some(channel) = self.inventory.channel(name) {
            let all = Locator::Events(EventQuery {
                channel: channel.name.clone(),
                ..EventQuery::default()
            });
            let evidence = Evidence::new(channel.artifact.as_str(), all, json!(channel.records));
            return Fact::known(channel.clone(), [evidence]);
        }
        let item = items::ITEMS.iter().find(|item| match item.content {
            items::Content::EventLog(channel) => channel.eq_ignore_ascii_case(name),
            _ => false,
        });
        match item.map(|item| self.missing(item.id)) {
            Some(missing) => missing,
            None => Fact::not_collected(format!("no log of {name} is in the snapshot")),
        }
    }

    /// A structured item of the collector by its id (`network.tcp`), with the whole document as
    /// its evidence; [`Fact::at_pointer`] narrows it to a place.
    pub fn record<T: DeserializeOwned>(&self, item: &'static str) -> Fact<T> {
        self.read(item).and_then(|(artifact, bytes)| {
            serde_json::from_slice(&bytes).map_err(|error| {
                let why = error.to_string();
                self.unreadable.note(&artifact, &why);
                why
            })
        })
    }

    /// The output of a console program by its item id (`network.netstat-text`).
    pub fn console_text(&self, item: &'static str) -> Fact<ConsoleText> {
        self.read(item).map(|(artifact, bytes)| ConsoleText {
            text: self.decode(&artifact, &bytes),
            artifact,
        })
    }

    /// The output of a console program in one certain artifact of an item; absent where the item
    /// was collected without it.
    pub fn console_text_of(&self, item: &'static str, entry: &str) -> Fact<ConsoleText> {
        let (Some(container), Some(Ok(_))) = (&self.container, self.items.get(item)) else {
            return self.missing(item);
        };
        let Some(name) = container.0.entry(entry).map(Entry::name) else {
            return Fact::absent([]);
        };
        self.read_entry(container, item, name)
            .map(|(artifact, bytes)| ConsoleText {
                text: self.decode(&artifact, &bytes),
                artifact,
            })
    }

    /// The text of an artifact: that of a console in the OEM code page, unless it is a file of the
    /// performance library.
    pub fn decode(&self, artifact: &str, bytes: &[u8]) -> String {
        let mut artifacts = self.inventory.artifacts.iter();
        let is_log = |kind| kind == Kind::CounterLog;
        if artifacts.any(|known| known.path == artifact && is_log(known.kind)) {
            return counter_log::text(bytes, self.manifest());
        }
        let code_page = self
            .manifest()
            .and_then(|manifest| manifest.capture.oem_code_page);
        decode(bytes, code_page).text
    }

    /// The name and the bytes of an item's artifact.
    fn read(&self, item: &'static str) -> Fact<(String, Vec<u8>)> {
        let (Some(container), Some(Ok(name))) = (&self.container, self.items.get(item)) else {
            return self.missing(item);
        };
        self.read_entry(container, item, name)
    }

    /// The name and the bytes of an item's artifact. A hash that is not the manifest's makes it
    /// unreadable: whatever it says was not collected.
    fn read_entry(&self, container: &Container, item: &str, name: &str) -> Fact<(String, Vec<u8>)> {
        let whole = match items::by_id(item).map(|item| item.content) {
            Some(items::Content::Text) => Locator::Text {
                entry: name.to_owned(),
                line: None,
            },
            _ => Locator::json(name, ""),
        };
        let evidence = Evidence::new(name, whole, Value::Null);
        match container.read_checked(name, LARGEST) {
            Ok(bytes) => Fact::known((name.to_owned(), bytes), [evidence]),
            Err(problem) => {
                self.unreadable.note(name, &problem.why);
                Fact::unreadable(problem.why, [evidence])
            }
        }
    }

    /// The fact that follows from an item that is not there, with its row of the manifest.
    fn missing<T>(&self, item: &str) -> Fact<T> {
        let row = self.manifest().and_then(|manifest| manifest.row(item));
        let evidence = row.map(|row| {
            let raw = serde_json::to_value(row).unwrap_or_default();
            Evidence::new("manifest.json", Locator::Manifest(item.to_owned()), raw)
        });
        let state = match self.items.get(item) {
            Some(Err(missing)) => missing.fact::<T>().state,
            Some(Ok(name)) => FactState::Unreadable(format!("{name} could not be read")),
            None => FactState::NotCollected(format!("{item} is not in the snapshot")),
        };
        Fact::new(state, evidence)
    }
}
