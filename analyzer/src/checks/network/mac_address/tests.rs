use super::*;
use crate::checks::network::testing::*;
use crate::checks::verdict::Verdict::{Critical, NotApplicable, Ok, Unknown, Warning};
use crate::facts::Snapshot;
use crate::facts::fact::Fact;
use crate::facts::machine::Cloud;
use crate::facts::network::Device;
use crate::facts::sources::Sources;

const OTHER: &str = "525400aabbcc";
const GHOST: &str = "{99999999-2222-3333-4444-555555555555}";

fn check(snapshot: &Snapshot) -> Decision {
    run(&CHECK, snapshot)
}

fn devices(snapshot: &mut Snapshot) -> &mut Vec<Device> {
    value(&mut snapshot.network.devices)
}

/// The override is set, and the address in use follows it.
fn overridden(set: &str) -> Snapshot {
    let mut snapshot = healthy();
    devices(&mut snapshot)[0].network_address = text(set);
    if set.len() == 12 {
        let row = &mut value(&mut snapshot.network.adapters)[0].row;
        row.mac = Some(set.to_ascii_lowercase());
    }
    snapshot
}

fn on_disk(mut snapshot: Snapshot) -> Snapshot {
    snapshot.capture.kind = CaptureKind::DiskOnly;
    snapshot.network.adapters = Fact::not_collected("disk");
    snapshot.network.metadata = Fact::not_collected("disk");
    snapshot
}

/// A card that the running machine does not list.
fn with_ghost(set: &str) -> Snapshot {
    let mut snapshot = healthy();
    let mut ghost = device(GHOST, "0003", "525400000001");
    ghost.network_address = text(set);
    devices(&mut snapshot).push(ghost);
    snapshot
}

#[test]
fn a_card_with_its_own_address_is_ok() {
    expect(&check(&healthy()), Ok, "its own MAC address");
    expect(&check(&on_disk(healthy())), Ok, "its own MAC address");
    expect(&check(&overridden("")), Ok, "its own MAC address");
}

#[test]
fn another_address_on_an_emulated_card_is_critical() {
    let decision = check(&overridden("525400AABBCC"));
    expect(
        &decision,
        Critical,
        "52-54-00-aa-bb-cc, its own is 52-54-00-11-22-33",
    );
    let text = text_of(&decision);
    for part in [
        "-PropertyType String -Value '525400AABBCC'",
        r"\\0007'",
        CARD,
        "console",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    expect(
        &check(&on_disk(overridden("525400AABBCC"))),
        Critical,
        "its own is",
    );
}

#[test]
fn another_address_on_a_real_card_is_a_warning_unless_on_a_cloud() {
    let mut snapshot = overridden(OTHER);
    devices(&mut snapshot)[0].component_id = Some("PCI\\VEN_8086&DEV_10D3".to_owned());
    expect(&check(&snapshot), Warning, "its own is");
    snapshot.machine.cloud = Fact::known(Cloud::Aws, []);
    expect(&check(&snapshot), Critical, "its own is");
}

#[test]
fn a_text_that_is_no_address_is_critical() {
    for set in [
        "52540011223",
        "5254001122334",
        "52-54-00-AA-BB-CC",
        "zz5400112233",
        "535400112233",
    ] {
        let mut snapshot = overridden(set);
        value(&mut snapshot.network.adapters)[0].row.mac = Some(MAC.to_owned());
        expect(&check(&snapshot), Critical, "is none");
    }
    expect(&check(&with_ghost("nonsense")), Warning, "is none");
}

#[test]
fn the_same_address_is_kept_in_vain() {
    expect(&check(&overridden(MAC)), Warning, "equals the device's own");
    let mut snapshot = on_disk(overridden(OTHER));
    devices(&mut snapshot)[0].permanent = Fact::absent([]);
    let decision = check(&snapshot);
    expect(&decision, Warning, "cannot be compared");
    assert_eq!(decision.confidence, Confidence::Low);
}

#[test]
fn an_address_nobody_set_is_critical_with_low_confidence() {
    let mut snapshot = healthy();
    value(&mut snapshot.network.adapters)[0].row.mac = Some(OTHER.to_owned());
    let decision = check(&snapshot);
    expect(
        &decision,
        Critical,
        "uses the MAC address 52-54-00-aa-bb-cc",
    );
    assert_eq!(decision.confidence, Confidence::Low);
    let mut snapshot = on_disk(healthy());
    devices(&mut snapshot)[0].current = Fact::known(OTHER.to_owned(), [place()]);
    expect(&check(&snapshot), Critical, "uses the MAC address");
}

#[test]
fn an_override_of_a_card_that_is_gone() {
    let decision = check(&with_ghost(OTHER));
    expect(&decision, Warning, "which is not in use");
    assert!(!text_of(&decision).contains("Restart-NetAdapter"));
    let mut disabled = on_disk(with_ghost(OTHER));
    devices(&mut disabled)[1].config_flags = number(1);
    expect(&check(&disabled), Warning, "which is not in use");
    expect(&check(&with_ghost("")), Ok, "");
}

/// A second card with the address of the first.
fn twins() -> Snapshot {
    let mut snapshot = healthy();
    devices(&mut snapshot).push(device(GHOST, "0008", MAC));
    value(&mut snapshot.network.adapters).push(adapter(GHOST, MAC));
    snapshot
}

#[test]
fn two_cards_with_one_address() {
    expect(&check(&twins()), Critical, "use the same MAC address");
    let mut snapshot = twins();
    devices(&mut snapshot)[1].component_id = Some("VMBUS\\{f8615163}".to_owned());
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn exemptions_come_first() {
    type Change = fn(&mut snapdiag_bundle::records::Adapter);
    let changes: [Change; 4] = [
        |row| row.team = Some(true),
        |row| row.team_member = Some(true),
        |row| row.virtual_switch = Some(true),
        |row| row.load_balanced = Some(true),
    ];
    for change in changes {
        let mut snapshot = twins();
        value(&mut snapshot.network.adapters)[0].row.mac = Some(OTHER.to_owned());
        devices(&mut snapshot)[0].network_address = text(OTHER);
        expect(&check(&snapshot), Critical, "");
        change(&mut value(&mut snapshot.network.adapters)[0].row);
        let decision = check(&snapshot);
        expect(&decision, Ok, "");
        assert_eq!(decision.notes.len(), 1);
    }
    let mut snapshot = healthy();
    for id in [
        "ms_tun",
        "COMPOSITEBUS\\MS_IMPLAT_MP",
        "vms_mp",
        "BTH\\MS_BTHPAN",
        "root\\kdnic",
    ] {
        let mut soft = device(GHOST, "0009", MAC);
        soft.component_id = Some(id.to_owned());
        soft.network_address = text(OTHER);
        devices(&mut snapshot).push(soft);
    }
    expect(&check(&snapshot), Ok, "");
}

#[test]
fn load_balancing_on_a_cloud_is_a_warning() {
    let mut snapshot = on_disk(overridden("02bf0a000064"));
    devices(&mut snapshot)[0].load_balanced = true;
    expect(&check(&snapshot), Ok, "");
    snapshot.machine.cloud = Fact::known(Cloud::Tencent, []);
    expect(&check(&snapshot), Warning, "Network Load Balancing");
}

#[test]
fn the_clouds_value_decides_where_it_was_collected() {
    let mut snapshot = healthy();
    snapshot.machine.cloud = Fact::known(Cloud::Tencent, []);
    expect(&check(&snapshot), Unknown, "that the cloud gave");
    for (macs, verdict) in [
        (&[MAC][..], Ok),
        (&[OTHER][..], Critical),
        (&[MAC, OTHER][..], Ok),
        (&[][..], Ok),
    ] {
        snapshot.network.metadata = metadata(macs);
        expect(&check(&snapshot), verdict, "");
    }
    snapshot.network.metadata = metadata(&[OTHER]);
    expect(
        &check(&snapshot),
        Critical,
        "the cloud gave 52-54-00-aa-bb-cc",
    );
}

#[test]
fn no_card_at_all() {
    let mut snapshot = healthy();
    devices(&mut snapshot).clear();
    value(&mut snapshot.network.adapters).clear();
    assert_eq!(check(&snapshot).verdict, NotApplicable);
    let mut snapshot = healthy();
    devices(&mut snapshot)[0].if_type = Some(71);
    assert_eq!(check(&snapshot).verdict, NotApplicable);
    let mut snapshot = on_disk(healthy());
    devices(&mut snapshot).clear();
    expect(&check(&snapshot), Unknown, "no network card");
}

#[test]
fn what_was_not_seen_is_never_ok() {
    let spoil: [Spoil; 5] = [
        ("not known: the registry's network devices", |s| {
            s.network.devices = Fact::not_collected("x");
        }),
        ("knows no network devices", |s| {
            s.network.devices = Fact::absent([]);
        }),
        ("adapters of the running machine", |s| {
            s.network.adapters = Fact::unreadable("x", []);
        }),
        ("not known", |s| {
            devices(s)[0].network_address = Fact::unreadable("x", []);
        }),
        ("no network card is in use", |s| {
            value(&mut s.network.adapters).clear();
        }),
    ];
    for (headline, spoil) in spoil {
        let mut snapshot = healthy();
        spoil(&mut snapshot);
        let decision = check(&snapshot);
        assert_eq!(decision.verdict, Unknown, "{headline}: {decision:#?}");
        assert!(decision.headline.contains(headline), "{decision:#?}");
    }
    expect(&check(&Snapshot::gather(&Sources::none())), Unknown, "");
}

#[test]
fn the_running_machine_alone_can_accuse() {
    let mut snapshot = twins();
    snapshot.network.devices = Fact::not_collected("x");
    expect(&check(&snapshot), Critical, "use the same MAC address");
}
