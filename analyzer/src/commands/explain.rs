//! `snapdiag explain`: the page of a check, and its decision on a snapshot.

use std::path::PathBuf;

use snapdiag::checks::check::Context;
use snapdiag::checks::table;
use snapdiag::report::{Report, Selection, Source, explain, selection};

use super::options::{self, Decision};
use super::output::Console;
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag explain brute-force
  snapdiag explain brute-force bundle.zip     also: inputs, thresholds, comparisons, the branch taken,
                                              what it follows from and what follows from it";

/// Explain a check, and its decision on a snapshot.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The id of a check (`snapdiag checks` lists them)
    #[arg(value_name = "CHECK")]
    check: String,
    /// The snapshot whose decision is to be explained
    #[arg(value_name = "PATH")]
    path: Option<PathBuf>,
    #[command(flatten)]
    decision: Decision,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let Some(check) = table::find(&args.check) else {
        let nearest = match selection::nearest(&args.check) {
            Some(nearest) => format!("did you mean '{nearest}'?"),
            None => "`snapdiag checks` lists them".to_owned(),
        };
        return Err(Failure::Usage(format!(
            "no check '{}'; {nearest}",
            args.check
        )));
    };
    let look = console.look();
    let mut text = explain::render_page(check, look);
    if let Some(path) = &args.path {
        let thresholds = args.decision.thresholds()?;
        let snapshot = options::open(path, &args.decision.options())?.snapshot();
        let suppressions = args.decision.suppressions()?;
        let context = Context {
            snapshot: &snapshot,
            thresholds: &thresholds,
        };
        let report = Report::new(&snapshot, &thresholds, &Selection::default())
            .of_source(Source::of(path))
            .suppressing(&suppressions);
        text.push('\n');
        text.push_str(&explain::render_decision(check, &context, &report, look));
    }
    console.write(&text)?;
    Ok(Done::Quietly)
}
