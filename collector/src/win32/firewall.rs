//! Windows Firewall by `INetFwPolicy2` (netfw.h), which has no C API.

use std::ffi::c_void;

use windows_sys::core::{GUID, HRESULT};

use super::Windows;
use super::com::{Apartment, Com, Dispatch, Uncalled, Vtable, get};
use crate::system::SysResult;
use crate::system::firewall::{Firewall, FirewallAnswers, ProfileAnswers};

/// `CLSID_NetFwPolicy2`.
const CLASS: GUID = GUID::from_u128(0xe2b3c97f_6ae1_41ac_817a_f6f92166d7dd);
/// Domain, private, public.
const PROFILES: [u32; 3] = [1, 2, 4];

type Getter<T> = unsafe extern "system" fn(*mut c_void, *mut T) -> HRESULT;
type ProfileGetter<T> = unsafe extern "system" fn(*mut c_void, u32, *mut T) -> HRESULT;

/// `INetFwPolicy2`. A `VARIANT_BOOL` has 16 bits.
#[repr(C)]
struct Policy {
    dispatch: Dispatch,
    current_profile_types: Getter<u32>,
    firewall_enabled: ProfileGetter<i16>,
    put_firewall_enabled: Uncalled,
    excluded_interfaces: [Uncalled; 2],
    block_all_inbound_traffic: ProfileGetter<i16>,
    put_block_all_inbound_traffic: Uncalled,
    notifications_disabled: [Uncalled; 2],
    unicast_responses_disabled: [Uncalled; 2],
    rules: Uncalled,
    service_restriction: Uncalled,
    rule_groups: [Uncalled; 2],
    restore_defaults: Uncalled,
    default_inbound_action: ProfileGetter<u32>,
    put_default_inbound_action: Uncalled,
    default_outbound_action: ProfileGetter<u32>,
    put_default_outbound_action: Uncalled,
    is_rule_group_currently_enabled: Uncalled,
    local_policy_modify_state: Getter<u32>,
}

// SAFETY: laid out as INetFwPolicy2 in netfw.h, an automation interface.
unsafe impl Vtable for Policy {
    const ID: GUID = GUID::from_u128(0x98325047_c671_4174_8d81_defcd3f03186);
}

impl Firewall for Windows {
    fn state(&self) -> SysResult<FirewallAnswers> {
        let apartment = Apartment::enter()?;
        let policy: Com<'_, Policy> = apartment.create(&CLASS)?;
        let vtable = policy.vtable();
        Ok(FirewallAnswers {
            current_profiles: plain(
                &policy,
                "get_CurrentProfileTypes",
                vtable.current_profile_types,
            ),
            local_policy_modify_state: plain(
                &policy,
                "get_LocalPolicyModifyState",
                vtable.local_policy_modify_state,
            ),
            profiles: PROFILES
                .iter()
                .map(|&profile| of_profile(&policy, profile))
                .collect(),
        })
    }
}

fn of_profile(policy: &Com<'_, Policy>, profile: u32) -> ProfileAnswers {
    let vtable = policy.vtable();
    let flag = |call, getter| keyed(policy, profile, call, getter).map(|flag: i16| flag != 0);
    ProfileAnswers {
        profile,
        enabled: flag("get_FirewallEnabled", vtable.firewall_enabled),
        block_all_inbound: flag(
            "get_BlockAllInboundTraffic",
            vtable.block_all_inbound_traffic,
        ),
        default_inbound_action: keyed(
            policy,
            profile,
            "get_DefaultInboundAction",
            vtable.default_inbound_action,
        ),
        default_outbound_action: keyed(
            policy,
            profile,
            "get_DefaultOutboundAction",
            vtable.default_outbound_action,
        ),
    }
}

fn plain<T: Default>(policy: &Com<'_, Policy>, call: &str, getter: Getter<T>) -> SysResult<T> {
    // SAFETY: a getter of this object's vtable, with a valid out parameter.
    get(call, |value| unsafe { getter(policy.this(), value) })
}

fn keyed<T: Default>(
    policy: &Com<'_, Policy>,
    profile: u32,
    call: &str,
    getter: ProfileGetter<T>,
) -> SysResult<T> {
    // SAFETY: a getter of this object's vtable, with a valid out parameter.
    get(call, |value| unsafe {
        getter(policy.this(), profile, value)
    })
}
