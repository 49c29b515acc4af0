//! Windows services: configuration, state and what the Service Control Manager logged.

mod config;
mod events;
mod names;
mod runtime;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::events::Kept;
pub use self::events::{Events, ServiceEvent};
pub use self::runtime::{Process, Runtime};
use super::fact::Fact;
use super::inventory::Channel;
use super::sources::Sources;
use super::sources::registry::{KeyFact, Number, Text};

/// `SERVICE_STOPPED`.
pub const STOPPED: u32 = 1;
/// `SERVICE_START_PENDING`.
pub const START_PENDING: u32 = 2;
/// `SERVICE_STOP_PENDING`.
pub const STOP_PENDING: u32 = 3;
/// `SERVICE_RUNNING`.
pub const RUNNING: u32 = 4;

/// Windows services: configuration, state and what the Service Control Manager logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Services {
    /// The services that checks ask for, and what `TermService` depends on.
    pub services: Vec<Service>,
    /// When the live table of services was taken.
    pub table: Fact<Timestamp>,
    /// How far the System log reaches.
    pub log: Fact<Channel>,
    /// The newest start of Windows that the System log holds; its record id divides the events
    /// of the current boot from older ones.
    pub boot: Fact<ServiceEvent>,
    /// How far the Application log reaches.
    pub application_log: Fact<Channel>,
    /// The newest crashes of the process or library of Remote Desktop Services (Application
    /// Error 1000), oldest first.
    pub crashes: Vec<ServiceEvent>,
    /// `SvcHostSplitThresholdInKB`: with more memory than this, Windows 10 1703 and later put
    /// each service in a process of its own.
    pub split_threshold_kb: Fact<Number>,
}

/// One service or driver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Service {
    /// Short name: the key's name under `Services`.
    pub name: String,
    /// Its key; the last write says when the configuration changed.
    pub key: Fact<KeyFact>,
    /// `Start`: 0 boot, 1 system, 2 automatic, 3 on demand, 4 disabled.
    pub start: Fact<Number>,
    /// `Type`, bits: 0x1, 0x2 drivers, 0x10 own process, 0x20 shared process.
    pub kind: Fact<Number>,
    /// `ErrorControl`: 0 ignore, 1 normal, 2 severe, 3 critical.
    pub error_control: Fact<Number>,
    /// `ObjectName`: the account.
    pub account: Fact<Text>,
    /// `ImagePath`.
    pub image: Fact<Text>,
    /// `Parameters\ServiceDll`.
    pub dll: Fact<Text>,
    /// `DisplayName`, often a reference to a resource (`@file,-id`).
    pub display_name: Fact<Text>,
    /// `DependOnService`; names with a leading `+` are load order groups.
    pub depends_on: Fact<Vec<String>>,
    /// The `svchost.exe` group that `ImagePath` names, for services that live in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<SvchostGroup>,
    /// What the live tables say.
    #[serde(flatten)]
    pub runtime: Runtime,
    /// The newest events of the Service Control Manager about it, oldest first; at most 16 of
    /// each event ID.
    pub events: Vec<ServiceEvent>,
}

/// A group of services that share a `svchost.exe`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SvchostGroup {
    /// The name behind `-k`.
    pub name: String,
    /// The services listed for it; a service that is not listed cannot start in it.
    pub members: Fact<Vec<String>>,
}

impl Services {
    /// The service of that short name, compared without case.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services
            .iter()
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// The same, to be changed.
    pub fn service_mut(&mut self, name: &str) -> Option<&mut Service> {
        self.services
            .iter_mut()
            .find(|service| service.name.eq_ignore_ascii_case(name))
    }

    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let log = sources.channel("System");
        let application_log = sources.channel("Application");
        let logged = &sources.events().services;
        let events = |channel: &Fact<Channel>, kept: &mut dyn Iterator<Item = &Kept>| {
            let artifact = artifact(channel);
            let mut list: Vec<ServiceEvent> = kept.map(|kept| kept.event(&artifact)).collect();
            list.sort_by_key(|event| (event.record_id, event.time));
            list
        };
        let live = runtime::Live::gather(sources);
        let services = config::names(sources)
            .into_iter()
            .map(|name| {
                let runtime = live.runtime(&name);
                let mut service = config::read(sources, name, runtime);
                let display = [
                    live.display_name(&service.name),
                    service.display_name.value().map(|text| text.text.as_str()),
                ];
                let named = logged
                    .named
                    .iter()
                    .filter(|((name, _), _)| name.eq_ignore_ascii_case(&service.name))
                    .flat_map(|(_, list)| list.iter());
                let unnamed = logged.unnamed.iter().filter(|kept| {
                    kept.service.eq_ignore_ascii_case(&service.name)
                        || display.contains(&Some(kept.service.as_str()))
                });
                service.events = events(&log, &mut named.chain(unnamed));
                service
            })
            .collect();
        Self {
            services,
            table: live.taken_at(),
            boot: boot(&log, logged.boots.newest()),
            crashes: events(&application_log, &mut logged.crashes.iter()),
            log,
            application_log,
            split_threshold_kb: sources
                .system()
                .control_set()
                .number("Control", "SvcHostSplitThresholdInKB"),
        }
    }

    /// The events of a service since the newest start of Windows, oldest first: all of them where
    /// the log begins after that start. `None` where the log is not known.
    pub fn in_current_boot<'a>(&self, service: &'a Service) -> Option<Vec<&'a ServiceEvent>> {
        let boot = match (self.boot.value(), self.boot.is_absent()) {
            (Some(boot), _) => boot.record_id,
            (None, true) => 0,
            (None, false) => return None,
        };
        let events = service.events.iter();
        Some(events.filter(|event| event.record_id > boot).collect())
    }
}

impl Service {
    /// The number in `Start`, if it is one that Windows takes.
    pub fn start_number(&self) -> Option<u64> {
        self.start.value().and_then(|start| start.value)
    }
}

/// The artifact that a channel was read from.
fn artifact(channel: &Fact<Channel>) -> String {
    channel
        .value()
        .map(|channel| channel.artifact.clone())
        .unwrap_or_default()
}

fn boot(log: &Fact<Channel>, newest: Option<&Kept>) -> Fact<ServiceEvent> {
    match (newest, log.carry()) {
        (_, Some(missing)) => missing,
        (Some(kept), None) => {
            let event = kept.event(&artifact(log));
            let evidence = event.evidence.clone();
            Fact::known(event, [evidence])
        }
        (None, None) => Fact::absent(log.evidence.clone()),
    }
}
