//! Readers that are not ours: hivex and regipy for hives, libevtx's `evtxexport` and python-evtx
//! for event logs, all behind one small script that answers in JSON.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The variable that makes a missing reader a failure.
const REQUIRED: &str = "SNAPDIAG_REQUIRE_PEERS";

/// A reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// `hivexml`, Debian's libhivex-bin. Reads one hive.
    Hivex,
    /// regipy (`PyPI`). Reads one hive.
    Regipy,
    /// regipy again: a hive and its two logs, replayed.
    RegipyReplay,
    /// `evtxexport`, Debian's libevtx-utils. Reads one log.
    Evtxexport,
    /// python-evtx (`PyPI`). Reads one log.
    PythonEvtx,
}

impl Reader {
    fn command(self) -> &'static str {
        match self {
            Self::Hivex => "hivex",
            Self::Regipy => "regipy",
            Self::RegipyReplay => "regipy-replay",
            Self::Evtxexport => "evtxexport",
            Self::PythonEvtx => "python-evtx",
        }
    }

    /// What this reader sees, in the form that the script's own help describes.
    ///
    /// # Errors
    /// With its error output, when it cannot read the files.
    pub fn read(self, files: &[&Path]) -> Result<Value, String> {
        run(Command::new("python3")
            .arg(script())
            .arg(self.command())
            .args(files))
    }
}

/// Which of the readers are not installed here; empty, when the environment variable
/// `SNAPDIAG_REQUIRE_PEERS` is 1: their absence is a failure then.
///
/// # Errors
/// When there is no Python, which is a missing reader too unless all are required.
pub fn missing(readers: &[Reader]) -> Result<Vec<String>, String> {
    if std::env::var_os(REQUIRED).is_some_and(|value| value == "1") {
        return Ok(Vec::new());
    }
    let names = readers.iter().map(|reader| reader.command());
    let answer = run(Command::new("python3")
        .arg(script())
        .arg("available")
        .args(names))?;
    let missing = answer
        .get("missing")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    Ok(missing
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect())
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("support/foreign_readers.py")
}

fn run(command: &mut Command) -> Result<Value, String> {
    let output = command
        .output()
        .map_err(|error| format!("python3: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
