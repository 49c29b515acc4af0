use super::*;
use crate::items::testing::{Ran, run};
use crate::system::files::Files;
use crate::system::registry::Registry;
use crate::system::services::ServiceStatus;
use crate::system::volumes::Volumes;
use crate::system::{Processes, Services, SysResult, System, os_error};

/// A machine with a folder of Windows on C:, a network drive Z:, and this `Path`.
struct Machine {
    path: &'static str,
}

impl System for Machine {
    fn files(&self) -> &dyn Files {
        self
    }

    fn registry(&self) -> &dyn Registry {
        self
    }

    fn volumes(&self) -> &dyn Volumes {
        self
    }

    fn services(&self) -> &dyn Services {
        self
    }

    fn processes(&self) -> &dyn Processes {
        self
    }
}

impl Services for Machine {
    fn list(&self) -> SysResult<Vec<ServiceStatus>> {
        let service = |name: &str, state, pid| ServiceStatus {
            name: name.to_owned(),
            state,
            pid,
            ..ServiceStatus::default()
        };
        Ok(vec![
            service("Schedule", 1, 0),
            service("profsvc", RUNNING, 804),
            service("PlugPlay", RUNNING, 900),
        ])
    }
}

impl Processes for Machine {
    fn environment(&self, pid: u32) -> SysResult<Vec<String>> {
        assert_eq!(pid, 804);
        Ok(["OS=Windows_NT", "PATH=C:\\Windows;C:\\old=new"]
            .map(str::to_owned)
            .to_vec())
    }
}

impl Registry for Machine {
    fn key(&self, _root: Root, path: &str) -> SysResult<Key> {
        assert_eq!(path, ENVIRONMENT);
        let values = [
            ("Path", self.path),
            ("TEMP", "%windir%\\TEMP"),
            ("windir", "%SystemRoot%"),
            ("ComSpec", "%SystemRoot%\\system32\\cmd.exe"),
            ("loop", "%loop%"),
        ];
        let values = values.map(|(name, text)| Value {
            name: name.to_owned(),
            value_type: 2,
            data: text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        });
        Ok(Key {
            last_write: 0,
            values: values.to_vec(),
        })
    }
}

impl Volumes for Machine {
    fn kind(&self, root: &str) -> VolumeKind {
        match root {
            "C:\\" => VolumeKind::Fixed,
            "Z:\\" => VolumeKind::Remote,
            _ => VolumeKind::NoRoot,
        }
    }
}

impl Files for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "SystemRoot" => Some("C:\\Windows".to_owned()),
            "USERPROFILE" => Some("C:\\Users\\user1".to_owned()),
            _ => None,
        }
    }

    fn is_directory(&self, path: &Path) -> SysResult<bool> {
        match &*path.to_string_lossy() {
            "C:\\Windows" | "C:\\Windows\\TEMP" | "C:\\a;b" => Ok(true),
            "C:\\Windows\\system32\\cmd.exe" => Ok(false),
            "C:\\closed" => Err(os_error("GetFileAttributesW", 5)),
            "C:\\gone" => Err(os_error("GetFileAttributesW", 2)),
            "D:\\gone" => Err(os_error("GetFileAttributesW", 3)),
            other => panic!("{other} was touched"),
        }
    }
}

/// What is said of the elements of `Path`: as stored, expanded, there, a directory, error.
type Row = (String, String, Option<bool>, Option<bool>, Option<u32>);

fn rows(path: &'static str) -> Vec<Row> {
    let ran = run(Machine { path }, collect);
    let facts: PathFacts = ran.record("system/paths.json");
    let own = facts
        .paths
        .into_iter()
        .filter(|fact| fact.variable == "Path");
    own.map(|fact| {
        (
            fact.raw,
            fact.expanded,
            fact.exists,
            fact.directory,
            fact.code,
        )
    })
    .collect()
}

fn row(raw: &str, expanded: &str, exists: Option<bool>, code: Option<u32>) -> Row {
    let directory = exists.filter(|exists| *exists);
    (raw.to_owned(), expanded.to_owned(), exists, directory, code)
}

#[test]
fn each_element_is_looked_up() {
    assert_eq!(
        rows("%SystemRoot%;C:\\gone; D:\\gone ;C:\\closed;;"),
        [
            row("%SystemRoot%", "C:\\Windows", Some(true), None),
            row("C:\\gone", "C:\\gone", Some(false), Some(2)),
            row("D:\\gone", "D:\\gone", Some(false), Some(3)),
            row("C:\\closed", "C:\\closed", None, Some(5)),
        ]
    );
}

#[test]
fn the_network_and_what_no_process_shares_is_not_touched() {
    assert_eq!(
        rows("\\\\server\\share;Z:\\tools;tools;%USERPROFILE%\\bin;%loop%\\x"),
        [
            row("\\\\server\\share", "\\\\server\\share", None, None),
            row("Z:\\tools", "Z:\\tools", None, None),
            row("tools", "tools", None, None),
            row("%USERPROFILE%\\bin", "%USERPROFILE%\\bin", None, None),
            row("%loop%\\x", "%loop%\\x", None, None),
        ]
    );
}

#[test]
fn quotes_hold_an_element_together() {
    assert_eq!(
        rows("\"C:\\a;b\";C:\\gone"),
        [
            row("\"C:\\a;b\"", "\"C:\\a;b\"", Some(true), None),
            row("C:\\gone", "C:\\gone", Some(false), Some(2)),
        ]
    );
    // A quote that is never closed holds nothing.
    assert_eq!(rows("\"C:\\gone;C:\\gone").len(), 2);
}

#[test]
fn single_paths_follow_in_their_order() {
    let ran: Ran = run(Machine { path: "" }, collect);
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
    let facts: PathFacts = ran.record("system/paths.json");
    assert_eq!(
        facts.service_path.as_deref(),
        Some("C:\\Windows;C:\\old=new")
    );
    let rows: Vec<_> = facts
        .paths
        .iter()
        .map(|fact| {
            (
                &*fact.variable,
                &*fact.expanded,
                fact.exists,
                fact.directory,
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("TEMP", "C:\\Windows\\TEMP", Some(true), Some(true)),
            ("windir", "C:\\Windows", Some(true), Some(true)),
            (
                "ComSpec",
                "C:\\Windows\\system32\\cmd.exe",
                Some(true),
                Some(false)
            ),
        ]
    );
}

#[test]
fn without_the_registry_nothing_is_looked_up() {
    struct Nothing;
    impl System for Nothing {}
    let ran = run(Nothing, collect);
    assert_eq!(ran.outcome.state, snapdiag_bundle::State::Failed);
}
