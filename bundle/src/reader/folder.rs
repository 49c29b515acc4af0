//! Lists the files of a folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Damage;
use super::limits::Limits;

/// The files below a folder under their relative names, sorted. Links are not followed.
pub(super) fn list(
    root: &Path,
    limits: &Limits,
    damage: &mut Vec<Damage>,
) -> io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), root.to_path_buf(), 0)];
    while let Some((prefix, path, depth)) = folders.pop() {
        let children = match children(&path) {
            Ok(children) => children,
            Err(error) if prefix.is_empty() => return Err(error),
            Err(error) => {
                damage.push(Damage::Folder {
                    name: prefix,
                    what: error.to_string(),
                });
                continue;
            }
        };
        for (name, child, kind) in children {
            let name = format!("{prefix}{name}");
            if kind.is_dir() && depth == limits.depth {
                damage.push(Damage::Folder {
                    name,
                    what: "too deep".to_owned(),
                });
            } else if kind.is_dir() {
                folders.push((format!("{name}/"), child, depth + 1));
            } else if kind.is_file() {
                files.push((name, child));
            } else {
                damage.push(Damage::Link { name });
            }
        }
        // One more than allowed, so that the cut is noticed.
        if files.len() > limits.entries {
            break;
        }
    }
    files.sort();
    Ok(files)
}

fn children(path: &Path) -> io::Result<Vec<(String, PathBuf, fs::FileType)>> {
    let mut children = Vec::new();
    for child in fs::read_dir(path)? {
        let child = child?;
        let name = child.file_name().to_string_lossy().into_owned();
        children.push((name, child.path(), child.file_type()?));
    }
    // The last is taken first, hence the reverse order; it must not depend on the file system's.
    children.sort_by(|a, b| b.1.cmp(&a.1));
    Ok(children)
}
