//! Registry values by which the targets of probes are chosen: the domain, the cloud, the port of
//! Remote Desktop.

use super::clouds::{CLOUDS, Cloud};
use crate::system::System;
use crate::system::registry::{Root, Value};

const CONTROL_SET: &str = "SYSTEM\\CurrentControlSet";
const FIRMWARE: &str = "HARDWARE\\DESCRIPTION\\System\\BIOS";
/// `REG_DWORD`.
const DWORD: u32 = 4;
/// `SERVICE_AUTO_START`.
const AUTO_START: u32 = 2;
const RDP_PORT: u16 = 3389;

/// DNS domain of a member of a domain, which has Netlogon start by itself.
pub(super) fn domain(system: &dyn System) -> Option<String> {
    let start = control_set(system, "Services\\Netlogon", "Start");
    if start.and_then(|value| number(&value)) != Some(AUTO_START) {
        return None;
    }
    let domain = control_set(system, "Services\\Tcpip\\Parameters", "Domain")?;
    domain.as_text().filter(|domain| !domain.is_empty())
}

/// The port of Remote Desktop; 3389 where the value cannot be read.
pub(super) fn rdp_port(system: &dyn System) -> u16 {
    const LISTENER: &str = "Control\\Terminal Server\\WinStations\\RDP-Tcp";
    let port = control_set(system, LISTENER, "PortNumber").and_then(|value| number(&value));
    port.and_then(|port| u16::try_from(port).ok())
        .filter(|port| *port != 0)
        .unwrap_or(RDP_PORT)
}

/// The cloud by its firmware, else by its agent.
pub(super) fn cloud(system: &dyn System) -> Option<&'static Cloud> {
    let registry = system.registry();
    let firmware: Vec<String> = registry
        .key(Root::LocalMachine, FIRMWARE)
        .map(|key| {
            ["SystemManufacturer", "SystemProductName", "BIOSVendor"]
                .iter()
                .filter_map(|name| key.value(name)?.as_text())
                .collect()
        })
        .unwrap_or_default();
    let named = |cloud: &&Cloud| {
        let mut signs = cloud.firmware.iter();
        signs.any(|sign| firmware.iter().any(|text| text.contains(sign)))
    };
    let has_agent = |cloud: &&Cloud| {
        cloud.agents.iter().any(|agent| {
            let path = format!("{CONTROL_SET}\\Services\\{agent}");
            registry.key(Root::LocalMachine, &path).is_ok()
        })
    };
    CLOUDS
        .iter()
        .find(named)
        .or_else(|| CLOUDS.iter().find(has_agent))
}

fn control_set(system: &dyn System, key: &str, value: &str) -> Option<Value> {
    let path = format!("{CONTROL_SET}\\{key}");
    let key = system.registry().key(Root::LocalMachine, &path).ok()?;
    key.value(value).cloned()
}

fn number(value: &Value) -> Option<u32> {
    let bytes = value.data.as_slice().try_into().ok()?;
    (value.value_type == DWORD).then_some(u32::from_le_bytes(bytes))
}
