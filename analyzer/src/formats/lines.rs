//! Lines of a text that are not what they should be.

/// How many lines are kept of each kind of trouble; all are counted.
pub const MAX_KEPT: usize = 100;

/// Lines of one kind: all are counted, the first ones are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// How many there are.
    pub count: u64,
    /// The first [`MAX_KEPT`] of them.
    pub first: Vec<Line>,
}

/// A line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1.
    pub number: u32,
    /// Its text, without line ending.
    pub text: String,
}

impl Lines {
    /// Counts a line, and keeps it while there is room.
    pub(super) fn add(&mut self, number: u32, text: &str) {
        self.count += 1;
        if self.first.len() < MAX_KEPT {
            self.first.push(Line {
                number,
                text: text.to_owned(),
            });
        }
    }
}
