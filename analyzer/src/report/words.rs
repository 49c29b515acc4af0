//! The words that renderings share.

use jiff::Timestamp;

use crate::checks::remedy::{Interruption, Remedy, Risk, Shell};
use crate::facts::capture::{CaptureKind, TimeSource};

use super::model::Report;
use crate::facts::inventory::ArtifactState;
use crate::facts::sources::registry::Number;

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
    let machine = &report.machine.machine;
    let mut parts = Vec::new();
    parts.push(match machine.host.value() {
        Some(host) => host.clone(),
        None => "unknown host".to_owned(),
    });
    let version = match (machine.build.value(), machine.update_revision.value()) {
        (
            Some(build),
            Some(Number {
                value: Some(revision),
                ..
            }),
        ) => format!("build {build}.{revision}"),
        (Some(build), _) => format!("build {build}"),
        (None, _) => String::new(),
    };
    let product = machine.product.value().cloned().unwrap_or_default();
    let windows = format!("{product} {version}").trim().to_owned();
    if !windows.is_empty() {
        parts.push(windows);
    }
    match (machine.cloud.value(), machine.firmware.value()) {
        (Some(cloud), _) => parts.push(cloud.name().to_owned()),
        (None, Some(firmware)) => {
            parts.push(format!("{} {}", firmware.manufacturer, firmware.product));
        }
        (None, None) => {}
    }
    if let Some(domain) = machine.domain.value() {
        parts.push(format!("domain {domain}"));
    }
    if let Some(seconds) = machine.uptime_seconds.value() {
        parts.push(format!("up {}", duration(*seconds)));
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
    let name = match report.source.name.as_str() {
        "" => String::new(),
        name => format!("{name}; "),
    };
    format!(
        "{name}{}; {} of {} used; snapdiag {}",
        captured(report),
        report
            .artifacts
            .iter()
            .filter(|artifact| artifact.state == ArtifactState::Used)
            .count(),
        count_of(report.artifacts.len() as u64, "file"),
        report.analyzer,
    )
}
