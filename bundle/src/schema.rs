//! JSON Schema of everything in a bundle, generated from the types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use crate::items::Record;
use crate::manifest::{ItemRow, Manifest, Plan};

/// The schema (draft 2020-12) of a type as it is read: unknown fields are allowed, optional ones
/// may be missing.
pub(crate) fn of<T: JsonSchema>() -> Value {
    let generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    generator.into_root_schema_for::<T>().to_value()
}

/// The schema of `manifest.json`.
pub fn manifest() -> Value {
    of::<Manifest>()
}

/// The schema of `plan.json`.
pub fn plan() -> Value {
    of::<Plan>()
}

/// The schema of a journal entry.
pub fn journal_row() -> Value {
    of::<ItemRow>()
}

/// Every schema with its name, in a fixed order: plan, manifest, journal row, then the records in
/// the order of [`Record::ALL`].
pub fn all() -> Vec<(&'static str, Value)> {
    let mut schemas = vec![
        ("plan", plan()),
        ("manifest", manifest()),
        ("journal-row", journal_row()),
    ];
    schemas.extend(Record::ALL.iter().map(|r| (r.name(), r.schema())));
    schemas
}
