//! Locators: the textual address of a piece of evidence, the same in reports and in
//! `snapdiag show`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An address in a snapshot. `Display` and `FromStr` are inverse.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Locator {
    /// `reg:SYSTEM\Select` or `reg:SYSTEM\Select::Current`.
    Registry(RegistryLocator),
    /// `evt:Security?id=4625` or `evt:System?record=4711`.
    Events(EventQuery),
    /// `json:network/tcp.json#/12`: entry and JSON pointer.
    Json {
        /// The entry's name.
        entry: String,
        /// The JSON pointer (RFC 6901), empty for the whole document.
        pointer: String,
    },
    /// `text:network/netstat-ano.txt:7`: entry and line, counted from 1.
    Text {
        /// The entry's name.
        entry: String,
        /// The line, from 1; `None` for the whole text.
        line: Option<u32>,
    },
    /// `counter:\Memory\Available MBytes`: one counter's series.
    Counter(String),
    /// `manifest:ITEM`: one row of the manifest.
    Manifest(String),
    /// `option:--cloud`: no place in the snapshot, but what was said on the command line.
    Option(String),
}

/// A place in a registry hive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryLocator {
    /// The hive's name (`SYSTEM`), or with `@` the artifact to read (`@registry/SYSTEM`). Empty
    /// for the root of the only hive.
    pub hive: String,
    /// The key below the root, backslash separated; empty for the root.
    pub key: String,
    /// The value's name; empty for the default value, `None` for the key itself.
    pub value: Option<String>,
}

/// A selection of event records.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventQuery {
    /// The channel, or `*` for every channel.
    pub channel: String,
    /// Only these event IDs; empty for all.
    pub ids: Vec<u32>,
    /// Only this provider or event source name, compared without case.
    pub provider: Option<String>,
    /// Only records at or after this time.
    pub after: Option<Timestamp>,
    /// Only records before this time.
    pub before: Option<Timestamp>,
    /// Only the newest N records of what is left.
    pub last: Option<u64>,
    /// Only the record with this record id.
    pub record: Option<u64>,
}

/// Why a text is not a locator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorError {
    /// No known scheme in front of the first colon.
    #[error(
        "'{0}' is no locator: it starts with reg:, evt:, json:, text:, counter:, manifest: or option:"
    )]
    Scheme(String),
    /// A part of the address could not be read.
    #[error("'{text}' is no {kind} locator: {why}")]
    Part {
        /// The scheme.
        kind: &'static str,
        /// The whole text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Locator {
    /// A registry value below `hive`.
    pub fn value(
        hive: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        Self::Registry(RegistryLocator {
            hive: hive.into(),
            key: key.into(),
            value: Some(value.into()),
        })
    }

    /// A registry key below `hive`.
    pub fn key(hive: impl Into<String>, key: impl Into<String>) -> Self {
        Self::Registry(RegistryLocator {
            hive: hive.into(),
            key: key.into(),
            value: None,
        })
    }

    /// One event record.
    pub fn record(channel: impl Into<String>, record: u64) -> Self {
        Self::Events(EventQuery {
            channel: channel.into(),
            record: Some(record),
            ..EventQuery::default()
        })
    }

    /// A line of a text artifact, counted from 1.
    pub fn line(entry: impl Into<String>, line: u32) -> Self {
        Self::Text {
            entry: entry.into(),
            line: Some(line),
        }
    }

    /// A place in a JSON artifact.
    pub fn json(entry: impl Into<String>, pointer: impl Into<String>) -> Self {
        Self::Json {
            entry: entry.into(),
            pointer: pointer.into(),
        }
    }
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(place) => write!(f, "reg:{place}"),
            Self::Events(query) => write!(f, "evt:{query}"),
            Self::Json { entry, pointer } => write!(f, "json:{entry}#{pointer}"),
            Self::Text {
                entry,
                line: Some(line),
            } => write!(f, "text:{entry}:{line}"),
            Self::Text { entry, line: None } => write!(f, "text:{entry}"),
            Self::Counter(path) => write!(f, "counter:{path}"),
            Self::Manifest(item) => write!(f, "manifest:{item}"),
            Self::Option(name) => write!(f, "option:{name}"),
        }
    }
}

impl fmt::Display for RegistryLocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hive)?;
        if !self.key.is_empty() || self.hive.is_empty() {
            write!(f, "\\{}", self.key)?;
        }
        match &self.value {
            Some(value) => write!(f, "::{value}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for EventQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.channel)?;
        let mut separator = '?';
        let mut part = |f: &mut fmt::Formatter<'_>, name: &str, value: &dyn fmt::Display| {
            write!(f, "{separator}{name}={value}")?;
            separator = '&';
            Ok::<(), fmt::Error>(())
        };
        if !self.ids.is_empty() {
            let ids: Vec<String> = self.ids.iter().map(u32::to_string).collect();
            part(f, "id", &ids.join(","))?;
        }
        if let Some(provider) = &self.provider {
            part(f, "provider", provider)?;
        }
        if let Some(after) = &self.after {
            part(f, "after", after)?;
        }
        if let Some(before) = &self.before {
            part(f, "before", before)?;
        }
        if let Some(last) = &self.last {
            part(f, "last", last)?;
        }
        if let Some(record) = &self.record {
            part(f, "record", record)?;
        }
        Ok(())
    }
}

impl FromStr for Locator {
    type Err = LocatorError;

    fn from_str(text: &str) -> Result<Self, LocatorError> {
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| LocatorError::Scheme(text.to_owned()))?;
        match scheme {
            "reg" => Ok(Self::Registry(parse_registry(rest))),
            "evt" => parse_events(rest)
                .map(Self::Events)
                .map_err(|why| part_error("event", text, why)),
            "json" => {
                let (entry, pointer) = rest.split_once('#').unwrap_or((rest, ""));
                if !pointer.is_empty() && !pointer.starts_with('/') {
                    return Err(part_error(
                        "JSON",
                        text,
                        "a JSON pointer starts with '/'".into(),
                    ));
                }
                Ok(Self::json(entry, pointer))
            }
            "text" => Ok(match rest.rsplit_once(':') {
                Some((entry, line)) if !line.is_empty() => {
                    let line = line.parse().map_err(|_| {
                        part_error("text", text, format!("'{line}' is no line number"))
                    })?;
                    Self::line(entry, line)
                }
                _ => Self::Text {
                    entry: rest.to_owned(),
                    line: None,
                },
            }),
            "counter" => Ok(Self::Counter(rest.to_owned())),
            "manifest" => Ok(Self::Manifest(rest.to_owned())),
            "option" => Ok(Self::Option(rest.to_owned())),
            _ => Err(LocatorError::Scheme(text.to_owned())),
        }
    }
}

fn part_error(kind: &'static str, text: &str, why: String) -> LocatorError {
    LocatorError::Part {
        kind,
        text: text.to_owned(),
        why,
    }
}

/// Value names may hold backslashes and colons, key names may hold single colons: the first `::`
/// ends the key.
fn parse_registry(rest: &str) -> RegistryLocator {
    let (path, value) = match rest.split_once("::") {
        Some((path, value)) => (path, Some(value.to_owned())),
        None => (rest, None),
    };
    let (hive, key) = path.split_once('\\').unwrap_or((path, ""));
    RegistryLocator {
        hive: hive.to_owned(),
        key: key.to_owned(),
        value,
    }
}

fn parse_events(rest: &str) -> Result<EventQuery, String> {
    let (channel, options) = rest.split_once('?').unwrap_or((rest, ""));
    if channel.is_empty() {
        return Err("name a channel, or * for every channel".to_owned());
    }
    let mut query = EventQuery {
        channel: channel.to_owned(),
        ..EventQuery::default()
    };
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option
            .split_once('=')
            .ok_or_else(|| format!("'{option}' is not name=value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("'{value}' is no number"))
        };
        let time = || {
            value
                .parse::<Timestamp>()
                .map_err(|e| format!("'{value}': {e}"))
        };
        match name {
            "id" => {
                query.ids = value
                    .split(',')
                    .map(|id| {
                        id.trim()
                            .parse()
                            .map_err(|_| format!("'{id}' is no event ID"))
                    })
                    .collect::<Result<_, _>>()?;
            }
            "provider" => query.provider = Some(value.to_owned()),
            "after" => query.after = Some(time()?),
            "before" => query.before = Some(time()?),
            "last" => match number()? {
                0 => return Err("'last' counts from 1".to_owned()),
                last => query.last = Some(last),
            },
            "record" => query.record = Some(number()?),
            _ => {
                return Err(format!(
                    "'{name}' is not one of id, provider, after, before, last, record"
                ));
            }
        }
    }
    Ok(query)
}

impl TryFrom<String> for Locator {
    type Error = LocatorError;

    fn try_from(text: String) -> Result<Self, LocatorError> {
        text.parse()
    }
}

impl From<Locator> for String {
    fn from(locator: Locator) -> Self {
        locator.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_the_contract_read_back_as_written() {
        for text in [
            r"reg:SYSTEM\Select",
            r"reg:SYSTEM\Select::Current",
            r"reg:SYSTEM\Select::",
            r"reg:@registry/SYSTEM\Select",
            r"reg:\",
            r"reg:\Select::Current",
            r"reg:SYSTEM",
            r"reg:SYSTEM\PersistentRoutes::0.0.0.0,0.0.0.0,10.0.0.1,-1",
            "evt:Security?id=4625,4624&provider=Microsoft-Windows-Security-Auditing&last=5",
            "evt:System?after=2026-11-20T00:00:00Z&before=2026-11-21T00:00:00Z",
            "evt:System?record=4711",
            "evt:*",
            "json:network/tcp.json#/12",
            "json:network/tcp.json#",
            "text:network/netstat-ano.txt:7",
            "text:network/netstat-ano.txt",
            r"counter:\Memory\Available MBytes",
            "manifest:registry.system",
            "option:--cloud",
        ] {
            let locator: Locator = text.parse().unwrap();
            assert_eq!(locator.to_string(), text);
        }
    }

    #[test]
    fn a_value_name_may_hold_backslashes_and_colons() {
        let Locator::Registry(place) = r"reg:SYSTEM\Rules::C:\a::b".parse().unwrap() else {
            panic!("not a registry locator")
        };
        assert_eq!(place.key, "Rules");
        assert_eq!(place.value.as_deref(), Some(r"C:\a::b"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| text.parse::<Locator>().unwrap_err().to_string();
        assert!(error("SYSTEM").contains("starts with reg:"));
        assert!(error("evt:?id=1").contains("name a channel"));
        assert!(error("evt:System?id=x").contains("no event ID"));
        assert!(error("evt:System?when=now").contains("not one of"));
        assert!(error("evt:System?last=0").contains("counts from 1"));
        assert!(error("text:a.txt:x").contains("no line number"));
        assert!(error("json:a.json#12").contains("starts with '/'"));
    }
}
