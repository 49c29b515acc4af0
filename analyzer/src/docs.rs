//! The documentation that is made from the code: everything below `docs/` that a test compares.

use std::fmt::Write as _;

use serde_json::Value;

use crate::facts::Snapshot;
use crate::report::{Report, Reports, catalogue};

/// The schema of a report.
pub fn report_schema() -> Value {
    schemars::schema_for!(Report).to_value()
}

/// The schema of the reports of several snapshots.
pub fn reports_schema() -> Value {
    schemars::schema_for!(Reports).to_value()
}

/// The schema of facts.
pub fn facts_schema() -> Value {
    schemars::schema_for!(Snapshot).to_value()
}

/// Every generated file: its path below `docs/` and its content.
///
/// # Errors
/// A schema that cannot be written as JSON.
pub fn files() -> serde_json::Result<Vec<(String, String)>> {
    let mut files = vec![
        ("checks.md".to_owned(), generated(&catalogue::markdown())),
        ("bundle.md".to_owned(), generated(&bundle())),
    ];
    let own = [
        ("report", report_schema()),
        ("reports", reports_schema()),
        ("facts", facts_schema()),
    ];
    for (name, schema) in own.into_iter().chain(snapdiag_bundle::schema::all()) {
        let text = serde_json::to_string_pretty(&schema)?;
        files.push((format!("schema/{name}.schema.json"), format!("{text}\n")));
    }
    Ok(files)
}

fn generated(text: &str) -> String {
    format!(
        "<!-- Generated from the code; `SNAPDIAG_BLESS=1 cargo test -p snapdiag --test docs` renews it. -->\n\n{text}"
    )
}

/// The bundle format: what stands where, and the schemas.
fn bundle() -> String {
    let mut text = String::from(
        "# The bundle\n\n\
         A zip, or the same files in a folder: `plan.json` first (what was asked for), then for \
         each item its artifacts and its row of the journal (`journal/NNNN.json`), `manifest.json` \
         last. A bundle that was cut off is read as far as it goes: its manifest is rebuilt from \
         plan and journal.\n\n## Items\n\n",
    );
    text.push_str(&snapdiag_bundle::item_table_markdown());
    text.push_str("\n## Schemas\n\n");
    for (name, _) in snapdiag_bundle::schema::all() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "- [`{name}`](schema/{name}.schema.json)");
    }
    text
}
