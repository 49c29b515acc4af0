//! Rows of the collector's records, each with its place.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::document::{at, bare, typed};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;

/// A row of a record and where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row<T> {
    /// The row.
    pub row: T,
    /// One field of it.
    pub evidence: Evidence,
}

impl<T> Row<T> {
    /// Another field of the row as evidence; `raw` is what stands there. A row of a text has its
    /// line only.
    pub fn at(&self, field: &str, raw: impl Into<Value>) -> Evidence {
        let Locator::Json { pointer: place, .. } = &self.evidence.locator else {
            return self.evidence.clone();
        };
        let row = place.rsplit_once('/').map_or("", |(row, _)| row);
        at(&self.evidence, format!("{row}/{field}"), raw)
    }
}

/// The rows below `list` of an item, each with its field `field` as evidence.
pub(super) fn gather<D: DeserializeOwned, T>(
    sources: &Sources,
    item: &'static str,
    list: &str,
    field: &str,
    rows: impl FnOnce(D) -> Vec<T>,
) -> Fact<Vec<Row<T>>> {
    let record = sources.record::<Value>(item);
    let whole = record.evidence.first().cloned();
    let found = typed::<D>(&record).map(|document| {
        let rows = rows(document).into_iter().enumerate();
        rows.filter_map(|(index, row)| {
            let pointer = format!("/{list}/{index}/{field}");
            let raw = record.value()?.pointer(&pointer)?.clone();
            Some(Row {
                row,
                evidence: at(whole.as_ref()?, pointer, raw),
            })
        })
        .collect()
    });
    bare(found)
}
