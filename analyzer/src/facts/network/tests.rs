use super::*;
use crate::facts::fact::State;
use crate::facts::sources::Options;

/// The facts of a real SYSTEM hive; `None` without the captures.
fn captured(file: &str) -> Option<Network> {
    let path = snapdiag_tests::captures()?.join("hives").join(file);
    let sources = Sources::open(&path, &Options::default()).unwrap();
    Some(Network::gather(&sources))
}

#[test]
fn a_real_windows_10_has_one_card_and_its_address() {
    let Some(network) = captured("fox-it-dissect-regf/SYSTEM") else {
        return;
    };
    let devices = network.devices.value().unwrap();
    let cards: Vec<&Device> = devices.iter().filter(|device| device.is_card()).collect();
    let [card] = cards.as_slice() else {
        panic!("{cards:#?}");
    };
    assert_eq!(card.key, "0001");
    assert_eq!(card.current.value().unwrap(), "000c29661aa2");
    assert_eq!(
        card.permanent,
        card.permanent.clone().map(|_| "000c29661aa2".to_owned())
    );
    assert_eq!(card.network_address.state, State::Absent);
    assert_eq!(card.is_disabled(), Some(false));
    let interface = network.interface(&card.guid.to_ascii_uppercase()).unwrap();
    assert_eq!(interface.uses_dhcp(), Some(true));
    assert_eq!(network.persistent_routes.value().unwrap().len(), 0);
}

#[test]
fn a_real_lease_of_windows_xp() {
    let Some(network) = captured("log2timeline-dfwinreg/sdist20180712_SYSTEM") else {
        return;
    };
    let guid = "{02E6ECEC-3B8D-4DB3-AD37-051418F262D0}";
    let interface = network.interface(guid).unwrap();
    assert_eq!(interface.dhcp_address.value().unwrap(), "192.168.131.67");
    let gateways: Vec<_> = interface.lease_gateways().collect();
    assert_eq!(gateways, [std::net::Ipv4Addr::new(192, 168, 131, 254)]);
    assert_eq!(
        interface.lease_ends.value().unwrap().value,
        Some(1_887_973_381)
    );
    assert_eq!(interface.static_addresses().count(), 0);
}
