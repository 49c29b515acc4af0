//! Small bundles for the tests of fact families.

use std::path::Path;

use serde_json::json;
use snapdiag_bundle::{BundleWriter, ItemRow, Plan, State, items};

use super::sources::{Options, Sources};

/// What `gather` makes of a bundle of these entries. Those that are not in the item table come
/// last: somebody put them in.
pub(super) fn gather<T>(files: &[(&str, &str)], gather: impl FnOnce(&Sources) -> T) -> T {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bundle");
    write(&root, files);
    gather(&Sources::open(&root, &Options::default()).unwrap())
}

/// The same of one item with several artifacts.
pub(super) fn gather_texts<T>(
    item: &'static str,
    files: &[(&str, &str)],
    gather: impl FnOnce(&Sources) -> T,
) -> T {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bundle");
    let mut writer = BundleWriter::folder(&root, plan()).unwrap();
    for (name, content) in files {
        writer.artifact_bytes(name, content.as_bytes()).unwrap();
    }
    writer.end_item(ItemRow::new(item, State::Ok)).unwrap();
    let end = "2026-03-01T12:01:00Z".parse().unwrap();
    writer.finish(end, None).unwrap();
    gather(&Sources::open(&root, &Options::default()).unwrap())
}

fn write(root: &Path, files: &[(&str, &str)]) {
    let mut writer = BundleWriter::folder(root, plan()).unwrap();
    for (name, content) in files {
        writer.artifact_bytes(name, content.as_bytes()).unwrap();
        if let Some(item) = items::by_entry(name) {
            writer.end_item(ItemRow::new(item.id, State::Ok)).unwrap();
        }
    }
    let end = "2026-03-01T12:01:00Z".parse().unwrap();
    writer.finish(end, None).unwrap();
}

fn plan() -> Plan {
    let plan = json!({
        "format": "snapdiag-bundle",
        "format_version": "1.0",
        "collector": {"name": "test", "version": "0", "arguments": []},
        "capture": {
            "mode": "live", "host": "HOST-A", "started_at": "2026-03-01T12:00:00Z",
            "privileges": []
        },
        "bounds": {},
        "items": [],
    });
    serde_json::from_value(plan).unwrap()
}
