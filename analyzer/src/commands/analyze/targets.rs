//! `-f FORM[=TARGET]`: what is written where.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::Form;
use crate::commands::status::Failure;

/// One `-f` as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::commands) struct Wish {
    form: Form,
    target: Option<PathBuf>,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None => Ok(Self {
                form: text.parse()?,
                target: None,
            }),
            Some((_, "")) => Err("a file or a folder belongs behind '='".to_owned()),
            Some((form, target)) => Ok(Self {
                form: form.parse()?,
                target: Some(PathBuf::from(target)),
            }),
        }
    }
}

/// What is written where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Stdout(Form),
    File(Form, PathBuf),
    Folder(Form, PathBuf),
}

/// Settles where everything goes before anything is read. Folders are made.
pub(super) fn resolve(wishes: &[Wish], inputs: usize) -> Result<Vec<Target>, Failure> {
    let usage = |text: String| Err(Failure::Usage(text));
    if wishes.is_empty() {
        return Ok(vec![Target::Stdout(Form::Text)]);
    }
    if wishes.iter().filter(|wish| wish.target.is_none()).count() > 1 {
        return usage("only one -f can go to stdout: give the others a TARGET".to_owned());
    }
    let mut targets = Vec::new();
    for wish in wishes {
        let target = match &wish.target {
            None => Target::Stdout(wish.form),
            Some(path) if inputs > 1 && path.exists() && !path.is_dir() => {
                return usage(format!(
                    "with several snapshots TARGET is a folder, and {} is a file",
                    path.display()
                ));
            }
            Some(path) if inputs > 1 => Target::Folder(wish.form, path.clone()),
            Some(path) if path.is_dir() => {
                return usage(format!(
                    "with one snapshot TARGET is a file, and {} is a folder",
                    path.display()
                ));
            }
            Some(path) => Target::File(wish.form, path.clone()),
        };
        if targets.contains(&target) || takes_anothers_file(&targets, &target) {
            return usage("two -f would write the same file".to_owned());
        }
        targets.push(target);
    }
    for target in &targets {
        if let Target::Folder(_, folder) = target {
            fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
        }
    }
    Ok(targets)
}

fn takes_anothers_file(targets: &[Target], target: &Target) -> bool {
    targets.iter().any(|other| match (other, target) {
        (Target::File(_, a), Target::File(_, b)) => a == b,
        _ => false,
    })
}

/// Writes a file.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| unwritten(path, &error))
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Unwritten(format!("cannot write {}: {error}", path.display()))
}

/// A file name for each source, without its extension; a number tells apart those that are the
/// same.
pub(super) fn names<'a>(sources: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    sources
        .map(|source| {
            let stem = Path::new(source)
                .file_stem()
                .map(|stem| stem.to_string_lossy());
            let stem = stem
                .filter(|stem| !stem.is_empty())
                .unwrap_or("report".into());
            let mut name = stem.to_string();
            let mut number = 2;
            while !taken.insert(name.to_lowercase()) {
                name = format!("{stem}-{number}");
                number += 1;
            }
            name
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(wishes: &[&str], inputs: usize) -> Option<Vec<Target>> {
        let wishes: Vec<Wish> = wishes.iter().map(|wish| wish.parse().unwrap()).collect();
        resolve(&wishes, inputs).ok()
    }

    #[test]
    fn text_to_stdout_is_the_default() {
        assert_eq!(resolved(&[], 1), Some(vec![Target::Stdout(Form::Text)]));
        assert_eq!(
            resolved(&["json"], 3),
            Some(vec![Target::Stdout(Form::Json)])
        );
        assert_eq!(
            resolved(&["json=a.json", "text"], 1),
            Some(vec![
                Target::File(Form::Json, "a.json".into()),
                Target::Stdout(Form::Text)
            ])
        );
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(resolved(&["json", "text"], 1), None);
        assert_eq!(resolved(&["json=a", "text=a"], 1), None);
        assert!("json=".parse::<Wish>().is_err());
        assert!("xml".parse::<Wish>().is_err());
    }

    #[test]
    fn a_target_is_a_folder_exactly_with_several_inputs() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let file = format!("json={}", file.display());
        let there = format!("json={}", folder.path().display());
        let new = format!("json={}/new/folder", folder.path().display());
        assert!(resolved(&[&file], 1).is_some() && resolved(&[&file], 2).is_none());
        assert!(resolved(&[&there], 1).is_none() && resolved(&[&there], 2).is_some());
        assert!(resolved(&[&new], 2).is_some() && folder.path().join("new/folder").is_dir());
    }

    #[test]
    fn sources_of_one_name_get_files_of_their_own() {
        let sources = ["a.zip", "b/../A.zip", "a", "c.tar.gz", ""];
        assert_eq!(
            names(sources.into_iter()),
            ["a", "A-2", "a-3", "c.tar", "report"]
        );
    }
}
