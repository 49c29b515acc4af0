//! Network cards: what the registry and the running machine say of each, joined.

use serde_json::json;

use crate::checks::check::Problem;
use crate::facts::evidence::Evidence;
use crate::facts::network::{Adapter, Device, Network};

/// `IF_TYPE_ETHERNET_CSMACD`.
const ETHERNET: u32 = 6;
/// Why a card is exempt whose addresses Network Load Balancing rules.
pub(super) const LOAD_BALANCED: &str = "in a Network Load Balancing cluster";
/// Beginnings of the ids of devices that platforms emulate: virtio, Xen, Hyper-V, AWS, Google.
const VIRTUAL: [&str; 6] = [
    "pci\\ven_1af4",
    "xen",
    "vmbus\\",
    "pci\\ven_1d0f",
    "pci\\ven_1ae0",
    "pci\\ven_5853",
];

/// A wired network card.
pub(super) struct Card<'a> {
    pub(super) label: String,
    pub(super) device: Option<&'a Device>,
    pub(super) adapter: Option<&'a Adapter>,
    /// Whether it is in use: listed by the running machine; on a bare disk: not disabled.
    pub(super) present: bool,
    /// Why its addresses are not judged.
    pub(super) exempt: Option<&'static str>,
    pub(super) override_: Override,
}

/// The MAC address that is set instead of the device's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Override {
    /// The registry could not be read there.
    Unknown,
    /// None, or an empty text, which stands for none.
    None,
    /// An address, lower-case hex.
    Address(String),
    /// A text that is no address.
    Malformed(String),
}

/// The wired network cards.
pub(super) fn of(network: &Network) -> Vec<Card<'_>> {
    let devices = network.devices.value().into_iter().flatten();
    let mut cards: Vec<Card<'_>> = devices
        .filter(|device| device.is_card())
        .map(|device| {
            let adapter = network.adapter(&device.guid);
            let listed = network.adapters.value().map(|_| adapter.is_some());
            Card {
                label: device.label(),
                device: Some(device),
                adapter,
                present: listed.unwrap_or(device.is_disabled() != Some(true)),
                exempt: exempt(Some(device), adapter),
                override_: override_of(device),
            }
        })
        .collect();
    // Without the hive only the running machine tells of cards.
    if network.devices.value().is_none() {
        let adapters = network.adapters.value().into_iter().flatten();
        cards.extend(
            adapters
                .filter(|adapter| is_card(adapter))
                .map(|adapter| Card {
                    label: adapter.row.name.clone(),
                    device: None,
                    adapter: Some(adapter),
                    present: true,
                    exempt: exempt(None, Some(adapter)),
                    override_: Override::Unknown,
                }),
        );
    }
    cards
}

fn is_card(adapter: &Adapter) -> bool {
    adapter.row.if_type == ETHERNET
        && adapter.row.hardware != Some(false)
        && adapter.row.connector_present != Some(false)
}

fn exempt(device: Option<&Device>, adapter: Option<&Adapter>) -> Option<&'static str> {
    let row = adapter.map(|adapter| &adapter.row);
    let says = |flag: Option<Option<bool>>| flag.flatten() == Some(true);
    if says(row.map(|row| row.load_balanced)) || device.is_some_and(|device| device.load_balanced) {
        return Some(LOAD_BALANCED);
    }
    if says(row.map(|row| row.team)) || says(row.map(|row| row.team_member)) {
        return Some("part of a team or bridge");
    }
    says(row.map(|row| row.virtual_switch)).then_some("part of a virtual switch")
}

fn override_of(device: &Device) -> Override {
    if device.network_address.is_absent() {
        return Override::None;
    }
    let Some(text) = device.network_address.value() else {
        return Override::Unknown;
    };
    let text = text.text.trim();
    if text.is_empty() {
        return Override::None;
    }
    let address = text.to_ascii_lowercase();
    let digits = address.len() == 12 && address.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The lowest bit of the first byte marks a group address.
    let group = u8::from_str_radix(address.get(..2).unwrap_or_default(), 16)
        .is_ok_and(|first| first & 1 == 1);
    if digits && !group {
        Override::Address(address)
    } else {
        Override::Malformed(text.to_owned())
    }
}

/// Whether cards with one address are a synthetic adapter and the virtual function below it.
pub(super) fn are_one_path(cards: &[&Card<'_>]) -> bool {
    let ids: Vec<String> = cards.iter().map(|card| card.component()).collect();
    let synthetic = ids.iter().filter(|id| id.starts_with("vmbus\\")).count();
    let functions = ids.iter().filter(|id| id.starts_with("pci\\")).count();
    ids.len() == 2 && synthetic == 1 && functions == 1
}

impl Card<'_> {
    fn component(&self) -> String {
        let of_device = self.device.and_then(|device| device.component_id.as_ref());
        let of_adapter = self
            .adapter
            .and_then(|adapter| adapter.row.component_id.as_ref());
        let id = of_device.or(of_adapter);
        id.map(|id| id.to_ascii_lowercase()).unwrap_or_default()
    }

    /// Whether a platform emulates it.
    pub(super) fn is_virtual(&self) -> bool {
        let component = self.component();
        VIRTUAL.iter().any(|start| component.starts_with(start))
    }

    /// The address in use: what the running machine says, else what Windows stored.
    pub(super) fn current(&self) -> Option<String> {
        match self.adapter {
            Some(adapter) => adapter.row.mac.clone(),
            None => self.device?.current.value().cloned(),
        }
    }

    /// The device's own address, likewise.
    pub(super) fn permanent(&self) -> Option<String> {
        let live = self
            .adapter
            .and_then(|adapter| adapter.row.permanent_mac.clone());
        live.or_else(|| self.device?.permanent.value().cloned())
    }

    pub(super) fn current_evidence(&self) -> Vec<Evidence> {
        match (self.adapter, self.device) {
            (Some(adapter), _) => vec![adapter.at("mac", json!(adapter.row.mac))],
            (None, Some(device)) => hexed(&device.current.evidence, device.current.value()),
            (None, None) => Vec::new(),
        }
    }

    pub(super) fn permanent_evidence(&self) -> Vec<Evidence> {
        let live = self
            .adapter
            .filter(|adapter| adapter.row.permanent_mac.is_some());
        match (live, self.device) {
            (Some(adapter), _) => {
                vec![adapter.at("permanent_mac", json!(adapter.row.permanent_mac))]
            }
            (None, Some(device)) => hexed(&device.permanent.evidence, device.permanent.value()),
            (None, None) => Vec::new(),
        }
    }

    /// Where the card stands.
    pub(super) fn place(&self) -> Vec<Evidence> {
        match (self.adapter, self.device) {
            (Some(adapter), _) => vec![adapter.evidence.clone()],
            (None, Some(device)) => device.network_address.evidence.clone(),
            (None, None) => Vec::new(),
        }
    }

    pub(super) fn override_is_known(&self) -> bool {
        self.override_ != Override::Unknown
    }

    pub(super) fn override_text(&self) -> String {
        match &self.override_ {
            Override::Unknown => "not known".to_owned(),
            Override::None => "none".to_owned(),
            Override::Address(text) | Override::Malformed(text) => format!("'{text}'"),
        }
    }

    pub(super) fn show_override(&self, problem: &mut Problem) {
        if let Some(device) = self.device {
            problem.evidence_expected(
                format!("NetworkAddress of {}", self.label),
                "absent or empty",
                &device.network_address,
            );
        }
    }
}

/// The evidence of six bytes, which reports show as hex.
fn hexed(evidence: &[Evidence], mac: Option<&String>) -> Vec<Evidence> {
    let mut evidence = evidence.to_vec();
    for one in &mut evidence {
        one.raw = json!(mac);
    }
    evidence
}
