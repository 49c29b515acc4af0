//! The one place for files beside the bundle: a folder of a fixed name, open to administrators
//! alone, that holds one exported file at a time. It is removed at every end that the program
//! survives; what a killed run left is removed by the next, or with `--cleanup`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::system::host::Host;

/// Name of the folder.
pub const FOLDER: &str = "snapdiag-collector.tmp";

/// Name of the exported file in it.
pub const FILE: &str = "export.tmp";

/// The folder, for as long as this lives.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Creates the folder anew beside the bundle. When that fails the answer says why, and the
    /// items that want to export something find no folder and use their second method.
    pub fn create(beside: &Path, host: &dyn Host, elevated: bool) -> (Self, Option<String>) {
        let path = beside.join(FOLDER);
        let fault = clean(beside)
            .map_err(|error| error.to_string())
            .and_then(|_| {
                host.create_private_folder(&path, elevated)
                    .map_err(|error| error.to_string())
            })
            .err();
        (Self { path }, fault)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(beside) = self.path.parent() {
            // A file that Windows still writes cannot be removed; the next run finds it.
            drop(clean(beside));
        }
    }
}

/// Removes what a killed run left in a folder; whether there was something. Only the fixed names
/// are touched, and no link is followed: a link of that name is itself removed.
///
/// # Errors
/// The system's, or that there is more in the folder than ours.
pub fn clean(beside: &Path) -> io::Result<bool> {
    let folder = beside.join(FOLDER);
    let kind = match fs::symlink_metadata(&folder) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if kind.is_dir() {
        match fs::remove_file(folder.join(FILE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => fs::remove_dir(&folder)?,
        }
    } else {
        // On Windows a link to a folder is removed as a folder, any other as a file.
        fs::remove_file(&folder).or_else(|_| fs::remove_dir(&folder))?;
    }
    Ok(true)
}
