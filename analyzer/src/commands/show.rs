//! `snapdiag show`: what stands at a place in a snapshot.

use std::path::PathBuf;

use clap::ValueEnum;

use snapdiag::facts::locator::Locator;
use snapdiag::facts::sources::{Options, Sources};
use snapdiag::inspect::show::{Shown, show};
use snapdiag::inspect::{events, events::Selected};
use snapdiag::report::{json, shown};

use super::options;
use super::output::Console;
use super::status::{Done, Failure, note};

const EXAMPLES: &str = "\
Examples:
  snapdiag show bundle.zip 'reg:SYSTEM\\Select'
  snapdiag show bundle.zip 'reg:SYSTEM\\Select::Current' --format json
  snapdiag show NTUSER.DAT 'reg:\\'
  snapdiag show bundle.zip 'evt:Security?id=4625&last=5' --format jsonl
  snapdiag show /mnt/c 'evt:System?provider=Service Control Manager&after=2026-11-20T00:00:00Z' --count
  snapdiag show bundle.zip 'json:network/tcp.json#/samples/0'
  snapdiag show bundle.zip text:network/netstat-ano.txt:7
  snapdiag show bundle.zip manifest:registry.system

Every piece of evidence in a report carries the locator that reads it back.";

/// Show what stands at a place in a snapshot.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The snapshot
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// The place: reg:, evt:, json:, text:, counter: or manifest:
    #[arg(value_name = "LOCATOR")]
    locator: String,
    /// The form
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Form::Text)]
    format: Form,
    /// Only the number of event records
    #[arg(long)]
    count: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For people
    Text,
    /// For programs
    Json,
    /// For programs: a line for each event record
    Jsonl,
}

pub(super) fn run(args: &Args, console: &mut Console) -> Result<Done, Failure> {
    let locator: Locator = args
        .locator
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    if args.count && !matches!(locator, Locator::Events(_)) {
        return Err(Failure::Usage(
            "--count counts event records: evt:".to_owned(),
        ));
    }
    let opened = options::open(&args.path, &Options::default())?;
    let Some(sources) = opened.sources() else {
        return Err(Failure::Nothing(
            "a facts file holds no artifacts: give the snapshot that it was made from".to_owned(),
        ));
    };
    if let (Locator::Events(query), true) = (&locator, args.count) {
        let count = events::count(sources, query)?;
        console.write(&format!("{count}\n"))?;
        // Status 1 is "nothing was found" here.
        return Ok(Done::found_if(count == 0));
    }
    let text = render(args.format, sources, &locator, console)?;
    console.write(&text)?;
    Ok(Done::Quietly)
}

fn render(
    form: Form,
    sources: &Sources,
    locator: &Locator,
    console: &Console,
) -> Result<String, Failure> {
    let found = show(sources, locator)?;
    if let Shown::Events(Selected { rows, count }) = &found
        && (rows.len() as u64) < *count
    {
        note(&format!(
            "the newest {} of {count} records; narrow the query, or count with --count",
            rows.len()
        ));
    }
    Ok(match form {
        Form::Text => shown::text(&found, console.look()),
        Form::Json => shown::json(&found)?,
        Form::Jsonl => match &found {
            Shown::Events(selected) => {
                let mut lines = String::new();
                for row in &selected.rows {
                    lines.push_str(&json::render_line(row)?);
                    lines.push('\n');
                }
                lines
            }
            other => shown::json(other)?,
        },
    })
}
