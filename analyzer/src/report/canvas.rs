//! The canvas that text is laid out on: widths, indents, colours.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::sanitize;
use crate::checks::verdict::Verdict;

/// How text is to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns.
    pub width: usize,
    /// Whether colours are wanted.
    pub colour: bool,
    /// Whether everything is to be shown.
    pub verbose: bool,
}

impl Look {
    /// Columns where there is no terminal.
    pub const WIDTH: usize = 100;
    /// The fewest columns that text is laid out for.
    const NARROWEST: usize = 40;
    /// The most: longer lines are hard to read.
    const WIDEST: usize = 120;

    /// For a file or a pipe: the same whatever the terminal.
    pub const PLAIN: Self = Self {
        width: Self::WIDTH,
        colour: false,
        verbose: false,
    };

    /// For a terminal of `width` columns.
    pub fn terminal(width: usize, colour: bool) -> Self {
        Self {
            width: width.clamp(Self::NARROWEST, Self::WIDEST),
            colour,
            verbose: false,
        }
    }
}

/// Labels and other text that may step back.
pub const DIM: Style = Style::new().dimmed();
/// Text that stands out.
pub const BOLD: Style = Style::new().bold();
/// Text as it is.
pub const PLAIN: Style = Style::new();

/// The style of a verdict.
pub fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Critical => AnsiColor::Red.on_default().bold(),
        Verdict::Warning => AnsiColor::Yellow.on_default().bold(),
        Verdict::Unknown => AnsiColor::Magenta.on_default().bold(),
        Verdict::Ok => AnsiColor::Green.on_default(),
        Verdict::NotApplicable => DIM,
    }
}

/// Text being laid out.
pub struct Canvas {
    look: Look,
    text: String,
}

impl Canvas {
    /// An empty canvas.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            text: String::new(),
        }
    }

    /// Whether everything is to be shown.
    pub fn verbose(&self) -> bool {
        self.look.verbose
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.look.width
    }

    /// What was laid out.
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line, unless there is one already or nothing above it.
    pub fn blank(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A paragraph.
    pub fn paragraph(&mut self, indent: usize, style: Style, text: &str) {
        self.hanging(indent, PLAIN, "", style, text);
    }

    /// A label, padded to `indent` columns in all, and a paragraph that hangs behind it. The
    /// text is a guest's for all we know, so it is made harmless here.
    pub fn hanging(
        &mut self,
        indent: usize,
        label_style: Style,
        label: &str,
        style: Style,
        text: &str,
    ) {
        self.own(indent, label_style, label, style, &sanitize::line(text));
    }

    /// The same for the program's own words, which are neither made harmless nor shortened.
    pub fn own(
        &mut self,
        indent: usize,
        label_style: Style,
        label: &str,
        style: Style,
        text: &str,
    ) {
        let columns = self
            .look
            .width
            .saturating_sub(indent)
            .max(Look::NARROWEST / 2);
        for (number, line) in wrap(text, columns).iter().enumerate() {
            let shown = if number == 0 { label } else { "" };
            let padding = indent.saturating_sub(shown.width());
            self.styled(label_style, shown);
            self.text.extend(std::iter::repeat_n(' ', padding));
            self.styled(style, line);
            self.end_line();
        }
    }

    /// Lines that are neither wrapped nor shortened, to be copied. The prompt stands before the
    /// first one only.
    pub fn verbatim(&mut self, indent: usize, prompt: &str, text: &str) {
        for (number, line) in sanitize::lines(text).enumerate() {
            self.text.extend(std::iter::repeat_n(' ', indent));
            if number == 0 {
                self.styled(DIM, prompt);
            } else {
                self.text.extend(std::iter::repeat_n(' ', prompt.width()));
            }
            self.styled(PLAIN, &line);
            self.end_line();
        }
    }

    /// A line of pieces, neither wrapped nor shortened nor made harmless: for the program's own
    /// words, or for what was made harmless before.
    pub fn pieces(&mut self, pieces: &[(Style, &str)]) {
        for (style, piece) in pieces {
            self.styled(*style, piece);
        }
        self.end_line();
    }

    fn end_line(&mut self) {
        let length = self.text.trim_end_matches(' ').len();
        self.text.truncate(length);
        self.text.push('\n');
    }

    fn styled(&mut self, style: Style, text: &str) {
        if self.look.colour && style != PLAIN && !text.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(self.text, "{style}{text}{style:#}");
        } else {
            self.text.push_str(text);
        }
    }
}

/// Breaks a line at spaces into lines of at most `columns` columns. A word that is longer is
/// broken where it has to be.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let width = word.width();
        if used > 0 && used + 1 + width > columns {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used + wide > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_they_may_be() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("", 7), [""]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("中文中文 x", 4), ["中文", "中文", "x"]);
    }

    #[test]
    fn labels_hang_and_nothing_trails() {
        let mut canvas = Canvas::new(Look::terminal(40, false));
        canvas.hanging(20, DIM, "because", PLAIN, "aaaa bbbb cccc dddd eeee ffff");
        canvas.blank();
        canvas.blank();
        canvas.verbatim(2, "PS> ", "one\ntwo");
        assert_eq!(
            canvas.finish(),
            "because             aaaa bbbb cccc dddd\n                    eeee ffff\n\n  PS> one\n      two\n"
        );
    }

    #[test]
    fn colour_comes_only_when_asked_for() {
        let paint = |colour| {
            let mut canvas = Canvas::new(Look::terminal(80, colour));
            canvas.hanging(4, BOLD, "x", PLAIN, "\u{1b}[31m");
            canvas.finish()
        };
        assert_eq!(paint(false), "x   <U+001B>[31m\n");
        assert_eq!(paint(true), "\u{1b}[1mx\u{1b}[0m   <U+001B>[31m\n");
    }
}
