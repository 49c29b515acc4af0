//! What the collector saw on the running machine: dirty volumes, dumps, WMI's word.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use snapdiag_bundle::records::{DumpFiles, MachineFacts, VolumeKind, Volumes};

use crate::facts::document;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::Sources;

/// A volume whose dirty bit was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VolumeState {
    /// Its letter with a colon, else its first mount point, else its GUID.
    pub name: String,
    /// The dirty bit: `autochk` looks at it at the next start.
    pub dirty: bool,
    /// Where it stands.
    pub evidence: Evidence,
}

/// A dump that Windows wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DumpFile {
    /// Full path.
    pub path: String,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Last write, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// Written by a crash; a live kernel report is not.
    pub of_crash: bool,
    /// Where it stands.
    pub evidence: Evidence,
}

/// The dirty bits of the fixed volumes.
pub(super) fn volumes(sources: &Sources) -> Fact<Vec<VolumeState>> {
    rows::<Volumes, _>(sources, "volumes.volumes", |table, place| {
        let fixed = |kind| matches!(kind, VolumeKind::Fixed | VolumeKind::Unknown);
        let rows = table.volumes.iter().enumerate();
        rows.filter(|(_, volume)| fixed(volume.kind))
            .filter_map(|(index, volume)| {
                let dirty = volume.dirty?;
                let name = volume
                    .letter
                    .map(|letter| format!("{letter}:"))
                    .or_else(|| volume.mount_points.first().cloned())
                    .or_else(|| volume.guid.clone())
                    .unwrap_or_default();
                Some(VolumeState {
                    name,
                    dirty,
                    evidence: place(format!("/volumes/{index}/dirty")),
                })
            })
            .collect()
    })
}

/// The dumps on the disk, by path.
pub(super) fn dumps(sources: &Sources) -> Fact<Vec<DumpFile>> {
    rows::<DumpFiles, _>(sources, "system.dump-files", |table, place| {
        let rows = table.dumps.iter().enumerate();
        rows.map(|(index, file)| {
            let pointer = format!("/dumps/{index}/modified_at");
            DumpFile {
                path: file.path.clone(),
                size_bytes: file.size_bytes,
                modified: file.modified_at,
                of_crash: !file.path.to_lowercase().contains("\\livekernelreports\\"),
                evidence: place(pointer).at(file.modified_at),
            }
        })
        .collect()
    })
}

/// `Win32_OperatingSystem.Status`.
pub(super) fn wmi_status(sources: &Sources) -> Fact<String> {
    from_machine(sources, "/wmi_status", |facts| facts.wmi_status.clone())
}

/// `SM_CLEANBOOT`: 0 normal, 1 safe mode, 2 safe mode with network.
pub(super) fn clean_boot(sources: &Sources) -> Fact<u32> {
    from_machine(sources, "/clean_boot", |facts| facts.clean_boot)
}

fn from_machine<T: Serialize + Clone>(
    sources: &Sources,
    pointer: &str,
    read: impl Fn(&MachineFacts) -> Option<T>,
) -> Fact<T> {
    let record: Fact<MachineFacts> = sources.record("system.machine");
    let value = record.value().and_then(read);
    let raw = json!(value);
    let mut fact = record.at_pointer(pointer, |_| raw.clone()).map(|_| ());
    let state = match (&fact.state, value) {
        (State::Known(()), Some(value)) => State::Known(value),
        (State::Known(()), None) => State::NotCollected("Windows did not say".to_owned()),
        _ => return fact.carry().unwrap_or_else(|| Fact::absent([])),
    };
    Fact::new(state, std::mem::take(&mut fact.evidence))
}

/// A table of the collector as facts of its rows, each with evidence of its own: what stands in
/// the document, as it stands there.
fn rows<R: serde::de::DeserializeOwned, T>(
    sources: &Sources,
    item: &'static str,
    read: impl FnOnce(&R, &dyn Fn(String) -> Evidence) -> Vec<T>,
) -> Fact<Vec<T>> {
    let record: Fact<Json> = sources.record(item);
    let whole = record.evidence.first().zip(record.value());
    let fact = document::typed::<R>(&record).map(|table| {
        whole.map_or_else(Vec::new, |(evidence, document)| {
            read(&table, &|pointer| {
                let raw = document.pointer(&pointer).cloned().unwrap_or_default();
                document::at(evidence, pointer, raw)
            })
        })
    });
    document::bare(fact)
}
