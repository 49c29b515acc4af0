//! The words that renderings share.

use jiff::Timestamp;

use crate::checks::remedy::{Interruption, Remedy, Risk, Shell};
use crate::facts::capture::{CaptureKind, TimeSource};

use super::model::Report;
use crate::facts::inventory::ArtifactState;

/// The risk of a remedy and what it interrupts.
pub(super) fn safety(remedy: &Remedy) -> String {
    let risk = match remedy.risk {
        Risk::Low => "low risk",
        Risk::Medium => "medium risk",
        Risk::High => "high risk",
    };
    let interrupts = match remedy.interrupts {
        Interruption::Nothing => "interrupts nothing",
        Interruption::Sessions => "cuts Remote Desktop sessions",
        Interruption::Network => "cuts the network",
        Interruption::Restart => "needs a restart",
    };
    format!("{risk}, {interrupts}")
}

/// The prompt that tells in which shell a command is typed.
pub(super) fn prompt(shell: Shell) -> &'static str {
    match shell {
        Shell::Powershell => "PS> ",
        Shell::Cmd => "C:\\> ",
    }
}

/// A time, to the second.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// When the snapshot was taken, and by what that is known.
pub(super) fn captured(report: &Report) -> String {
    let machine = &report.machine;
    let kind = match machine.kind {
        CaptureKind::Live => "live",
        CaptureKind::DiskOnly => "from a disk",
    };
    let Some(at) = machine.captured_at else {
        return format!("captured {kind}, at an unknown time");
    };
    let by = match machine.captured_by {
        TimeSource::Given => "as given",
        TimeSource::Manifest => "manifest",
        TimeSource::EventLog => "System log, confirmed by the registry",
        TimeSource::EventLogAlone => "an event log alone",
        TimeSource::Registry => "the registry alone",
        TimeSource::Unknown => "unconfirmed",
    };
    format!("captured {kind} at {} ({by})", time(at))
}

/// How many of something, with the noun in the right number.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The machine in a line.
pub(super) fn machine(report: &Report) -> String {
    report.source.name.clone()
}

/// Where the report comes from, in a line.
pub(super) fn origin(report: &Report) -> String {
    format!(
        "{}; {} of {} used; snapdiag {}",
        captured(report),
        report
            .artifacts
            .iter()
            .filter(|artifact| artifact.state == ArtifactState::Used)
            .count(),
        count(report.artifacts.len(), "file", "files"),
        report.analyzer,
    )
}
