//! The checks as a list: for people, for programs, for the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::canvas::{BOLD, Canvas, Look, PLAIN};
use crate::checks::check::{Check, Demand};
use crate::checks::table::{TABLE, threshold_keys};
use crate::checks::thresholds::{Profile, Threshold, Thresholds};
use crate::checks::verdict::Category;

/// A check as `snapdiag checks --format json` lists it.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: &'static str,
    /// Its group.
    pub category: Category,
    /// What it asks.
    pub title: &'static str,
    /// The items that it can use.
    pub inputs: Vec<ListedInput>,
    /// The limits that it compares with.
    pub thresholds: Vec<ListedThreshold>,
}

/// An item that a check can use.
#[derive(Debug, Serialize)]
pub struct ListedInput {
    /// The item's id in the bundle.
    pub item: &'static str,
    /// Whether the check needs it before it may say `ok`.
    pub required: bool,
}

/// A limit that a check compares with.
#[derive(Debug, Serialize)]
pub struct ListedThreshold {
    /// Its key in a threshold file, as `check-id.name`.
    pub key: &'static str,
    /// The value when nothing sets another.
    pub default: f64,
    /// The value in each profile that sets another.
    pub profiles: BTreeMap<&'static str, f64>,
    /// The unit of the value.
    pub unit: &'static str,
    /// What happens at the limit.
    pub meaning: &'static str,
    /// Where the number comes from.
    pub source: &'static str,
}

/// All checks, in the checklist's order.
pub fn listing() -> Vec<Listed> {
    TABLE.iter().map(list).collect()
}

fn list(check: &Check) -> Listed {
    Listed {
        id: check.id,
        category: check.category,
        title: check.title,
        inputs: check
            .inputs
            .iter()
            .map(|input| ListedInput {
                item: input.item,
                required: input.demand == Demand::Required,
            })
            .collect(),
        thresholds: check
            .thresholds
            .iter()
            .map(|threshold| ListedThreshold {
                key: threshold.key,
                default: threshold.default,
                profiles: in_profiles(threshold),
                unit: threshold.unit,
                meaning: threshold.meaning,
                source: threshold.source,
            })
            .collect(),
    }
}

fn in_profiles(threshold: &Threshold) -> BTreeMap<&'static str, f64> {
    let keys = threshold_keys();
    let values = Profile::ALL.into_iter().filter_map(|profile| {
        let limit = Thresholds::of_profile(profile, &keys)
            .ok()?
            .in_force(threshold);
        limit.is_set().then_some((profile.name(), limit.value))
    });
    values.collect()
}

/// The list for a terminal, by category.
pub fn text(look: Look) -> String {
    let mut canvas = Canvas::new(look);
    let mut category = None;
    for check in TABLE {
        if category.replace(check.category) != Some(check.category) {
            canvas.blank();
            canvas.paragraph(0, BOLD, check.category.word());
        }
        let label = format!("  {}", check.id);
        canvas.hanging(28, PLAIN, &label, PLAIN, check.title);
    }
    canvas.finish()
}

/// The catalogue for the documentation: a table, then the page of each check.
pub fn markdown() -> String {
    let mut text =
        String::from("# The checks\n\n| check | category | asks about |\n| --- | --- | --- |\n");
    for check in TABLE {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| [`{0}`](#{0}) | {1} | {2} |",
            check.id,
            check.category.word(),
            check.title
        );
    }
    for check in TABLE {
        let _ = write!(text, "\n## `{}`\n\n{}", check.id, deeper(check.page));
    }
    text
}

/// A page with its headings one level deeper, without its title's own marks.
fn deeper(page: &str) -> String {
    let mut in_code = false;
    let mut text = String::with_capacity(page.len() + 64);
    for line in page.lines() {
        in_code ^= line.starts_with("```");
        match line.strip_prefix("# ") {
            Some(title) if !in_code => {
                let _ = writeln!(text, "**{title}**");
            }
            _ if !in_code && line.starts_with('#') => {
                let _ = writeln!(text, "#{line}");
            }
            _ => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_move_a_level_down_and_code_stays() {
        assert_eq!(
            deeper("# Title\n\n## What\n```\n# comment\n```\n"),
            "**Title**\n\n### What\n```\n# comment\n```\n"
        );
    }

    #[test]
    fn every_check_is_listed_in_every_form() {
        let (text, markdown) = (text(Look::PLAIN), markdown());
        for check in TABLE {
            assert!(text.contains(check.id), "{}", check.id);
            assert!(
                markdown.contains(&format!("`{}`", check.id)),
                "{}",
                check.id
            );
        }
        assert_eq!(listing().len(), TABLE.len());
    }
}
