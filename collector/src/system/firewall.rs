//! The effective state of Windows Firewall.

use super::{SysResult, not_implemented};

/// The effective state of Windows Firewall, by `INetFwPolicy2`. Profiles are numbers of
/// `NET_FW_PROFILE_TYPE2`: 1 domain, 2 private, 4 public.
pub trait Firewall: Send + Sync {
    /// Opens the policy and reads what [`FirewallAnswers`] lists. The answers are independent: one
    /// that fails leaves the others.
    ///
    /// # Errors
    /// That the policy cannot be opened: COM, or the firewall's service does not run.
    fn state(&self) -> SysResult<FirewallAnswers> {
        not_implemented("CoCreateInstance")
    }
}

/// The answers of the getters.
#[derive(Debug, Clone)]
pub struct FirewallAnswers {
    /// `CurrentProfileTypes`, bits.
    pub current_profiles: SysResult<u32>,
    /// `LocalPolicyModifyState`.
    pub local_policy_modify_state: SysResult<u32>,
    /// Of each profile.
    pub profiles: Vec<ProfileAnswers>,
}

/// The answers for one profile.
#[derive(Debug, Clone)]
pub struct ProfileAnswers {
    /// The profile.
    pub profile: u32,
    /// `FirewallEnabled`.
    pub enabled: SysResult<bool>,
    /// `BlockAllInboundTraffic`.
    pub block_all_inbound: SysResult<bool>,
    /// `DefaultInboundAction`: 0 block, 1 allow.
    pub default_inbound_action: SysResult<u32>,
    /// `DefaultOutboundAction`, same numbers.
    pub default_outbound_action: SysResult<u32>,
}
