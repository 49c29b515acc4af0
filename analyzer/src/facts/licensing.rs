//! The session host role and its licences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapdiag_bundle::channel::{
    RCM_ADMIN, RCM_OPERATIONAL, TS_LICENSING_ADMIN, TS_LICENSING_OPERATIONAL,
};
use snapdiag_bundle::records::RdsLicensing;

use super::document::{at, typed};
use super::events::{EventFamily, Want};
use super::fact::{Fact, State};
use super::inventory::Channel;
use super::records::{self, Record, Records};
use super::remote_desktop::{Layered, POLICIES};
use super::sources::Sources;
use super::sources::registry::{Below, KeyFact, Number, Text};
use crate::formats::evtx::Event;

const SYSTEM: &str = "System";
const SERVER: &str = "Control\\Terminal Server";
/// What Server Manager remembers of roles; it may lag behind.
const COMPONENTS: &str =
    "Microsoft\\ServerManager\\ServicingStorage\\ServerComponentCache\\RDS-RD-Server";
const PACKAGES: &str = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
/// What the names of the session host's packages contain, in lower case.
const SESSION_HOST: &str = "appserver";
/// `CurrentState` of an installed package.
const INSTALLED: u64 = 112;
/// How many packages of that name are looked at.
const MAX_PACKAGES: usize = 256;

/// The session host role and its licences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Licensing {
    /// `InstallState` of `RDS-RD-Server` as Server Manager remembers it: 1 installed.
    pub component: Fact<Number>,
    /// Whether a package of the session host is installed.
    pub package: Fact<bool>,
    /// `TerminalServerMode` of the running system: 1 session host.
    pub live_role: Fact<u32>,
    /// `LicensingMode`: 2 per device, 4 per user, 5 not configured.
    pub mode: Layered,
    /// `LicensingType` of the running system.
    pub live_mode: Fact<u32>,
    /// Licence servers by policy: names with commas between them.
    pub servers_by_policy: Fact<Text>,
    /// Licence servers set locally.
    pub servers: Fact<Vec<String>>,
    /// Licence servers of the running system.
    pub live_servers: Fact<Vec<String>>,
    /// `GetGracePeriodDays`: days left, 0 when it is over. Nothing else tells them.
    pub grace_days: Fact<u32>,
    /// The key of the grace period, whose content is encrypted.
    pub grace_key: Fact<KeyFact>,
    /// The licence server's service on this machine.
    pub own_server: Fact<KeyFact>,
    /// The newest records about licences.
    pub records: Vec<Record<LicenceEvent>>,
    /// How far System reaches.
    pub system: Fact<Channel>,
    /// How far `RemoteConnectionManager/Admin` reaches.
    pub admin: Fact<Channel>,
    /// How far `RemoteConnectionManager/Operational` reaches.
    pub operational: Fact<Channel>,
}

/// What a record about licences says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum LicenceEvent {
    /// 1068: no mode is configured.
    NoMode,
    /// 1069, 1128: the grace period is over.
    GraceOver,
    /// 1129, 1130: no licence server can be reached, or none is named.
    NoServer,
    /// 1004, 1011, 1028: a client got no licence.
    ClientRefused,
    /// The licence server's 18: it is not activated.
    ServerNotActivated,
    /// The licence server's 21, 22, 44: it has no licences left.
    ServerDepleted,
}

impl Licensing {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control = sources.system().control_set();
        let server = control.below(SERVER);
        let software = sources.software();
        let policies = software.below(POLICIES);
        let live = Live::read(sources);
        Self {
            component: software.below(COMPONENTS).number("", "InstallState"),
            package: package(&software.below(PACKAGES)),
            live_role: live.number("terminal_server_mode", |one| one.terminal_server_mode),
            mode: Layered::new(
                policies.number("", "LicensingMode"),
                server.number("RCM\\Licensing Core", "LicensingMode"),
            ),
            live_mode: live.number("licensing_type", |one| one.licensing_type),
            servers_by_policy: policies.text("", "LicenseServers"),
            servers: control.texts(
                "Services\\TermService\\Parameters\\LicenseServers",
                "SpecifiedLicenseServers",
            ),
            live_servers: live.field("license_servers", |one| one.license_servers.clone()),
            grace_days: live.number("grace_days", |one| one.grace_days),
            grace_key: server.key("RCM\\GracePeriod"),
            own_server: control.key("Services\\TermServLicensing"),
            records: sources.events().licensing.records.gather(sources),
            system: sources.channel(SYSTEM),
            admin: sources.channel(RCM_ADMIN),
            operational: sources.channel(RCM_OPERATIONAL),
        }
    }
}

/// Whether a package of the session host is installed; absent where there is none of that name.
fn package(packages: &Below<'_>) -> Fact<bool> {
    let names = packages.subkeys("");
    let Some(list) = names.value() else {
        return names.carry().unwrap_or_else(|| Fact::absent([]));
    };
    let mut evidence = names.evidence.clone();
    let mut found = None;
    let ours = list
        .iter()
        .filter(|name| name.to_ascii_lowercase().contains(SESSION_HOST));
    for name in ours.take(MAX_PACKAGES) {
        let state = packages.number(name, "CurrentState");
        let installed = state.value().and_then(|state| state.value) == Some(INSTALLED);
        if found.is_none() || installed {
            evidence = state.evidence;
        }
        found = Some(installed);
        if installed {
            break;
        }
    }
    let state = found.map_or(State::Absent, State::Known);
    Fact::new(state, evidence)
}

/// The collector's record, field by field.
struct Live {
    whole: Fact<Value>,
    typed: Fact<RdsLicensing>,
}

impl Live {
    fn read(sources: &Sources) -> Self {
        let whole = sources.record::<Value>("system.rds-licensing");
        Self {
            typed: typed(&whole),
            whole,
        }
    }

    fn number(&self, name: &str, read: impl Fn(&RdsLicensing) -> Option<u32>) -> Fact<u32> {
        self.field(name, read)
    }

    /// A field; absent where the record has none.
    fn field<T>(&self, name: &str, read: impl Fn(&RdsLicensing) -> Option<T>) -> Fact<T> {
        let mut fact = self.typed.clone().map(|one| read(&one)).optional();
        let document = self.whole.value().and_then(|whole| whole.get(name));
        let raw = document.cloned().unwrap_or(json!(null));
        if self.typed.value().is_some() {
            let place = |one: &super::evidence::Evidence| at(one, format!("/{name}"), raw.clone());
            fact.evidence = fact.evidence.iter().map(place).collect();
        }
        fact
    }
}

/// The newest records about licences, while the logs are read.
#[derive(Default)]
pub struct Events {
    records: Records<LicenceEvent>,
}

const MANAGER: &[&str] = &[
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
    "TermService",
];
const OF_MANAGER: &[u32] = &[1004, 1011, 1028, 1068, 1069, 1128, 1129, 1130];
const LICENCE_SERVER: &[&str] = &[
    "Microsoft-Windows-TerminalServices-Licensing",
    "TermServLicensing",
];
const OF_SERVER: &[u32] = &[18, 21, 22, 44];

fn classify(event_id: u32) -> Option<LicenceEvent> {
    Some(match event_id {
        1068 => LicenceEvent::NoMode,
        1069 | 1128 => LicenceEvent::GraceOver,
        1129 | 1130 => LicenceEvent::NoServer,
        1004 | 1011 | 1028 => LicenceEvent::ClientRefused,
        18 => LicenceEvent::ServerNotActivated,
        21 | 22 | 44 => LicenceEvent::ServerDepleted,
        _ => return None,
    })
}

const fn want(channel: &'static str, of_server: bool) -> Want {
    Want {
        channel,
        providers: if of_server { LICENCE_SERVER } else { MANAGER },
        ids: if of_server { OF_SERVER } else { OF_MANAGER },
    }
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        want(SYSTEM, false),
        want(RCM_ADMIN, false),
        want(RCM_OPERATIONAL, false),
        want(SYSTEM, true),
        want(TS_LICENSING_ADMIN, true),
        want(TS_LICENSING_OPERATIONAL, true),
    ];

    fn event(&mut self, event: &Event<'_>) {
        let kind = classify(event.header.event_id);
        let channel = records::channel(Self::WANTS, &event.header);
        if let (Some(kind), Some(channel)) = (kind, channel) {
            self.records.offer(kind, channel, event, None);
        }
    }

    fn merge(&mut self, later: Self) {
        self.records.merge(later.records);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sources::Options;
    use crate::facts::test_bundle;

    #[test]
    fn the_record_is_read_field_by_field() {
        let record = r#"{"terminal_server_mode":1,"licensing_type":4,"grace_days":null,"license_servers":["192.0.2.9"],"licensing_type_from_policy":false,"later":1}"#;
        let facts =
            test_bundle::gather(&[("system/rds-licensing.json", record)], Licensing::gather);
        assert_eq!(facts.live_role.value(), Some(&1));
        assert_eq!(facts.live_mode.value(), Some(&4));
        assert!(facts.grace_days.is_absent());
        let place = facts.live_servers.evidence[0].locator.to_string();
        assert_eq!(place, "json:system/rds-licensing.json#/license_servers");
        assert_eq!(facts.live_servers.evidence[0].raw, json!(["192.0.2.9"]));
    }

    #[test]
    fn the_registry_tells_role_mode_and_servers() {
        let text = r#"Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Terminal Server\RCM\Licensing Core]
"LicensingMode"=dword:00000005

[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\TermService\Parameters\LicenseServers]
"SpecifiedLicenseServers"=hex(7):6c,00,73,00,00,00,00,00

[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services]
"LicensingMode"=dword:00000002

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\A-AppServer-Package~1]
"CurrentState"=dword:00000040

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages\B-AppServer-Package~1]
"CurrentState"=dword:00000070
"#;
        let gather = |text: &str| {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("machine.reg"), text).unwrap();
            Licensing::gather(&Sources::open(folder.path(), &Options::default()).unwrap())
        };
        let facts = gather(text);
        assert_eq!(facts.mode.effective.value(), Some(&2));
        assert_eq!(facts.servers.value().unwrap(), &["ls"]);
        assert_eq!(facts.package.value(), Some(&true));
        assert_eq!(facts.package.evidence[0].raw, json!(112));
        assert!(facts.component.is_absent());
        let staged = gather(&text.replace("00000070", "00000050"));
        assert_eq!(staged.package.value(), Some(&false));
        let none = gather(&text.replace("AppServer", "Other"));
        assert!(none.package.is_absent());
    }
}
