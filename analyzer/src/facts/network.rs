//! Adapters, addresses, gateways, routes, name servers.

mod devices;
mod dns;
mod interfaces;
mod metadata;
mod rows;
mod text;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use snapdiag_bundle::records;

pub use self::devices::Device;
pub use self::dns::{Dns, HostsEntry};
pub use self::interfaces::{GatewayHardware, Interface, PersistentRoute};
pub use self::metadata::{Mac, Metadata};
pub use self::rows::Row;
pub use self::text::TextAdapter;
use super::fact::Fact;
use super::sources::Sources;

/// An adapter of the running machine.
pub type Adapter = Row<records::Adapter>;
/// A route of the running machine.
pub type Route = Row<records::Route>;
/// A neighbour of the running machine.
pub type Neighbour = Row<records::Neighbour>;
/// A probe that the collector made.
pub type Probe = Row<records::Probe>;

/// Adapters, addresses, gateways, routes, name servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Network {
    /// The adapters of the running machine.
    pub adapters: Fact<Vec<Adapter>>,
    /// The adapters in the text of ipconfig, where they are not known otherwise.
    pub text_adapters: Fact<Vec<TextAdapter>>,
    /// The network devices that the registry knows.
    pub devices: Fact<Vec<Device>>,
    /// The TCP/IP settings of interfaces in the registry, gone ones included.
    pub interfaces: Fact<Vec<Interface>>,
    /// The routes that are set at every start.
    pub persistent_routes: Fact<Vec<PersistentRoute>>,
    /// The routes of the running machine; of the text of route, without interfaces, where there is
    /// no record.
    pub routes: Fact<Vec<Route>>,
    /// Its neighbours.
    pub neighbours: Fact<Vec<Neighbour>>,
    /// What answered when asked.
    pub probes: Fact<Vec<Probe>>,
    /// What the cloud says of the instance.
    pub metadata: Fact<Metadata>,
    /// Name resolution.
    pub dns: Dns,
}

impl Network {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let adapters = rows::gather(
            sources,
            "network.adapters",
            "adapters",
            "guid",
            |all: records::Adapters| all.adapters,
        );
        let routes = rows::gather(
            sources,
            "network.routes",
            "routes",
            "next_hop",
            |all: records::Routes| all.routes,
        );
        Self {
            text_adapters: match adapters.value() {
                Some(_) => Fact::not_collected("the adapters are known from their record"),
                None => text::adapters(sources),
            },
            adapters,
            devices: devices::gather(sources),
            interfaces: interfaces::gather(sources),
            persistent_routes: interfaces::persistent_routes(sources),
            routes: text::instead(routes, || text::routes(sources)),
            neighbours: rows::gather(
                sources,
                "network.neighbours",
                "neighbours",
                "state",
                |all: records::Neighbours| all.neighbours,
            ),
            probes: rows::gather(
                sources,
                "network.probes",
                "probes",
                "outcome",
                |all: records::Probes| all.probes,
            ),
            metadata: metadata::gather(sources),
            dns: Dns::gather(sources),
        }
    }

    /// The device with an interface GUID.
    pub fn device(&self, guid: &str) -> Option<&Device> {
        let mut devices = self.devices.value()?.iter();
        devices.find(|device| device.guid.eq_ignore_ascii_case(guid))
    }

    /// The adapter with an interface GUID.
    pub fn adapter(&self, guid: &str) -> Option<&Adapter> {
        let mut adapters = self.adapters.value()?.iter();
        adapters.find(|adapter| adapter.row.guid.eq_ignore_ascii_case(guid))
    }

    /// The TCP/IP settings with an interface GUID.
    pub fn interface(&self, guid: &str) -> Option<&Interface> {
        let mut interfaces = self.interfaces.value()?.iter();
        interfaces.find(|interface| interface.guid.eq_ignore_ascii_case(guid))
    }
}

#[cfg(test)]
mod tests;
