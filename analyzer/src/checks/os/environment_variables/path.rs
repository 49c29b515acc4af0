//! `Path`, taken apart.

use super::expand::Expander;

/// The four folders that Windows needs in `Path`, below its own folder, as the registry of a
/// fresh Windows spells them.
pub(super) const NEEDED: [(&str, &str); 4] = [
    ("system32", "%SystemRoot%\\system32"),
    ("", "%SystemRoot%"),
    ("System32\\Wbem", "%SystemRoot%\\System32\\Wbem"),
    (
        "System32\\WindowsPowerShell\\v1.0",
        "%SYSTEMROOT%\\System32\\WindowsPowerShell\\v1.0\\",
    ),
];

/// An element of `Path`.
pub(super) struct Element {
    /// As stored.
    pub(super) raw: String,
    /// Ready to be compared.
    pub(super) normal: String,
}

/// `Path`, taken apart.
pub(super) struct PathList {
    /// The elements that are not empty, in order.
    pub(super) elements: Vec<Element>,
    /// An empty element that is not the last one.
    pub(super) gap: bool,
    /// An odd number of quotes.
    pub(super) open_quote: bool,
    /// Length as stored, in UTF-16 units.
    pub(super) length: usize,
}

impl PathList {
    pub(super) fn parse(text: &str, expander: &Expander<'_>) -> Self {
        let open_quote = text.matches('"').count() % 2 == 1;
        let pieces = split(text, !open_quote);
        let last = pieces.len().saturating_sub(1);
        let gap = text.contains(|c: char| c != ';' && !c.is_whitespace())
            && pieces
                .iter()
                .enumerate()
                .any(|(index, piece)| index != last && is_empty(piece));
        let elements = pieces
            .iter()
            .filter(|piece| !is_empty(piece))
            .map(|piece| Element {
                raw: piece.trim().to_owned(),
                normal: expander.normal(piece),
            })
            .collect();
        Self {
            elements,
            gap,
            open_quote,
            length: text.encode_utf16().count(),
        }
    }

    /// Where a folder stands in the list.
    pub(super) fn position(&self, normal: &str) -> Option<usize> {
        self.elements
            .iter()
            .position(|element| element.normal == normal)
    }

    /// The elements before system32 that are outside the folder of Windows.
    pub(super) fn before_system32(&self, expander: &Expander<'_>) -> Vec<&Element> {
        let end = self.position(&expander.below_root("system32")).unwrap_or(0);
        let below = format!("{}\\", expander.root);
        self.elements
            .iter()
            .take(end)
            .filter(|element| {
                element.normal != expander.root && !element.normal.starts_with(&below)
            })
            .collect()
    }
}

impl Element {
    /// On another computer: `\\server\share`.
    pub(super) fn is_unc(&self) -> bool {
        let device = self.normal.starts_with("\\\\?\\") || self.normal.starts_with("\\\\.\\");
        self.normal.starts_with("\\\\") && !device
    }

    /// Taken relative to the current folder or drive: neither `X:\…`, `\\…` nor a variable.
    pub(super) fn is_relative(&self) -> bool {
        let rooted = self.normal.starts_with("\\\\") || self.normal.starts_with('%');
        !rooted && self.normal.get(1..3) != Some(":\\")
    }

    /// Its drive letter, upper case.
    pub(super) fn drive(&self) -> Option<char> {
        drive(&self.normal)
    }
}

/// The drive letter of a path, upper case.
pub(super) fn drive(normal: &str) -> Option<char> {
    let mut chars = normal.chars();
    match (chars.next(), chars.next()) {
        (Some(letter), Some(':')) if letter.is_ascii_alphabetic() => {
            Some(letter.to_ascii_uppercase())
        }
        _ => None,
    }
}

fn is_empty(piece: &str) -> bool {
    piece.trim().trim_matches('"').trim().is_empty()
}

/// At semicolons; those within quotes belong to a name, where the quotes are balanced.
fn split(text: &str, quotes: bool) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut within = false;
    for c in text.chars() {
        within ^= c == '"' && quotes;
        match pieces.last_mut() {
            Some(piece) if c != ';' || within => piece.push(c),
            _ => pieces.push(String::new()),
        }
    }
    pieces
}
