//! `system/dump-files.json`, `system/paths.json`, `system/machine-keys.json`: what is in some
//! places of the disk, without its content.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Crash dumps and marks of pending work: names, sizes, times (`FindFirstFileW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DumpFiles {
    /// `MEMORY.DMP`, `Minidump\*.dmp`, `LiveKernelReports\*`, sorted by path.
    pub dumps: Vec<FileFact>,
    /// `WinSxS\pending.xml` and the like, sorted by path.
    #[serde(default)]
    pub pending: Vec<FileFact>,
}

/// A file's name, size and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileFact {
    /// Full path.
    pub path: String,
    /// Size, bytes.
    pub size_bytes: u64,
    /// Last write.
    pub modified_at: Option<Timestamp>,
}

/// Which directories of the environment exist (`GetFileAttributesW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathFacts {
    /// One an element of the machine's `Path`, and `TEMP`, `TMP`, `windir`, `ComSpec`.
    pub paths: Vec<PathFact>,
    /// `Path` as services have it: from the environment of a service's process. It differs from the
    /// registry until the next start.
    pub service_path: Option<String>,
}

/// Whether a path exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathFact {
    /// The variable it came from, such as `Path`.
    pub variable: String,
    /// As it stands in the registry.
    pub raw: String,
    /// With variables expanded.
    pub expanded: String,
    /// Whether it is there; `null` if Windows would not say, `code` has its error.
    pub exists: Option<bool>,
    /// Whether it is a directory.
    pub directory: Option<bool>,
    /// Error of Windows.
    pub code: Option<u32>,
}

/// Access to the key files of the machine, without their content (`GetNamedSecurityInfoW`,
/// `ConvertSecurityDescriptorToStringSecurityDescriptorW`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineKeys {
    /// SDDL of `%ProgramData%\Microsoft\Crypto\RSA\MachineKeys`.
    pub folder_sddl: Option<String>,
    /// SDDL of the key of the Remote Desktop certificate (`f686aace6942fb7f7ceb231212eef4a4_*`).
    pub rdp_key_sddl: Option<String>,
    /// Whether that key file is there.
    pub rdp_key_exists: Option<bool>,
}
