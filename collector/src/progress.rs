//! What is printed of a run: one line of ASCII an item.

use std::io::{self, Write};
use std::path::Path;

use snapdiag_bundle::{ItemRow, OsError};

/// Prints a line to the console's error output, where progress goes. That nobody reads it is no
/// reason to stop.
pub fn note(text: &str) {
    drop(writeln!(io::stderr().lock(), "{}", ascii(text)));
}

/// The line of an item that has ended, `done` of `all`.
pub fn line(row: &ItemRow, done: usize, all: usize) -> String {
    let bytes = row
        .artifacts
        .iter()
        .map(|artifact| artifact.size_bytes)
        .sum();
    let mut line = format!(
        "[{done:>2}/{all}] {:<9} {:>5}.{} s {:>9}  {}",
        row.state.as_str(),
        row.elapsed_ms / 1000,
        row.elapsed_ms % 1000 / 100,
        size(bytes),
        row.item,
    );
    let reason = row.reason.as_deref().unwrap_or_default();
    let error = row.error.as_ref().map(OsError::to_string);
    let error = error.unwrap_or_default();
    // Where the error is the reason, once is enough.
    let error = if reason.contains(&error) { "" } else { &error };
    for why in [reason, error].into_iter().filter(|why| !why.is_empty()) {
        line.push_str(": ");
        line.push_str(why);
    }
    ascii(&line)
}

/// The last line: the hash and the path of the bundle, in the form that `sha256sum -c` reads.
///
/// # Errors
/// When the output cannot be written.
pub fn last(sha256: &str, bundle: &Path) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{sha256}  {}", bundle.display())
}

/// A size for people.
pub fn size(bytes: u64) -> String {
    match bytes {
        0 => "-".to_owned(),
        1..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// On one line, and only what every console shows.
fn ascii(text: &str) -> String {
    let plain = |c: char| {
        if c == ' ' || c.is_ascii_graphic() {
            c
        } else {
            '?'
        }
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use snapdiag_bundle::State;

    use super::*;
    use crate::system::os_error;

    #[test]
    fn a_line_says_what_became_of_an_item() {
        let mut row = ItemRow::new("registry.system", State::Denied);
        row.elapsed_ms = 1_250;
        row.reason = Some("Zugriff\u{a0}verweigert\n".to_owned());
        row.error = Some(os_error("RegSaveKeyExW", 5));
        assert_eq!(
            line(&row, 3, 52),
            "[ 3/52] denied        1.2 s         -  registry.system: Zugriff?verweigert?: \
             RegSaveKeyExW failed with 5"
        );
        row.reason = Some("RegSaveKeyExW failed with 5 twice".to_owned());
        assert!(line(&row, 3, 52).ends_with("system: RegSaveKeyExW failed with 5 twice"));
    }

    #[test]
    fn sizes_keep_at_most_four_digits() {
        let sizes = [0, 9_999, 10_000, 9_999_999, 10_000_000].map(size);
        assert_eq!(sizes, ["-", "9999 B", "10 KB", "9999 KB", "10 MB"]);
    }
}
