//! The few names that the records of a chunk share.

use std::collections::HashMap;

use super::value;

/// Names, each kept once and known by its place.
pub(super) struct Names<'a> {
    texts: Vec<String>,
    places: HashMap<String, usize>,
    utf16: HashMap<&'a [u8], usize>,
}

impl<'a> Names<'a> {
    /// The place of the empty name.
    pub(super) const EMPTY: usize = 0;

    /// Names of which the empty one is known.
    pub(super) fn new() -> Self {
        let empty = HashMap::from([(String::new(), Self::EMPTY)]);
        Self {
            texts: vec![String::new()],
            places: empty,
            utf16: HashMap::new(),
        }
    }

    pub(super) fn place(&mut self, text: String) -> usize {
        if let Some(place) = self.places.get(&text) {
            return *place;
        }
        let place = self.texts.len();
        self.texts.push(text.clone());
        self.places.insert(text, place);
        place
    }

    /// The place of a name in UTF-16.
    pub(super) fn place_utf16(&mut self, bytes: &'a [u8]) -> usize {
        if let Some(place) = self.utf16.get(bytes) {
            return *place;
        }
        let place = self.place(value::utf16(bytes));
        self.utf16.insert(bytes, place);
        place
    }

    pub(super) fn get(&self, place: usize) -> &str {
        self.texts.get(place).map_or("", String::as_str)
    }
}
