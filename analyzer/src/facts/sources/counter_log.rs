//! A counter log: the text of `typeperf`, `logman` or `relog`, which stands in for the collector's
//! record of the performance library.

use snapdiag_bundle::Manifest;

use super::LARGEST;
use super::container::Container;
use crate::formats::counters::CounterTable;
use crate::formats::text::decode_file;

/// The item that a counter log stands in for.
pub(super) const ITEM: &str = "counters.pdh";

/// A counter log.
#[derive(Clone, Debug, PartialEq)]
pub struct CounterLog {
    /// The artifact's name.
    pub artifact: String,
    /// What it holds.
    pub table: CounterTable,
}

impl CounterLog {
    /// Reads the log.
    pub(super) fn read(container: &Container, name: &str) -> Result<Self, String> {
        let bytes = container
            .read_checked(name, LARGEST)
            .map_err(|problem| problem.why)?;
        let text = text(&bytes, container.0.manifest());
        let table = CounterTable::parse(&text).map_err(|error| error.to_string())?;
        Ok(Self {
            artifact: name.to_owned(),
            table,
        })
    }

    /// What is wrong with it, in words.
    pub fn damage(&self) -> Vec<String> {
        let table = &self.table;
        let troubles = [
            (table.malformed.count, "lines that are no samples"),
            (
                table.bad_values.count,
                "lines with values that are no numbers",
            ),
            (table.beyond, "samples behind the last one that is kept"),
        ];
        troubles
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{what}: {count}"))
            .collect()
    }
}

/// The text of a counter log: the performance library writes files in the ANSI code page.
pub(super) fn text(bytes: &[u8], manifest: Option<&Manifest>) -> String {
    let code_page = manifest.and_then(|manifest| manifest.capture.ansi_code_page);
    decode_file(bytes, code_page).text
}
