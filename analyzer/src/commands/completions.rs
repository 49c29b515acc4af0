//! `snapdiag completions`: what a shell offers at the tabulator key.

use clap_complete::Shell;

use super::output::Console;
use super::status::{Done, Failure};

const EXAMPLES: &str = "\
Examples:
  snapdiag completions bash > ~/.local/share/bash-completion/completions/snapdiag
  snapdiag completions zsh > ~/.zfunc/_snapdiag
  snapdiag completions fish > ~/.config/fish/completions/snapdiag.fish";

/// Print completions for a shell.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The shell
    shell: Shell,
}

pub(super) fn run(
    args: &Args,
    mut command: clap::Command,
    console: &mut Console,
) -> Result<Done, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "snapdiag", &mut script);
    console.write(&String::from_utf8_lossy(&script))?;
    Ok(Done::Quietly)
}
