//! The way in, and who is locked out of it: what the remedies change and have to put back.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapdiag_bundle::records::{Accounts, TcpSample, TcpTables};

use crate::facts::document::{placed, typed};
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// The key of the Remote Desktop listener, below the control set.
const LISTENER: &str = r"Control\Terminal Server\WinStations\RDP-Tcp";
/// The key of the firewall's own rules, below the control set.
const RULES: &str = r"Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules";
/// The service of the SSH server, below the control set.
const SSH_SERVICE: &str = r"Services\sshd";
/// `SERVICE_AUTO_START`.
const SERVICE_AUTO_START: u64 = 2;
/// The built-in rule that opens Remote Desktop.
const RULE: &str = "RemoteDesktop-UserMode-In-TCP";
/// Where Remote Desktop listens unless the registry says otherwise.
const DEFAULT_PORT: u16 = 3389;
/// `MIB_TCP_STATE_SYN_RCVD`.
const SYN_RECEIVED: u32 = 4;
/// `UF_LOCKOUT`.
const LOCKED_OUT: u32 = 0x10;

/// How the machine can be reached by Remote Desktop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The port of the listener RDP-Tcp.
    pub port: Fact<u16>,
    /// Whether network level authentication is demanded, by the listener's own value.
    pub nla: Fact<bool>,
    /// Whether the SSH server starts with Windows.
    pub ssh_server: Fact<bool>,
    /// The remote addresses that the built-in firewall rule lets in.
    pub scope: Fact<RuleScope>,
}

/// The scope of a firewall rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleScope {
    /// The remote addresses as the rule has them; empty for any.
    pub remote: Vec<String>,
}

/// The account lockout policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockoutPolicy {
    /// Failures that lock an account; 0 for never.
    pub threshold: u32,
    /// Minutes that a lockout lasts; `None` until an administrator ends it.
    pub duration_minutes: Option<u32>,
    /// Minutes within which failures add up.
    pub window_minutes: Option<u32>,
}

/// The built-in administrator account (RID 500).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Administrator {
    /// Its name.
    pub name: String,
    /// Whether it is locked out now.
    pub locked_out: bool,
    /// Wrong passwords in a row.
    pub bad_passwords: Option<u32>,
}

/// Half-open connections (`SYN_RECEIVED`) on the Remote Desktop port, in the last sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HalfOpen {
    /// The port.
    pub port: u16,
    /// How many.
    pub connections: u64,
    /// From how many addresses.
    pub peers: u64,
}

impl Entry {
    pub(super) fn gather(sources: &Sources) -> Self {
        let set = sources.system().control_set();
        let number = |name: &str| set.number(LISTENER, name);
        Self {
            port: number("PortNumber").and_then(|number| {
                number
                    .value
                    .and_then(|port| u16::try_from(port).ok())
                    .ok_or_else(|| "PortNumber is no port".to_owned())
            }),
            nla: number("UserAuthentication").map(|number| number.value == Some(1)),
            ssh_server: set
                .number(SSH_SERVICE, "Start")
                .map(|start| start.value == Some(SERVICE_AUTO_START)),
            scope: set.text(RULES, RULE).map(|rule| RuleScope {
                remote: remote_addresses(&rule.text),
            }),
        }
    }
}

/// The remote addresses of a rule text (MS-GPFAS 2.2.2: `RA4=`, `RA6=`, `RA42=`, `RA62=`).
fn remote_addresses(rule: &str) -> Vec<String> {
    let mut remote: Vec<String> = Vec::new();
    for (name, value) in rule.split('|').filter_map(|part| part.split_once('=')) {
        let is_remote = matches!(name, "RA4" | "RA6" | "RA42" | "RA62");
        if is_remote && !value.is_empty() && !remote.iter().any(|known| known == value) {
            remote.push(value.to_owned());
        }
    }
    remote
}

/// The item with the accounts, as it stands in the snapshot.
pub(super) fn accounts(sources: &Sources) -> Fact<Value> {
    sources.record("system.accounts")
}

pub(super) fn lockout_policy(record: &Fact<Value>) -> Fact<LockoutPolicy> {
    let fact = typed::<Accounts>(record).and_then(|accounts| {
        let policy = accounts
            .lockout_policy
            .ok_or("Windows did not give the lockout policy")?;
        let minutes = |seconds: u32| seconds / 60;
        Ok(LockoutPolicy {
            threshold: policy.threshold,
            duration_minutes: policy.duration_s.map(minutes),
            window_minutes: policy.window_s.map(minutes),
        })
    });
    placed(record, "/lockout_policy", fact)
}

pub(super) fn administrator(record: &Fact<Value>) -> Fact<Administrator> {
    let accounts = typed::<Accounts>(record);
    let list = accounts
        .value()
        .and_then(|accounts| accounts.local_accounts.as_deref())
        .unwrap_or_default();
    let index = list.iter().position(|account| is_built_in(&account.sid));
    let Some((index, account)) = index.and_then(|index| Some((index, list.get(index)?))) else {
        return accounts.and_then(|_| {
            Err("Windows did not give the built-in administrator account".to_owned())
        });
    };
    let account = Administrator {
        name: account.name.clone(),
        locked_out: account.flags & LOCKED_OUT != 0,
        bad_passwords: account.bad_password_count,
    };
    let pointer = format!("/local_accounts/{index}");
    placed(record, &pointer, Fact::known(account, []))
}

fn is_built_in(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") && sid.ends_with("-500")
}

pub(super) fn half_open(sources: &Sources, entry: &Entry) -> Fact<HalfOpen> {
    let tables = sources.record::<TcpTables>("network.tcp");
    let last = tables
        .value()
        .map_or(0, |tables| tables.samples.len().saturating_sub(1));
    let port = entry.port.value().copied().unwrap_or(DEFAULT_PORT);
    tables
        .at_pointer(&format!("/samples/{last}/taken_at"), |tables| {
            json!(tables.samples.get(last).map(|sample| sample.taken_at))
        })
        .and_then(|tables| {
            let sample = tables.samples.get(last).ok_or("no sample was taken")?;
            Ok(count_half_open(sample, port))
        })
}

fn count_half_open(sample: &TcpSample, port: u16) -> HalfOpen {
    let rows = || {
        sample
            .rows
            .iter()
            .filter(|row| row.state == SYN_RECEIVED && row.local_port == port)
    };
    HalfOpen {
        port,
        connections: rows().count() as u64,
        peers: rows()
            .map(|row| row.remote_address)
            .collect::<BTreeSet<_>>()
            .len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_rule_is_read_for_the_undo() {
        let any = "v2.26|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=x|";
        assert!(remote_addresses(any).is_empty());
        let two =
            "v2.26|Action=Allow|RA4=192.0.2.0/255.255.255.0|RA4=198.51.100.7|RA6=LocalSubnet|";
        assert_eq!(
            remote_addresses(two),
            ["192.0.2.0/255.255.255.0", "198.51.100.7", "LocalSubnet"]
        );
    }

    fn collected(text: serde_json::Value) -> Fact<Value> {
        let evidence = crate::facts::evidence::Evidence::new(
            "system/accounts.json",
            crate::facts::locator::Locator::json("system/accounts.json", ""),
            text.clone(),
        );
        Fact::known(text, [evidence])
    }

    #[test]
    fn the_built_in_administrator_is_known_by_its_sid() {
        let guest = json!({"sid": "S-1-5-21-1-2-3-501", "name": "Guest", "flags": 0x10});
        let boss = json!({"sid": "S-1-5-21-1-2-3-500", "name": "Boss", "flags": 0x1_0210,
                          "bad_password_count": 11});
        let fact = administrator(&collected(json!({"local_accounts": [guest, boss]})));
        let account = fact.value().unwrap();
        assert_eq!((account.name.as_str(), account.locked_out), ("Boss", true));
        let place = fact.evidence[0].locator.to_string();
        assert_eq!(place, "json:system/accounts.json#/local_accounts/1");
        assert_eq!(fact.evidence[0].raw["flags"], json!(0x1_0210));

        let open = json!({"sid": "S-1-5-21-1-2-3-500", "name": "Boss", "flags": 0x1_0200});
        let fact = administrator(&collected(json!({"local_accounts": [open]})));
        assert!(!fact.value().unwrap().locked_out);

        let without = administrator(&collected(json!({"local_accounts": [guest]})));
        assert!(without.why_unsettled().is_some());
        assert!(
            administrator(&collected(json!({})))
                .why_unsettled()
                .is_some()
        );
    }

    #[test]
    fn the_lockout_policy_is_in_minutes() {
        let policy = json!({"threshold": 0, "duration_s": 1800, "window_s": null});
        let fact = lockout_policy(&collected(json!({"lockout_policy": policy})));
        let known = fact.value().unwrap();
        assert_eq!(
            (
                known.threshold,
                known.duration_minutes,
                known.window_minutes
            ),
            (0, Some(30), None)
        );
        assert_eq!(fact.evidence[0].raw["duration_s"], json!(1800));
        assert!(
            lockout_policy(&collected(json!({})))
                .why_unsettled()
                .is_some()
        );
    }

    #[test]
    fn only_half_open_rows_of_the_port_count() {
        let row = |port: u16, peer: &str, state: u32| {
            json!({"local_address": "10.0.0.4", "local_port": port, "remote_address": peer,
                   "remote_port": 50000, "state": state, "pid": 900,
                   "local_scope_id": null, "remote_scope_id": null})
        };
        let sample: TcpSample = serde_json::from_value(json!({
            "taken_at": "2026-01-02T03:04:05Z", "families": ["ipv4"],
            "rows": [row(3389, "203.0.113.7", 4), row(3389, "203.0.113.7", 4),
                     row(3389, "203.0.113.8", 4), row(3389, "203.0.113.9", 5),
                     row(445, "203.0.113.9", 4)]
        }))
        .unwrap();
        let open = count_half_open(&sample, 3389);
        assert_eq!((open.connections, open.peers), (3, 2));
    }
}
