//! `registry/volatile.json` and `registry/users.json`: keys that no collected hive holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Keys exported one by one: volatile ones (`HKLM\HARDWARE`, `SafeBoot\Option`,
/// `SystemInformation`), and `Environment` and the like of the default and logged-on users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegistryExport {
    /// The keys asked for, in the order asked; one with `exists` false was looked for.
    pub keys: Vec<RegistryKey>,
}

/// One key with its values, without its subkeys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegistryKey {
    /// Full path, such as `HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Option` or
    /// `HKU\S-1-5-18\Environment`.
    pub path: String,
    /// Whether the key is there; `null` if Windows would not say, `code` has its error.
    pub exists: Option<bool>,
    /// Error of Windows (`RegOpenKeyExW`), where it is not 2 (no such key).
    pub code: Option<u32>,
    /// Last write (`RegQueryInfoKeyW`).
    pub last_write: Option<Timestamp>,
    /// Its values.
    #[serde(default)]
    pub values: Vec<RegistryValue>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RegistryValue {
    /// Name; empty for the default value.
    pub name: String,
    /// Type: 1 `REG_SZ`, 2 `REG_EXPAND_SZ`, 3 `REG_BINARY`, 4 `REG_DWORD`, 7 `REG_MULTI_SZ`,
    /// 11 `REG_QWORD`.
    pub value_type: u32,
    /// A number for `REG_DWORD` and `REG_QWORD`, a string for `REG_SZ` and `REG_EXPAND_SZ`, a list
    /// of strings for `REG_MULTI_SZ`, lower-case hex for everything else and for data that does not
    /// fit its type.
    pub data: Value,
}
