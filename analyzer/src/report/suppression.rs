//! Suppressions: findings that somebody has looked at and accepts, with the reason.
//!
//! A suppressed finding keeps its verdict and stays in the report; it is counted apart.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::model::Finding;
use super::selection::{nearest, suggest};
use crate::checks::table;
use crate::checks::verdict::Verdict;

/// The entries of a suppression file, in its order, at most one a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions(Vec<Entry>);

/// An entry of a suppression file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    check: String,
    suppressed: Suppressed,
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suppressed {
    /// The reason that was given.
    pub reason: String,
    /// The last day (UTC, by the capture time) on which it is suppressed; for good without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// An entry of the suppression file, and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuppressionReport {
    /// The check.
    pub check: String,
    /// Reason and end.
    #[serde(flatten)]
    pub suppressed: Suppressed,
    /// What the entry did.
    pub effect: Effect,
}

/// What an entry of a suppression file did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It suppresses a finding.
    Suppresses,
    /// The check did not run, is healthy or has no meaning on this machine.
    NothingToSuppress,
    /// The snapshot was taken after its end.
    Expired,
    /// It has an end, and nothing tells when the snapshot was taken.
    NoCaptureTime,
}

/// Why a suppression file was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionError {
    /// No TOML, a field that is missing or one that is not known.
    #[error("not a suppression file: {0}")]
    Syntax(String),
    /// The id of no check.
    #[error("'{id}' is no check{}", suggest(*nearest))]
    UnknownCheck {
        /// What was given.
        id: String,
        /// The name that comes nearest.
        nearest: Option<&'static str>,
    },
    /// Two entries for one check, of which one would be without effect.
    #[error("'{0}' is suppressed twice")]
    Twice(String),
    /// Nothing says why.
    #[error("the suppression of '{0}' gives no reason")]
    NoReason(String),
    /// `until` is no date.
    #[error("the suppression of '{check}' ends on {until}, which is no date such as 2027-01-31")]
    BadDate {
        /// The check.
        check: String,
        /// What was given.
        until: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    #[serde(default)]
    suppress: Vec<WrittenEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenEntry {
    check: String,
    reason: String,
    until: Option<toml::Value>,
}

impl Suppressions {
    /// Reads a TOML file of `[[suppress]]` entries with `check`, `reason` and perhaps `until`, a
    /// date with or without quotes.
    ///
    /// # Errors
    /// When it is no TOML, has a field too many or too few, names what is no check, a check twice,
    /// no reason, or an end that is no date.
    pub fn from_toml(text: &str) -> Result<Self, SuppressionError> {
        let file: WrittenFile = toml::from_str(text)
            .map_err(|error| SuppressionError::Syntax(error.message().to_owned()))?;
        let mut seen = BTreeSet::new();
        let mut entries = Vec::with_capacity(file.suppress.len());
        for written in file.suppress {
            if !seen.insert(written.check.clone()) {
                return Err(SuppressionError::Twice(written.check));
            }
            entries.push(Entry::read(written)?);
        }
        Ok(Self(entries))
    }

    /// Marks the findings that are suppressed in a snapshot of that time, and tells what each
    /// entry did.
    pub(super) fn apply(
        &self,
        captured_at: Option<Timestamp>,
        findings: &mut [Finding],
    ) -> Vec<SuppressionReport> {
        let day = captured_at.map(|time| time.to_zoned(TimeZone::UTC).date());
        let entries = self.0.iter();
        entries
            .map(|entry| SuppressionReport {
                check: entry.check.clone(),
                suppressed: entry.suppressed.clone(),
                effect: entry.apply(day, findings),
            })
            .collect()
    }
}

impl Entry {
    fn read(written: WrittenEntry) -> Result<Self, SuppressionError> {
        let WrittenEntry {
            check,
            reason,
            until,
        } = written;
        if table::find(&check).is_none() {
            return Err(SuppressionError::UnknownCheck {
                nearest: nearest(&check),
                id: check,
            });
        }
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(SuppressionError::NoReason(check));
        }
        let until = match until {
            Some(until) => Some(date(&until).ok_or_else(|| SuppressionError::BadDate {
                check: check.clone(),
                until: until.to_string(),
            })?),
            None => None,
        };
        let suppressed = Suppressed { reason, until };
        Ok(Self { check, suppressed })
    }

    fn apply(&self, day: Option<Date>, findings: &mut [Finding]) -> Effect {
        match (self.suppressed.until, day) {
            (Some(_), None) => return Effect::NoCaptureTime,
            (Some(until), Some(day)) if day > until => return Effect::Expired,
            _ => {}
        }
        let finding = findings.iter_mut().find(|finding| {
            finding.id == self.check
                && !matches!(finding.verdict, Verdict::Ok | Verdict::NotApplicable)
        });
        match finding {
            Some(finding) => {
                finding.suppressed = Some(self.suppressed.clone());
                Effect::Suppresses
            }
            None => Effect::NothingToSuppress,
        }
    }
}

/// A date of TOML's own kind or in quotes, and nothing behind it.
fn date(value: &toml::Value) -> Option<Date> {
    let text = match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(time) => time.to_string(),
        _ => return None,
    };
    // The parser would take a time behind the date, too, and leave it out.
    (text.len() == "2027-01-31".len())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
