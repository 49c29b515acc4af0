//! The ports that Remote Desktop listens on, as far as the firewall has to know them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::Number;

/// The port when a listener does not name one.
const DEFAULT_PORT: u16 = 3389;
/// How many listeners are looked at; Windows has one, with third-party products a few.
const MAX_LISTENERS: usize = 16;

/// A listener and its port.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ListenerPort {
    /// The listener's name (`RDP-Tcp`).
    pub listener: String,
    /// `PortNumber`; absent means 3389.
    pub port: Fact<Number>,
}

impl ListenerPort {
    /// The port in force; `None` where it could not be read or is none.
    pub fn number(&self) -> Option<u16> {
        let default = Number {
            value: Some(DEFAULT_PORT.into()),
            wrong_type: None,
        };
        let port = self.port.value_or(default)?;
        port.value
            .filter(|_| port.wrong_type.is_none())
            .and_then(|number| u16::try_from(number).ok())
            .filter(|number| *number != 0)
    }
}

/// Every TCP listener with its port. The console is none; a listener of another transport has
/// no `PortNumber` and is left out, except Remote Desktop's own.
pub(super) fn ports(sources: &Sources) -> Fact<Vec<ListenerPort>> {
    let stations = sources
        .system()
        .control_set()
        .below("Control\\Terminal Server\\WinStations");
    stations.subkeys("").map(|names| {
        names
            .into_iter()
            .filter(|name| !name.eq_ignore_ascii_case("Console"))
            .take(MAX_LISTENERS)
            .map(|listener| ListenerPort {
                port: stations.number(&listener, "PortNumber"),
                listener,
            })
            .filter(|one| !one.port.is_absent() || one.listener.eq_ignore_ascii_case("RDP-Tcp"))
            .collect()
    })
}

/// The build of Windows.
pub(super) fn build(sources: &Sources) -> Fact<u32> {
    sources
        .software()
        .below("Microsoft\\Windows NT\\CurrentVersion")
        .text("", "CurrentBuild")
        .and_then(|build| {
            let digits = build.text.trim();
            digits
                .parse()
                .map_err(|_| format!("{digits:?} is no build number"))
        })
}
