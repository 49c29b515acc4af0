//! What `--list` and `--dry-run` print.

use std::io::{self, Write};

use clap::ValueEnum;
use snapdiag_bundle::ITEMS;

use crate::items::Phase;
use crate::plan::RunPlan;
use crate::profile::Profile;
use crate::progress::size;

/// Prints the profiles and the items.
///
/// # Errors
/// When the output cannot be written.
pub fn list() -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{:<10} {:>6}  {:>8}  {:>8}",
        "profile", "time", "bundle", "a log"
    )?;
    for profile in Profile::value_variants() {
        writeln!(
            out,
            "{:<10} {:>4} s  {:>8}  {:>8}",
            profile.name(),
            profile.deadline().as_secs(),
            size(profile.most_bytes()),
            size(profile.log_bytes()),
        )?;
    }
    writeln!(out, "\n{:<34} {:<9} what it is", "item", "minimal")?;
    for item in ITEMS {
        let minimal = if Profile::Minimal.takes(item) {
            "yes"
        } else {
            "no"
        };
        writeln!(out, "{:<34} {minimal:<9} {}", item.id, item.about)?;
    }
    Ok(())
}

/// Prints a plan: each item with its phase, time limit and source, or why it is left out.
///
/// # Errors
/// When the output cannot be written.
pub fn dry_run(plan: &RunPlan) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{:<34} {:<7} {:>7}  source", "item", "when", "limit")?;
    for planned in &plan.items {
        match &planned.way {
            Ok(way) => writeln!(
                out,
                "{:<34} {:<7} {:>5} s  {}",
                planned.item.id,
                word(way.phase),
                way.limit.as_secs(),
                way.source,
            )?,
            Err(reason) => {
                writeln!(
                    out,
                    "{:<34} {:<7} {:>7}  {reason}",
                    planned.item.id, "no", "-"
                )?;
            }
        }
    }
    Ok(())
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Window => "window",
        Phase::Quick => "first",
        Phase::Heavy => "last",
    }
}
