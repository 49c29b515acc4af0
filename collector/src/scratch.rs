//! The one place for files beside the bundle: a folder of a fixed name, open to administrators
//! alone, that holds one exported file at a time. It is removed at every end that the program
//! survives; what a killed run left is removed by the next, or with `--cleanup`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::system::SysResult;
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
    /// Creates the folder beside the bundle.
    ///
    /// # Errors
    /// The system's; one of them that something of this name is there, which may be anybody's.
    pub fn create(beside: &Path, host: &dyn Host, elevated: bool) -> SysResult<Self> {
        let path = beside.join(FOLDER);
        host.create_private_folder(&path, elevated)?;
        Ok(Self { path })
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

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a helper's failure fails the test")]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::unix::Unix;

    fn leftover() -> tempfile::TempDir {
        let beside = tempfile::tempdir().unwrap();
        fs::create_dir(beside.path().join(FOLDER)).unwrap();
        fs::write(beside.path().join(FOLDER).join(FILE), "a hive").unwrap();
        beside
    }

    fn is_empty(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().next().is_none()
    }

    #[test]
    fn the_folder_is_private_and_goes_with_its_file() {
        let beside = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(beside.path(), &Unix, true).unwrap();
        let mode = fs::metadata(scratch.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::write(scratch.path().join(FILE), "a hive").unwrap();
        drop(scratch);
        assert!(is_empty(beside.path()));
    }

    #[test]
    fn what_a_killed_run_left_is_removed_once() {
        let beside = leftover();
        assert!(clean(beside.path()).unwrap());
        assert!(is_empty(beside.path()));
        assert!(!clean(beside.path()).unwrap());
    }

    #[test]
    fn what_is_not_ours_stays() {
        let beside = leftover();
        let other = beside.path().join(FOLDER).join("thesis.txt");
        fs::write(&other, "years of work").unwrap();
        assert!(clean(beside.path()).is_err());
        assert!(other.exists());
        assert!(Scratch::create(beside.path(), &Unix, true).is_err());
        assert!(
            other.exists(),
            "a folder that was not created is not removed"
        );
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        let elsewhere = leftover();
        let target = elsewhere.path().join(FOLDER);
        let beside = tempfile::tempdir().unwrap();
        symlink(&target, beside.path().join(FOLDER)).unwrap();
        assert!(clean(beside.path()).unwrap());
        assert!(is_empty(beside.path()));
        assert!(target.join(FILE).exists());

        fs::create_dir(beside.path().join(FOLDER)).unwrap();
        let link = beside.path().join(FOLDER).join(FILE);
        symlink(target.join(FILE), link).unwrap();
        assert!(clean(beside.path()).unwrap());
        assert!(is_empty(beside.path()));
        assert!(target.join(FILE).exists());
    }
}
