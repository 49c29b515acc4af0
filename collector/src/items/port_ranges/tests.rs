use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::items::testing::run;
use crate::system::System;
use crate::system::commands::{Commands, Running};

/// netsh of one language.
struct Machine {
    dynamic: &'static [u8],
    excluded: &'static [u8],
    /// It answers nothing on IPv6.
    ipv4_only: bool,
}

struct Output(Cursor<&'static [u8]>);

impl Read for Output {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Running for Output {
    fn exit_status(&mut self) -> Option<u32> {
        Some(0)
    }
}

impl System for Machine {
    fn commands(&self) -> &dyn Commands {
        self
    }
}

impl Commands for Machine {
    fn start(&self, program: &str, arguments: &[&str], _: Duration) -> SysResult<Box<dyn Running>> {
        assert_eq!(program, "netsh.exe");
        let answer = match arguments {
            [_, "ipv6", ..] if self.ipv4_only => b"\r\n".as_slice(),
            [_, _, "show", "dynamicport", "tcp" | "udp"] => self.dynamic,
            [
                _,
                _,
                "show",
                "excludedportrange",
                "protocol=tcp" | "protocol=udp",
            ] => self.excluded,
            _ => panic!("{arguments:?}"),
        };
        Ok(Box::new(Output(Cursor::new(answer))))
    }
}

const ENGLISH: Machine = Machine {
    dynamic: b"\r\nProtocol tcp Dynamic Port Range\r\n---------------------------------\r\nStart Port      : 49152\r\nNumber of Ports : 16384\r\n\r\n",
    excluded: b"\r\nProtocol tcp Port Exclusion Ranges\r\n\r\nStart Port    End Port      \r\n----------    --------      \r\n      5357        5357      \r\n     50000       50059     *\r\n\r\n* - Administered port exclusions.\r\n\r\n",
    ipv4_only: false,
};

/// Simplified Chinese in code page 936, with a full-width colon.
const CHINESE: Machine = Machine {
    dynamic: b"\r\n\xd0\xad\xd2\xe9 tcp \xb6\xaf\xcc\xac\xb6\xcb\xbf\xda\xb7\xb6\xce\xa7\r\n---------------------------------\r\n\xc6\xf4\xb6\xaf\xb6\xcb\xbf\xda        : 1025\r\n\xb6\xcb\xbf\xda\xca\xfd          \xa3\xba64511\r\n\r\n",
    excluded: b"\r\n\xd0\xad\xd2\xe9 tcp\r\n\r\n\xbf\xaa\xca\xbc    \xbd\xe1\xca\xf8\r\n----------    --------\r\n\r\n* - \xb9\xdc\xc0\xed\r\n",
    ipv4_only: false,
};

#[test]
fn numbers_are_read_by_position() {
    let ran = run(ENGLISH, record);
    assert_eq!(ran.outcome, Outcome::ok("netsh"));
    let ranges: PortRanges = ran.record("network/port-ranges.json");
    assert_eq!(ranges.dynamic.len(), 4);
    assert_eq!(
        ranges.dynamic[3],
        DynamicRange {
            protocol: Transport::Udp,
            family: AddressFamily::Ipv6,
            start: 49152,
            count: 16384
        }
    );
    let excluded = ranges.excluded.unwrap();
    assert_eq!(excluded.len(), 8);
    assert_eq!((excluded[0].start, excluded[0].administered), (5357, false));
    assert_eq!((excluded[1].end, excluded[1].administered), (50059, true));
}

#[test]
fn the_language_does_not_matter() {
    let ran = run(CHINESE, record);
    assert_eq!(ran.outcome, Outcome::ok("netsh"));
    let ranges: PortRanges = ran.record("network/port-ranges.json");
    assert_eq!(
        (ranges.dynamic[0].start, ranges.dynamic[0].count),
        (1025, 64511)
    );
    assert_eq!(ranges.excluded, Some(Vec::new()));
}

#[test]
fn a_table_that_is_missing_makes_no_full_list() {
    let ran = run(
        Machine {
            ipv4_only: true,
            ..ENGLISH
        },
        record,
    );
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("netsh", INVALID_DATA)));
    let ranges: PortRanges = ran.record("network/port-ranges.json");
    assert_eq!(ranges.dynamic.len(), 2);
    assert_eq!(ranges.excluded, None);
}

#[test]
fn numbers_that_make_no_range_are_none() {
    for dynamic in [
        b"a : 60000\nb : 16384\n".as_slice(),
        b"a : 1025\n",
        b"a : 1025\nb : 0\n",
        b"a : 99999\nb : 7\n",
        b"a : 1\nb : 2\nc : 3\n",
        b"1025\n16384\n",
    ] {
        let ran = run(Machine { dynamic, ..ENGLISH }, record);
        let ranges: PortRanges = ran.record("network/port-ranges.json");
        assert_eq!(ranges.dynamic, []);
        assert_eq!(ran.outcome.state, State::Truncated);
    }
}

#[test]
fn the_text_names_each_command_before_its_answer() {
    let ran = run(ENGLISH, text);
    assert_eq!(ran.outcome, Outcome::ok("netsh"));
    let text = String::from_utf8(ran.artifacts["network/portranges.txt"].clone()).unwrap();
    assert!(text.starts_with("> netsh int ipv4 show dynamicport tcp\r\n\r\nProtocol tcp"));
    assert!(text.contains("> netsh int ipv6 show excludedportrange protocol=udp\r\n"));
    assert_eq!(text.matches("Number of Ports : 16384").count(), 4);
}

/// A netsh that hangs the second time, and counts how often it is started.
struct Hanging(Arc<AtomicUsize>);

impl System for Hanging {
    fn commands(&self) -> &dyn Commands {
        self
    }
}

impl Commands for Hanging {
    fn start(&self, _: &str, _: &[&str], time: Duration) -> SysResult<Box<dyn Running>> {
        assert!(time <= TIME);
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Box::new(Output(Cursor::new(ENGLISH.dynamic)))),
            _ => Ok(Box::new(Hangs)),
        }
    }
}

struct Hangs;

impl Read for Hangs {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(ErrorKind::TimedOut.into())
    }
}

impl Running for Hangs {
    fn exit_status(&mut self) -> Option<u32> {
        None
    }
}

#[test]
fn a_netsh_that_hangs_is_not_asked_again() {
    let starts = Arc::new(AtomicUsize::new(0));
    let ran = run(Hanging(Arc::clone(&starts)), record);
    assert_eq!(starts.load(Ordering::Relaxed), 2);
    assert_eq!(ran.outcome.state, State::Truncated);
    assert_eq!(ran.outcome.error, Some(os_error("netsh", TIMEOUT)));
    let ranges: PortRanges = ran.record("network/port-ranges.json");
    assert_eq!((ranges.dynamic.len(), ranges.excluded), (1, None));
}

#[test]
fn a_silent_netsh_fails() {
    let silent = || Machine {
        dynamic: b"",
        excluded: b"",
        ipv4_only: false,
    };
    for collect in [record, text] {
        let ran = run(silent(), collect);
        assert_eq!(ran.outcome.state, State::Failed);
        assert_eq!(ran.outcome.error, Some(os_error("netsh", NO_DATA)));
        assert!(ran.artifacts.is_empty());
    }
}
