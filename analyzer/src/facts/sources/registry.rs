//! Registry facts: values read from a hive (or `.reg` text) with their evidence.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::locator::Locator;
use crate::formats::registry::{RegistryError, RegistryView, Value, ValueKind};

/// One hive of the snapshot, or the reason why there is none.
pub struct Hive {
    name: &'static str,
    source: Result<Opened, Missing>,
}

/// An opened hive.
pub struct Opened {
    /// The artifact's name in the snapshot.
    pub artifact: String,
    /// The view of its tree.
    pub view: Box<dyn RegistryView>,
    /// Why everything in it is to be trusted less.
    pub doubt: Option<String>,
}

/// Why an artifact is not there to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is not in the snapshot.
    NotCollected(String),
    /// It is there and cannot be read.
    Unreadable(String),
    /// Windows said that there is no such thing.
    Absent,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCollected(why) => write!(f, "not collected: {why}"),
            Self::Unreadable(why) => write!(f, "unreadable: {why}"),
            Self::Absent => f.write_str("there is none on the machine"),
        }
    }
}

impl Missing {
    /// The fact that follows from it.
    pub fn fact<T>(&self) -> Fact<T> {
        Fact::new(
            match self {
                Self::NotCollected(why) => State::NotCollected(why.clone()),
                Self::Unreadable(why) => State::Unreadable(why.clone()),
                Self::Absent => State::Absent,
            },
            [],
        )
    }
}

/// A number in the registry. Windows reads most settings only when they have the right type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Number {
    /// The number; `None` when the data is none.
    pub value: Option<u64>,
    /// The type, when it is not `REG_DWORD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrong_type: Option<String>,
}

/// A text in the registry with its type, which decides whether Windows expands it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// The text as stored, variables not expanded.
    pub text: String,
    /// The type (`REG_SZ`, `REG_EXPAND_SZ`, …).
    pub kind: String,
}

/// A key that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyFact {
    /// Its name as spelled.
    pub name: String,
    /// When it, or one of its values, was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_write: Option<jiff::Timestamp>,
}

/// A value of a listed key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Value,
    /// Its locator.
    pub locator: Locator,
}

impl Hive {
    /// The hive called `name` in locators.
    pub fn new(name: &'static str, source: Result<Opened, Missing>) -> Self {
        Self { name, source }
    }

    /// The hive's name (`SYSTEM`).
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The opened hive.
    ///
    /// # Errors
    /// Why there is none.
    pub fn opened(&self) -> Result<&Opened, &Missing> {
        self.source.as_ref()
    }

    /// The part of the hive below `path`; its paths are relative to that.
    pub fn below(&self, path: impl Into<String>) -> Below<'_> {
        Below {
            hive: self,
            base: Ok(path.into()),
        }
    }

    /// The whole hive.
    pub fn root(&self) -> Below<'_> {
        self.below("")
    }

    /// The control set that Windows started from: a literal `CurrentControlSet` where the source
    /// has one (`.reg` text), else the one that `Select\Current` names.
    ///
    /// `Select` naming a set that is not there makes everything in it unreadable, not absent.
    pub fn control_set(&self) -> Below<'_> {
        Below {
            hive: self,
            base: self.control_set_path(),
        }
    }

    fn control_set_path(&self) -> Result<String, Missing> {
        let opened = self.source.as_ref().map_err(Clone::clone)?;
        let exists = |path: &str| {
            opened
                .view
                .key(path)
                .map(|key| key.is_some())
                .map_err(|error| Missing::Unreadable(error.to_string()))
        };
        if exists("CurrentControlSet")? {
            return Ok("CurrentControlSet".to_owned());
        }
        let current = opened
            .view
            .value("Select", "Current")
            .map_err(|error| Missing::Unreadable(error.to_string()))?
            .and_then(|value| value.as_u32());
        let Some(number) = current else {
            return Err(Missing::Unreadable(
                "Select\\Current, which names the control set in force, is missing".to_owned(),
            ));
        };
        let path = format!("ControlSet{number:03}");
        if exists(&path)? {
            Ok(path)
        } else {
            Err(Missing::Unreadable(format!(
                "Select\\Current names {path}, and there is no such key"
            )))
        }
    }
}

/// A part of a hive, asked by paths relative to it.
pub struct Below<'a> {
    hive: &'a Hive,
    base: Result<String, Missing>,
}

impl Below<'_> {
    /// The part below `path` of this part.
    #[must_use]
    pub fn below(&self, path: &str) -> Self {
        Below {
            hive: self.hive,
            base: self.base.clone().map(|base| join(&base, path)),
        }
    }

    /// The path of this part from the hive's root, where it could be resolved.
    pub fn path(&self) -> Option<&str> {
        self.base.as_deref().ok()
    }

    /// The key `key`.
    pub fn key(&self, key: &str) -> Fact<KeyFact> {
        self.ask(key, None, |view, path| {
            Ok(view.key(path)?.map(|key| KeyFact {
                name: key.name,
                last_write: key.last_write,
            }))
        })
    }

    /// The names of the subkeys of `key`. A damaged list is unreadable: what is missing from it
    /// could be what is asked for.
    pub fn subkeys(&self, key: &str) -> Fact<Vec<String>> {
        self.ask(key, None, |view, path| {
            let Some(listing) = view.subkeys(path)? else {
                return Ok(None);
            };
            match listing.damage.into_iter().next() {
                Some(damage) => Err(damage),
                None => Ok(Some(
                    listing.items.into_iter().map(|key| key.name).collect(),
                )),
            }
        })
    }

    /// All values of `key`, each with its locator. A damaged list is unreadable.
    pub fn values(&self, key: &str) -> Fact<Vec<Entry>> {
        let hive = self.hive.name;
        self.ask(key, None, |view, path| {
            let Some(listing) = view.values(path)? else {
                return Ok(None);
            };
            match listing.damage.into_iter().next() {
                Some(damage) => Err(damage),
                None => Ok(Some(
                    listing
                        .items
                        .into_iter()
                        .map(|value| Entry {
                            locator: Locator::value(hive, path, value.name.clone()),
                            value,
                        })
                        .collect(),
                )),
            }
        })
    }

    /// The value `name` of `key`, whatever its type.
    pub fn value(&self, key: &str, name: &str) -> Fact<Value> {
        self.ask(key, Some(name), |view, path| view.value(path, name))
            .with_raw(data)
    }

    /// The number in the value `name` of `key`.
    pub fn number(&self, key: &str, name: &str) -> Fact<Number> {
        self.value(key, name).map(|value| match value.kind {
            ValueKind::Dword => Number {
                value: value.as_u32().map(u64::from),
                wrong_type: None,
            },
            kind => Number {
                value: value
                    .as_u64()
                    .or_else(|| value.as_string()?.trim().parse().ok()),
                wrong_type: Some(kind.name()),
            },
        })
    }

    /// The text in the value `name` of `key`.
    pub fn text(&self, key: &str, name: &str) -> Fact<Text> {
        self.value(key, name).and_then(|value| {
            value
                .as_string()
                .map(|text| Text {
                    text,
                    kind: value.kind.name(),
                })
                .ok_or_else(|| format!("{} where a text is expected", value.kind.name()))
        })
    }

    /// The texts in the `REG_MULTI_SZ` value `name` of `key`, without empty ones at the end.
    pub fn texts(&self, key: &str, name: &str) -> Fact<Vec<String>> {
        self.value(key, name).and_then(|value| {
            value
                .as_multi_string()
                .or_else(|| value.as_string().map(|text| vec![text]))
                .ok_or_else(|| format!("{} where a list of texts is expected", value.kind.name()))
        })
    }

    /// The bytes of the value `name` of `key`.
    pub fn bytes(&self, key: &str, name: &str) -> Fact<Vec<u8>> {
        self.value(key, name).map(|value| value.data)
    }

    /// Asks the view; the evidence of a key carries its name, that of a value is left to the
    /// caller.
    fn ask<T>(
        &self,
        key: &str,
        value: Option<&str>,
        read: impl FnOnce(&dyn RegistryView, &str) -> Result<Option<T>, RegistryError>,
    ) -> Fact<T> {
        let (opened, base) = match (&self.hive.source, &self.base) {
            (Ok(opened), Ok(base)) => (opened, base),
            (Err(missing), _) | (_, Err(missing)) => return missing.fact(),
        };
        let path = join(base, key);
        let holder = opened.view.key(&path).ok().flatten();
        let locator = match value {
            Some(value) => Locator::value(self.hive.name, path.as_str(), value),
            None => Locator::key(self.hive.name, path.as_str()),
        };
        let raw = match (value, &holder) {
            (None, Some(key)) => json!(key.name),
            _ => serde_json::Value::Null,
        };
        let evidence = Evidence::new(opened.artifact.as_str(), locator, raw)
            .at(holder.and_then(|key| key.last_write))
            .doubted(opened.doubt.clone());
        match read(opened.view.as_ref(), &path) {
            Ok(Some(value)) => Fact::known(value, [evidence]),
            Ok(None) => Fact::absent([evidence]),
            Err(error) => Fact::unreadable(error.to_string(), [evidence]),
        }
    }
}

fn join(base: &str, path: &str) -> String {
    match (base.is_empty(), path.is_empty()) {
        (true, _) => path.to_owned(),
        (_, true) => base.to_owned(),
        _ => format!("{base}\\{path}"),
    }
}

/// A value's data as reports and `show --format json` give it: a number for `REG_DWORD` and
/// `REG_QWORD`, a string for `REG_SZ` and `REG_EXPAND_SZ`, a list for `REG_MULTI_SZ`, lower-case
/// hex for the rest and for data that does not fit its type.
pub fn data(value: &Value) -> serde_json::Value {
    let typed = match value.kind {
        ValueKind::Dword | ValueKind::DwordBigEndian => value.as_u32().map(|n| json!(n)),
        ValueKind::Qword => value.as_u64().map(|n| json!(n)),
        ValueKind::String | ValueKind::ExpandString => value.as_string().map(|s| json!(s)),
        ValueKind::MultiString => value.as_multi_string().map(|list| json!(list)),
        _ => None,
    };
    typed.unwrap_or_else(|| json!(hex(&value.data)))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
