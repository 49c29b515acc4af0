//! `snapdiag facts`: everything the checks see, as JSON.

use std::path::PathBuf;

use jiff::Timestamp;

use snapdiag::facts::sources::Options;
use snapdiag::report::json;

use super::options;
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
    /// The time of capture, where you know better than the snapshot
    #[arg(long, value_name = "TIME")]
    captured_at: Option<Timestamp>,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let options = Options {
        captured_at: args.captured_at,
    };
    let snapshot = options::open(&args.path, &options)?.snapshot();
    console.write(&json::render(&snapshot)?)?;
    Ok(Done::Quietly)
}
