//! The machine's environment: which of its directories exist.

use std::path::Path;
use std::time::Duration;

use snapdiag_bundle::records::{PathFact, PathFacts, VolumeKind};

use super::expand::expand;
use super::parts::Parts;
use super::{Collector, Job, Outcome, Phase};
use crate::system::registry::{Key, Root, Value};
use crate::system::services::RUNNING;

const METHOD: &str = "GetFileAttributesW";
const ENVIRONMENT: &str = "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment";
/// Variables that hold one path; `Path` holds a list.
const SINGLE: [&str; 4] = ["TEMP", "TMP", "windir", "ComSpec"];
/// Variables that are the same for every process but do not stand in the registry: Windows makes
/// them.
const MADE: [&str; 10] = [
    "SystemRoot",
    "SystemDrive",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramW6432",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "CommonProgramW6432",
    "ProgramData",
    "ALLUSERSPROFILE",
];
/// Services that run as the system itself on every Windows: one of them shows the environment that
/// services have until the next start.
const SERVICES: [&str; 4] = ["Schedule", "ProfSvc", "PlugPlay", "LanmanServer"];
/// How deep variables may name each other.
const DEPTH: u32 = 4;
/// `Path` may have 32,767 characters, so not more elements than this in earnest.
const MOST: usize = 4096;

/// The paths of the environment.
pub(super) const COLLECTORS: &[Collector] = &[Collector {
    item: "system.paths",
    phase: Phase::Quick,
    limit: Duration::from_secs(10),
    collect,
}];

fn collect(job: &mut Job) -> Outcome {
    let environment = job.system.registry().key(Root::LocalMachine, ENVIRONMENT);
    let mut parts = Parts::default();
    let Some(environment) = parts.take(environment) else {
        return parts.failed("RegOpenKeyExW");
    };
    let text = |name: &str| environment.value(name).and_then(Value::as_text);
    let list = text("Path").unwrap_or_default();
    let elements = split(&list).into_iter().take(MOST);
    let mut wanted: Vec<(&str, String)> = elements.map(|one| ("Path", one)).collect();
    wanted.extend(SINGLE.iter().filter_map(|name| Some((*name, text(name)?))));
    let mut paths = Vec::new();
    for (variable, raw) in wanted {
        if job.is_over() {
            parts.cut("out of time");
            break;
        }
        paths.push(look(job, &environment, variable, raw));
    }
    let record = PathFacts {
        paths,
        service_path: service_path(job, &mut parts),
    };
    parts.finish(job, "system/paths.json", &record, METHOD)
}

/// `Path` as a running service has it; `None` where none of those looked for runs.
fn service_path(job: &Job, parts: &mut Parts) -> Option<String> {
    let services = parts.take(job.system.services().list())?;
    let running = |name: &str| {
        let service = services
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name))?;
        (service.state == RUNNING && service.pid != 0).then_some(service.pid)
    };
    let process = SERVICES.iter().find_map(|name| running(name))?;
    let environment = parts.take(job.system.processes().environment(process))?;
    environment.iter().find_map(|text| {
        let (name, value) = text.split_once('=')?;
        name.eq_ignore_ascii_case("Path").then(|| value.to_owned())
    })
}

/// The elements of `Path` that are not empty. Quotes hold a semicolon together where they are
/// closed.
fn split(list: &str) -> Vec<String> {
    let quotes = list.matches('"').count().is_multiple_of(2);
    let mut inside = false;
    let elements = list.split(|character| {
        inside ^= quotes && character == '"';
        character == ';' && !inside
    });
    elements
        .map(str::trim)
        .filter(|element| !element.is_empty())
        .map(str::to_owned)
        .collect()
}

fn look(job: &Job, environment: &Key, variable: &str, raw: String) -> PathFact {
    let (expanded, all) = expand(&raw, &|name| resolve(job, environment, name, DEPTH));
    let path = expanded.replace('"', "");
    let mut fact = PathFact {
        variable: variable.to_owned(),
        raw,
        expanded,
        exists: None,
        directory: None,
        code: None,
    };
    if all && is_local(job, &path) {
        match job.system.files().is_directory(Path::new(&path)) {
            Ok(directory) => (fact.exists, fact.directory) = (Some(true), Some(directory)),
            Err(error) if matches!(error.code, 2 | 3) => {
                (fact.exists, fact.code) = (Some(false), Some(error.code));
            }
            Err(error) => fact.code = Some(error.code),
        }
    }
    fact
}

/// The value of a variable for every process of the machine. Users' own ones are not known.
fn resolve(job: &Job, environment: &Key, name: &str, depth: u32) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if let Some(text) = environment.value(name).and_then(Value::as_text) {
        let (text, all) = expand(&text, &|name| resolve(job, environment, name, depth));
        return all.then_some(text);
    }
    let made = MADE.iter().any(|one| one.eq_ignore_ascii_case(name));
    made.then(|| job.system.files().variable(name))?
}

/// Whether a path is on a drive of this machine: one of the network that does not answer holds
/// everything up, and a path without a drive means nothing for the machine.
fn is_local(job: &Job, path: &str) -> bool {
    let mut characters = path.chars();
    let letter = characters.next().filter(char::is_ascii_alphabetic);
    let Some(letter) = letter.filter(|_| characters.next() == Some(':')) else {
        return false;
    };
    let kind = job.system.volumes().kind(&format!("{letter}:\\"));
    !matches!(kind, VolumeKind::Remote | VolumeKind::Removable)
}

#[cfg(test)]
mod tests;
