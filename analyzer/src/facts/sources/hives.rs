//! Hives: which one a file is, which candidate is taken, and how it is opened.

use super::container::Container;
use super::registry::{Missing, Opened};
use crate::facts::inventory::ArtifactState;
use crate::formats::hive::{HiveFile, Log};
use crate::formats::registry::{Quality, RegistryView};

/// The largest hive that is read, in bytes; Windows' own limit for SYSTEM is 2 GiB, real ones
/// stay below a tenth of that.
const LARGEST: u64 = 1 << 30;

/// Which hive of Windows a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HiveKind {
    /// `HKLM\SYSTEM`.
    System,
    /// `HKLM\SOFTWARE`.
    Software,
    /// The boot configuration store.
    Bcd,
    /// A user's, or the default user's.
    User,
    /// `HKLM\SAM`: holds secrets, never used.
    Sam,
    /// `HKLM\SECURITY`: holds secrets, never used.
    Security,
    /// Any other.
    Other,
}

impl HiveKind {
    /// The item of the bundle that this hive is.
    pub fn item(self) -> Option<&'static str> {
        match self {
            Self::System => Some("registry.system"),
            Self::Software => Some("registry.software"),
            Self::Bcd => Some("registry.bcd"),
            Self::User | Self::Sam | Self::Security | Self::Other => None,
        }
    }

    /// What a report calls it.
    pub fn describe(self) -> &'static str {
        match self {
            Self::System => "hive SYSTEM",
            Self::Software => "hive SOFTWARE",
            Self::Bcd => "boot configuration store",
            Self::User => "hive of a user",
            Self::Sam => "hive SAM, which is never used",
            Self::Security => "hive SECURITY, which is never used",
            Self::Other => "hive of no known kind",
        }
    }

    /// Tells a hive by the keys below its root.
    pub fn of(view: &dyn RegistryView) -> Self {
        let has = |path: &str| view.key(path).is_ok_and(|key| key.is_some());
        let has_control_sets =
            has("Select") && (has("MountedDevices") || has("ControlSet001") || has("Setup"));
        if has_control_sets || has("CurrentControlSet") && !has("Software") {
            Self::System
        } else if has("Objects") && has("Description") {
            Self::Bcd
        } else if has("SAM\\Domains") {
            Self::Sam
        } else if has("Policy\\PolAdtEv") || has("Policy\\Secrets") {
            Self::Security
        } else if has("Software") && (has("Environment") || has("Control Panel")) {
            Self::User
        } else if has("Microsoft\\Windows NT") || (has("Microsoft") && has("Classes")) {
            Self::Software
        } else {
            Self::Other
        }
    }
}

/// An opened hive file and what is worth saying about it.
pub struct Candidate {
    /// The artifact's name.
    pub artifact: String,
    /// Which hive it is.
    pub kind: HiveKind,
    /// The opened file.
    pub file: HiveFile,
    /// What became of it.
    pub state: ArtifactState,
    /// Dirty, replayed, damaged: in words.
    pub notes: Vec<String>,
    with_logs: bool,
}

/// Opens a hive with the logs beside it.
///
/// # Errors
/// Why it is no hive, or cannot be read at all.
pub fn open(container: &Container, artifact: &str) -> Result<Candidate, String> {
    let (bytes, torn) = match container.read_checked(artifact, LARGEST) {
        Ok(bytes) => (bytes, None),
        Err(problem) if problem.partial.is_empty() => return Err(problem.why),
        Err(problem) => (problem.partial, Some(problem.why)),
    };
    let logs: Vec<(&str, Vec<u8>)> = [".LOG1", ".LOG2", ".LOG"]
        .iter()
        .filter_map(|ending| container.find(&format!("{artifact}{ending}")))
        .filter_map(|name| {
            let bytes = match container.read_checked(name, LARGEST) {
                Ok(bytes) => bytes,
                Err(problem) => problem.partial,
            };
            (!bytes.is_empty()).then_some((name, bytes))
        })
        .collect();
    let logs: Vec<Log<'_>> = logs
        .iter()
        .map(|(name, bytes)| Log { name, bytes })
        .collect();
    let file = HiveFile::open_with_logs(bytes, &logs).map_err(|error| error.to_string())?;
    let mut notes: Vec<String> = torn
        .map(|why| format!("read in part: {why}"))
        .into_iter()
        .collect();
    let mut state = if notes.is_empty() {
        ArtifactState::Used
    } else {
        ArtifactState::Damaged
    };
    for quality in file.quality() {
        notes.push(describe(quality, !logs.is_empty()));
        if matches!(quality, Quality::Damage(_)) {
            state = ArtifactState::Damaged;
        }
    }
    Ok(Candidate {
        artifact: artifact.to_owned(),
        kind: HiveKind::of(&file),
        file,
        state,
        notes,
        with_logs: !logs.is_empty(),
    })
}

fn describe(quality: &Quality, with_logs: bool) -> String {
    match quality {
        Quality::DirtyNotReplayed { primary, secondary } => format!(
            "dirty (sequence numbers {primary} and {secondary}) and read as it is, because {}: \
             values may be stale",
            if with_logs {
                "its transaction logs do not fit"
            } else {
                "its transaction logs are not there"
            }
        ),
        Quality::Replayed {
            from,
            to,
            entries,
            gap,
        } => {
            let gap = if *gap {
                "; entries before the first may be missing"
            } else {
                ""
            };
            format!(
                "dirty; {entries} entries of its transaction logs replayed (sequence {from} to \
                 {to}){gap}"
            )
        }
        Quality::Damage(error) => format!("damaged: {error}"),
    }
}

impl Candidate {
    /// The opened hive as facts are read from it.
    pub fn into_opened(self) -> Opened {
        let doubt = self
            .file
            .quality()
            .iter()
            .find(|quality| !matches!(quality, Quality::Replayed { gap: false, .. }))
            .map(|quality| format!("{} is {}", self.artifact, describe(quality, self.with_logs)));
        Opened {
            artifact: self.artifact,
            view: Box::new(self.file),
            doubt,
        }
    }

    /// When the hive was last written: its header, else its root key.
    pub fn last_written(&self) -> Option<jiff::Timestamp> {
        let root = self
            .file
            .key("")
            .ok()
            .flatten()
            .and_then(|key| key.last_write);
        self.file.header().last_written.max(root)
    }
}

/// Of several candidates for one hive the one written last; by name where that does not decide.
/// Returns it with the reason, and the names of the others.
pub fn choose(mut candidates: Vec<Candidate>) -> Option<(Candidate, Vec<String>)> {
    candidates
        .sort_by(|a, b| (b.last_written(), &a.artifact).cmp(&(a.last_written(), &b.artifact)));
    let mut candidates = candidates.into_iter();
    let chosen = candidates.next()?;
    Some((chosen, candidates.map(|other| other.artifact).collect()))
}

/// The missing hive, when nothing was found.
pub fn not_found(name: &str) -> Missing {
    Missing::NotCollected(format!("no {name} hive is in the snapshot"))
}
