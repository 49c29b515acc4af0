//! Sources: where the artifacts of a snapshot are found and opened, each once.

pub mod registry;

use serde::de::DeserializeOwned;

use self::registry::{Hive, Missing};
use super::capture::{Capture, CaptureKind, TimeSource};
use super::events::EventFacts;
use super::evidence::Evidence;
use super::fact::Fact;
use super::inventory::{Channel, Inventory};
use super::locator::Locator;

/// The opened snapshot, as fact families ask it.
pub struct Sources {
    capture: Capture,
    inventory: Inventory,
    system: Hive,
    software: Hive,
    bcd: Hive,
    events: EventFacts,
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
        let hive = |name| Hive::new(name, Err(Missing::NotCollected(format!("no {name} hive"))));
        Self {
            capture: Capture {
                time: None,
                source: TimeSource::Unknown,
                because: "nothing in the snapshot tells when it was taken".to_owned(),
                kind: CaptureKind::DiskOnly,
                collector: None,
            },
            inventory: Inventory::default(),
            system: hive("SYSTEM"),
            software: hive("SOFTWARE"),
            bcd: hive("BCD"),
            events: EventFacts::default(),
        }
    }

    /// When and how the snapshot was taken.
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// What the snapshot consists of.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
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

    /// What the event logs say.
    pub fn events(&self) -> &EventFacts {
        &self.events
    }

    /// How far a channel reaches, by its name; not collected or unreadable where no log of it
    /// was read. The evidence is the row of the manifest or the log itself.
    pub fn channel(&self, name: &str) -> Fact<Channel> {
        match self.inventory.channel(name) {
            Some(channel) => {
                let newest = serde_json::json!(channel.records);
                let query = Locator::Events(super::locator::EventQuery {
                    channel: channel.name.clone(),
                    ..Default::default()
                });
                let evidence = Evidence::new(channel.artifact.as_str(), query, newest);
                Fact::known(channel.clone(), [evidence])
            }
            None => Fact::not_collected(format!("the log {name} is not in the snapshot")),
        }
    }

    /// A structured item of the collector by its id (`network.tcp`), with evidence for the whole
    /// document; add the pointer of the place with [`Fact::at_pointer`].
    pub fn record<T: DeserializeOwned>(&self, item: &str) -> Fact<T> {
        Fact::not_collected(format!("{item} is not in the snapshot"))
    }

    /// The output of a console program by its item id (`network.netstat-text`).
    pub fn console_text(&self, item: &str) -> Fact<ConsoleText> {
        Fact::not_collected(format!("{item} is not in the snapshot"))
    }
}
