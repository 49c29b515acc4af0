//! The settings of the three profiles: local, by policy, and what is in force.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use snapdiag_bundle::records::{FirewallProfile, FirewallState};

use crate::facts::fact::Fact;
use crate::facts::sources::registry::{Below, Number};
use crate::formats::firewall_rule::Profile;

/// The machine's own settings, below the control set.
pub(super) const LOCAL: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy";
/// Group policy, below SOFTWARE.
pub(super) const POLICY: &str = "Policies\\Microsoft\\WindowsFirewall";

/// What is known of one profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProfileFacts {
    /// Which.
    pub profile: Profile,
    /// The machine's own settings.
    pub local: Layer,
    /// Group policy; where it says something it wins.
    pub policy: Layer,
    /// Whether the firewall filters in this profile. From the live state where there is one,
    /// else policy over local; on when neither says otherwise.
    pub enabled: Fact<bool>,
    /// Whether connections that no rule is for are let in; blocked when nothing says otherwise.
    pub allows_by_default: Fact<bool>,
    /// Whether everything is blocked, whatever the rules allow; not when nothing says otherwise.
    pub blocks_everything: Fact<bool>,
    /// Whether the machine's own rules count (`AllowLocalPolicyMerge` of the policy); they do
    /// when nothing says otherwise.
    pub merges_local_rules: Fact<bool>,
}

/// One layer of a profile's settings (MS-GPFAS 2.2.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// `EnableFirewall`: 0 off, 1 on.
    pub enable: Fact<Number>,
    /// `DefaultInboundAction`: 0 allow, 1 block.
    pub inbound: Fact<Number>,
    /// `DoNotAllowExceptions`: 1 blocks what rules allow.
    pub no_exceptions: Fact<Number>,
    /// `AllowLocalPolicyMerge`: 0 ignores the machine's own rules; only in policy.
    pub merge: Fact<Number>,
}

impl Layer {
    /// Reads a layer; of several names the first key that exists counts for each value.
    fn read(below: &Below<'_>, keys: &[&str]) -> Self {
        let number = |name: &str| {
            let mut facts = keys.iter().map(|key| below.number(key, name));
            let first = facts.next().unwrap_or_else(|| Fact::absent([]));
            facts.fold(first, |found, next| {
                if found.is_absent() && !next.is_absent() {
                    next
                } else {
                    found
                }
            })
        };
        Self {
            enable: number("EnableFirewall"),
            inbound: number("DefaultInboundAction"),
            no_exceptions: number("DoNotAllowExceptions"),
            merge: number("AllowLocalPolicyMerge"),
        }
    }
}

/// The names of a profile's key. The registry calls the private profile `Standard`; group policy
/// uses both names, the newer one first.
fn keys(profile: Profile) -> (&'static [&'static str], &'static [&'static str]) {
    match profile {
        Profile::Domain => (&["DomainProfile"], &["DomainProfile"]),
        Profile::Private => (&["StandardProfile"], &["PrivateProfile", "StandardProfile"]),
        Profile::Public => (&["PublicProfile"], &["PublicProfile"]),
    }
}

/// `NET_FW_PROFILE_TYPE2`.
pub(super) fn bit(profile: Profile) -> u32 {
    match profile {
        Profile::Domain => 1,
        Profile::Private => 2,
        Profile::Public => 4,
    }
}

pub(super) fn gather(
    profile: Profile,
    local: &Below<'_>,
    policy: &Below<'_>,
    live: &Fact<FirewallState>,
) -> ProfileFacts {
    let (local_keys, policy_keys) = keys(profile);
    let local = Layer::read(local, local_keys);
    let policy = Layer::read(policy, policy_keys);
    let configured = |name: fn(&Layer) -> &Fact<Number>, default: u64| {
        effective(name(&policy), name(&local), default)
    };
    let enabled = configured(|layer| &layer.enable, 1).map(|number| number != 0);
    let allows = configured(|layer| &layer.inbound, 1).map(|number| number == 0);
    let blocks = configured(|layer| &layer.no_exceptions, 0).map(|number| number != 0);
    ProfileFacts {
        profile,
        enabled: seen(profile, live, "enabled", |row| {
            Some((row.enabled?, json!(row.enabled)))
        })
        .unwrap_or(enabled),
        allows_by_default: seen(profile, live, "default_inbound_action", |row| {
            let action = row.default_inbound_action?;
            Some((action == 1, json!(action)))
        })
        .unwrap_or(allows),
        blocks_everything: seen(profile, live, "block_all_inbound", |row| {
            Some((row.block_all_inbound?, json!(row.block_all_inbound)))
        })
        .unwrap_or(blocks),
        merges_local_rules: settled(&policy.merge, 1).map(|number| number != 0),
        local,
        policy,
    }
}

/// Policy over local over the documented default.
fn effective(policy: &Fact<Number>, local: &Fact<Number>, default: u64) -> Fact<u64> {
    if policy.is_absent() {
        settled(local, default)
    } else {
        settled(policy, default)
    }
}

/// The number, or the default where there is none. A value of the wrong type is not settled:
/// what Windows makes of it is documented nowhere.
fn settled(fact: &Fact<Number>, default: u64) -> Fact<u64> {
    if fact.is_absent() {
        return Fact::known(default, fact.evidence.clone());
    }
    fact.clone()
        .and_then(|number| match (number.wrong_type, number.value) {
            (Some(kind), _) => Err(format!("{kind} where REG_DWORD is expected")),
            (None, Some(value)) => Ok(value),
            (None, None) => Err("no data".to_owned()),
        })
}

/// What the live state says of a profile.
fn seen(
    profile: Profile,
    live: &Fact<FirewallState>,
    column: &str,
    read: impl Fn(&FirewallProfile) -> Option<(bool, serde_json::Value)>,
) -> Option<Fact<bool>> {
    let rows = live.value()?.profiles.iter().enumerate();
    let (index, row) = rows
        .into_iter()
        .find(|(_, row)| row.profile == bit(profile))?;
    let (value, raw) = read(row)?;
    let fact = Fact::known(value, live.evidence.clone());
    Some(fact.at_pointer(&format!("/profiles/{index}/{column}"), |_| raw.clone()))
}
