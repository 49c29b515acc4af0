//! Which entry names are accepted. Nothing is ever extracted to disk under these names; they are
//! kept clean so that a name can be shown, compared and used as a locator.

use std::fmt;

/// Why a name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameFault {
    /// Nothing is left of it.
    Empty,
    /// It starts with a slash.
    Absolute,
    /// It starts with a drive.
    Drive,
    /// One of its parts is `..`.
    Parent,
    /// It holds a control character.
    Control,
    /// It is longer than 32,767 bytes, the longest path of Windows.
    Long,
}

/// Longest accepted name, bytes of UTF-8.
const MAXIMUM_LENGTH: usize = 32_767;

impl fmt::Display for NameFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty name",
            Self::Absolute => "absolute name",
            Self::Drive => "name with a drive",
            Self::Parent => "name with `..`",
            Self::Control => "control character in the name",
            Self::Long => "name too long",
        })
    }
}

/// The name with forward slashes and without empty and `.` parts.
///
/// # Errors
/// The rule that it breaks.
pub(crate) fn clean(raw: &str) -> Result<String, NameFault> {
    if raw.len() > MAXIMUM_LENGTH {
        return Err(NameFault::Long);
    }
    if raw.chars().any(char::is_control) {
        return Err(NameFault::Control);
    }
    if raw.starts_with(['/', '\\']) {
        return Err(NameFault::Absolute);
    }
    let mut parts = Vec::new();
    for part in raw.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => return Err(NameFault::Parent),
            _ => parts.push(part),
        }
    }
    let Some(first) = parts.first() else {
        return Err(NameFault::Empty);
    };
    let mut letters = first.chars();
    if letters.next().is_some_and(|c| c.is_ascii_alphabetic()) && letters.next() == Some(':') {
        return Err(NameFault::Drive);
    }
    Ok(parts.join("/"))
}

/// The form in which two names are compared: Windows does not tell case apart.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}
