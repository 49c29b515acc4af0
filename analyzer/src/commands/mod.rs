//! The command line: one file a subcommand, and what they share. No logic of its own.

mod analyze;
mod checks;
mod completions;
mod explain;
mod facts;
mod man;
mod options;
mod output;
mod progress;
mod schema;
mod show;
mod status;
mod verify;

use std::panic;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use snapdiag::report::selection::edits;

use output::Console;
use status::{Done, Failure};

const ABOUT: &str = "Diagnoses a Windows machine from a snapshot of it: registry hives, event logs, \
                     tables. Offline, and nothing in the snapshot is changed or run.";

const EXAMPLES: &str = "\
Examples:
  snapdiag bundle.zip                        the diagnosis of a bundle
  snapdiag analyze /mnt/c                    of a mounted disk
  snapdiag analyze *.zip -f json=reports     of several bundles, a file each
  snapdiag explain rdp-port bundle.zip       why a check says what it says
  snapdiag show bundle.zip 'reg:SYSTEM\\Select::Current'

Exit status:
  0  done; nothing at or above --fail-on
  1  something found: a finding, a wrong hash, damage; `show` found nothing
  2  wrong usage: options, identifiers, a locator, a threshold or suppression file
  3  no readable snapshot, or nothing in it could be decided
  4  the report could not be written";

/// What is typed.
#[derive(Parser)]
#[command(
    name = "snapdiag",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    disable_help_subcommand = true
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    analyze: analyze::Args,
    #[command(flatten)]
    console: output::Args,
}

#[derive(Subcommand)]
enum Command {
    /// Diagnose snapshots (the command that a PATH alone means)
    Analyze(analyze::Args),
    /// List the checks
    Checks(checks::Args),
    /// Explain a check, and its decision on a snapshot
    Explain(explain::Args),
    /// Write the facts of a snapshot as JSON
    Facts(facts::Args),
    /// Show what stands at a place in a snapshot
    Show(show::Args),
    /// Tell whether a snapshot is whole and what its manifest says
    Verify(verify::Args),
    /// Print a JSON Schema
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
    /// Print the manual page
    Man,
}

/// The whole program. Never ends with 101: a panic becomes one sentence and "undecided".
///
/// Ctrl-C is left to the system: nothing is held that would have to be put back, and a shell sees
/// 130.
pub(crate) fn main() -> ExitCode {
    status::report_panics();
    match panic::catch_unwind(run) {
        Ok(status) => status,
        Err(_) => Failure::Undecided(String::new()).exit(),
    }
}

fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let mut console = Console::new(&cli.console);
    let outcome = match cli.command {
        None => mistyped(&cli.analyze).map_or_else(
            || analyze::run(&cli.analyze, &mut console),
            |command| Err(Failure::Usage(command)),
        ),
        Some(Command::Analyze(args)) => analyze::run(&args, &mut console),
        Some(Command::Checks(args)) => checks::run(&args, &mut console),
        Some(Command::Explain(args)) => explain::run(&args, &mut console),
        Some(Command::Facts(args)) => facts::run(&args, &mut console),
        Some(Command::Show(args)) => show::run(&args, &mut console),
        Some(Command::Verify(args)) => verify::run(&args, &mut console),
        Some(Command::Schema(args)) => schema::run(&args, &mut console),
        Some(Command::Completions(args)) => completions::run(&args, Cli::command(), &mut console),
        Some(Command::Man) => man::run(Cli::command(), &mut console),
    };
    match outcome {
        Ok(Done::Quietly) => ExitCode::SUCCESS,
        Ok(Done::Found) => ExitCode::from(status::FOUND),
        Err(failure) => failure.exit(),
    }
}

/// A PATH alone means `analyze`, so a mistyped command is taken for a path that is not there.
fn mistyped(args: &analyze::Args) -> Option<String> {
    let word = args
        .first_path()
        .to_str()
        .filter(|word| !Path::new(word).exists())?;
    let cli = Cli::command();
    let command = cli
        .get_subcommands()
        .find(|command| edits(word, command.get_name()) <= 2)?;
    Some(format!(
        "there is no file '{word}'; did you mean the command '{}'?",
        command.get_name()
    ))
}

/// Help and version go to stdout and are no failure; a closed pipe is none either.
fn usage(error: &clap::Error) -> ExitCode {
    let shown = error.print();
    match (error.use_stderr(), shown) {
        (true, _) => ExitCode::from(status::USAGE),
        (false, Ok(())) => ExitCode::SUCCESS,
        (false, Err(error)) => Failure::from(error).exit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
