//! Network devices in the registry: their class keys, joined by interface GUID with the address
//! store (`NetworkSetup2`), the connection's name and the device's own key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::fact::Fact;
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Below, Number, Text, hex};

const CLASS: &str = "Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}";
const CONNECTIONS: &str = "Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}";
const ADDRESSES: &str = "Control\\NetworkSetup2\\Interfaces";
const LOAD_BALANCING: &str = "Services\\WLBS\\Parameters\\Interface";
/// How many class keys are looked at; a machine has a few dozen.
const MAX_DEVICES: usize = 2048;
/// `NCF_PHYSICAL` of `Characteristics` (netcfgx.h).
const PHYSICAL: u64 = 4;
/// `IF_TYPE_ETHERNET_CSMACD`.
const ETHERNET: u64 = 6;
/// `ConfigFlags`: the device is disabled (`CONFIGFLAG_DISABLED`, regstr.h).
const DISABLED: u64 = 1;
/// What the component ids of teams, bridges, virtual switches and tunnels begin with.
const SOFTWARE: [&str; 9] = [
    "ms_",
    "vms_",
    "root\\",
    "swd\\",
    "sw\\",
    "compositebus\\",
    "bth\\",
    "{",
    "tap",
];

/// A network device that the registry knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// `NetCfgInstanceId`: the interface's GUID in braces.
    pub guid: String,
    /// The class key, four digits.
    pub key: String,
    /// `DriverDesc`.
    pub description: Option<String>,
    /// Name of the connection.
    pub name: Option<String>,
    /// `ComponentId`: the hardware id that the driver matched.
    pub component_id: Option<String>,
    /// `Characteristics` of the class key.
    pub characteristics: Option<u64>,
    /// `*IfType`: 6 Ethernet, 71 Wi-Fi, 131 tunnel.
    pub if_type: Option<u64>,
    /// Device instance id.
    pub instance_id: Option<String>,
    /// `NetworkAddress`: the MAC address that is set instead of the device's own.
    pub network_address: Fact<Text>,
    /// MAC address in use when Windows last stored it, lower-case hex; from Windows 10 on.
    pub current: Fact<String>,
    /// MAC address of the device, likewise.
    pub permanent: Fact<String>,
    /// `ConfigFlags` of the device.
    pub config_flags: Fact<Number>,
    /// Whether Network Load Balancing has settings for it.
    pub load_balanced: bool,
}

impl Device {
    /// Whether it is a wired network card, real or emulated, and not a team, a bridge, a virtual
    /// switch, a tunnel or a Bluetooth link.
    pub fn is_card(&self) -> bool {
        let component = self.component_id.as_deref().unwrap_or_default();
        let component = component.to_ascii_lowercase();
        let software = SOFTWARE.iter().any(|start| component.starts_with(start));
        let physical = self
            .characteristics
            .is_none_or(|characteristics| characteristics & PHYSICAL != 0);
        !software && physical && self.if_type.is_none_or(|kind| kind == ETHERNET)
    }

    /// Whether it is disabled in the Device Manager.
    pub fn is_disabled(&self) -> Option<bool> {
        self.config_flags
            .value_or(Number {
                value: Some(0),
                wrong_type: None,
            })
            .map(|flags| flags.value.is_some_and(|flags| flags & DISABLED != 0))
    }

    /// Its name as people see it.
    pub fn label(&self) -> String {
        let name = self.name.as_ref().or(self.description.as_ref());
        name.cloned()
            .unwrap_or_else(|| format!("device {}", self.key))
    }
}

/// The devices of the class keys that have an interface.
pub(super) fn gather(sources: &Sources) -> Fact<Vec<Device>> {
    let control_set = sources.system().control_set();
    let class = control_set.below(CLASS);
    class.subkeys("").map(|keys| {
        keys.into_iter()
            .filter(|key| key.len() == 4 && key.bytes().all(|byte| byte.is_ascii_digit()))
            .take(MAX_DEVICES)
            .filter_map(|key| device(&control_set, &class, key))
            .collect()
    })
}

fn device(control_set: &Below<'_>, class: &Below<'_>, key: String) -> Option<Device> {
    let text = |name: &str| class.text(&key, name).value().map(|text| text.text.clone());
    let number = |name: &str| {
        class
            .number(&key, name)
            .value()
            .and_then(|number| number.value)
    };
    let guid = text("NetCfgInstanceId")?;
    let connection = format!("{CONNECTIONS}\\{guid}\\Connection");
    let of_connection = |name: &str| {
        let value = control_set.text(&connection, name);
        value.value().map(|text| text.text.clone())
    };
    let addresses = format!("{ADDRESSES}\\{guid}\\Kernel");
    let instance_id = text("DeviceInstanceID").or_else(|| of_connection("PnpInstanceID"));
    let config_flags = match &instance_id {
        Some(id) => control_set.number(&format!("Enum\\{id}"), "ConfigFlags"),
        None => Fact::not_collected("the registry does not tell the device of the interface"),
    };
    let balancing = control_set.key(&format!("{LOAD_BALANCING}\\{guid}"));
    Some(Device {
        description: text("DriverDesc"),
        name: of_connection("Name"),
        component_id: text("ComponentId"),
        characteristics: number("Characteristics"),
        if_type: number("*IfType"),
        network_address: class.text(&key, "NetworkAddress"),
        current: mac(control_set, &addresses, "CurrentAddress"),
        permanent: mac(control_set, &addresses, "PermanentAddress"),
        load_balanced: balancing.value().is_some(),
        config_flags,
        instance_id,
        guid,
        key,
    })
}

/// A MAC address; tunnels keep longer addresses there.
fn mac(control_set: &Below<'_>, key: &str, name: &str) -> Fact<String> {
    control_set
        .bytes(key, name)
        .and_then(|bytes| match bytes.len() {
            6 => Ok(hex(&bytes)),
            length => Err(format!("{length} bytes where 6 are expected")),
        })
}
