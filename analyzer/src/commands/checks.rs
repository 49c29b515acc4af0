//! `snapdiag checks`: the checks, their inputs and limits.

use snapdiag::report::{catalogue, json};

use super::output::{Console, Form};
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag checks
  snapdiag checks --format json     with inputs and thresholds
  snapdiag explain rdp-port         the page of one check";

/// List the checks.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    format: Form,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let list = match args.format {
        Form::Text => catalogue::text(console.look()),
        Form::Json => json::render(&catalogue::listing())?,
    };
    console.write(&list)?;
    Ok(Done::Quietly)
}
