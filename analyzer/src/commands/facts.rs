//! `snapdiag facts`: everything the checks see, as JSON.

use std::path::PathBuf;

use snapdiag::report::json;

use super::options::{self, Given};
use super::output::Console;
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag facts bundle.zip > facts.json
  snapdiag analyze facts.json          the same report, without the artifacts";

/// Write the facts of a snapshot as JSON.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The snapshot
    #[arg(value_name = "PATH")]
    path: PathBuf,
    #[command(flatten)]
    given: Given,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let snapshot = options::open(&args.path, &args.given.options())?.snapshot();
    console.write(&json::render(&snapshot)?)?;
    Ok(Done::Quietly)
}
