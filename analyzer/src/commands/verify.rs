//! `snapdiag verify`: whether a snapshot is whole.

use std::path::PathBuf;

use snapdiag::facts::sources::Options;
use snapdiag::inspect::verify::verify;
use snapdiag::report::{Source, json, verification};

use super::options;
use super::output::{Console, Form};
use super::progress::Progress;
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag verify bundle.zip                        hashes, what is missing, what is not recognised
  snapdiag verify bundle.zip --deep                 also decode everything, and count it
  snapdiag verify /mnt/c --deep --format json";

/// Tell whether a snapshot is whole and what its manifest says.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The snapshot
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// Decode every hive and log, and count what is in them
    #[arg(long)]
    deep: bool,
    /// The form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    format: Form,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let opened = options::open(&args.path, &Options::default())?;
    let Some(sources) = opened.sources() else {
        return Err(Failure::Undecided(
            "a facts file holds no artifacts to verify".to_owned(),
        ));
    };
    let verified = {
        let _progress = Progress::begin(&format!("verifying {}", args.path.display()));
        verify(sources, Source::of(&args.path), args.deep)
    };
    let text = match args.format {
        Form::Text => verification::text(&verified, console.look()),
        Form::Json => json::render(&verified)?,
    };
    console.write(&text)?;
    Ok(Done::found_if(!verified.sound))
}
