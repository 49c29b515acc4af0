//! Whether local accounts that log on over the network are turned into Guest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use snapdiag_bundle::records::Accounts;

use super::events::{EventFamily, Want};
use super::fact::Fact;
use super::inventory::Channel;
use super::records::{self, Record, Records};
use super::remote_desktop::{PolicyObject, objects_of};
use super::sources::Sources;
use super::sources::registry::Number;
use crate::formats::evtx::{Event, Fields};

const SECURITY: &str = "Security";
const LSA: &str = "Control\\Lsa";
const SYSTEM_POLICIES: &str = "Microsoft\\Windows\\CurrentVersion\\Policies\\System";
/// The client-side extension that applies security settings of group policy (MS-GPSB 1.9).
const SECURITY_EXTENSION: &str = "{827D319E-6EAC-11D2-A4EA-00C04F79F83A}";
/// `UF_ACCOUNTDISABLE` in `usri4_flags`.
const DISABLED: u32 = 0x2;
/// Logon type of the network: also that of network level authentication.
const NETWORK: u64 = 3;
/// `RemoteInteractive`: Remote Desktop's own logon.
const REMOTE_INTERACTIVE: u64 = 10;

/// Whether local accounts that log on over the network are turned into Guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NetworkAccess {
    /// `forceguest`: 0 classic, 1 local accounts become Guest; absent stands for 0.
    pub force_guest: Fact<Number>,
    /// `LimitBlankPasswordUse`: 1 keeps accounts without password at the console.
    pub limit_blank_passwords: Fact<Number>,
    /// `disabledomaincreds`: 1 keeps the machine from storing domain credentials.
    pub disable_domain_credentials: Fact<Number>,
    /// `LocalAccountTokenFilterPolicy`: 1 gives local administrators their full token over the
    /// network.
    pub token_filter: Fact<Number>,
    /// The built-in Guest account.
    pub guest: Fact<Guest>,
    /// The group policy objects with security settings that were applied last.
    pub policy_objects: Fact<Vec<PolicyObject>>,
    /// The newest logons as Guest, by kind.
    pub logons: Vec<Record<GuestLogon>>,
    /// How far Security reaches.
    pub security: Fact<Channel>,
}

/// The built-in Guest account, known by its SID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guest {
    /// Its name.
    pub name: String,
    /// Whether it is disabled.
    pub disabled: bool,
}

/// A logon as Guest over the network or by Remote Desktop.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum GuestLogon {
    /// 4624 whose `TargetUserSid` ends in 501.
    Succeeded,
    /// 4625 whose `TargetUserName` is `Guest`.
    Failed,
}

impl NetworkAccess {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let control = sources.system().control_set();
        Self {
            force_guest: control.number(LSA, "forceguest"),
            limit_blank_passwords: control.number(LSA, "LimitBlankPasswordUse"),
            disable_domain_credentials: control.number(LSA, "disabledomaincreds"),
            token_filter: sources
                .software()
                .below(SYSTEM_POLICIES)
                .number("", "LocalAccountTokenFilterPolicy"),
            guest: guest(sources.record("system.accounts")),
            policy_objects: objects_of(sources, SECURITY_EXTENSION),
            logons: sources.events().network_access.records.gather(sources),
            security: sources.channel(SECURITY),
        }
    }
}

fn is_guest(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") && sid.ends_with("-501")
}

/// The Guest account of the record; absent where the record has none.
fn guest(accounts: Fact<Accounts>) -> Fact<Guest> {
    let found = accounts.value().and_then(|accounts| {
        let list = accounts.local_accounts.as_ref()?;
        let index = list.iter().position(|account| is_guest(&account.sid))?;
        list.get(index).cloned().map(|account| (index, account))
    });
    let Some((index, account)) = found else {
        return accounts.map(|_| None).optional();
    };
    accounts
        .at_pointer(&format!("/local_accounts/{index}"), |_| json!(account))
        .map(|_| Guest {
            name: account.name.clone(),
            disabled: account.flags & DISABLED != 0,
        })
}

/// The newest logons as Guest, while the log is read.
#[derive(Default)]
pub struct Events {
    records: Records<GuestLogon>,
}

/// What a logon is, if it is one as Guest from outside.
fn classify(event_id: u32, fields: &Fields) -> Option<GuestLogon> {
    let logon = fields.get("LogonType")?.as_u64()?;
    if logon != NETWORK && logon != REMOTE_INTERACTIVE {
        return None;
    }
    let text = |name: &str| fields.get(name).and_then(|value| value.as_str());
    match event_id {
        4624 => is_guest(text("TargetUserSid")?).then_some(GuestLogon::Succeeded),
        // A failed logon has no SID; the name is English on an English Windows alone.
        4625 => text("TargetUserName")?
            .eq_ignore_ascii_case("Guest")
            .then_some(GuestLogon::Failed),
        _ => None,
    }
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[Want {
        channel: SECURITY,
        providers: &["Microsoft-Windows-Security-Auditing"],
        ids: &[4624, 4625],
    }];

    fn event(&mut self, event: &Event<'_>) {
        let kind = classify(event.header.event_id, &event.fields);
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
    use crate::facts::test_bundle;
    use crate::formats::evtx::{Field, Value};

    #[test]
    fn the_guest_account_is_known_by_its_sid() {
        let read = |json| {
            test_bundle::gather(&[("system/accounts.json", json)], |sources| {
                guest(sources.record("system.accounts"))
            })
        };
        let fact = read(
            r#"{"local_accounts":[{"sid":"S-1-5-21-1-2-3-500","name":"Guest","flags":0},
                {"sid":"S-1-5-21-1-2-3-501","name":"Gast","flags":66082}]}"#,
        );
        let account = fact.value().unwrap();
        assert_eq!((account.name.as_str(), account.disabled), ("Gast", true));
        let place = fact.evidence[0].locator.to_string();
        assert_eq!(place, "json:system/accounts.json#/local_accounts/1");
        assert!(read(r#"{"local_accounts":[]}"#).is_absent());
        assert!(read("{}").is_absent());
        assert!(read("[").why_unsettled().is_some());
    }

    #[test]
    fn only_logons_from_outside_as_guest_count() {
        let fields = |logon: u64, sid: &str, name: &str| {
            [
                ("TargetUserSid", Value::Sid(sid.to_owned())),
                ("TargetUserName", Value::Text(name.to_owned())),
                ("LogonType", Value::Unsigned(logon)),
            ]
            .into_iter()
            .map(|(name, value)| Field {
                name: Some(name.to_owned()),
                value,
            })
            .collect::<Fields>()
        };
        let guest = "S-1-5-21-1-2-3-501";
        let of = |id, logon, sid, name| classify(id, &fields(logon, sid, name));
        assert_eq!(of(4624, 3, guest, "Gast"), Some(GuestLogon::Succeeded));
        assert_eq!(of(4624, 10, guest, "Gast"), Some(GuestLogon::Succeeded));
        assert_eq!(of(4624, 2, guest, "Guest"), None);
        assert_eq!(of(4624, 3, "S-1-5-21-1-2-3-1501", "Guest"), None);
        assert_eq!(of(4625, 3, "S-1-0-0", "GUEST"), Some(GuestLogon::Failed));
        assert_eq!(of(4625, 3, "S-1-0-0", "user1"), None);
    }
}
