//! The words that renderings share.

use std::collections::BTreeMap;

use crate::checks::check::Exhibit;
use crate::checks::remedy::{Interruption, Remedy, Risk, Shell};
use crate::checks::thresholds::SetBy;
pub(super) use crate::checks::words::time;
use crate::facts::capture::{CaptureKind, TimeSource};

use serde_json::Value;
use snapdiag_bundle::Cost;

use super::model::Report;
use super::sanitize;
use super::suppression::{Effect, Suppressed, SuppressionReport};
use crate::facts::inventory::ArtifactState;
use crate::facts::locator::Locator;

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

/// What the collection cost the machine, as far as it is known.
fn cost(cost: &Cost) -> Option<String> {
    let seconds = |ms: u64| format!("{}.{} s", ms / 1000, ms % 1000 / 100);
    let megabytes = |bytes: u64| format!("{} MB", bytes.div_ceil(1_000_000));
    let parts = [
        cost.elapsed_ms.map(|ms| format!("in {}", seconds(ms))),
        cost.cpu_ms.map(|ms| format!("{} CPU", seconds(ms))),
        cost.peak_rss_bytes
            .map(|bytes| format!("{} peak", megabytes(bytes))),
        cost.read_bytes
            .map(|bytes| format!("{} read", megabytes(bytes))),
    ];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    (!known.is_empty()).then(|| format!("collected {}", known.join(", ")))
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
        (Some(cloud), _) if machine.cloud_given => {
            parts.push(format!("{} (as given)", cloud.name()));
        }
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

/// What is to be known before the findings: notes on the snapshot, files that were not used or
/// not read whole, another cloud than the given one, thresholds that are not the defaults,
/// suppressions without effect.
pub(super) fn remarks(report: &Report) -> Vec<String> {
    let mut remarks = report.notes.clone();
    for (state, words) in [
        (ArtifactState::Unreadable, "could not be read"),
        (ArtifactState::Damaged, "damaged, and read in part"),
        (ArtifactState::NotUsed, "recognised, and not used"),
        (ArtifactState::Unrecognised, "not recognised"),
    ] {
        let names: Vec<&str> = report
            .artifacts
            .iter()
            .filter(|artifact| artifact.state == state)
            .map(|artifact| artifact.path.as_str())
            .collect();
        if !names.is_empty() {
            remarks.push(format!("{words}: {}", few(&names)));
        }
    }
    remarks.extend(other_cloud(report));
    remarks.extend(thresholds(report));
    remarks.extend(report.suppressions.iter().filter_map(without_effect));
    remarks
}

/// What the snapshot says of the cloud, where somebody says otherwise.
fn other_cloud(report: &Report) -> Option<String> {
    let machine = &report.machine;
    let (given, told) = (machine.cloud?, machine.recognised_cloud?);
    (machine.cloud_given && given != told).then(|| {
        format!(
            "{} is given as the cloud; firmware or agents tell {}",
            given.name(),
            told.name()
        )
    })
}

/// The thresholds that are not the checks' own, by who set them.
fn thresholds(report: &Report) -> Vec<String> {
    let mut set: BTreeMap<&SetBy, Vec<String>> = BTreeMap::new();
    for threshold in report.thresholds.iter().filter(|limit| limit.is_set()) {
        set.entry(&threshold.set_by).or_default().push(format!(
            "{} is {} {} (default {})",
            threshold.key, threshold.value, threshold.unit, threshold.default
        ));
    }
    set.into_iter()
        .map(|(by, limits)| format!("thresholds of {}: {}", setter(by), limits.join("; ")))
        .collect()
}

/// Who set a threshold.
pub(super) fn setter(by: &SetBy) -> String {
    match by {
        SetBy::Default => "the check".to_owned(),
        SetBy::Profile(name) => format!("the profile {name}"),
        SetBy::File(name) => sanitize::shortened(name, 80),
    }
}

/// Why a finding does not count.
pub(super) fn suppressed(suppressed: &Suppressed) -> String {
    match suppressed.until {
        Some(until) => format!("suppressed: {} (until {until})", suppressed.reason),
        None => format!("suppressed: {}", suppressed.reason),
    }
}

/// An entry of the suppression file that would have had an effect at another time.
pub(super) fn without_effect(entry: &SuppressionReport) -> Option<String> {
    let until = entry.suppressed.until?;
    let why = match entry.effect {
        Effect::Expired => "the snapshot was taken later",
        Effect::NoCaptureTime => "nothing tells when the snapshot was taken",
        Effect::Suppresses | Effect::NothingToSuppress => return None,
    };
    Some(format!(
        "the suppression of {} until {until} has no effect: {why} (its reason: {})",
        entry.check, entry.suppressed.reason
    ))
}

/// A few names and how many more there are.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 4;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| sanitize::shortened(name, 80))
        .collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 {
        format!(" and {more} more (snapdiag verify lists them)")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

/// Where the report comes from, in a line.
pub(super) fn origin(report: &Report) -> String {
    let mut parts = Vec::new();
    if !report.source.name.is_empty() {
        parts.push(report.source.name.clone());
    }
    parts.push(captured(report));
    parts.extend(report.machine.cost.as_ref().and_then(cost));
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

/// The value that stood at a piece of evidence, where it is a short one and the words do not say
/// it already. The fields of a record and places in documents speak through the words.
pub(super) fn raw_beside(exhibit: &Exhibit) -> Option<String> {
    const LONGEST: usize = 160;
    let raw = match &exhibit.evidence.raw {
        Value::String(text) if !text.is_empty() => match text.parse() {
            Ok(instant) => time(instant),
            Err(_) => format!("\"{text}\""),
        },
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let is_key = matches!(
        &exhibit.evidence.locator,
        Locator::Registry(place) if place.value.is_none()
    );
    let is_text = exhibit.evidence.raw.is_string();
    let said =
        exhibit.says.contains('=') || is_text && exhibit.says.contains(raw.trim_matches('"'));
    (!is_key && !said && raw.chars().count() <= LONGEST).then_some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_collection_is_told_as_far_as_it_is_known() {
        let whole = Cost {
            elapsed_ms: Some(43_080),
            cpu_ms: Some(1_250),
            peak_rss_bytes: Some(27_300_000),
            read_bytes: Some(310_000_000),
            artifact_bytes: None,
        };
        let line = "collected in 43.0 s, 1.2 s CPU, 28 MB peak, 310 MB read";
        assert_eq!(cost(&whole).as_deref(), Some(line));
        let of_old = Cost {
            cpu_ms: Some(40),
            ..Cost::default()
        };
        assert_eq!(cost(&of_old).as_deref(), Some("collected 0.0 s CPU"));
        assert_eq!(cost(&Cost::default()), None);
    }
}
