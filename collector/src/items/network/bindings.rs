//! What the registry says of adapters: the device behind each, and what is bound to it.

use snapdiag_bundle::records::Adapter;

use crate::system::SysResult;
use crate::system::registry::{Key, Registry, Root};

const CLASS: &str =
    "SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}";
const CONNECTIONS: &str =
    "SYSTEM\\CurrentControlSet\\Control\\Network\\{4D36E972-E325-11CE-BFC1-08002BE10318}";
const DEVICES: &str = "SYSTEM\\CurrentControlSet\\Enum";
const LOAD_BALANCING: &str = "SYSTEM\\CurrentControlSet\\Services\\WLBS\\Parameters\\Interface";
/// A machine has a few dozen class keys; leftovers of a sick one may be many more.
const MOST: usize = 2048;
/// Services of protocols that make an adapter part of something (`Linkage\UpperBind`): teams and,
/// since Windows 8, bridges; older bridges.
const MEMBER: [&str; 2] = ["NdisImPlatform", "BridgeMP"];
/// The protocol of the virtual switch.
const SWITCH: &str = "VMSP";

/// The class keys of the machine and its other notes on adapters.
pub(super) struct Bindings {
    devices: Vec<Device>,
    /// Interfaces of Network Load Balancing.
    balanced: Vec<String>,
}

struct Device {
    guid: String,
    component_id: Option<String>,
    instance_id: Option<String>,
    driver: Option<String>,
    /// Services of the protocols above it.
    upper: Option<Vec<String>>,
}

impl Bindings {
    /// Reads the registry.
    pub(super) fn read(registry: &dyn Registry) -> SysResult<Self> {
        let keys = registry.subkeys(Root::LocalMachine, CLASS)?;
        let devices = keys
            .iter()
            // Beside the devices lies a key that only the system may read.
            .filter(|key| key.bytes().all(|byte| byte.is_ascii_digit()))
            .take(MOST)
            .filter_map(|key| Device::read(registry, &format!("{CLASS}\\{key}")))
            .collect();
        let balanced = registry.subkeys(Root::LocalMachine, LOAD_BALANCING);
        Ok(Self {
            devices,
            balanced: balanced.unwrap_or_default(),
        })
    }

    /// Adds to an adapter what is known of it.
    pub(super) fn describe(&self, adapter: &mut Adapter) {
        let mut devices = self.devices.iter();
        let is_it = |device: &&Device| device.guid.eq_ignore_ascii_case(&adapter.guid);
        let Some(device) = devices.find(is_it) else {
            return;
        };
        adapter.component_id.clone_from(&device.component_id);
        adapter.instance_id.clone_from(&device.instance_id);
        adapter.driver.clone_from(&device.driver);
        let component = device
            .component_id
            .as_ref()
            .map(|id| id.to_ascii_lowercase());
        let is_switch = component.as_ref().map(|id| id.contains("vms_"));
        let bound = |service: &str| {
            let mut services = device.upper.as_ref()?.iter();
            Some(services.any(|one| one.eq_ignore_ascii_case(service)))
        };
        adapter.team = component.map(|id| id.contains("ms_implat"));
        adapter.team_member = MEMBER.iter().copied().map(bound).reduce(either).flatten();
        adapter.virtual_switch = either(is_switch, bound(SWITCH));
        let mut balanced = self.balanced.iter();
        adapter.load_balanced = Some(balanced.any(|guid| guid.eq_ignore_ascii_case(&adapter.guid)));
    }
}

/// Whether one of two is so; unknown where one of them is, unless the other is so.
fn either(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

impl Device {
    fn read(registry: &dyn Registry, path: &str) -> Option<Self> {
        let read = |path: &str| registry.key(Root::LocalMachine, path).ok();
        let text = |key: &Key, name: &str| key.value(name)?.as_text();
        let class = read(path)?;
        let guid = text(&class, "NetCfgInstanceId")?;
        let connection = read(&format!("{CONNECTIONS}\\{guid}\\Connection"));
        let instance_id = connection.and_then(|key| text(&key, "PnpInstanceID"));
        let device = instance_id
            .as_ref()
            .and_then(|id| read(&format!("{DEVICES}\\{id}")));
        let linkage = read(&format!("{path}\\Linkage"));
        Some(Self {
            component_id: text(&class, "ComponentId"),
            driver: device.and_then(|key| text(&key, "Service")),
            upper: linkage.and_then(|key| key.value("UpperBind")?.as_texts()),
            instance_id,
            guid,
        })
    }
}
