//! What was opened: its name without the way to it, and its hash.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::facts::sources::registry::hex;

/// The largest file whose hash is taken, in bytes: it is read once more for that.
const HASHED: u64 = 256 << 20;

/// What was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// The name of the file or folder, without the way to it.
    pub name: String,
    /// SHA-256 of the file, 64 lower-case hex digits; missing for a folder and for a file of more
    /// than 256 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Source {
    /// The last part of the path, so that reports do not depend on where a snapshot lies, and its
    /// hash where it is a file.
    pub fn of(path: &Path) -> Self {
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let name = match path.file_name().or(whole.file_name()) {
            Some(name) => name.to_string_lossy().into_owned(),
            None => "/".to_owned(),
        };
        Self {
            name,
            sha256: hash(path).ok().flatten(),
        }
    }
}

fn hash(path: &Path) -> io::Result<Option<String>> {
    let metadata = path.metadata()?;
    if !metadata.is_file() || metadata.len() > HASHED {
        return Ok(None);
    }
    let mut file = File::open(path)?.take(HASHED);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(hex(&hash.finalize()))),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
