//! What the README shows is what the program prints.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use snapdiag::checks::table::TABLE;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text between `<!-- MARK -->` and the next `<!-- end -->`.
fn block<'a>(readme: &'a str, mark: &str) -> &'a str {
    let start = format!("<!-- {mark} -->\n");
    let (_, rest) = readme.split_once(&start).unwrap();
    rest.split_once("<!-- end -->").unwrap().0
}

/// What the README's first command prints, where it is not a terminal.
fn output() -> String {
    let printed = Command::new(cargo_bin("snapdiag"))
        .args(["analyze", "fixtures/bundles/sick-server.zip"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert_eq!(printed.status.code(), Some(1), "{printed:?}");
    format!(
        "```text\n{}```\n",
        String::from_utf8(printed.stdout).unwrap()
    )
}

fn checks() -> String {
    let rows = TABLE
        .iter()
        .map(|check| format!("| `{}` | {} |\n", check.id, check.title));
    let head = "| check | asks for |\n| --- | --- |\n".to_owned();
    head + &rows.collect::<String>()
}

/// With `SNAPDIAG_BLESS=1` the README is written instead of compared; never in CI.
#[test]
fn the_readme_shows_what_the_program_prints() {
    let path = workspace().join("README.md");
    let mut readme = fs::read_to_string(&path).unwrap();
    for (mark, is) in [("output", output()), ("checks", checks())] {
        let said = block(&readme, mark).to_owned();
        if snapdiag_tests::blessing() {
            let start = format!("<!-- {mark} -->\n");
            readme = readme.replace(&format!("{start}{said}"), &format!("{start}{is}"));
        } else {
            assert!(
                said == is,
                "the README's {mark} is out of date: SNAPDIAG_BLESS=1"
            );
        }
    }
    if snapdiag_tests::blessing() {
        fs::write(&path, readme).unwrap();
    }
}
