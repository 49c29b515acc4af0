//! What the registry says of setup, crash dumps, the last good configuration and pending work.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use snapdiag_bundle::records::RegistryExport;

use crate::facts::document;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Number, Text};
use crate::formats::registry::filetime;

/// Where Windows keeps the state of its setup (`SYSTEM\Setup`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Setup {
    /// `SystemSetupInProgress`: 0 when setup is done.
    pub in_progress: Fact<Number>,
    /// `OOBEInProgress`: 0 when the first start is done.
    pub oobe_in_progress: Fact<Number>,
    /// `SetupType`: 0 none; 1 full, 2 the command of `CmdLine` runs at the next start.
    pub kind: Fact<Number>,
    /// `SetupPhase`: 0 when nothing is to be continued.
    pub phase: Fact<Number>,
    /// `ImageState`: `IMAGE_STATE_COMPLETE` when the image is deployed.
    pub image_state: Fact<Text>,
}

/// What is written when Windows crashes (`Control\CrashControl`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrashControl {
    /// `CrashDumpEnabled`: 0 none, 1 complete, 2 kernel, 3 small, 7 automatic.
    pub enabled: Fact<Number>,
    /// `AutoReboot`: 1 restarts after a crash.
    pub auto_reboot: Fact<Number>,
    /// `DumpFile`, variables not expanded.
    pub dump_file: Fact<Text>,
    /// `MinidumpDir`, variables not expanded.
    pub minidump_folder: Fact<Text>,
    /// `NMICrashDump`: 1 lets an interrupt from the console write a dump.
    pub nmi: Fact<Number>,
}

/// Which control set Windows uses (`SYSTEM\Select`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ControlSets {
    /// `Current`: the set in use.
    pub current: Fact<Number>,
    /// `Default`: the set of the next start.
    pub default: Fact<Number>,
    /// `Failed`: the set that did not start; 0 for none.
    pub failed: Fact<Number>,
    /// `LastKnownGood`: the set to fall back to.
    pub last_known_good: Fact<Number>,
}

/// Marks of a restart that is waited for. Both keys may be volatile, so that a saved hive does
/// not hold them; the collector's export of volatile keys counts as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PendingRestart {
    /// `Component Based Servicing\RebootPending` is there.
    pub servicing: Fact<bool>,
    /// `WindowsUpdate\Auto Update\RebootRequired` is there.
    pub update: Fact<bool>,
}

impl Setup {
    pub(super) fn gather(sources: &Sources) -> Self {
        let setup = sources.system().below("Setup");
        Self {
            in_progress: setup.number("", "SystemSetupInProgress"),
            oobe_in_progress: setup.number("", "OOBEInProgress"),
            kind: setup.number("", "SetupType"),
            phase: setup.number("", "SetupPhase"),
            image_state: sources.software().root().text(
                "Microsoft\\Windows\\CurrentVersion\\Setup\\State",
                "ImageState",
            ),
        }
    }
}

impl CrashControl {
    pub(super) fn gather(sources: &Sources) -> Self {
        let control = sources
            .system()
            .control_set()
            .below("Control\\CrashControl");
        Self {
            enabled: control.number("", "CrashDumpEnabled"),
            auto_reboot: control.number("", "AutoReboot"),
            dump_file: control.text("", "DumpFile"),
            minidump_folder: control.text("", "MinidumpDir"),
            nmi: control.number("", "NMICrashDump"),
        }
    }
}

impl ControlSets {
    pub(super) fn gather(sources: &Sources) -> Self {
        let select = sources.system().below("Select");
        Self {
            current: select.number("", "Current"),
            default: select.number("", "Default"),
            failed: select.number("", "Failed"),
            last_known_good: select.number("", "LastKnownGood"),
        }
    }
}

impl PendingRestart {
    pub(super) fn gather(sources: &Sources) -> Self {
        let at = |key: &str| {
            let key = format!("Microsoft\\Windows\\CurrentVersion\\{key}");
            let saved = sources.software().root().key(&key);
            let saved = Fact {
                state: match saved.state {
                    State::Known(_) => State::Known(true),
                    State::Absent => State::Known(false),
                    State::NotCollected(why) => State::NotCollected(why),
                    State::Unreadable(why) => State::Unreadable(why),
                    State::Redacted => State::Redacted,
                },
                evidence: saved.evidence,
            };
            let live = volatile_key(sources, &format!("HKLM\\SOFTWARE\\{key}"));
            match (saved.value(), live.value()) {
                (Some(true), _) => saved,
                (_, Some(true)) => live,
                _ => saved,
            }
        };
        Self {
            servicing: at("Component Based Servicing\\RebootPending"),
            update: at("WindowsUpdate\\Auto Update\\RebootRequired"),
        }
    }
}

/// When Windows last shut down in order (`Control\Windows\ShutdownTime`), UTC.
pub(super) fn shutdown_time(sources: &Sources) -> Fact<Timestamp> {
    sources
        .system()
        .control_set()
        .bytes("Control\\Windows", "ShutdownTime")
        .and_then(|bytes| {
            <[u8; 8]>::try_from(bytes.as_slice())
                .ok()
                .and_then(|ticks| filetime(u64::from_le_bytes(ticks)))
                .ok_or_else(|| "no FILETIME".to_owned())
        })
}

/// Whether Windows runs in safe mode (`SafeBoot\Option::OptionValue`): 1 minimal, 2 with network,
/// 3 directory services repair. The key is volatile and exists in safe mode only.
pub(super) fn safe_boot(sources: &Sources) -> Fact<u64> {
    let path = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\SafeBoot\\Option";
    let (export, found) = find(sources, path);
    let (Some(export), Some((index, document))) = (export.value(), found) else {
        return export.carry().unwrap_or_else(|| {
            Fact::not_collected("registry.volatile does not speak of SafeBoot\\Option")
        });
    };
    let place = |below: &str, raw: Json| {
        [document::at(
            &document,
            format!("/keys/{index}{below}"),
            raw,
        )]
    };
    let Some(key) = export.keys.get(index) else {
        return Fact::absent([]);
    };
    match key.exists {
        Some(false) => Fact::absent(place("/exists", json!(false))),
        None => Fact::unreadable("Windows did not say", place("/exists", Json::Null)),
        Some(true) => {
            let value = key
                .values
                .iter()
                .position(|value| value.name.eq_ignore_ascii_case("OptionValue"));
            match value.and_then(|at| Some((at, key.values.get(at)?))) {
                Some((at, value)) => Fact::known(
                    value.data.as_u64().unwrap_or_default(),
                    place(&format!("/values/{at}/data"), value.data.clone()),
                ),
                None => Fact::known(0, place("/exists", json!(true))),
            }
        }
    }
}

/// Whether a key of the collector's export exists.
fn volatile_key(sources: &Sources, path: &str) -> Fact<bool> {
    let (export, found) = find(sources, path);
    let (Some(export), Some((index, document))) = (export.value(), found) else {
        return export
            .carry()
            .unwrap_or_else(|| Fact::not_collected(format!("{path} was not asked for")));
    };
    let exists = export.keys.get(index).and_then(|key| key.exists);
    let evidence = [document::at(
        &document,
        format!("/keys/{index}/exists"),
        json!(exists),
    )];
    match exists {
        Some(exists) => Fact::known(exists, evidence),
        None => Fact::unreadable("Windows did not say", evidence),
    }
}

/// The export, and the place of a key in it.
fn find(sources: &Sources, path: &str) -> (Fact<RegistryExport>, Option<(usize, Evidence)>) {
    let record: Fact<Json> = sources.record("registry.volatile");
    let export = document::typed::<RegistryExport>(&record);
    let index = export.value().and_then(|export| {
        export
            .keys
            .iter()
            .position(|key| key.path.eq_ignore_ascii_case(path))
    });
    let place = index.zip(record.evidence.into_iter().next());
    (export, place)
}
