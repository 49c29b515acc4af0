//! Facts: structure in, typed statements about this machine out, each with its evidence.
//!
//! One file a fact family. [`Snapshot`] is all that checks ever see; it is plain data, so a
//! snapshot written as JSON and read back gives the same report.

pub mod activation;
pub mod boot;
pub mod boot_options;
pub mod capture;
pub mod certificates;
pub mod consumers;
pub mod counters;
mod document;
pub mod drives;
pub mod environment;
pub mod events;
pub mod evidence;
pub mod fact;
pub mod firewall;
pub mod inventory;
pub mod licensing;
pub mod locator;
pub mod log_end;
pub mod logons;
pub mod machine;
pub mod network;
pub mod network_access;
pub mod network_events;
pub mod newest;
pub mod page_files;
pub mod pressure;
pub mod processes;
pub mod receive_scaling;
pub mod records;
pub mod remote_desktop;
pub mod services;
pub mod servicing;
pub mod sockets;
pub mod sources;
#[cfg(test)]
mod test_bundle;
pub mod topology;
pub mod units;
pub mod volumes;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use fact::Fact;
use sources::Sources;

/// Everything known about one machine at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// Version of this structure; a reader refuses a larger one.
    pub facts_version: u32,
    /// When and how the snapshot was taken.
    pub capture: capture::Capture,
    /// What was found in it, what was used and what was not.
    pub inventory: inventory::Inventory,
    /// The machine itself.
    pub machine: machine::Machine,
    /// Boots, shutdowns, crashes, setup.
    pub boot: boot::Boot,
    /// Limits of the next start, and of the last ones.
    pub boot_options: boot_options::BootOptions,
    /// Memory and processors: firmware, Windows, edition.
    pub topology: topology::Topology,
    /// Processes, and what the logs say of leaks and shortages.
    pub processes: processes::Processes,
    /// Activation of Windows.
    pub activation: activation::Activation,
    /// The processes that use most memory and processor time.
    pub consumers: consumers::Consumers,
    /// Performance counters over half a minute.
    pub counters: counters::Counters,
    /// The certificates of Remote Desktop.
    pub certificates: certificates::Certificates,
    /// Drive letters.
    pub drives: drives::Drives,
    /// Environment variables of the machine.
    pub environment: environment::Environment,
    /// The session host role and its licences.
    pub licensing: licensing::Licensing,
    /// Logons, failed and successful.
    pub logons: logons::Logons,
    /// Page files.
    pub page_files: page_files::PageFiles,
    /// What the logs say of memory that ran out.
    pub pressure: pressure::Pressure,
    /// Receive side scaling of network adapters.
    pub receive_scaling: Fact<Vec<receive_scaling::ReceiveScaling>>,
    /// Whether local accounts become Guest over the network.
    pub network_access: network_access::NetworkAccess,
    /// Windows services.
    pub services: services::Services,
    /// Adapters, addresses, gateways, routes, name servers.
    pub network: network::Network,
    /// What the logs say of ports, addresses, leases and name resolution.
    pub network_events: network_events::NetworkEvents,
    /// When Windows was serviced.
    #[serde(default)]
    pub servicing: servicing::Servicing,
    /// TCP and UDP tables, port ranges.
    pub sockets: sockets::Sockets,
    /// The effective Remote Desktop configuration.
    pub remote_desktop: remote_desktop::RemoteDesktop,
    /// Windows Firewall.
    pub firewall: firewall::Firewall,
    /// Volumes and their NTFS metafiles.
    pub volumes: volumes::Volumes,
}

impl Snapshot {
    /// The first build of Windows Vista and Server 2008, which brought the services and the
    /// configuration that the checks judge (the filtering platform among them).
    pub const FIRST_BUILD: u32 = 6000;

    /// Whether Windows is older than [`Self::FIRST_BUILD`]: by its build, else because neither
    /// service of its firewall is configured. `None` when neither tells.
    pub fn is_too_old(&self) -> Option<bool> {
        if let Some(build) = self.machine.build.value() {
            return Some(*build < Self::FIRST_BUILD);
        }
        let keys = ["BFE", "MpsSvc"].map(|name| self.services.service(name).map(|one| &one.key));
        let [Some(engine), Some(firewall)] = keys else {
            return None;
        };
        if engine.value().is_some() || firewall.value().is_some() {
            return Some(false);
        }
        (engine.is_absent() && firewall.is_absent()).then_some(true)
    }

    /// The version that this program writes and reads.
    pub const VERSION: u32 = 1;

    /// Gathers every fact from the opened sources.
    pub fn gather(sources: &Sources) -> Self {
        let machine = machine::Machine::gather(sources);
        let remote_desktop = remote_desktop::RemoteDesktop::gather(sources);
        Self {
            facts_version: Self::VERSION,
            capture: sources.capture().clone(),
            boot: boot::Boot::gather(sources),
            boot_options: boot_options::BootOptions::gather(sources),
            topology: topology::Topology::gather(sources, &machine.firmware),
            machine,
            processes: processes::Processes::gather(sources),
            activation: activation::Activation::gather(sources),
            consumers: consumers::Consumers::gather(sources),
            counters: counters::Counters::gather(sources),
            certificates: certificates::Certificates::gather(sources),
            drives: drives::Drives::gather(sources),
            environment: environment::Environment::gather(sources),
            licensing: licensing::Licensing::gather(sources),
            logons: logons::Logons::gather(sources),
            page_files: page_files::PageFiles::gather(sources),
            pressure: pressure::Pressure::gather(sources),
            receive_scaling: receive_scaling::gather(sources),
            network_access: network_access::NetworkAccess::gather(sources),
            services: services::Services::gather(sources),
            network: network::Network::gather(sources),
            network_events: network_events::NetworkEvents::gather(sources),
            servicing: servicing::Servicing::gather(sources),
            sockets: sockets::Sockets::gather(sources),
            firewall: firewall::Firewall::gather(sources, &remote_desktop),
            volumes: volumes::Volumes::gather(sources),
            remote_desktop,
            // Last: what could not be read is known when everything was asked for.
            inventory: sources.inventory_as_read(),
        }
    }
}
