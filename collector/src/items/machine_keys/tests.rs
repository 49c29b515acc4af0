use snapdiag_bundle::State;

use super::*;
use crate::items::testing::run;
use crate::system::files::{Files, Found, Listing};
use crate::system::{SysResult, System};

struct Machine {
    data: Option<&'static str>,
    names: SysResult<Vec<&'static str>>,
    sddl: fn(&Path) -> SysResult<String>,
}

impl System for Machine {
    fn files(&self) -> &dyn Files {
        self
    }
}

impl Files for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        assert_eq!(name, "ProgramData");
        self.data.map(str::to_owned)
    }

    fn list(&self, folder: &Path) -> SysResult<Listing> {
        assert!(folder.ends_with("Microsoft/Crypto/RSA/MachineKeys"));
        let names = self.names.clone()?;
        Ok(Box::new(names.into_iter().map(|name| {
            Ok(Found {
                name: name.to_owned(),
                directory: false,
                size_bytes: 1,
                modified_at: None,
            })
        })))
    }

    fn sddl(&self, path: &Path) -> SysResult<String> {
        (self.sddl)(path)
    }
}

fn machine(names: &[&'static str]) -> Machine {
    Machine {
        data: Some("C:/ProgramData"),
        names: Ok(names.to_vec()),
        sddl: |path| {
            let of = if path.ends_with("MachineKeys") {
                "D:folder"
            } else {
                "D:key"
            };
            Ok(of.to_owned())
        },
    }
}

fn record(machine: Machine) -> (Outcome, MachineKeys) {
    let ran = run(machine, collect);
    let record = ran.record("system/machine-keys.json");
    (ran.outcome, record)
}

#[test]
fn the_access_of_folder_and_key_is_told() {
    let (outcome, keys) = record(machine(&[
        "0123456789abcdef0123456789abcdef_a",
        "F686AACE6942FB7F7CEB231212EEF4A4_b",
    ]));
    assert_eq!(outcome, Outcome::ok(METHOD));
    assert_eq!(keys.folder_sddl.as_deref(), Some("D:folder"));
    assert_eq!(keys.rdp_key_sddl.as_deref(), Some("D:key"));
    assert_eq!(keys.rdp_key_exists, Some(true));
}

#[test]
fn a_key_that_is_not_there_is_an_answer() {
    let (outcome, keys) = record(machine(&[]));
    assert_eq!(outcome, Outcome::ok(METHOD));
    assert_eq!(
        (keys.rdp_key_exists, keys.rdp_key_sddl),
        (Some(false), None)
    );
}

#[test]
fn a_folder_that_cannot_be_listed_leaves_the_key_unknown() {
    let (outcome, keys) = record(Machine {
        names: Err(os_error("FindFirstFileW", 5)),
        ..machine(&[])
    });
    assert_eq!(outcome.state, State::Truncated);
    assert_eq!((keys.rdp_key_exists, keys.rdp_key_sddl), (None, None));
}

#[test]
fn nothing_at_all_takes_the_state_of_the_first_error() {
    for (code, state) in [(2, State::Absent), (3, State::Absent), (5, State::Denied)] {
        let sddl: fn(&Path) -> SysResult<String> = match code {
            2 => |_| Err(os_error(METHOD, 2)),
            3 => |_| Err(os_error(METHOD, 3)),
            _ => |_| Err(os_error(METHOD, 5)),
        };
        let machine = Machine {
            names: Err(os_error("FindFirstFileW", code)),
            sddl,
            ..machine(&[])
        };
        let ran = run(machine, collect);
        assert_eq!(ran.outcome.state, state);
        assert!(ran.artifacts.is_empty());
    }
}

#[test]
fn without_the_folder_of_programs_nothing_is_looked_for() {
    let ran = run(
        Machine {
            data: None,
            ..machine(&[])
        },
        collect,
    );
    assert_eq!(ran.outcome.state, State::Failed);
}
