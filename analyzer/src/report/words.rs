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

/// The machine in a line: host, Windows, firmware or cloud, what is known of them.
pub(super) fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let mut parts = Vec::new();
    parts.push(match &machine.host {
        Some(host) => host.clone(),
        None => "unknown host".to_owned(),
    });
    let version = match (machine.build, machine.update_revision) {
        (Some(build), Some(revision)) => format!("build {build}.{revision}"),
        (Some(build), None) => format!("build {build}"),
        (None, _) => String::new(),
    };
    let os = machine.os.as_deref().unwrap_or_default();
    let windows = format!("{os} {version}").trim().to_owned();
    if !windows.is_empty() {
        parts.push(windows);
    }
    match (machine.cloud, &machine.firmware) {
        (Some(cloud), _) => parts.push(cloud.name().to_owned()),
        (None, Some(firmware)) => {
            parts.push(format!("{} {}", firmware.manufacturer, firmware.product));
        }
        (None, None) => {}
    }
    if let Some(domain) = &machine.domain {
        parts.push(format!("domain {domain}"));
    }
    if let Some(seconds) = machine.uptime_seconds {
        parts.push(format!("up {}", duration(seconds)));
    }
    parts.join("; ")
}

/// A duration in its two largest units.
fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => count_of(minutes, "minute"),
        (0, hours) => format!(
            "{} {}",
            count_of(hours, "hour"),
            count_of(minutes, "minute")
        ),
        (days, hours) => format!("{} {}", count_of(days, "day"), count_of(hours, "hour")),
    }
}

fn count_of(number: u64, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// Where the report comes from, in a line.
pub(super) fn origin(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.source.name.is_empty() {
        parts.push(report.source.name.clone());
    }
    parts.push(captured(report));
    let used = report
        .artifacts
        .iter()
        .filter(|artifact| artifact.state == ArtifactState::Used)
        .count();
    let files = report.artifacts.len() as u64;
    if files > 0 {
        parts.push(format!("{used} of {} used", count_of(files, "file")));
    }
    parts.push(format!("snapdiag {}", report.analyzer));
    parts.join("; ")
}
