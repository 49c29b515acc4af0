//! What the .exe is made of: small enough to carry over a slow line, and loadable on every Windows
//! that it is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::machine::exe;

/// Bytes that the .exe stays below.
const MOST_BYTES: u64 = 1_000_000;

/// Windows 7 and Server 2008 R2, and what came before.
const OLD_ENOUGH: [&str; 8] = [
    "Windows 2000",
    "Windows XP",
    "Windows XP x64",
    "Windows Server 2003",
    "Windows Vista",
    "Windows Server 2008",
    "Windows 7",
    "Windows Server 2008 R2",
];

/// The functions that the .exe is linked with, as `dll!function`.
fn imports(exe: &Path) -> BTreeSet<String> {
    let output = Command::new("x86_64-w64-mingw32-objdump")
        .arg("-p")
        .arg(exe)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut dll = String::new();
    let mut imports = BTreeSet::new();
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[..] {
            ["DLL", "Name:", name] => dll = name.to_ascii_lowercase(),
            // Address, hint, name, from the name table of that DLL.
            [address, hint, function]
                if !dll.is_empty()
                    && u64::from_str_radix(address, 16).is_ok()
                    && hint.parse::<u16>().is_ok() =>
            {
                imports.insert(format!("{dll}!{function}"));
            }
            _ => {}
        }
    }
    imports
}

#[test]
fn it_is_small() {
    let Some(exe) = exe() else { return };
    let bytes = fs::metadata(exe).unwrap().len();
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}

#[test]
fn it_loads_on_every_windows_that_it_is_for() {
    let Some(exe) = exe() else { return };
    let imports = imports(&exe);
    assert!(imports.contains("kernel32.dll!GetLastError"), "{imports:?}");

    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../collector/imports.txt");
    let table = fs::read_to_string(table).unwrap();
    let mut listed = BTreeSet::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split('\t').collect();
        let [function, client, server] = fields[..] else {
            panic!("not three fields: {line:?}");
        };
        for first in [client, server] {
            assert!(OLD_ENOUGH.contains(&first), "{line:?} is too new");
        }
        assert!(listed.insert(function.to_owned()), "{function} twice");
    }
    let unlisted: Vec<_> = imports.difference(&listed).collect();
    assert!(
        unlisted.is_empty(),
        "look these up and list them: {unlisted:#?}"
    );
    let stale: Vec<_> = listed.difference(&imports).collect();
    assert!(stale.is_empty(), "no longer imported: {stale:#?}");
}
