//! `snapdiag schema`: the JSON Schemas of what is written and read.

use clap::ValueEnum;

use snapdiag::docs;
use snapdiag::report::json;

use super::output::Console;
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag schema report > report.schema.json";

/// Print a JSON Schema.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// What the schema describes
    #[arg(value_enum, value_name = "WHAT")]
    what: What,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// The report that `analyze -f json` writes
    Report,
    /// The manifest of a bundle
    Manifest,
    /// The facts that `facts` writes
    Facts,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let schema = match args.what {
        What::Report => docs::report_schema(),
        What::Manifest => snapdiag_bundle::schema::manifest(),
        What::Facts => docs::facts_schema(),
    };
    console.write(&json::render(&schema)?)?;
    Ok(Done::Quietly)
}
