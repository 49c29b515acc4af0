//! Checks: facts in, verdict out. Pure functions of the snapshot: no file, no clock, no thread.
//!
//! One file a check, with its page beside it; [`table::TABLE`] lists them all.

pub mod causes;
pub mod check;
pub mod figures;
pub mod network;
pub mod os;
pub mod remedy;
pub mod remote_desktop;
pub mod resources;
pub mod table;
pub mod thresholds;
pub mod verdict;
pub mod words;

#[cfg(test)]
mod readable;

use check::{Check, Context, Decision};
use verdict::{Confidence, Verdict};

impl Check {
    /// A line of the checklist whose decision is still to be written.
    pub const fn planned(
        id: &'static str,
        category: verdict::Category,
        title: &'static str,
    ) -> Self {
        Self {
            id,
            category,
            title,
            page: "",
            inputs: &[],
            thresholds: &[],
            decide: None,
        }
    }

    /// Runs the check.
    pub fn run(&self, context: &Context<'_>) -> Decision {
        match self.decide {
            Some(decide) => decide(context),
            None => Decision {
                verdict: Verdict::Unknown,
                headline: "not implemented yet".to_owned(),
                confidence: Confidence::Low,
                reasons: Vec::new(),
                notes: Vec::new(),
                evidence: Vec::new(),
                remedies: Vec::new(),
                missing: Vec::new(),
                trace: Vec::new(),
            },
        }
    }
}
