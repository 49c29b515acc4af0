use std::fs;
use std::path::Path;

use super::*;
use crate::facts::fact::State;
use crate::facts::sources::Options;
use crate::facts::test_bundle;

const REG: &str = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server]
"fDenyTSConnections"=dword:00000001
"TSUserEnabled"=dword:00000000

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\Console]
"fEnableWinStation"=dword:00000001

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\rdp-tcp]
"PortNumber"=dword:00000d3e
"UserAuthentication"=dword:00000000
"PdName"="tcp"

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\ICA-Tcp]
"PortNumber"="1494"
"fEnableWinStation"=dword:00000000

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services]
"fDenyTSConnections"=dword:00000000
"UserAuthentication"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Group Policy\History\{35378EAC-683F-11D2-A89A-00C04FBBCFA2}\0]
"DisplayName"="Servers: remote access"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\PolicyManager\current\device\RemoteDesktopServices]
"AllowUsersToConnectRemotely"="<enabled/>"
"#;

const PROBES: &str = r#"{"probes":[
 {"probe":{"kind":"connect","target":"10.0.0.1","port":1688,"purpose":"kms"},"started_at":"2026-03-01T00:00:00Z","latency_ms":1,"outcome":{"result":"timeout"}},
 {"probe":{"kind":"connect","target":"127.0.0.1","port":3390,"purpose":"rdp-loopback"},"started_at":"2026-03-01T00:00:00Z","latency_ms":1,"outcome":{"result":"refused","code":10061,"later":1}}]}"#;

fn gather(path: &Path) -> RemoteDesktop {
    let sources = Sources::open(path, &Options::default()).unwrap();
    RemoteDesktop::gather(&sources)
}

fn number(fact: &Fact<Number>) -> Option<u64> {
    fact.value().and_then(|number| number.value)
}

#[test]
fn the_configuration_is_resolved_from_both_layers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("machine.reg"), REG).unwrap();
    let rdp = gather(folder.path());
    assert_eq!(rdp.is_denied(), Some(false));
    assert_eq!(rdp.deny.decided_by(), Some(Layer::Policy));
    assert_eq!(rdp.deny.local_number(), Some(1));
    let names: Vec<&str> = rdp
        .listeners
        .value()
        .unwrap()
        .iter()
        .map(|listener| listener.name.as_str())
        .collect();
    assert_eq!(names, ["rdp-tcp", "ICA-Tcp"]);
    let listener = rdp.rdp_tcp().unwrap();
    assert_eq!(listener.port_number(), Some(3390));
    assert_eq!(listener.is_enabled(), Some(true));
    assert!(listener.lan_adapter.is_absent());
    let nla = &listener.network_level_authentication;
    assert_eq!(nla.effective.value(), Some(&1));
    assert_eq!(number(&nla.local), Some(0));
    assert!(listener.security_layer.effective.is_absent());
    let ica = &rdp.listeners.value().unwrap()[1];
    assert_eq!((ica.port_number(), ica.port_type_is_right()), (None, false));
    assert_eq!(ica.is_enabled(), Some(false));
    assert_eq!(number(&rdp.logons_disabled), Some(0));
    assert!(rdp.edition_may_host.is_absent());
    let objects = rdp.policy_objects.value().unwrap();
    assert_eq!(objects[0].name, "Servers: remote access");
    let managed = rdp.device_management.value().map(String::as_str);
    assert_eq!(managed, Some("<enabled/>"));
}

#[test]
fn only_probes_of_the_own_port_count_and_their_evidence_is_what_stands_there() {
    let rdp = test_bundle::gather(&[("network/probes.json", PROBES)], RemoteDesktop::gather);
    let probes = rdp.probes.value().unwrap();
    assert_eq!(probes.len(), 1);
    assert_eq!(probes[0].port, 3390);
    let expected = serde_json::json!({"result": "refused", "code": 10061, "later": 1});
    assert_eq!(probes[0].evidence.raw, expected);
    let locator = probes[0].evidence.locator.to_string();
    assert_eq!(locator, "json:network/probes.json#/probes/1/outcome");
}

#[test]
fn without_hives_nothing_is_known() {
    let rdp = RemoteDesktop::gather(&Sources::none());
    assert_eq!(rdp.is_denied(), None);
    assert!(matches!(rdp.listeners.state, State::NotCollected(_)));
    assert!(matches!(rdp.edition_may_host.state, State::NotCollected(_)));
    assert!(matches!(rdp.probes.state, State::NotCollected(_)));
}

/// Needs the captures. The values were read with hivexget.
#[test]
fn a_real_hive() {
    let Some(captures) = snapdiag_tests::captures() else {
        return;
    };
    let rdp = gather(&captures.join("hives/fox-it-dissect-regf/SYSTEM"));
    assert_eq!(rdp.edition_may_host.value(), Some(&true));
    assert_eq!(rdp.deny.local_number(), Some(1));
    assert!(matches!(rdp.deny.effective.state, State::NotCollected(_)));
    assert_eq!(rdp.rdp_tcp().and_then(Listener::port_number), Some(3389));
}

/// Needs the captures. The records were read with evtxexport.
#[test]
fn real_logs() {
    let Some(captures) = snapdiag_tests::captures() else {
        return;
    };
    let logs = captures.join("eventlogs");
    let one = |file: &str| gather(&logs.join(file)).logged;
    let newest = |logged: &Logged, kind: Kind| {
        let event = logged.newest(kind)?;
        Some((event.record_id, event.subject.clone()?))
    };
    let manager = one("Velocidex-velociraptor/RDPAuth_RemoteConnectionManager.evtx");
    let user = Some((35, "192.168.38.1".to_owned()));
    assert_eq!(newest(&manager, Kind::Authenticated), user);
    let started = Some((32, "RDP-Tcp".to_owned()));
    assert_eq!(newest(&manager, Kind::ListenerStarted), started);
    assert_eq!(manager.newest_success().unwrap().record_id, 35);
    // The logon of record 169 came from the console.
    let sessions = one("Velocidex-velociraptor/RDPAuth_LocalSessionManager.evtx");
    assert_eq!(sessions.of(Kind::LoggedOn).count(), 0);
    let again = Some((176, "192.168.38.1".to_owned()));
    assert_eq!(newest(&sessions, Kind::Reconnected), again);
    let transport = one(
        "omerbenamram-evtx/2-vss_0-Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx",
    );
    assert_eq!(transport.of(Kind::Accepted).count(), 8);
    assert!(newest(&transport, Kind::Accepted).unwrap().1.contains(':'));
    let system = one("AndrewRathbun-DFIRArtifactMuseum/Win10/RathbunVM/System.evtx");
    assert!(system.newest(Kind::MachinePolicies).is_some());
}
