//! The system that the program runs on, and what it says of itself for plan and manifest.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use snapdiag_bundle::{Capture, CaptureMode, Collector, Cost};

use crate::output;
use crate::system::System;
use crate::system::host::HostFacts;

/// The system under the program.
#[cfg(windows)]
pub fn this() -> Arc<dyn System> {
    crate::win32::console::no_dialogs();
    Arc::new(crate::win32::Windows)
}

/// The system under the program.
#[cfg(unix)]
pub fn this() -> Arc<dyn System> {
    Arc::new(crate::unix::Unix)
}

/// A capture of the running machine that starts now.
pub fn live(facts: HostFacts, privileges: Vec<String>, now: Timestamp) -> Capture {
    let uptime = facts.uptime_ms.and_then(|ms| i64::try_from(ms).ok());
    Capture {
        mode: CaptureMode::Live,
        host: facts.name.unwrap_or_else(|| "unknown".to_owned()),
        started_at: now,
        ended_at: None,
        boot_time: uptime.and_then(|ms| now.checked_sub(SignedDuration::from_millis(ms)).ok()),
        uptime_ms: facts.uptime_ms,
        os: facts.os,
        oem_code_page: facts.oem_code_page,
        ansi_code_page: facts.ansi_code_page,
        ui_language: facts.ui_language,
        elevated: facts.elevated,
        privileges,
        time_zone_bias_minutes: facts.time_zone_bias_minutes,
        time_zone_key: facts.time_zone_key,
    }
}

/// A capture of a disk: of the machine nothing is known yet but a name.
pub fn disk(host: String, now: Timestamp) -> Capture {
    Capture {
        mode: CaptureMode::DiskOnly,
        host,
        ..live(HostFacts::default(), Vec::new(), now)
    }
}

/// This program, as the plan names it.
pub fn collector() -> Collector {
    let own_hash = std::env::current_exe().and_then(|path| output::sha256(&path));
    Collector {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("SNAPDIAG_COMMIT").map(str::to_owned),
        sha256: own_hash.ok(),
        arguments: without_urls(std::env::args_os().skip(1)),
    }
}

/// What was typed, without presigned URLs: whoever has one may write to the store.
fn without_urls(typed: impl Iterator<Item = OsString>) -> Vec<String> {
    typed
        .map(|argument| argument.to_string_lossy().into_owned())
        .map(|argument| match argument.split_once("://") {
            Some((before, _)) => {
                let option = before.split_once('=').map(|(option, _)| option);
                option.map_or("URL".to_owned(), |option| format!("{option}=URL"))
            }
            None => argument,
        })
        .collect()
}

/// What the run has cost so far.
pub fn cost(system: &dyn System, started: Instant, artifact_bytes: u64) -> Cost {
    let usage = system.host().usage();
    Cost {
        cpu_ms: usage.cpu_ms,
        peak_rss_bytes: usage.peak_rss_bytes,
        read_bytes: usage.read_bytes,
        elapsed_ms: u64::try_from(started.elapsed().as_millis()).ok(),
        artifact_bytes: Some(artifact_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_kept_without_its_secrets() {
        let typed = [
            "--upload",
            "https://bucket.example/b.zip?sig=SECRET",
            "--upload=HTTP://bucket.example/b.zip?sig=SECRET",
            "--out",
            "D:\\",
        ];
        let kept = without_urls(typed.iter().map(OsString::from));
        assert_eq!(kept, ["--upload", "URL", "--upload=URL", "--out", "D:\\"]);
    }
}
