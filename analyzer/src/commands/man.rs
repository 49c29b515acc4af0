//! `snapdiag man`: the manual page, of the program and then of each subcommand.

use super::output::Console;
use super::status::{Done, Failure};

pub(super) fn run(command: clap::Command, console: &mut Console) -> Result<Done, Failure> {
    let mut command = command.disable_help_flag(false);
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        clap_mangen::Man::new(subcommand.clone()).render(&mut page)?;
    }
    console.write(&String::from_utf8_lossy(&page))?;
    Ok(Done::Quietly)
}
