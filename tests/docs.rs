//! The documentation below `docs/` that is made from the code says what the code says.
#![forbid(unsafe_code)]

use std::path::Path;

/// With `SNAPDIAG_BLESS=1` the files are written instead of compared; never in CI.
#[test]
fn generated_files_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let bless = snapdiag_tests::blessing();
    let mut stale = Vec::new();
    for (name, content) in snapdiag::docs::files().unwrap() {
        let path = folder.join(&name);
        if bless {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(&*content) {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "{stale:?} differ from the code; renew them with SNAPDIAG_BLESS=1 cargo test --test docs"
    );
}

#[test]
fn what_was_never_run_on_windows_names_every_item() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/never-run-on-windows.md");
    let page = std::fs::read_to_string(path).unwrap();
    let named: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(item, _)| item)
        .collect();
    let items: Vec<&str> = snapdiag_bundle::ITEMS.iter().map(|item| item.id).collect();
    assert_eq!(named, items);
}
