//! Intake: from a path to the files in it, each with what it is and the item it belongs to.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use snapdiag_bundle::{Archive, Bundle, Content, Limits, items};

use super::container::Container;
use super::find::{self, HEAD};
use super::{OpenError, counter_log};
use crate::facts::inventory::Kind;

/// A container and what its entries are.
pub struct Intake {
    /// Where the bytes are.
    pub container: Container,
    /// Every entry, by name.
    pub files: Vec<Recognised>,
    /// What is worth knowing about the container.
    pub notes: Vec<String>,
}

/// An entry and what it is.
#[derive(Clone, Debug)]
pub struct Recognised {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it was recognised as.
    pub kind: Kind,
    /// The item it belongs to, where its name or its content tells.
    pub item: Option<&'static str>,
    /// Why it is not used, where that is known already.
    pub aside: Option<String>,
}

/// Opens a bundle, a folder or zip of Windows artifacts, or a single artifact.
///
/// # Errors
/// When the path cannot be read, or nothing in it is recognised.
pub fn open(path: &Path) -> Result<Intake, OpenError> {
    let limits = Limits::default();
    let io = |error| OpenError::Io {
        path: path.to_owned(),
        error,
    };
    let metadata = path.metadata().map_err(io)?;
    if metadata.is_dir() {
        return open_folder(path, &limits);
    }
    if !metadata.is_file() {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(io)?;
    if head.starts_with(b"PK") {
        let bundle = Bundle::open(path, &limits)?;
        return recognise(bundle, Vec::new());
    }
    let name = file_name(path);
    match find::recognise(&name, &head) {
        Kind::Unrecognised => match Bundle::open(path, &limits) {
            Ok(bundle) => recognise(bundle, Vec::new()),
            Err(_) => Err(OpenError::NotRecognised(path.to_owned())),
        },
        _ => recognise(
            Bundle::from_archive(Archive::from_files(beside(path, &name), &limits))?,
            Vec::new(),
        ),
    }
}

fn open_folder(path: &Path, limits: &Limits) -> Result<Intake, OpenError> {
    let is_bundle = ["plan.json", "manifest.json"]
        .iter()
        .any(|mark| path.join(mark).is_file());
    if is_bundle {
        return recognise(Bundle::open(path, limits)?, Vec::new());
    }
    let found = find::in_folder(path);
    let wide = Limits {
        entries: found.files.len(),
        ..limits.clone()
    };
    let bundle = Bundle::from_archive(Archive::from_files(found.files, &wide))?;
    recognise(bundle, found.notes)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// A single file, and for a hive the transaction logs beside it.
fn beside(path: &Path, name: &str) -> Vec<(String, PathBuf)> {
    let mut files = vec![(name.to_owned(), path.to_owned())];
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let siblings = folder.unwrap_or(Path::new(".")).read_dir().ok();
    for sibling in siblings.into_iter().flatten().flatten() {
        let file = sibling.file_name().to_string_lossy().into_owned();
        let is_log = [".LOG", ".LOG1", ".LOG2"]
            .iter()
            .any(|ending| file.eq_ignore_ascii_case(&format!("{name}{ending}")));
        if is_log {
            files.push((file, sibling.path()));
        }
    }
    files.sort();
    files
}

fn recognise(bundle: Bundle, mut notes: Vec<String>) -> Result<Intake, OpenError> {
    notes.extend(bundle.notes().iter().cloned());
    notes.extend(bundle.archive().damage().iter().map(ToString::to_string));
    if bundle.is_interrupted() {
        notes.push("the bundle is incomplete: its manifest was rebuilt from its journal".into());
    }
    let container = Container(bundle);
    let files = if container.0.is_bundle() {
        by_name(&container)
    } else {
        by_content(&container)
    };
    if files.iter().all(|file| file.kind == Kind::Unrecognised) {
        return Err(OpenError::NothingRecognised {
            files: files.len(),
            notes,
        });
    }
    Ok(Intake {
        container,
        files,
        notes,
    })
}

/// In a bundle the names say what the entries are, but for the form in which a hive was saved.
fn by_name(container: &Container) -> Vec<Recognised> {
    let bundle = &container.0;
    let prefix = bundle.prefix();
    let entries = bundle.archive().entries();
    entries
        .iter()
        .map(|entry| {
            let name = entry.name().strip_prefix(prefix).unwrap_or(entry.name());
            let item = items::by_entry(name);
            let kind = match item.map(|item| item.content) {
                Some(Content::Hive) if find::is_log_name(name) => Kind::HiveLog,
                // What saves a hive may write it as text.
                Some(Content::Hive) => match find::recognise(name, &container.head(entry, HEAD)) {
                    Kind::RegText => Kind::RegText,
                    _ => Kind::Hive,
                },
                Some(Content::EventLog(_)) => Kind::EventLog,
                Some(Content::Json(_)) => Kind::Json,
                Some(Content::Text) => Kind::Text,
                None if name == "plan.json" || name == "manifest.json" => Kind::Manifest,
                None if name.starts_with("journal/") => Kind::Manifest,
                None => find::recognise(name, &container.head(entry, HEAD)),
            };
            Recognised {
                name: entry.name().to_owned(),
                size: entry.size(),
                kind,
                item: item.map(|item| item.id).or(by_kind(kind)),
                aside: None,
            }
        })
        .collect()
}

/// Elsewhere the content says it; files at the places of Windows win over all others.
fn by_content(container: &Container) -> Vec<Recognised> {
    let entries = container.0.archive().entries();
    let at_places = entries
        .iter()
        .any(|entry| find::at_known_place(entry.name()));
    entries
        .iter()
        .map(|entry| {
            let name = entry.name();
            let kind = find::recognise(name, &container.head(entry, HEAD));
            let aside = match find::set_aside(name) {
                Some(why) => Some(format!("not used: {why}")),
                None if at_places && !find::at_known_place(name) && by_kind(kind).is_none() => {
                    Some(
                        "not used: the places of Windows are there, and it is at none of them"
                            .into(),
                    )
                }
                None => None,
            };
            Recognised {
                name: name.to_owned(),
                size: entry.size(),
                kind,
                item: by_kind(kind),
                aside,
            }
        })
        .collect()
}

/// The item that a text stands for, whatever its name.
fn by_kind(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Text => Some("network.netstat-text"),
        Kind::CounterLog => Some(counter_log::ITEM),
        _ => None,
    }
}
