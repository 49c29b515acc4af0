//! Where output goes: stdout carries the report and nothing else.

use std::io::{self, IsTerminal as _, Write};

use anstream::{AutoStream, ColorChoice};
use clap::ValueEnum;

use snapdiag::report::Look;

/// What every command understands.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Args {
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    color: Colour,
}

/// When to use colours.
#[derive(Clone, Copy, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The forms of what is not a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Standard output.
pub(super) struct Console {
    choice: ColorChoice,
}

impl Console {
    pub(super) fn new(args: &Args) -> Self {
        let choice = match args.color {
            Colour::Auto => AutoStream::choice(&io::stdout()),
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        Self { choice }
    }

    /// How text is to look on it. Without a terminal the width is always the same.
    pub(super) fn look(&self) -> Look {
        let colour = self.choice != ColorChoice::Never;
        let width = if io::stdout().is_terminal() {
            terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
        } else {
            None
        };
        Look::terminal(width.unwrap_or(Look::WIDTH), colour)
    }

    /// Writes all of it.
    pub(super) fn write(&mut self, text: &str) -> io::Result<()> {
        let mut stdout = AutoStream::new(io::stdout(), self.choice).lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}
