//! Expansion and comparison of paths, with what the snapshot says of the machine.

use crate::facts::Snapshot;

/// How deep variables may refer to variables.
const DEPTH: usize = 4;
/// The longest environment block of a process, in characters (`CreateProcess` documentation).
const LONGEST: usize = 32_767;

/// Variables that Windows sets itself, for every process or for every user: no registry value of
/// the machine need hold them.
const DYNAMIC: [&str; 21] = [
    "SYSTEMROOT",
    "WINDIR",
    "SYSTEMDRIVE",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
    "PROGRAMW6432",
    "PROGRAMDATA",
    "ALLUSERSPROFILE",
    "COMMONPROGRAMFILES",
    "COMMONPROGRAMFILES(X86)",
    "COMMONPROGRAMW6432",
    "PUBLIC",
    "COMPUTERNAME",
    "USERNAME",
    "USERPROFILE",
    "USERDOMAIN",
    "HOMEDRIVE",
    "HOMEPATH",
    "APPDATA",
    "LOCALAPPDATA",
    "LOGONSERVER",
];

/// What variables stand for on this machine.
pub(super) struct Expander<'a> {
    snapshot: &'a Snapshot,
    /// The folder of Windows; its own variable where it is not known, so that paths that use the
    /// variable compare equal.
    pub(super) root: String,
    /// Whether that folder is known.
    pub(super) root_known: bool,
}

impl<'a> Expander<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let root = snapshot.machine.system_root.value();
        Self {
            snapshot,
            root: root.map_or_else(|| "%systemroot%".to_owned(), |root| plain(root)),
            root_known: root.is_some(),
        }
    }

    /// The text with every variable replaced that is known, ready to be compared.
    pub(super) fn normal(&self, text: &str) -> String {
        plain(&self.expand(text, DEPTH))
    }

    /// A path below the folder of Windows, ready to be compared.
    pub(super) fn below_root(&self, path: &str) -> String {
        plain(&format!("{}\\{path}", self.root))
    }

    /// The first variable of the text that neither the machine nor Windows defines.
    pub(super) fn undefined(&self, text: &str) -> Option<String> {
        let mut rest = text;
        while let Some((_, name, after)) = variable(rest) {
            let upper = name.to_uppercase();
            let known = DYNAMIC.contains(&upper.as_str())
                || self.snapshot.environment.variables.contains_key(&upper);
            if !known {
                return Some(name.to_owned());
            }
            rest = after;
        }
        None
    }

    fn expand(&self, text: &str, depth: usize) -> String {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = variable(rest) {
            expanded.push_str(before);
            match self.lookup(name) {
                Some(value) if depth > 0 && expanded.len() < LONGEST => {
                    expanded.push_str(&self.expand(&value, depth - 1));
                }
                _ => expanded.extend(["%", name, "%"]),
            }
            rest = after;
        }
        expanded.push_str(rest);
        expanded
    }

    fn lookup(&self, name: &str) -> Option<String> {
        let upper = name.to_uppercase();
        match upper.as_str() {
            "SYSTEMROOT" => self.root_known.then(|| self.root.clone()),
            "SYSTEMDRIVE" if self.root_known => self.root.get(..2).map(str::to_owned),
            // Stands for the same folder; a broken value of it is a finding of its own.
            "WINDIR" => Some("%SystemRoot%".to_owned()),
            _ => self.snapshot.environment.variables.get(&upper).cloned(),
        }
    }
}

/// The first `%NAME%` of a text: what is before it, its name, what is after it.
fn variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('%')?;
    let (name, after) = rest.split_once('%')?;
    Some((before, name, after))
}

/// Without quotes, spaces around it and a trailing backslash, with backslashes only, in lower
/// case.
pub(super) fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '"').collect();
    let text = text.trim().replace('/', "\\").to_lowercase();
    let short = text.trim_end_matches('\\');
    if short.len() == 2 && short.ends_with(':') {
        return format!("{short}\\");
    }
    short.to_owned()
}
