//! How a command ends.

use std::io::{self, Write as _};
use std::panic;
use std::process::ExitCode;

use snapdiag::inspect::show::ShowError;
use snapdiag::report::sanitize;

/// Something was found: a finding, a wrong hash, nothing at a locator.
pub(super) const FOUND: u8 = 1;
/// The command line or a file that it names is wrong.
pub(super) const USAGE: u8 = 2;
/// There is no readable snapshot, or nothing in it could be decided.
const UNDECIDED: u8 = 3;
/// The report could not be written.
const UNWRITTEN: u8 = 4;

/// How a command ended that did what it was asked for.
pub(super) enum Done {
    /// Nothing was found that asks for attention.
    Quietly,
    /// Something was.
    Found,
}

impl Done {
    /// Found, if so.
    pub(super) fn found_if(found: bool) -> Self {
        if found { Self::Found } else { Self::Quietly }
    }
}

/// Why a command could not do what it was asked for. The texts go to stderr.
pub(super) enum Failure {
    /// Nothing stands at a locator.
    Nothing(String),
    /// The command line or a file that it names is wrong.
    Usage(String),
    /// There is no readable snapshot, or nothing in it could be decided. Empty when that has
    /// been said already.
    Undecided(String),
    /// The report could not be written.
    Unwritten(String),
    /// Whoever read the report has seen enough.
    ClosedPipe,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Unwritten(format!("cannot write the report: {error}")),
        }
    }
}

impl From<ShowError> for Failure {
    fn from(error: ShowError) -> Self {
        Self::Nothing(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Unwritten(format!("cannot write the report: {error}"))
    }
}

impl Failure {
    /// Says why and gives the exit status.
    pub(super) fn exit(self) -> ExitCode {
        let (text, status) = match self {
            Self::Nothing(text) => (text, FOUND),
            Self::Usage(text) => (text, USAGE),
            Self::Undecided(text) => (text, UNDECIDED),
            Self::Unwritten(text) => (text, UNWRITTEN),
            Self::ClosedPipe => return ExitCode::SUCCESS,
        };
        if !text.is_empty() {
            note(&text);
        }
        ExitCode::from(status)
    }
}

/// Says something on stderr, whatever the snapshot put into it. A closed stderr is nothing to
/// stop for.
pub(super) fn note(text: &str) {
    let text = sanitize::shortened(text, 2000);
    let _ = writeln!(io::stderr().lock(), "snapdiag: {text}");
}

/// A panic is a bug: one sentence that can be reported, instead of a trace.
pub(super) fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let payload = panic.payload();
        let what = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        note(&format!(
            "internal error{place} ({what}). This is a bug in snapdiag {}: please report it with \
             this line and the command.",
            env!("CARGO_PKG_VERSION")
        ));
    }));
    snapdiag::formats::hive::silence_guarded_panics();
}
