//! Guest strings are hostile: what they may not do to a terminal, a ticket or a reader's eye.
//!
//! Every text of a snapshot passes through here on its way to a person. Control characters could
//! drive the terminal (ECMA-48 escape sequences, OSC titles and links), bidirectional overrides
//! could reorder what is read ("Trojan Source", CVE-2021-42574), invisible characters could hide
//! what is pasted. They are shown as `<U+XXXX>` instead. JSON is escaped, not changed.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// How many characters of a guest string a report shows.
pub const LONGEST: usize = 1000;

/// Whether a character could act on a terminal, reorder text or hide.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' // soft hyphen
            | '\u{61c}' | '\u{200e}' | '\u{200f}' // direction marks
            | '\u{200b}'..='\u{200d}' // zero-width space, non-joiner, joiner
            | '\u{2028}'..='\u{202e}' // line and paragraph separator, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // fillers
            | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // old spaces, annotations
            | '\u{e0000}'..='\u{e007f}') // tags
}

/// A guest string as one line: hostile characters shown, line ends and tabs as spaces, and at
/// most [`LONGEST`] characters of it.
pub fn line(text: &str) -> String {
    shortened(text, LONGEST)
}

/// The same, with at most `longest` characters of it.
pub fn shortened(text: &str, longest: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(longest.saturating_mul(4)));
    let mut chars = text.chars();
    let mut marks = 0;
    for c in chars.by_ref().take(longest) {
        marks = if c.width() == Some(0) { marks + 1 } else { 0 };
        // Piled-up combining marks run over the lines above; no script needs more than a few.
        if marks <= 4 {
            show(&mut shown, c);
        }
    }
    let left = chars.count();
    if left > 0 {
        // Writing to a string cannot fail.
        let _ = write!(shown, "… (+{left} characters)");
    }
    shown
}

/// Lines that are to stay lines, such as a command: hostile characters shown, nothing shortened.
pub fn lines(text: &str) -> impl Iterator<Item = String> {
    text.lines().map(|line| {
        line.chars().fold(String::new(), |mut shown, c| {
            show(&mut shown, c);
            shown
        })
    })
}

fn show(shown: &mut String, c: char) {
    match c {
        '\t' | '\n' | '\r' => shown.push(' '),
        c if is_hostile(c) => {
            let _ = write!(shown, "<U+{:04X}>", u32::from(c));
        }
        c => shown.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_drive_a_terminal_is_shown() {
        assert_eq!(line("plain äöü 中文 🦀"), "plain äöü 中文 🦀");
        assert_eq!(line("\u{1b}[31mred"), "<U+001B>[31mred");
        assert_eq!(line("\u{1b}]0;title\u{7}"), "<U+001B>]0;title<U+0007>");
        assert_eq!(line("\u{9b}2J\u{7f}\u{0}"), "<U+009B>2J<U+007F><U+0000>");
        assert_eq!(line("a\r\nb\tc"), "a  b c");
    }

    #[test]
    fn what_reorders_or_hides_is_shown() {
        for c in ('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain(['\u{200b}', '\u{200d}', '\u{feff}', '\u{ad}', '\u{e0041}'])
        {
            assert_eq!(line(&c.to_string()), format!("<U+{:04X}>", u32::from(c)));
        }
    }

    #[test]
    fn a_long_string_is_cut_and_says_so() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 4), "abcd… (+3 characters)");
        assert_eq!(
            shortened(&format!("a{}", "\u{301}".repeat(50)), 100)
                .chars()
                .count(),
            5
        );
    }

    #[test]
    fn a_command_keeps_its_lines_and_its_length() {
        let long = "x".repeat(LONGEST * 2);
        let shown: Vec<String> = lines(&format!("{long}\n\u{202e}b")).collect();
        assert_eq!(shown, [long, "<U+202E>b".to_owned()]);
    }
}
