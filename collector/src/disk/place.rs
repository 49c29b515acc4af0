//! Finds files on a mounted volume as Windows would: names compare without case. Links are not
//! followed: on a foreign disk they may lead out of it.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

/// Why a place is not there.
#[derive(Debug)]
pub(super) enum Missing {
    /// There is no such name in that folder.
    No(PathBuf, String),
    /// It is a link.
    Link(PathBuf),
    /// The system's word.
    Error(PathBuf, io::Error),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No(folder, name) => write!(f, "there is no {name} in {}", folder.display()),
            Self::Link(path) => write!(f, "{} is a link", path.display()),
            Self::Error(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

/// The path below a folder that goes by these names.
pub(super) fn find(root: &Path, names: &[&str]) -> Result<PathBuf, Missing> {
    let mut path = root.to_owned();
    for name in names {
        path = child(&path, name)?;
    }
    Ok(path)
}

/// What a folder holds, links left out, sorted by name.
pub(super) fn children(folder: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let metadata = fs::symlink_metadata(&path)?;
        if !metadata.is_symlink() {
            children.push((path, metadata));
        }
    }
    children.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(children)
}

fn child(folder: &Path, name: &str) -> Result<PathBuf, Missing> {
    let exact = folder.join(name);
    let path = match fs::symlink_metadata(&exact) {
        Ok(_) => exact,
        Err(error) if error.kind() == io::ErrorKind::NotFound => in_any_case(folder, name)?,
        Err(error) => return Err(Missing::Error(exact, error)),
    };
    match fs::symlink_metadata(&path) {
        Ok(metadata) if metadata.is_symlink() => Err(Missing::Link(path)),
        Ok(_) => Ok(path),
        Err(error) => Err(Missing::Error(path, error)),
    }
}

fn in_any_case(folder: &Path, name: &str) -> Result<PathBuf, Missing> {
    let fault = |error| Missing::Error(folder.to_owned(), error);
    let entries = fs::read_dir(folder).map_err(fault)?;
    let mut found: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fault)?;
        if entry.file_name().eq_ignore_ascii_case(name) {
            found.push(entry.path());
        }
    }
    // A volume that tells case apart may hold several; which one, must not depend on its order.
    found
        .into_iter()
        .min()
        .ok_or_else(|| Missing::No(folder.to_owned(), name.to_owned()))
}
