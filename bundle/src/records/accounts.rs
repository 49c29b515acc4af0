//! `system/accounts.json`: who may log on and who is locked out. Decoded facts, no hashes and no
//! hive of secrets. Accounts and groups are known by SID, never by translated name.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Account facts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accounts {
    /// Lockout policy (`NetUserModalsGet` level 3).
    pub lockout_policy: Option<LockoutPolicy>,
    /// Members of Administrators, S-1-5-32-544 (`NetLocalGroupGetMembers`).
    pub administrators: Option<Vec<GroupMember>>,
    /// Members of Remote Desktop Users, S-1-5-32-555.
    pub remote_desktop_users: Option<Vec<GroupMember>>,
    /// The logon rights asked for (`LsaEnumerateAccountsWithUserRight`).
    pub logon_rights: Option<Vec<LogonRight>>,
    /// Local accounts that are administrators, and the built-in Administrator and Guest
    /// (`NetUserGetInfo` level 4).
    pub local_accounts: Option<Vec<LocalAccount>>,
}

/// Lockout policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LockoutPolicy {
    /// Failures that lock an account; 0 for never.
    pub threshold: u32,
    /// Seconds that a lockout lasts; `null` until an administrator ends it.
    pub duration_s: Option<u32>,
    /// Seconds within which failures add up.
    pub window_s: Option<u32>,
    /// Whether the built-in Administrator can be locked out.
    pub administrator_lockout: Option<bool>,
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupMember {
    /// SID, such as `S-1-5-21-…-500`.
    pub sid: String,
    /// `DOMAIN\name`, for people.
    pub name: Option<String>,
    /// `SID_NAME_USE`: 1 user, 2 group, 4 alias, 5 well known, 6 deleted, 8 unknown.
    pub sid_use: Option<u32>,
}

/// Who holds a logon right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LogonRight {
    /// Name of the right, such as `SeRemoteInteractiveLogonRight`.
    pub right: String,
    /// SIDs of the holders, sorted.
    pub sids: Vec<String>,
}

/// A local account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocalAccount {
    /// SID; 500 at the end is the built-in Administrator, 501 Guest.
    pub sid: String,
    /// Name.
    pub name: String,
    /// `usri4_flags`, bits: 0x2 disabled, 0x10 locked out, 0x20 no password needed,
    /// 0x10000 password never expires, 0x800000 password expired.
    pub flags: u32,
    /// Wrong passwords in a row (`usri4_bad_pw_count`).
    pub bad_password_count: Option<u32>,
    /// When the account expires.
    pub expires_at: Option<Timestamp>,
    /// Seconds since the password was set (`usri4_password_age`).
    pub password_age_s: Option<u32>,
    /// Whether the password has expired (`usri4_password_expired`).
    pub password_expired: Option<bool>,
    /// Last logon known to this machine.
    pub last_logon_at: Option<Timestamp>,
}
