use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use snapdiag_bundle::records::{Neighbour, Route};

use super::*;
use crate::items::testing::run;
use crate::system::network::Network;
use crate::system::registry::{Key, Registry, Root, Value};
use crate::system::{SysResult, System, Unanswered, os_error};

const GUID: &str = "{2D9F3C84-6B1E-4F70-A5C2-91E8D4B7063A}";
const CLASS: &str = "Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}";

/// A machine with one adapter, and these keys below `CurrentControlSet`.
struct Machine {
    interfaces: SysResult<Vec<Interface>>,
    keys: BTreeMap<String, Key>,
}

impl System for Machine {
    fn network(&self) -> &dyn Network {
        self
    }
    fn registry(&self) -> &dyn Registry {
        self
    }
}

impl Network for Machine {
    fn adapters(&self) -> SysResult<Vec<Adapter>> {
        let plain = format!(
            r#"{{"guid": "{GUID}", "index": 6, "luid": 42, "name": "Ethernet", "description": "",
            "if_type": 6, "oper_status": 1, "mac": "525400a1b2c3", "addresses": [],
            "gateways": [], "dns_servers": []}}"#
        );
        Ok(vec![serde_json::from_str(&plain).unwrap()])
    }

    fn interfaces(&self) -> SysResult<Vec<Interface>> {
        self.interfaces.clone()
    }

    fn routes(&self) -> SysResult<Vec<Route>> {
        Ok(vec![Route {
            destination: Ipv4Addr::UNSPECIFIED.into(),
            prefix_length: 0,
            next_hop: Ipv4Addr::new(192, 0, 2, 1).into(),
            interface_index: 6,
            metric: 0,
            protocol: Some(3),
            origin: Some(0),
        }])
    }

    fn neighbours(&self) -> SysResult<Vec<Neighbour>> {
        Ok(Vec::new())
    }
}

impl Registry for Machine {
    fn key(&self, _: Root, path: &str) -> SysResult<Key> {
        let path = path.strip_prefix("SYSTEM\\CurrentControlSet\\").unwrap();
        let key = self.keys.get(path).cloned();
        key.ok_or_else(|| os_error("RegOpenKeyExW", 2))
    }

    fn subkeys(&self, _: Root, path: &str) -> SysResult<Vec<String>> {
        let path = path.strip_prefix("SYSTEM\\CurrentControlSet\\").unwrap();
        let below = self.keys.keys().filter_map(|key| {
            let name = key.strip_prefix(path)?.strip_prefix('\\')?;
            (!name.contains('\\')).then(|| name.to_owned())
        });
        Ok(below.collect())
    }
}

fn key(values: &[(&str, u32, &str)]) -> Key {
    let value = |&(name, value_type, text): &(&str, u32, &str)| Value {
        name: name.to_owned(),
        value_type,
        data: text
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect(),
    };
    Key {
        last_write: 0,
        values: values.iter().map(value).collect(),
    }
}

fn machine(component: &str, upper: &str) -> Machine {
    let class = key(&[("NetCfgInstanceId", 1, GUID), ("ComponentId", 1, component)]);
    let connection =
        format!("Control\\Network\\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\\{GUID}\\Connection");
    let keys = [
        (format!("{CLASS}\\0003"), class),
        (format!("{CLASS}\\Properties"), Key::default()),
        (
            format!("{CLASS}\\0003\\Linkage"),
            key(&[("UpperBind", 7, upper)]),
        ),
        (connection, key(&[("PnpInstanceID", 1, "PCI\\VEN_1AF4\\3")])),
        (
            "Enum\\PCI\\VEN_1AF4\\3".to_owned(),
            key(&[("Service", 1, "netkvm")]),
        ),
    ];
    Machine {
        interfaces: Ok(vec![Interface {
            luid: 42,
            admin_status: 1,
            media_state: 1,
            hardware: true,
            filter: false,
            connector_present: true,
            permanent_mac: Some("525400a1b2c3".to_owned()),
        }]),
        keys: keys.into(),
    }
}

fn described(machine: Machine) -> Adapter {
    let ran = run(machine, adapters);
    assert_eq!(ran.outcome, Outcome::ok("GetAdaptersAddresses"));
    let mut record: Adapters = ran.record("network/adapters.json");
    record.adapters.remove(0)
}

#[test]
fn the_three_sources_are_joined() {
    let adapter = described(machine("PCI\\VEN_1AF4&DEV_1000", "Tcpip\0Tcpip6\0rspndr"));
    assert_eq!(adapter.admin_status, Some(1));
    assert_eq!(adapter.permanent_mac, adapter.mac);
    assert_eq!(adapter.driver.as_deref(), Some("netkvm"));
    assert_eq!(adapter.instance_id.as_deref(), Some("PCI\\VEN_1AF4\\3"));
    let flags = (adapter.team, adapter.team_member, adapter.virtual_switch);
    assert_eq!(flags, (Some(false), Some(false), Some(false)));
    assert_eq!(adapter.load_balanced, Some(false));
}

#[test]
fn teams_members_switches_and_balanced_adapters_are_known() {
    let team = described(machine("COMPOSITEBUS\\MS_IMPLAT_MP", "Tcpip"));
    assert_eq!((team.team, team.team_member), (Some(true), Some(false)));
    let member = described(machine("PCI\\VEN_8086", "NdisImPlatform"));
    assert_eq!((member.team, member.team_member), (Some(false), Some(true)));
    let port = described(machine("VMS_MP", "Tcpip"));
    let uplink = described(machine("PCI\\VEN_8086", "vmsp"));
    assert_eq!(port.virtual_switch, Some(true));
    assert_eq!(uplink.virtual_switch, Some(true));
    let mut balanced = machine("PCI\\VEN_8086", "Tcpip");
    let interface = format!(
        "Services\\WLBS\\Parameters\\Interface\\{}",
        GUID.to_lowercase()
    );
    balanced.keys.insert(interface, Key::default());
    assert_eq!(described(balanced).load_balanced, Some(true));
}

#[test]
fn a_filter_is_no_adapter() {
    let mut filter = machine("PCI\\VEN_8086", "Tcpip");
    filter.interfaces.as_mut().unwrap()[0].filter = true;
    let ran = run(filter, adapters);
    assert_eq!(ran.outcome, Outcome::ok("GetAdaptersAddresses"));
    let record: Adapters = ran.record("network/adapters.json");
    assert_eq!(record.adapters, []);
}

#[test]
fn what_was_not_read_is_not_claimed() {
    let mut unbound = machine("PCI\\VEN_8086", "Tcpip");
    unbound.keys.remove(&format!("{CLASS}\\0003\\Linkage"));
    let adapter = described(unbound);
    assert_eq!((adapter.team_member, adapter.virtual_switch), (None, None));
    let mut half = machine("PCI\\VEN_8086", "Tcpip");
    half.interfaces = Err(os_error("GetIfTable2", 5));
    let ran = run(half, adapters);
    assert_eq!(ran.outcome.state, State::Truncated);
    let record: Adapters = ran.record("network/adapters.json");
    assert_eq!(record.adapters[0].permanent_mac, None);
    assert_eq!(record.adapters[0].mac.as_deref(), Some("525400a1b2c3"));
}

#[test]
fn routes_are_kept_and_no_neighbours_are_an_answer() {
    let ran = run(machine("", ""), routes);
    assert_eq!(ran.outcome, Outcome::ok("GetIpForwardTable2"));
    assert_eq!(ran.record::<Routes>("network/routes.json").routes.len(), 1);
    let ran = run(machine("", ""), neighbours);
    assert_eq!(ran.outcome.state, State::Empty);
    assert!(ran.artifacts.contains_key("network/neighbours.json"));
}

#[test]
fn a_machine_that_answers_nothing_fails_with_its_error() {
    for collect in [adapters, routes, neighbours] {
        let ran = run(Unanswered, collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert!(ran.outcome.error.is_some() && ran.artifacts.is_empty());
    }
}
