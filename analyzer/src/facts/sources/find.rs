//! Finding artifacts in a folder or zip of any layout: the places where Windows keeps them first,
//! and only when none of those is there a bounded search by content.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::facts::inventory::Kind;
use crate::formats::counters::is_counter_log;

/// How deep a search by content goes.
const SEARCH_DEPTH: usize = 12;
/// How many files a search by content looks at.
const SEARCH_FILES: usize = 50_000;
/// How many links and devices are named.
const MOST_NOTES: usize = 50;
/// How much of a file is looked at to recognise it, in bytes.
pub(super) const HEAD: usize = 4096;

/// The places of Windows, below the root of the system volume or the Windows folder itself:
/// folder, then file names (`*` for every event log).
const PLACES: [(&str, &[&str]); 6] = [
    (
        "Windows/System32/config",
        &["SYSTEM", "SOFTWARE", "DEFAULT", "SAM", "SECURITY"],
    ),
    ("Windows/System32/winevt/Logs", &["*"]),
    ("Boot", &["BCD"]),
    ("EFI/Microsoft/Boot", &["BCD"]),
    (
        "System32/config",
        &["SYSTEM", "SOFTWARE", "DEFAULT", "SAM", "SECURITY"],
    ),
    ("System32/winevt/Logs", &["*"]),
];

/// Folders whose contents are listed and not used: backups, former installations, other people's
/// profiles. Any part of a path, compared without case.
const ASIDE: [(&str, &str); 6] = [
    ("RegBack", "a backup of the hives"),
    ("Windows.old", "a former installation"),
    ("$WINDOWS.~BT", "an installation's working files"),
    ("System Volume Information", "shadow copies"),
    ("Users", "user profiles"),
    ("ServiceProfiles", "profiles of service accounts"),
];

/// A hive that Setup makes boot stores of. It holds the same kinds of keys and nothing of this
/// machine.
const TEMPLATE: &str = "BCD-Template";

/// Why a path is set aside, if it is.
pub(super) fn set_aside(name: &str) -> Option<&'static str> {
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    if is_file_or_its_log(file, TEMPLATE) {
        return Some("the template of boot stores, not the store of this machine");
    }
    folders
        .split('/')
        .find_map(|part| {
            ASIDE
                .iter()
                .find(|(folder, _)| folder.eq_ignore_ascii_case(part))
        })
        .map(|(_, why)| *why)
        .or_else(|| {
            name.contains("HarddiskVolumeShadowCopy")
                .then_some("shadow copies")
        })
}

/// Whether a name stands at one of the places of Windows.
pub(super) fn at_known_place(name: &str) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let is_log = has_extension(file, "evtx");
    set_aside(name).is_none()
        && PLACES.iter().any(|(place, files)| {
            ends_with_path(folder, place)
                && files.iter().any(|known| match *known {
                    "*" => is_log,
                    known => is_file_or_its_log(file, known),
                })
        })
}

fn ends_with_path(path: &str, end: &str) -> bool {
    let start = path.len().wrapping_sub(end.len());
    match path.get(start..) {
        Some(tail) if path.len() >= end.len() => {
            tail.eq_ignore_ascii_case(end)
                && (start == 0 || path.as_bytes().get(start.wrapping_sub(1)) == Some(&b'/'))
        }
        _ => false,
    }
}

/// `SYSTEM`, `SYSTEM.LOG`, `SYSTEM.LOG1` or `SYSTEM.LOG2`.
fn is_file_or_its_log(file: &str, known: &str) -> bool {
    file.get(..known.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(known))
        && file.get(known.len()..).is_some_and(|tail| {
            ["", ".LOG", ".LOG1", ".LOG2"]
                .iter()
                .any(|ending| ending.eq_ignore_ascii_case(tail))
        })
}

/// Whether a file name has that extension, compared without case.
pub(super) fn has_extension(file: &str, extension: &str) -> bool {
    file.rsplit_once('.')
        .is_some_and(|(_, found)| found.eq_ignore_ascii_case(extension))
}

/// The files of a folder that can matter, by their path below it, and what was not looked at.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Relative path with forward slashes, and where the file is.
    pub files: BTreeMap<String, PathBuf>,
    /// What was left out, in words.
    pub notes: Vec<String>,
}

/// Looks through a folder: the places of Windows, else everything within bounds. Links are not
/// followed, and the order is that of the names.
pub(super) fn in_folder(root: &Path) -> Found {
    let mut found = Found::default();
    for (place, files) in PLACES {
        let Some((folder, name)) = descend(root, place) else {
            continue;
        };
        for (file, path) in files_of(&folder) {
            let wanted = files.iter().any(|known| match *known {
                "*" => has_extension(&file, "evtx"),
                known => is_file_or_its_log(&file, known),
            });
            if wanted {
                found.files.insert(format!("{name}/{file}"), path);
            }
        }
    }
    if found.files.is_empty() {
        search(root, &mut found);
    } else {
        for (place, why) in [
            ("Windows/System32/config/RegBack", "a backup of the hives"),
            ("Windows.old", "a former installation"),
            ("Users", "user profiles"),
        ] {
            if let Some((_, name)) = descend(root, place) {
                found.notes.push(format!("not used: {name} ({why})"));
            }
        }
    }
    found
}

/// The folder `place` below `root`, each part compared without case, with its name as spelled.
fn descend(root: &Path, place: &str) -> Option<(PathBuf, String)> {
    let mut folder = root.to_owned();
    let mut name = String::new();
    for part in place.split('/') {
        let (spelled, path) = list(&folder)
            .into_iter()
            .find(|(spelled, path)| spelled.eq_ignore_ascii_case(part) && path.is_dir())?;
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(&spelled);
        folder = path;
    }
    Some((folder, name))
}

fn search(root: &Path, found: &mut Found) {
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    while let Some((folder, name, depth)) = folders.pop() {
        let below = |file: &str| match name.as_str() {
            "" => file.to_owned(),
            name => format!("{name}/{file}"),
        };
        let mut deeper = Vec::new();
        for (spelled, path) in list(&folder) {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                deeper.push((path, below(&spelled), depth + 1));
            } else if metadata.is_file() {
                if found.files.len() >= SEARCH_FILES {
                    found.notes.push(format!(
                        "the search ended after {SEARCH_FILES} files: point at a smaller folder"
                    ));
                    return;
                }
                found.files.insert(below(&spelled), path);
            } else if found.notes.len() < MOST_NOTES {
                let name = below(&spelled);
                found
                    .notes
                    .push(format!("not followed: {name} (a link or a device)"));
            }
        }
        if depth < SEARCH_DEPTH {
            folders.extend(deeper.into_iter().rev());
        } else if let Some((_, name, _)) = deeper.first() {
            found.notes.push(format!(
                "not searched: {name} and what is deeper than {SEARCH_DEPTH} folders"
            ));
        }
    }
}

fn files_of(folder: &Path) -> Vec<(String, PathBuf)> {
    list(folder)
        .into_iter()
        .filter(|(_, path)| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()))
        .collect()
}

/// The entries of a folder by name. An unreadable folder has none.
fn list(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut entries: Vec<(String, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .collect();
    entries.sort();
    entries
}

/// What a file is, by its first bytes.
pub(super) fn recognise(name: &str, head: &[u8]) -> Kind {
    let file = name.rsplit('/').next().unwrap_or(name);
    if head.starts_with(b"regf") {
        // The type in the base block: 0 is a primary file, 1, 2 and 6 are logs. An old log has
        // no base block of its own kind, so its name speaks, too.
        let file_type = head.get(28..32).and_then(|bytes| bytes.try_into().ok());
        return match file_type.map(u32::from_le_bytes) {
            Some(0) if !is_log_name(file) => Kind::Hive,
            _ => Kind::HiveLog,
        };
    }
    if head.starts_with(b"ElfFile\0") {
        return Kind::EventLog;
    }
    let text: String = if head.starts_with(&[0xff, 0xfe]) {
        let units = head.get(2..).unwrap_or_default().chunks_exact(2);
        char::decode_utf16(units.map(|pair| u16::from_le_bytes([pair[0], pair[1]])))
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        String::from_utf8_lossy(head).into_owned()
    };
    let start = text.trim_start_matches('\u{feff}').trim_start();
    let reg_text = [
        "Windows Registry Editor Version 5",
        "REGEDIT4",
        "WINE REGISTRY Version 2",
    ];
    if reg_text.iter().any(|magic| start.starts_with(magic)) {
        return Kind::RegText;
    }
    if is_counter_log(start) {
        return Kind::CounterLog;
    }
    if looks_like_netstat(&text) {
        return Kind::Text;
    }
    Kind::Unrecognised
}

/// Whether a file name ends as transaction logs do.
pub(super) fn is_log_name(file: &str) -> bool {
    ["LOG", "LOG1", "LOG2"]
        .iter()
        .any(|ending| has_extension(file, ending))
}

/// At least three lines `TCP address:port …` or `UDP address:port …`, whatever the language.
fn looks_like_netstat(text: &str) -> bool {
    let is_row = |line: &&str| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("TCP" | "UDP" | "tcp" | "udp"))
            && words.next().is_some_and(|local| {
                local
                    .rsplit_once(':')
                    .is_some_and(|(_, port)| port.parse::<u16>().is_ok())
            })
            && words.next().is_some_and(|remote| remote.contains(':'))
    };
    text.lines().filter(is_row).take(3).count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_windows_are_known_below_any_root() {
        assert!(at_known_place("C/windows/system32/CONFIG/system"));
        assert!(at_known_place("Windows/System32/config/SOFTWARE.LOG2"));
        assert!(at_known_place("Windows/System32/winevt/Logs/Security.evtx"));
        assert!(at_known_place("EFI/Microsoft/Boot/BCD"));
        assert!(!at_known_place("Windows/System32/config/SYSTEMS"));
        assert!(!at_known_place("MyWindows/System32/configs/SYSTEM"));
        assert!(!at_known_place(
            "Windows.old/Windows/System32/config/SYSTEM"
        ));
        assert!(!at_known_place("Windows/System32/config/RegBack/SYSTEM"));
    }

    #[test]
    fn the_template_of_boot_stores_is_no_store() {
        for name in ["BCD-Template", "hives/bcd-template", "a/BCD-Template.LOG1"] {
            assert!(set_aside(name).is_some(), "{name}");
        }
        for name in ["BCD", "Boot/BCD", "BCD-Templates"] {
            assert_eq!(set_aside(name), None, "{name}");
        }
    }

    #[test]
    fn content_decides_what_a_file_is() {
        let mut regf = b"regf".to_vec();
        regf.resize(512, 0);
        assert_eq!(recognise("a/b", &regf), Kind::Hive);
        assert_eq!(recognise("a/b.LOG", &regf), Kind::HiveLog);
        regf[28] = 6;
        assert_eq!(recognise("a/b", &regf), Kind::HiveLog);
        assert_eq!(recognise("x", b"ElfFile\0rest"), Kind::EventLog);
        assert_eq!(recognise("x", b"REGEDIT4\r\n"), Kind::RegText);
        assert_eq!(
            recognise("x", b"\xff\xfeR\0E\0G\0E\0D\0I\0T\x004\0"),
            Kind::RegText
        );
        let counters = b"\r\n\"(PDH-CSV 4.0)\",\"\\\\HOST-A\\Memory\\Cache Bytes\"\r\n";
        assert_eq!(recognise("x.csv", counters), Kind::CounterLog);
        let netstat = "\n  TCP    0.0.0.0:135   0.0.0.0:0  ABH\u{d6}REN  8\n".repeat(3);
        assert_eq!(recognise("x", netstat.as_bytes()), Kind::Text);
        assert_eq!(
            recognise("x", b"notes about TCP and UDP"),
            Kind::Unrecognised
        );
    }

    #[test]
    fn a_mounted_disk_is_not_searched_but_looked_up() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "Windows/System32/config/SYSTEM",
            "Windows/System32/config/system.log1",
            "Windows/System32/config/COMPONENTS",
            "Windows/System32/config/RegBack/SYSTEM",
            "windows.old/Windows/System32/config/SYSTEM",
            "Program Files/x/SYSTEM",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"regf").unwrap();
        }
        let found = in_folder(root.path());
        let names: Vec<&str> = found.files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "Windows/System32/config/SYSTEM",
                "Windows/System32/config/system.log1"
            ]
        );
    }

    #[test]
    fn without_a_known_place_everything_is_looked_at_but_links() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("a/b")).unwrap();
        fs::write(root.path().join("a/b/hive"), b"regf").unwrap();
        fs::write(root.path().join("log.evtx"), b"ElfFile").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        let found = in_folder(root.path());
        let names: Vec<&str> = found.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/b/hive", "log.evtx"]);
    }
}
