use serde_json::Value as Json;

use super::*;
use crate::facts::Snapshot;
use crate::facts::evidence::Evidence;
use crate::facts::locator::Locator;
use crate::facts::sources::Options;
use crate::formats::firewall_rule::Action;

const REGISTRY: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp]
"PortNumber"=dword:0000344d

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile]
"EnableFirewall"=dword:00000001
"DefaultInboundAction"=dword:00000000

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\PublicProfile]
"EnableFirewall"="0"

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules]
"RemoteDesktop-UserMode-In-TCP"="v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|EmbedCtxt=@FirewallAPI.dll,-28752|"
"RDP-custom"="v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=13389|"
"Other"="v2.30|Action=Allow|Active=FALSE|Dir=In|Protocol=6|LPort=80|"
"Broken"="nonsense"
"Typed"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TermService]
"Start"=dword:00000003
"ImagePath"=expand:"%SystemRoot%\\System32\\svchost.exe -k NetworkService"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost]
"NetworkService"=multi:"CryptSvc","TermService"

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\StandardProfile]
"EnableFirewall"=dword:00000000

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\PrivateProfile]
"AllowLocalPolicyMerge"=dword:00000000

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\DomainProfile\Services\RemoteDesktop]
"Enabled"=dword:00000000
"RemoteAddresses"="LocalSubnet,10.0.0.0/8"

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\WindowsFirewall\StandardProfile\GloballyOpenPorts\List]
"13389:TCP"="13389:TCP:*:enabled:Remote Desktop"
"bad"="bad"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles\{1}]
"Category"=dword:00000001
"DateLastConnected"=hex:ea,07,0b,00,05,00,13,00,0a,00,00,00,00,00,00,00

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\NetworkList\Profiles\{2}]
"Category"=dword:00000000
"DateLastConnected"=hex:ea,07,0b,00,04,00,14,00,0a,00,00,00,00,00,00,00
"#;

const FIREWALL: &str = r#"{"current_profiles":5,"profiles":[
 {"profile":4,"enabled":true,"block_all_inbound":true,"default_inbound_action":1}]}"#;

/// The registry text as the hives that a folder of artifacts holds.
fn snapshot() -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let base = "2026-11-20T12:00:00Z".parse().unwrap();
    let text = REGISTRY.replace("CurrentControlSet", "ControlSet001")
        + "\n[HKEY_LOCAL_MACHINE\\SYSTEM\\Select]\n\"Current\"=dword:00000001\n";
    let text = snapdiag_fixtures::hive::RegText::parse(&text, base).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for hive in ["SYSTEM", "SOFTWARE"] {
        let mut tree = snapdiag_fixtures::hive::Tree::new(base);
        tree.apply_hive(&text, hive);
        let bytes = snapdiag_fixtures::hive::HiveBuilder::new(&tree)
            .build()
            .unwrap();
        write(&format!("registry/{hive}"), &bytes);
    }
    Snapshot::gather(&Sources::open(folder.path(), &Options::default()).unwrap())
}

#[test]
fn settings_rules_and_networks_are_gathered_from_real_artifacts() {
    let snapshot = snapshot();
    let firewall = &snapshot.firewall;
    let profile = |profile| firewall.profile(profile).unwrap();

    let private = profile(Profile::Private);
    assert_eq!(
        private.policy.enable.value().unwrap().value,
        Some(0),
        "by its old name"
    );
    assert_eq!(private.enabled.value(), Some(&false), "policy over local");
    assert_eq!(private.allows_by_default.value(), Some(&true), "local");
    assert_eq!(
        private.merges_local_rules.value(),
        Some(&false),
        "by its new name"
    );
    let domain = profile(Profile::Domain);
    assert_eq!(domain.enabled.value(), Some(&true), "the default");
    assert_eq!(
        domain.blocks_everything.value(),
        Some(&false),
        "the default"
    );
    assert_eq!(
        firewall.last_network.value(),
        Some(&Profile::Public),
        "the newer one"
    );

    let local = firewall.local_rules.value().unwrap();
    assert_eq!((local.total, local.active, local.unreadable), (5, 2, 2));
    let ids: Vec<&str> = local.kept.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(ids, ["RDP-custom", "RemoteDesktop-UserMode-In-TCP"]);
    assert!(
        local.kept[0]
            .evidence
            .locator
            .to_string()
            .ends_with("\\FirewallRules::RDP-custom")
    );
    assert!(firewall.policy_rules.is_absent() && firewall.mdm_rules.is_absent());

    let legacy = firewall.legacy_rules.value().unwrap();
    assert_eq!(legacy.unreadable, 1);
    let actions: Vec<_> = legacy.kept.iter().map(|rule| rule.rule.action).collect();
    assert_eq!(actions, [Some(Action::Block), Some(Action::Allow)]);
    assert_eq!(legacy.kept[0].rule.remote_addresses.len(), 2);
    assert!(legacy.kept[1].rule.is_for(Profile::Public));
}

#[test]
fn the_running_firewall_wins_over_its_configuration() {
    let document = Evidence::new(
        "n.json",
        Locator::json("network/firewall.json", ""),
        Json::Null,
    );
    let live = Fact::known(serde_json::from_str(FIREWALL).unwrap(), [document]);
    let none = Sources::none();
    let nothing = none.system().root();
    let public = profiles::gather(Profile::Public, &nothing, &nothing, &live);
    assert_eq!(public.enabled.value(), Some(&true));
    assert_eq!(public.blocks_everything.value(), Some(&true));
    let allows = public.allows_by_default.value();
    assert_eq!(
        allows,
        Some(&true),
        "1 is allow here, block in the registry"
    );
    let evidence = &public.enabled.evidence[0];
    let place = "json:network/firewall.json#/profiles/0/enabled";
    assert_eq!(evidence.locator.to_string(), place);
    assert_eq!(evidence.raw, true);
    let domain = profiles::gather(Profile::Domain, &nothing, &nothing, &live);
    assert!(domain.enabled.why_unsettled().is_some(), "it has no row");
    let active = network::active(&live);
    assert_eq!(active.value().unwrap(), &[Profile::Domain, Profile::Public]);
    assert_eq!(active.evidence[0].raw, 5);
}

#[test]
fn a_value_of_the_wrong_type_settles_nothing() {
    let snapshot = snapshot();
    let public = snapshot.firewall.profile(Profile::Public).unwrap();
    let kind = public.local.enable.value().unwrap().wrong_type.as_deref();
    assert_eq!(kind, Some("REG_SZ"));
    assert!(public.enabled.why_unsettled().unwrap().contains("REG_SZ"));
}

#[test]
fn services_are_gathered_from_real_artifacts() {
    let snapshot = snapshot();
    let service = snapshot.services.service("termservice").unwrap();
    assert_eq!(service.start_number(), Some(3));
    let group = service.group.as_ref().unwrap();
    assert_eq!(group.members.value().unwrap().len(), 2);
    let missing = snapshot.services.service("UmRdpService").unwrap();
    assert!(missing.key.is_absent() && missing.start.is_absent());
}

#[test]
fn what_was_gathered_survives_json() {
    let snapshot = snapshot();
    let json = serde_json::to_string(&snapshot.firewall).unwrap();
    assert_eq!(
        serde_json::from_str::<Firewall>(&json).unwrap(),
        snapshot.firewall
    );
    let json = serde_json::to_string(&snapshot.services).unwrap();
    let read: crate::facts::services::Services = serde_json::from_str(&json).unwrap();
    assert_eq!(read, snapshot.services);
}
