//! Thresholds: named, with unit and source, and open to change in a file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A limit that a check compares with. Declared once, beside the check that uses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// `check-id.name`, as it stands in a threshold file.
    pub key: &'static str,
    /// The value in force when no file sets another.
    pub default: f64,
    /// The unit of the value.
    pub unit: &'static str,
    /// What happens at the limit; says whether the limit itself is included.
    pub meaning: &'static str,
    /// Where the number comes from.
    pub source: &'static str,
}

/// The values that a file sets instead of the defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    set: BTreeMap<String, f64>,
}

/// A threshold as a report shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdInForce {
    /// Its key.
    pub key: String,
    /// The value that was compared with.
    pub value: f64,
    /// The value when no file sets another.
    pub default: f64,
    /// The unit of both.
    pub unit: String,
    /// What happens at the limit.
    pub meaning: String,
    /// Where the default comes from.
    pub source: String,
}

impl ThresholdInForce {
    /// Whether a file set another value than the default.
    pub fn is_set(&self) -> bool {
        (self.value - self.default).abs() > f64::EPSILON
    }
}

/// Why a threshold file was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ThresholdError {
    /// Not TOML.
    #[error("not a TOML file: {0}")]
    Syntax(String),
    /// A key that no check declares.
    #[error("'{0}' is no threshold; `snapdiag checks --format json` lists them")]
    UnknownKey(String),
    /// A value that is no number, or a number that is negative or not finite.
    #[error("'{0}' must be a number, zero or larger")]
    BadValue(String),
}

impl Thresholds {
    /// Reads a TOML file of the form `[check-id]` with `name = number` lines; every key must be
    /// one of `known`.
    ///
    /// # Errors
    /// When it is no TOML, names a threshold that is not known, or sets one to something else
    /// than a finite number from zero up.
    pub fn from_toml<'a>(
        text: &str,
        known: impl IntoIterator<Item = &'a Threshold>,
    ) -> Result<Self, ThresholdError> {
        let table: toml::Table = text
            .parse()
            .map_err(|e: toml::de::Error| ThresholdError::Syntax(e.message().to_owned()))?;
        let known: Vec<&str> = known.into_iter().map(|t| t.key).collect();
        let mut set = BTreeMap::new();
        for (check, names) in table {
            let Some(names) = names.as_table() else {
                return Err(ThresholdError::UnknownKey(check));
            };
            for (name, value) in names {
                let key = format!("{check}.{name}");
                if !known.contains(&key.as_str()) {
                    return Err(ThresholdError::UnknownKey(key));
                }
                // Thresholds are small numbers; an integer beyond 2^53 is refused with the rest.
                let number = match value {
                    toml::Value::Float(number) => Some(*number),
                    toml::Value::Integer(number) => i32::try_from(*number).ok().map(f64::from),
                    _ => None,
                };
                match number {
                    Some(number) if number.is_finite() && number >= 0.0 => set.insert(key, number),
                    _ => return Err(ThresholdError::BadValue(key)),
                };
            }
        }
        Ok(Self { set })
    }

    /// The value in force.
    pub fn get(&self, threshold: &Threshold) -> f64 {
        self.set
            .get(threshold.key)
            .copied()
            .unwrap_or(threshold.default)
    }

    /// The threshold with the value in force, for a report.
    pub fn in_force(&self, threshold: &Threshold) -> ThresholdInForce {
        ThresholdInForce {
            key: threshold.key.to_owned(),
            value: self.get(threshold),
            default: threshold.default,
            unit: threshold.unit.to_owned(),
            meaning: threshold.meaning.to_owned(),
            source: threshold.source.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: Threshold = Threshold {
        key: "os-status.uptime",
        default: 400.0,
        unit: "days",
        meaning: "more is a warning",
        source: "ours",
    };

    fn read(text: &str) -> Result<f64, ThresholdError> {
        Thresholds::from_toml(text, [&DAYS]).map(|t| t.get(&DAYS))
    }

    #[test]
    fn a_file_sets_what_it_names_and_nothing_else() {
        assert_eq!(read(""), Ok(400.0));
        assert_eq!(read("[os-status]\nuptime = 90"), Ok(90.0));
        assert_eq!(read("[os-status]\nuptime = 0.5"), Ok(0.5));
    }

    #[test]
    fn a_typing_error_is_refused() {
        let unknown = |key: &str| Err(ThresholdError::UnknownKey(key.to_owned()));
        assert_eq!(
            read("[os-status]\nuptimes = 90"),
            unknown("os-status.uptimes")
        );
        assert_eq!(read("uptime = 90"), unknown("uptime"));
        let bad = Err(ThresholdError::BadValue("os-status.uptime".to_owned()));
        assert_eq!(read("[os-status]\nuptime = -1"), bad);
        assert_eq!(read("[os-status]\nuptime = inf"), bad);
        assert_eq!(read("[os-status]\nuptime = '90'"), bad);
        assert!(matches!(read("[os-status"), Err(ThresholdError::Syntax(_))));
    }
}
