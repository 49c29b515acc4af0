//! The effective Remote Desktop configuration, resolved once for all checks of the way in.

mod events;
mod layered;
mod listeners;
mod policy;
mod probes;
mod sessions;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::events::{Events, Kind, Logged, RdpEvent, Trouble};
pub use self::layered::{Layer, Layered};
pub use self::listeners::{DEFAULT_PORT, Listener, RDP_TCP};
pub use self::policy::PolicyObject;
pub(in crate::facts) use self::policy::objects_of;
pub use self::probes::ConnectProbe;
pub use self::sessions::Station;
use super::fact::Fact;
use super::sources::Sources;
use super::sources::registry::Number;
use crate::formats::product_policy::ProductPolicy;

/// `Control\Terminal Server` below the control set.
const SERVER: &str = "Control\\Terminal Server";
/// The policies of Remote Desktop Services in SOFTWARE.
pub const POLICIES: &str = "Policies\\Microsoft\\Windows NT\\Terminal Services";
/// The registered classes in SOFTWARE.
const CLASSES: &str = "Classes\\CLSID";
/// The policy of the edition that lets it accept connections.
const MAY_HOST: &str = "TerminalServices-RemoteConnectionManager-AllowRemoteConnections";

/// The effective Remote Desktop configuration, resolved once for all checks of the way in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RemoteDesktop {
    /// Whether the edition accepts connections at all (`ProductPolicy`); Home does not.
    pub edition_may_host: Fact<bool>,
    /// `fDenyTSConnections`: anything but 0 refuses connections.
    pub deny: Layered,
    /// `AllowUsersToConnectRemotely`, set by device management (MDM).
    pub device_management: Fact<String>,
    /// The group policy objects with registry settings that were applied last.
    pub policy_objects: Fact<Vec<PolicyObject>>,
    /// `AllowRemoteRPC`: 1 lets administrators manage sessions from afar.
    pub allow_remote_rpc: Fact<Number>,
    /// `TSEnabled`: absent or 1.
    pub enabled: Fact<Number>,
    /// `TSUserEnabled`: inverted, 1 refuses new logons.
    pub logons_disabled: Fact<Number>,
    /// `TSServerDrainMode`: 1 refuses new sessions, 2 until the next restart.
    pub drain_mode: Fact<Number>,
    /// `TSAppCompat`: 1 on a session host.
    pub application_mode: Fact<Number>,
    /// The subkeys of `WinStations` but `Console`, in stored order.
    pub listeners: Fact<Vec<Listener>>,
    /// `SessionDirectoryActive`: 1 on a member of a farm.
    pub session_directory: Layered,
    /// The sessions and listeners of the running system.
    pub sessions: Fact<Vec<Station>>,
    /// What the logs say, the newest of each kind.
    pub logged: Logged,
    /// Connections that the collector tried to the Remote Desktop port of the machine itself.
    pub probes: Fact<Vec<ConnectProbe>>,
}

impl RemoteDesktop {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control = sources.system().control_set();
        let server = control.below(SERVER);
        let policies = sources.software().below(POLICIES);
        Self {
            edition_may_host: control
                .bytes("Control\\ProductOptions", "ProductPolicy")
                .and_then(|bytes| may_host(&bytes))
                .optional(),
            deny: Layered::new(
                policies.number("", "fDenyTSConnections"),
                server.number("", "fDenyTSConnections"),
            ),
            device_management: policy::device_management(sources),
            policy_objects: policy::objects(sources),
            allow_remote_rpc: server.number("", "AllowRemoteRPC"),
            enabled: server.number("", "TSEnabled"),
            logons_disabled: server.number("", "TSUserEnabled"),
            drain_mode: server.number("", "TSServerDrainMode"),
            application_mode: server.number("", "TSAppCompat"),
            listeners: listeners::gather(&server, &policies, &sources.software().below(CLASSES)),
            session_directory: Layered::new(
                policies.number("", "SessionDirectoryActive"),
                server.number("ClusterSettings", "SessionDirectoryActive"),
            ),
            sessions: sessions::gather(sources),
            logged: Logged::gather(sources),
            probes: probes::gather(sources),
        }
    }

    /// The listener called `RDP-Tcp`.
    pub fn rdp_tcp(&self) -> Option<&Listener> {
        self.listeners
            .value()?
            .iter()
            .find(|listener| listener.name.eq_ignore_ascii_case(RDP_TCP))
    }

    /// Whether connections are refused: by the policy, else by the local value. `None` when
    /// either is not known, has the wrong type, or is absent in both places.
    pub fn is_denied(&self) -> Option<bool> {
        self.deny.effective.value().map(|deny| *deny != 0)
    }
}

/// What `ProductPolicy` says; `None` when it does not mention it.
fn may_host(bytes: &[u8]) -> Result<Option<bool>, String> {
    let policy = ProductPolicy::parse(bytes).map_err(|error| error.to_string())?;
    let value = policy.get(MAY_HOST).map_err(ToString::to_string)?;
    value
        .map(|value| {
            value
                .as_number()
                .map(|number| number != 0)
                .ok_or_else(|| format!("{MAY_HOST} is no number"))
        })
        .transpose()
}

/// When the key that holds a value was last written.
pub fn written<T>(fact: &Fact<T>) -> Option<Timestamp> {
    fact.evidence.first().and_then(|evidence| evidence.time)
}

#[cfg(test)]
mod tests;
