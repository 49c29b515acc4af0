use serde_json::json;

use super::*;
use crate::items::testing::run;
use crate::system::registry::{Key, Registry};
use crate::system::{SysResult, System, os_error};

struct Machine {
    users: SysResult<Vec<String>>,
    key: fn(&str) -> SysResult<Key>,
}

impl System for Machine {
    fn registry(&self) -> &dyn Registry {
        self
    }
}

impl Registry for Machine {
    fn key(&self, _root: Root, path: &str) -> SysResult<Key> {
        (self.key)(path)
    }

    fn subkeys(&self, root: Root, path: &str) -> SysResult<Vec<String>> {
        assert_eq!((root, path), (Root::Users, ""));
        self.users.clone()
    }
}

fn machine(key: fn(&str) -> SysResult<Key>) -> Machine {
    let users = [
        ".DEFAULT",
        "S-1-5-18",
        "S-1-5-21-1-2-3-1001",
        "S-1-5-21-1-2-3-1001_Classes",
    ];
    Machine {
        users: Ok(users.map(str::to_owned).to_vec()),
        key,
    }
}

fn missing(code: u32) -> SysResult<Key> {
    Err(os_error("RegOpenKeyExW", code))
}

#[test]
fn each_key_asked_for_is_in_the_export_whatever_came_of_it() {
    let ran = run(
        machine(|path| match path {
            "SYSTEM\\CurrentControlSet\\Control" => Ok(Key {
                last_write: 133_444_736_000_000_000,
                values: vec![Value {
                    name: "SystemStartOptions".to_owned(),
                    value_type: 1,
                    data: b"N\0X\0\0\0".to_vec(),
                }],
            }),
            "HARDWARE\\DESCRIPTION\\System" => missing(5),
            _ => missing(2),
        }),
        volatile,
    );
    let export: RegistryExport = ran.record("registry/volatile.json");
    assert_eq!(export.keys.len(), VOLATILE.len());
    let first = &export.keys[0];
    assert_eq!(first.path, "HKLM\\SYSTEM\\CurrentControlSet\\Control");
    assert_eq!(first.exists, Some(true));
    assert_eq!(first.values[0].data, json!("NX"));
    assert!(first.last_write.is_some());
    let safe_boot = &export.keys[1];
    assert_eq!((safe_boot.exists, safe_boot.code), (Some(false), None));
    let denied = &export.keys[5];
    assert_eq!((denied.exists, denied.code), (None, Some(5)));
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("RegOpenKeyExW", 5)));
}

#[test]
fn keys_that_are_not_there_are_an_answer() {
    let ran = run(machine(|_| missing(2)), volatile);
    assert_eq!(ran.outcome, Outcome::ok(METHOD));
}

#[test]
fn a_registry_that_refuses_everything_is_denied() {
    let ran = run(machine(|_| missing(5)), volatile);
    assert_eq!(ran.outcome.state, State::Denied);
    assert!(ran.artifacts.is_empty());
}

#[test]
fn each_user_is_asked_for_once() {
    let ran = run(machine(|_| Ok(Key::default())), users);
    let export: RegistryExport = ran.record("registry/users.json");
    let paths: Vec<&str> = export.keys.iter().map(|key| key.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "HKU\\.DEFAULT\\Environment",
            "HKU\\.DEFAULT\\Software\\Microsoft\\Command Processor",
            "HKU\\S-1-5-21-1-2-3-1001\\Environment",
            "HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Command Processor",
        ]
    );
    assert_eq!(ran.outcome.state, State::Ok);
}

#[test]
fn users_that_are_not_listed_decide_the_state() {
    let refused = Machine {
        users: Err(os_error("RegEnumKeyExW", 5)),
        key: |_| missing(2),
    };
    assert_eq!(run(refused, users).outcome.state, State::Denied);
    let nobody = Machine {
        users: Ok(Vec::new()),
        key: |_| missing(2),
    };
    assert_eq!(run(nobody, users).outcome.state, State::Empty);
}

#[test]
fn data_is_shown_by_its_type_and_in_hex_where_it_does_not_fit() {
    for (value_type, bytes, shown) in [
        (1, &b"a\0\0\0"[..], json!("a")),
        (2, b"%\0a\0%\0", json!("%a%")),
        (1, b"", json!("")),
        (1, b"a\0\0\0b\0", json!("610000006200")),
        (1, b"a\0b", json!("610062")),
        (1, b"\0\xD8", json!("00d8")),
        (3, b"\x01\xFF", json!("01ff")),
        (4, b"\x01\x02\0\0", json!(0x201)),
        (4, b"\x01", json!("01")),
        (5, b"\0\0\0\x01", json!("00000001")),
        (7, b"a\0\0\0b\0\0\0\0\0", json!(["a", "b"])),
        (7, b"\0\0", json!([])),
        (7, b"a\0\0\0\0\0b\0\0\0\0\0", json!(["a", "", "b"])),
        (11, b"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", json!(u64::MAX)),
        (11, b"\x01\0\0\0", json!("01000000")),
    ] {
        let value = Value {
            name: String::new(),
            value_type,
            data: bytes.to_vec(),
        };
        assert_eq!(data(&value), shown, "type {value_type}, {bytes:?}");
    }
}
