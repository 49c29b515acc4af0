//! The words of a judgement: verdict, confidence, category.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a check says. The order is that of roll-ups and `--fail-on`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The check has no meaning on this machine.
    NotApplicable,
    /// Everything the check asks for was seen, and it is healthy.
    Ok,
    /// The deciding evidence is missing, unreadable or damaged.
    Unknown,
    /// Worth mending; not (yet) a failure.
    Warning,
    /// Broken, or about to break.
    Critical,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const WORST_FIRST: [Self; 5] = [
        Self::Critical,
        Self::Warning,
        Self::Unknown,
        Self::Ok,
        Self::NotApplicable,
    ];

    /// The word used in every report.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// How much weight a verdict bears.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// A heuristic, or evidence that is stale or doubtful.
    Low,
    /// Inferred from events.
    Medium,
    /// Direct configuration, a table or a counter.
    High,
}

impl Confidence {
    /// The word used in every report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// The four groups of the checklist.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The operating system itself.
    Os,
    /// Memory, CPU, disk.
    Resources,
    /// The way in.
    RemoteDesktop,
    /// Ports, adapters, name resolution.
    Network,
}

impl Category {
    /// The word used in every report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Resources => "resources",
            Self::RemoteDesktop => "remote-desktop",
            Self::Network => "network",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_json() {
        for verdict in Verdict::WORST_FIRST {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.word());
        }
        for confidence in [Confidence::Low, Confidence::Medium, Confidence::High] {
            assert_eq!(serde_json::to_value(confidence).unwrap(), confidence.word());
        }
        for category in [
            Category::Os,
            Category::Resources,
            Category::RemoteDesktop,
            Category::Network,
        ] {
            assert_eq!(serde_json::to_value(category).unwrap(), category.word());
        }
    }
}
