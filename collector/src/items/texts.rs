//! Texts as people know them: the output of console programs, and the hosts file.

use std::io::{self, Cursor, Read};
use std::time::{Duration, Instant};

use snapdiag_bundle::State;

use super::{Collector, Job, Outcome, Phase};
use crate::system::SysResult;
use crate::system::commands::Running;
use crate::system::files::io_error;

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "network.netstat-text",
        phase: Phase::Quick,
        limit: Duration::from_secs(40),
        collect: netstat,
    },
    Collector {
        item: "network.ipconfig-text",
        phase: Phase::Quick,
        limit: Duration::from_secs(15),
        collect: |job| {
            let (ipconfig, entry) = (&["ipconfig.exe", "/all"], "network/ipconfig-all.txt");
            command(job, entry, ipconfig, |_| true)
        },
    },
    Collector {
        item: "network.route-text",
        phase: Phase::Quick,
        limit: Duration::from_secs(15),
        collect: |job| {
            let (route, entry) = (&["route.exe", "print"], "network/route-print.txt");
            command(job, entry, route, |_| true)
        },
    },
    Collector {
        item: "network.hosts-text",
        phase: Phase::Quick,
        limit: Duration::from_secs(10),
        collect: hosts,
    },
];

/// A program ends this long before the item does.
const MARGIN: Duration = Duration::from_secs(2);
/// Most bytes of one output: 65,535 connections are about 5 MB.
const CAP: u64 = 16 * 1024 * 1024;
/// Most bytes of the hosts file; block lists have a few megabytes.
const HOSTS_CAP: u64 = 8 * 1024 * 1024;
/// The beginning of an output, from which its kind can be told.
const HEAD: u64 = 4096;

/// `-q`, which adds ports that are bound and neither listen nor are connected, came with Windows 10:
/// older ones print how to use netstat.
fn netstat(job: &mut Job) -> Outcome {
    let ano = &["netstat.exe", "-ano"];
    let outcome = command(job, "network/netstat-ano.txt", ano, |_| true);
    if matches!(outcome.state, State::Ok | State::Truncated) && !job.is_over() {
        let anoq = &["netstat.exe", "-anoq"];
        // The one text stands for itself: what becomes of this one changes nothing.
        let _ = command(job, "network/netstat-anoq.txt", anoq, holds_connections);
    }
    outcome
}

/// Whether a line begins with `TCP` and an address with a port. No explanation does, in whatever
/// language.
fn holds_connections(head: &[u8]) -> bool {
    head.split(|byte| *byte == b'\n').any(|line| {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|w| !w.is_empty());
        let (protocol, address) = (words.next(), words.next().unwrap_or_default());
        let port = address.rsplit(|byte| *byte == b':').next();
        protocol == Some(b"TCP")
            && address.contains(&b':')
            && port.is_some_and(|port| !port.is_empty() && port.iter().all(u8::is_ascii_digit))
    })
}

/// Copies the output of a program into an artifact, if its head is what is wanted.
fn command(
    job: &mut Job,
    entry: &str,
    command: &[&str],
    wanted: impl Fn(&[u8]) -> bool,
) -> Outcome {
    const METHOD: &str = "CreateProcessW";
    let left = job.until.saturating_duration_since(Instant::now());
    let time = left.saturating_sub(MARGIN);
    let mut running = match start(job, command, time) {
        Ok(running) => running,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut head = Vec::new();
    let first = running.by_ref().take(HEAD).read_to_end(&mut head);
    if head.is_empty() {
        let outcome = match &first {
            Err(error) => ended(error).because(error_text(command, error)),
            Ok(_) => Outcome::new(State::Empty).because(match running.exit_status() {
                Some(status) => format!("{} wrote nothing and ended with {status}", name(command)),
                None => format!("{} wrote nothing", name(command)),
            }),
        };
        return outcome.by(METHOD);
    }
    if !wanted(&head) {
        return Outcome::new(State::Skipped).by(METHOD);
    }
    let mut rest = Capped {
        source: &mut Cursor::new(head)
            .chain(Failing(first.err()))
            .chain(&mut running),
        left: CAP,
    };
    let Ok(streamed) = job.sink.stream(entry, None, &mut rest) else {
        return Outcome::stopped().by(METHOD);
    };
    let truncated = Outcome::new(State::Truncated).by(METHOD);
    if let Some(error) = streamed.source_error {
        return truncated.because(error_text(command, &error));
    }
    match running.exit_status() {
        Some(0) => Outcome::ok(METHOD),
        Some(status) => truncated.because(format!("{} ended with {status}", name(command))),
        None => truncated.because(format!("{} did not end in time", name(command))),
    }
}

/// Starts a program with its arguments.
pub(super) fn start(job: &Job, command: &[&str], time: Duration) -> SysResult<Box<dyn Running>> {
    let (program, arguments) = command.split_first().unwrap_or((&"", &[]));
    job.system.commands().start(program, arguments, time)
}

fn name<'a>(command: &[&'a str]) -> &'a str {
    command.first().copied().unwrap_or_default()
}

fn ended(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::TimedOut => Outcome::new(State::Timeout),
        _ => Outcome::failed(io_error("ReadFile", error)),
    }
}

fn error_text(command: &[&str], error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => format!("{} did not end in time", name(command)),
        io::ErrorKind::FileTooLarge => format!("cut: more than {CAP} bytes"),
        _ => format!("{}: {error}", name(command)),
    }
}

/// A source that ends with an error, if there was one.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// A source that gives so many bytes, then says whether there were more.
struct Capped<'a> {
    source: &'a mut dyn Read,
    left: u64,
}

impl Read for Capped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return match self.source.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::ErrorKind::FileTooLarge.into()),
            };
        }
        let read = (&mut *self.source).take(self.left).read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// The hosts file. An empty one says that there are no entries.
fn hosts(job: &mut Job) -> Outcome {
    const METHOD: &str = "CreateFileW";
    let files = job.system.files();
    let file = files.system_root().and_then(|root| {
        let path = ["System32", "drivers", "etc", "hosts"];
        files.open_shared(&path.iter().fold(root, |path, part| path.join(part)))
    });
    let mut file = match file {
        Ok(file) => file,
        Err(error) => return Outcome::failed(error).by(METHOD),
    };
    let mut text = Capped {
        source: &mut file.reader,
        left: HOSTS_CAP,
    };
    let size = Some(file.size_bytes);
    match job.sink.stream("network/hosts.txt", size, &mut text) {
        Err(_) => Outcome::stopped().by(METHOD),
        Ok(streamed) => match streamed.source_error {
            None if streamed.bytes == 0 => Outcome::new(State::Empty).by(METHOD),
            None => Outcome::ok(METHOD),
            Some(error) => {
                let outcome = Outcome::new(State::Truncated).by(METHOD);
                match error.kind() {
                    io::ErrorKind::FileTooLarge => {
                        outcome.because(format!("cut: more than {HOSTS_CAP} bytes"))
                    }
                    _ => outcome.after(Some(io_error("ReadFile", &error))),
                }
            }
        },
    }
}

#[cfg(test)]
mod tests;
