use std::path::{Path, PathBuf};

use super::*;
use crate::items::testing::{Ran, run};
use crate::system::commands::Commands;
use crate::system::files::{Files, SharedFile};
use crate::system::{System, os_error};

/// A machine whose programs write the same bytes again and again, so often, and then end, or hang.
#[derive(Clone, Copy)]
struct Machine {
    ano: &'static [u8],
    anoq: &'static [u8],
    times: usize,
    end: End,
    hosts: &'static [u8],
}

#[derive(Clone, Copy)]
enum End {
    Status(u32),
    Hangs,
}

struct Output {
    bytes: &'static [u8],
    /// What is left of them this time.
    rest: &'static [u8],
    times: usize,
    end: End,
}

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.times > 0 {
            (self.rest, self.times) = (self.bytes, self.times - 1);
        }
        if self.rest.is_empty() {
            return match self.end {
                End::Status(_) => Ok(0),
                End::Hangs => Err(io::ErrorKind::TimedOut.into()),
            };
        }
        self.rest.read(buffer)
    }
}

impl Running for Output {
    fn exit_status(&mut self) -> Option<u32> {
        match self.end {
            End::Status(status) => Some(status),
            End::Hangs => None,
        }
    }
}

impl System for Machine {
    fn commands(&self) -> &dyn Commands {
        self
    }

    fn files(&self) -> &dyn Files {
        self
    }
}

impl Commands for Machine {
    fn start(&self, program: &str, arguments: &[&str], _: Duration) -> SysResult<Box<dyn Running>> {
        let bytes = match (program, arguments) {
            ("netstat.exe", ["-ano"]) => self.ano,
            ("netstat.exe", ["-anoq"]) => self.anoq,
            _ => return Err(os_error("CreateProcessW", 2)),
        };
        Ok(Box::new(Output {
            bytes,
            rest: &[],
            times: self.times,
            end: self.end,
        }))
    }
}

impl Files for Machine {
    fn system_root(&self) -> SysResult<PathBuf> {
        Ok(PathBuf::from("root"))
    }

    fn open_shared(&self, path: &Path) -> SysResult<SharedFile> {
        assert_eq!(path, Path::new("root/System32/drivers/etc/hosts"));
        Ok(SharedFile {
            reader: Box::new(self.hosts),
            size_bytes: self.hosts.len() as u64,
        })
    }
}

const ROWS: &[u8] =
    b"\r\nActive Connections\r\n\r\n  TCP    0.0.0.0:135            0.0.0.0:0              LISTENING       884\r\n";
/// The explanation of a version without `-q`, one line of which begins with a protocol.
const EXPLANATION: &[u8] = b"\r\nDisplays protocol statistics.\r\n\r\nNETSTAT [-a] [-b]\r\n\r\n  -p proto      may be any of:\r\n                TCP, UDP, TCPv6, or UDPv6.\r\n TCP or UDP 3:4\r\n";
const MACHINE: Machine = Machine {
    ano: ROWS,
    anoq: ROWS,
    times: 1,
    end: End::Status(0),
    hosts: b"192.0.2.1 name\r\n",
};

fn names(ran: &Ran) -> Vec<&str> {
    ran.artifacts.keys().map(String::as_str).collect()
}

#[test]
fn output_is_kept_as_it_comes() {
    let ran = run(MACHINE, netstat);
    assert_eq!(ran.outcome, Outcome::ok("CreateProcessW"));
    assert_eq!(
        names(&ran),
        ["network/netstat-ano.txt", "network/netstat-anoq.txt"]
    );
    assert_eq!(ran.artifacts["network/netstat-ano.txt"], ROWS);
}

#[test]
fn a_netstat_without_bound_ports_gives_one_text() {
    let machine = Machine {
        anoq: EXPLANATION,
        ..MACHINE
    };
    let ran = run(machine, netstat);
    assert_eq!(ran.outcome, Outcome::ok("CreateProcessW"));
    assert_eq!(names(&ran), ["network/netstat-ano.txt"]);
}

#[test]
fn a_program_that_hangs_keeps_what_it_wrote() {
    let machine = Machine {
        end: End::Hangs,
        ..MACHINE
    };
    let ran = run(machine, netstat);
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.artifacts["network/netstat-ano.txt"], ROWS);
    let silent = Machine {
        times: 0,
        ..machine
    };
    let ran = run(silent, netstat);
    assert_eq!(ran.outcome.state, State::Timeout);
    assert!(ran.artifacts.is_empty());
}

#[test]
fn an_output_without_end_is_cut() {
    let machine = Machine {
        times: usize::MAX,
        ..MACHINE
    };
    let ran = run(machine, netstat);
    assert_eq!(ran.outcome.state, State::Truncated);
    assert!(ran.outcome.reason.unwrap().starts_with("cut"));
    let bytes = ran.artifacts["network/netstat-ano.txt"].len();
    assert_eq!(bytes as u64, CAP);
}

#[test]
fn status_silence_and_absence_are_told_apart() {
    let state = |machine: Machine| run(machine, netstat).outcome.state;
    let with_status = Machine {
        end: End::Status(1),
        ..MACHINE
    };
    assert_eq!(state(with_status), State::Truncated);
    let silent = Machine {
        ano: b"",
        ..MACHINE
    };
    assert_eq!(state(silent), State::Empty);
    let ipconfig = COLLECTORS[1].collect;
    let ran = run(MACHINE, ipconfig);
    assert_eq!(ran.outcome.state, State::Absent);
    assert_eq!(ran.outcome.error, Some(os_error("CreateProcessW", 2)));
}

#[test]
fn the_hosts_file_comes_as_it_lies_there() {
    let ran = run(MACHINE, hosts);
    assert_eq!(ran.outcome, Outcome::ok("CreateFileW"));
    assert_eq!(ran.artifacts["network/hosts.txt"], MACHINE.hosts);
    let empty = Machine {
        hosts: b"",
        ..MACHINE
    };
    let ran = run(empty, hosts);
    assert_eq!(ran.outcome.state, State::Empty);
    assert_eq!(names(&ran), ["network/hosts.txt"]);
}
