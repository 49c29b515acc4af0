//! `network/firewall.json`: the firewall's effective state.

use serde::{Deserialize, Serialize};

/// Effective state (`INetFwPolicy2`). Rules are in the hives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FirewallState {
    /// `CurrentProfileTypes`, bits: 1 domain, 2 private, 4 public.
    pub current_profiles: Option<u32>,
    /// `LocalPolicyModifyState`: 0 effective, 1 overridden by policy, 2 inbound blocked.
    pub local_policy_modify_state: Option<u32>,
    /// One a profile that was read.
    pub profiles: Vec<FirewallProfile>,
}

/// One profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FirewallProfile {
    /// `NET_FW_PROFILE_TYPE2`: 1 domain, 2 private, 4 public.
    pub profile: u32,
    /// `FirewallEnabled`.
    pub enabled: Option<bool>,
    /// `BlockAllInboundTraffic`.
    pub block_all_inbound: Option<bool>,
    /// `DefaultInboundAction`: 0 block, 1 allow (`NET_FW_ACTION`, not the registry's numbers).
    pub default_inbound_action: Option<u32>,
    /// `DefaultOutboundAction`, same numbers.
    pub default_outbound_action: Option<u32>,
}
