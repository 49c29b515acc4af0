//! Accounts, groups, logon rights, lockout policy.

use super::{SysResult, not_implemented};

/// Accounts, groups, logon rights, lockout policy.
pub trait Accounts: Send + Sync {
    /// The lockout policy.
    ///
    /// # Errors
    /// The error of `NetUserModalsGet`.
    fn lockout_policy(&self) -> SysResult<Lockout> {
        not_implemented("NetUserModalsGet")
    }

    /// Members of the local group with that SID.
    ///
    /// # Errors
    /// The error of `LookupAccountSidW` or `NetLocalGroupGetMembers`.
    fn group_members(&self, _sid: &str) -> SysResult<Vec<Member>> {
        not_implemented("NetLocalGroupGetMembers")
    }

    /// SIDs of the members of the local group with that SID: no domain controller is asked for
    /// their names.
    ///
    /// # Errors
    /// The error of `LookupAccountSidW` or `NetLocalGroupGetMembers`.
    fn group_sids(&self, _sid: &str) -> SysResult<Vec<String>> {
        not_implemented("NetLocalGroupGetMembers")
    }

    /// SIDs that hold that logon right; none is an answer.
    ///
    /// # Errors
    /// The NTSTATUS of `LsaOpenPolicy` or `LsaEnumerateAccountsWithUserRight`.
    fn holders_of_right(&self, _right: &str) -> SysResult<Vec<String>> {
        not_implemented("LsaEnumerateAccountsWithUserRight")
    }

    /// Whether this machine is a domain controller, whose accounts are those of the domain.
    ///
    /// # Errors
    /// The error of `RtlGetNtProductType`.
    fn is_domain_controller(&self) -> SysResult<bool> {
        not_implemented("RtlGetNtProductType")
    }

    /// Names of the local accounts.
    ///
    /// # Errors
    /// The error of `NetUserEnum`.
    fn user_names(&self) -> SysResult<Vec<String>> {
        not_implemented("NetUserEnum")
    }

    /// A local account.
    ///
    /// # Errors
    /// The error of `NetUserGetInfo`.
    fn user(&self, _name: &str) -> SysResult<User> {
        not_implemented("NetUserGetInfo")
    }
}

/// `USER_MODALS_INFO_3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// Failures that lock an account; 0 for never.
    pub threshold: u32,
    /// Seconds that a lockout lasts; `u32::MAX` (`TIMEQ_FOREVER`) for ever.
    pub duration_s: u32,
    /// Seconds within which failures add up.
    pub window_s: u32,
}

/// `LOCALGROUP_MEMBERS_INFO_2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// SID.
    pub sid: String,
    /// `DOMAIN\name`.
    pub name: Option<String>,
    /// `SID_NAME_USE`.
    pub sid_use: u32,
}

/// Parts of `USER_INFO_4`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// `usri4_user_sid`.
    pub sid: String,
    /// `usri4_name`.
    pub name: String,
    /// `usri4_flags`.
    pub flags: u32,
    /// `usri4_bad_pw_count`; `u32::MAX` for unknown.
    pub bad_password_count: u32,
    /// `usri4_acct_expires`, seconds since 1970; `u32::MAX` (`TIMEQ_FOREVER`) for never.
    pub expires: u32,
    /// `usri4_password_age`, seconds.
    pub password_age_s: u32,
    /// `usri4_password_expired` is not 0.
    pub password_expired: bool,
    /// `usri4_last_logon`, seconds since 1970; 0 for unknown.
    pub last_logon: u32,
}
