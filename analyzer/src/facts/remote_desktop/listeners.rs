//! Listeners: the subkeys of `WinStations`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::layered::Layered;
use crate::facts::document::bare;
use crate::facts::fact::Fact;
use crate::facts::sources::registry::{Below, KeyFact, Number, Text};

/// The listener that Windows sets up.
pub const RDP_TCP: &str = "RDP-Tcp";
/// The port of a listener without `PortNumber` (MS-RDPBCGR 1.9).
pub const DEFAULT_PORT: u16 = 3389;
/// The pseudo-listener of the machine's own screen.
const CONSOLE: &str = "Console";
/// How many listeners are read; a machine has one to three.
const MAX_LISTENERS: usize = 64;

/// One listener of Remote Desktop Services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Listener {
    /// The key's name.
    pub name: String,
    /// The key; its last write says when the listener was changed.
    pub key: Fact<KeyFact>,
    /// `PortNumber`; absent stands for 3389.
    pub port: Fact<Number>,
    /// `fEnableWinStation`: 1.
    pub enabled: Fact<Number>,
    /// `fLogonDisabled`: 0.
    pub logon_disabled: Fact<Number>,
    /// `LanAdapter`: 0 for all adapters, n for the nth alone.
    pub lan_adapter: Fact<Number>,
    /// `SecurityLayer`: 0 RDP, 1 negotiated, 2 TLS.
    pub security_layer: Layered,
    /// `UserAuthentication`: 1 demands network level authentication.
    pub network_level_authentication: Layered,
    /// `MinEncryptionLevel`: 1 low, 2 client compatible, 3 high, 4 FIPS.
    pub encryption_level: Layered,
    /// `MaxInstanceCount`: how many sessions it takes; 0xFFFFFFFF for no limit.
    pub max_instances: Layered,
    /// `PdName`: the transport, `tcp`.
    pub transport: Fact<Text>,
    /// `PdDLL`: the driver of the transport, `tdtcp`.
    pub transport_driver: Fact<Text>,
    /// `WdName`: the protocol, `Microsoft RDP …`.
    pub protocol: Fact<Text>,
    /// `LoadableProtocol_Object`: the class that listens.
    pub protocol_object: Fact<Text>,
    /// The library registered for that class (`InprocServer32`).
    pub protocol_library: Fact<Text>,
}

/// The listeners below `server` with what `policies` overrides.
pub(super) fn gather(
    server: &Below<'_>,
    policies: &Below<'_>,
    classes: &Below<'_>,
) -> Fact<Vec<Listener>> {
    let stations = server.below("WinStations");
    let listeners = stations.subkeys("").map(|names| {
        names
            .into_iter()
            .filter(|name| !name.eq_ignore_ascii_case(CONSOLE))
            .take(MAX_LISTENERS)
            .map(|name| listener(name, &stations, policies, classes))
            .collect()
    });
    bare(listeners)
}

fn listener(
    name: String,
    stations: &Below<'_>,
    policies: &Below<'_>,
    classes: &Below<'_>,
) -> Listener {
    let key = stations.below(&name);
    let protocol_object = key.text("", "LoadableProtocol_Object");
    let layered = |value: &str| Layered::new(policies.number("", value), key.number("", value));
    Listener {
        key: key.key(""),
        port: key.number("", "PortNumber"),
        enabled: key.number("", "fEnableWinStation"),
        logon_disabled: key.number("", "fLogonDisabled"),
        lan_adapter: key.number("", "LanAdapter"),
        security_layer: layered("SecurityLayer"),
        network_level_authentication: layered("UserAuthentication"),
        encryption_level: layered("MinEncryptionLevel"),
        max_instances: layered("MaxInstanceCount"),
        transport: key.text("", "PdName"),
        transport_driver: key.text("", "PdDLL"),
        protocol: key.text("", "WdName"),
        protocol_library: library(&protocol_object, classes),
        protocol_object,
        name,
    }
}

/// The library of the class that a listener names.
fn library(object: &Fact<Text>, classes: &Below<'_>) -> Fact<Text> {
    match object.value() {
        Some(class) if is_class(&class.text) => {
            classes.text(&format!("{}\\InprocServer32", class.text), "")
        }
        Some(class) => Fact::unreadable(format!("'{}' is no class", class.text), []),
        None => object.clone(),
    }
}

/// Whether a text is a class identifier in braces, and so no path out of the list of classes.
fn is_class(text: &str) -> bool {
    text.len() == 38
        && text.starts_with('{')
        && text.ends_with('}')
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'{' | b'}' | b'-'))
}

impl Listener {
    /// A listener of which nothing is known.
    #[cfg(test)]
    pub(crate) fn unknown(name: &str) -> Self {
        use crate::facts::sources::Sources;

        let nothing = Sources::none();
        let nowhere = nothing.system().root();
        listener(name.to_owned(), &nowhere, &nowhere, &nowhere)
    }

    /// The port in force: `PortNumber`, or 3389 where it is absent. `None` when it is not known,
    /// has the wrong type, or is no port.
    pub fn port_number(&self) -> Option<u16> {
        let default = Number {
            value: Some(u64::from(DEFAULT_PORT)),
            wrong_type: None,
        };
        let port = self.port.value_or(default)?;
        let port = u16::try_from(port.value?).ok().filter(|port| *port != 0)?;
        self.port_type_is_right().then_some(port)
    }

    /// Whether `PortNumber` is absent or has the type that Windows expects.
    pub fn port_type_is_right(&self) -> bool {
        self.port
            .value()
            .is_none_or(|port| port.wrong_type.is_none())
    }

    /// Whether it is switched on. `None` where the value cannot be read; absent is taken for on.
    pub fn is_enabled(&self) -> Option<bool> {
        let on = Number {
            value: Some(1),
            wrong_type: None,
        };
        self.enabled.value_or(on)?.value.map(|value| value != 0)
    }
}
