//! The registry of the running machine: saving hives, reading single keys.

use std::path::Path;

use super::{SysResult, not_implemented};

/// The registry of the running machine: saving hives, reading single keys.
pub trait Registry: Send + Sync {
    /// Saves a key that is the root of a hive, such as `SYSTEM` below `HKEY_LOCAL_MACHINE`, into a
    /// file that does not exist yet, in the latest format (`RegSaveKeyExW`; needs the backup
    /// privilege).
    ///
    /// # Errors
    /// That of the call that failed.
    fn save_hive(&self, key: &str, file: &Path) -> SysResult<()> {
        let _ = (key, file);
        not_implemented("RegSaveKeyExW")
    }

    /// A key with its values, without its subkeys (`RegOpenKeyExW`, `RegEnumValueW`).
    ///
    /// # Errors
    /// That of the call that failed: 2 where there is no such key.
    fn key(&self, root: Root, path: &str) -> SysResult<Key> {
        let _ = (root, path);
        not_implemented("RegOpenKeyExW")
    }

    /// Names of the keys directly below a key; an empty path is the root itself
    /// (`RegEnumKeyExW`).
    ///
    /// # Errors
    /// That of the call that failed.
    fn subkeys(&self, root: Root, path: &str) -> SysResult<Vec<String>> {
        let _ = (root, path);
        not_implemented("RegEnumKeyExW")
    }
}

/// A tree of the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// `HKEY_LOCAL_MACHINE`.
    LocalMachine,
    /// `HKEY_USERS`.
    Users,
}

impl Root {
    /// Its short name, `HKLM` or `HKU`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalMachine => "HKLM",
            Self::Users => "HKU",
        }
    }
}

/// A key with its values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    /// Last write as a FILETIME; 0 where the registry does not keep it.
    pub last_write: u64,
    /// Its values, in the order of the registry.
    pub values: Vec<Value>,
}

impl Key {
    /// The value of that name, compared without case.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|value| value.name.eq_ignore_ascii_case(name))
    }
}

/// A value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Name; empty for the default value.
    pub name: String,
    /// Type, such as 1 for `REG_SZ`.
    pub value_type: u32,
    /// Data.
    pub data: Vec<u8>,
}

impl Value {
    /// The text of a `REG_SZ` or `REG_EXPAND_SZ`, without the zeros at its end; `None` for another
    /// type, for what is no UTF-16, and for a zero in the middle.
    pub fn as_text(&self) -> Option<String> {
        matches!(self.value_type, 1 | 2).then_some(())?;
        let text = self.utf16()?;
        (!text.contains('\0')).then_some(text)
    }

    /// The texts of a `REG_MULTI_SZ`, without empty ones at its end; `None` for another type and
    /// for what is no UTF-16.
    pub fn as_texts(&self) -> Option<Vec<String>> {
        (self.value_type == 7).then_some(())?;
        let text = self.utf16()?;
        if text.is_empty() {
            return Some(Vec::new());
        }
        Some(text.split('\0').map(str::to_owned).collect())
    }

    fn utf16(&self) -> Option<String> {
        let (units, rest) = self.data.as_chunks::<2>();
        rest.is_empty().then_some(())?;
        let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        let text = String::from_utf16(&units).ok()?;
        Some(text.trim_end_matches('\0').to_owned())
    }
}
