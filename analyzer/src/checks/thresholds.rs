//! Thresholds: named, with unit and source, and open to change by a profile or in a file.

mod profile;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use profile::{NoProfile, Profile};

/// A limit that a check compares with. Declared once, beside the check that uses it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// `check-id.name`, as it stands in a threshold file.
    pub key: &'static str,
    /// The value in force when nothing sets another.
    pub default: f64,
    /// The unit of the value.
    pub unit: &'static str,
    /// What happens at the limit; says whether the limit itself is included.
    pub meaning: &'static str,
    /// Where the number comes from.
    pub source: &'static str,
}

/// The values that a profile or a file sets instead of the defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thresholds {
    set: BTreeMap<String, (f64, SetBy)>,
}

/// Who set the value of a threshold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SetBy {
    /// Nobody: it is the check's own.
    Default,
    /// A profile that comes with the program, by its name.
    Profile(String),
    /// A file, by its name without the way to it.
    File(String),
}

/// A threshold as a report shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdInForce {
    /// Its key.
    pub key: String,
    /// The value that was compared with.
    pub value: f64,
    /// The value when nothing sets another.
    pub default: f64,
    /// The unit of both.
    pub unit: String,
    /// What happens at the limit.
    pub meaning: String,
    /// Where the default comes from.
    pub source: String,
    /// Who set the value.
    pub set_by: SetBy,
}

impl ThresholdInForce {
    /// Whether a profile or a file set it, be it to the default.
    pub fn is_set(&self) -> bool {
        self.set_by != SetBy::Default
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
    /// `profile` does not name one.
    #[error("{0}")]
    NoProfile(NoProfile),
    /// `profile` is no text.
    #[error("'profile' must be the name of a profile, in quotes")]
    BadProfile,
}

impl Thresholds {
    /// The values of a profile; every key must be one of `known`.
    ///
    /// # Errors
    /// When the profile and the table of checks do not agree, which a test rules out.
    pub fn of_profile(profile: Profile, known: &[&str]) -> Result<Self, ThresholdError> {
        let by = SetBy::Profile(profile.name().to_owned());
        Self::default().with(&parse(profile.toml())?, known, &by)
    }

    /// These values, and over them those of the TOML file called `name`: `[check-id]` with
    /// `name = number` lines, in front of them perhaps `profile = "strict"` for a profile to build
    /// on. Every key must be one of `known`.
    ///
    /// # Errors
    /// When it is no TOML, names a profile or a threshold that is not known, or sets one to
    /// something else than a finite number from zero up.
    pub fn with_file(
        mut self,
        name: &str,
        text: &str,
        known: &[&str],
    ) -> Result<Self, ThresholdError> {
        let mut table = parse(text)?;
        if let Some(profile) = table.remove("profile") {
            let profile = profile.as_str().ok_or(ThresholdError::BadProfile)?;
            let profile = profile.parse().map_err(ThresholdError::NoProfile)?;
            self.set.extend(Self::of_profile(profile, known)?.set);
        }
        self.with(&table, known, &SetBy::File(name.to_owned()))
    }

    fn with(
        mut self,
        table: &toml::Table,
        known: &[&str],
        by: &SetBy,
    ) -> Result<Self, ThresholdError> {
        for (check, names) in table {
            let Some(names) = names.as_table() else {
                return Err(ThresholdError::UnknownKey(check.clone()));
            };
            for (name, value) in names {
                let key = format!("{check}.{name}");
                if !known.contains(&key.as_str()) {
                    return Err(ThresholdError::UnknownKey(key));
                }
                match limit(value) {
                    Some(number) => self.set.insert(key, (number, by.clone())),
                    None => return Err(ThresholdError::BadValue(key)),
                };
            }
        }
        Ok(self)
    }

    /// The value in force.
    pub fn get(&self, threshold: &Threshold) -> f64 {
        self.set
            .get(threshold.key)
            .map_or(threshold.default, |(value, _)| *value)
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
            set_by: match self.set.get(threshold.key) {
                Some((_, by)) => by.clone(),
                None => SetBy::Default,
            },
        }
    }
}

fn parse(text: &str) -> Result<toml::Table, ThresholdError> {
    text.parse()
        .map_err(|e: toml::de::Error| ThresholdError::Syntax(e.message().to_owned()))
}

/// A finite number from zero up. Thresholds are small numbers: an integer beyond 2^31 is refused
/// with the rest.
fn limit(value: &toml::Value) -> Option<f64> {
    let number = match value {
        toml::Value::Float(number) => *number,
        toml::Value::Integer(number) => i32::try_from(*number).ok().map(f64::from)?,
        _ => return None,
    };
    (number.is_finite() && number >= 0.0).then_some(number)
}
