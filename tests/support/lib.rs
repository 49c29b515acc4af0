//! What the end-to-end tests share: where the captures are, and what other readers say of them.
#![forbid(unsafe_code)]

pub mod foreign;
pub mod object_store;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of real Windows artifacts, or `None` where it is absent.
///
/// `SNAPDIAG_CAPTURES` names it; the default is `../shared/captures` beside the workspace.
///
/// # Panics
/// When the folder is absent and `SNAPDIAG_REQUIRE_CAPTURES` is `1`.
pub fn captures() -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = std::env::var_os("SNAPDIAG_CAPTURES")
        .map_or_else(|| workspace.join("../shared/captures"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("SNAPDIAG_REQUIRE_CAPTURES").is_some_and(|v| v == "1");
    assert!(!required, "no captures in {}", folder.display());
    None
}

/// `expected.json` of the captures: what readers that are not ours say, by relative path.
///
/// # Panics
/// When the file is missing or is not a JSON object: a test cannot go on without it.
pub fn expected(captures: &Path) -> BTreeMap<String, Value> {
    let path = captures.join("expected.json");
    std::fs::read(&path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether generated files are to be written anew instead of compared (`SNAPDIAG_BLESS=1`).
///
/// # Panics
/// In CI, which must not bless what it tests.
pub fn blessing() -> bool {
    let bless = std::env::var_os("SNAPDIAG_BLESS").is_some_and(|value| value == "1");
    let in_ci = std::env::var_os("CI").is_some();
    assert!(!(bless && in_ci), "CI does not bless what it tests");
    bless
}
