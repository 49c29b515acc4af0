//! `network.port-ranges`, `network.port-ranges-text`: dynamic and excluded ports as netsh tells
//! them. There is no C API for either. Numbers are found by their position, whatever the language.

use std::io::{ErrorKind, Read};
use std::time::{Duration, Instant};

use snapdiag_bundle::State;
use snapdiag_bundle::records::{AddressFamily, DynamicRange, ExcludedRange, PortRanges, Transport};

use super::parts::Parts;
use super::texts::start;
use super::{Collector, Job, Outcome, Phase};
use crate::system::files::io_error;
use crate::system::{SysResult, os_error};

/// The items of this file.
pub(super) const COLLECTORS: &[Collector] = &[
    Collector {
        item: "network.port-ranges",
        phase: Phase::Quick,
        limit: Duration::from_secs(30),
        collect: record,
    },
    Collector {
        item: "network.port-ranges-text",
        phase: Phase::Quick,
        limit: Duration::from_secs(30),
        collect: text,
    },
];

const METHOD: &str = "netsh";
/// One question takes a tenth of a second on a machine that is well.
const TIME: Duration = Duration::from_secs(6);
/// Most bytes of one answer; a table of 1,000 ranges has 30 KB.
const CAP: u64 = 256 * 1024;

/// `ERROR_INVALID_DATA`: netsh says something else.
const INVALID_DATA: u32 = 13;
/// `ERROR_NO_DATA`: netsh says nothing.
const NO_DATA: u32 = 232;
/// `ERROR_TIMEOUT`.
const TIMEOUT: u32 = 1460;

/// Of which ports netsh is asked: in the order in which its answers stand in the text.
const QUESTIONS: [Question; 8] = {
    use AddressFamily::{Ipv4, Ipv6};
    use Transport::{Tcp, Udp};
    [
        Question::new(false, Ipv4, Tcp),
        Question::new(false, Ipv4, Udp),
        Question::new(false, Ipv6, Tcp),
        Question::new(false, Ipv6, Udp),
        Question::new(true, Ipv4, Tcp),
        Question::new(true, Ipv4, Udp),
        Question::new(true, Ipv6, Tcp),
        Question::new(true, Ipv6, Udp),
    ]
};

#[derive(Clone, Copy)]
struct Question {
    excluded: bool,
    family: AddressFamily,
    protocol: Transport,
}

impl Question {
    const fn new(excluded: bool, family: AddressFamily, protocol: Transport) -> Self {
        Self {
            excluded,
            family,
            protocol,
        }
    }

    fn command(self) -> [&'static str; 6] {
        let family = match self.family {
            AddressFamily::Ipv4 => "ipv4",
            AddressFamily::Ipv6 => "ipv6",
        };
        let (subject, protocol) = match (self.excluded, self.protocol) {
            (false, Transport::Tcp) => ("dynamicport", "tcp"),
            (false, Transport::Udp) => ("dynamicport", "udp"),
            (true, Transport::Tcp) => ("excludedportrange", "protocol=tcp"),
            (true, Transport::Udp) => ("excludedportrange", "protocol=udp"),
        };
        ["netsh.exe", "int", family, "show", subject, protocol]
    }

    /// The command as people type it: it tells the family, which the answer does not.
    fn line(self) -> String {
        let [_, arguments @ ..] = self.command();
        format!("> netsh {}\r\n", arguments.join(" "))
    }

    /// Asks netsh.
    fn ask(self, job: &Job) -> SysResult<Vec<u8>> {
        let left = job.until.saturating_duration_since(Instant::now());
        if job.is_over() {
            return Err(os_error(METHOD, TIMEOUT));
        }
        let running = start(job, &self.command(), TIME.min(left))?;
        let mut answer = Vec::new();
        match running.take(CAP).read_to_end(&mut answer) {
            Ok(0) => Err(os_error(METHOD, NO_DATA)),
            Ok(_) => Ok(answer),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(os_error(METHOD, TIMEOUT)),
            Err(error) => Err(io_error("ReadFile", &error)),
        }
    }

    /// The dynamic range: the numbers at the end of the two lines that have one.
    fn dynamic(self, answer: &[u8]) -> SysResult<DynamicRange> {
        let numbers: Vec<u16> = lines(answer).filter_map(labelled).collect();
        match numbers[..] {
            [start, count] if count > 0 && start.checked_add(count - 1).is_some() => {
                Ok(DynamicRange {
                    protocol: self.protocol,
                    family: self.family,
                    start,
                    count,
                })
            }
            _ => Err(os_error(METHOD, INVALID_DATA)),
        }
    }

    /// The excluded ranges: the rows of two ports below the rule of two columns.
    fn excluded(self, answer: &[u8]) -> SysResult<Vec<ExcludedRange>> {
        let mut rows = lines(answer).skip_while(|line| !is_rule(line));
        if rows.next().is_none() {
            return Err(os_error(METHOD, INVALID_DATA));
        }
        let row = |line| {
            let (start, end, administered) = pair(line)?;
            Some(ExcludedRange {
                protocol: self.protocol,
                family: self.family,
                start,
                end,
                administered,
            })
        };
        Ok(rows.filter_map(row).collect())
    }
}

/// The answers to all questions. Where netsh hangs once, it is not asked again.
fn answers(job: &Job) -> Vec<(Question, SysResult<Vec<u8>>)> {
    let mut hung = false;
    let ask = |question: Question| {
        let answer = if hung {
            Err(os_error(METHOD, TIMEOUT))
        } else {
            question.ask(job)
        };
        hung = answer.as_ref().is_err_and(|error| error.code == TIMEOUT);
        (question, answer)
    };
    QUESTIONS.into_iter().map(ask).collect()
}

fn record(job: &mut Job) -> Outcome {
    let mut parts = Parts::default();
    let mut ranges = PortRanges {
        dynamic: Vec::new(),
        excluded: Some(Vec::new()),
    };
    for (question, answer) in answers(job) {
        if question.excluded {
            let rows = parts.take(answer.and_then(|answer| question.excluded(&answer)));
            // The list says that it holds all ranges: with a table missing there is none.
            ranges.excluded = ranges.excluded.zip(rows).map(|(mut known, rows)| {
                known.extend(rows);
                known
            });
        } else {
            let range = parts.take(answer.and_then(|answer| question.dynamic(&answer)));
            ranges.dynamic.extend(range);
        }
    }
    parts.finish(job, "network/port-ranges.json", &ranges, METHOD)
}

fn text(job: &mut Job) -> Outcome {
    let mut text = Vec::new();
    let mut answered = false;
    let mut fault = None;
    for (question, answer) in answers(job) {
        text.extend(question.line().into_bytes());
        match answer {
            Ok(answer) => {
                answered = true;
                text.extend(answer);
            }
            Err(error) => {
                fault.get_or_insert(error);
            }
        }
        text.extend(b"\r\n");
    }
    match fault {
        Some(error) if !answered => return Outcome::failed(error).by(METHOD),
        _ => {}
    }
    if job.sink.bytes("network/portranges.txt", &text).is_err() {
        return Outcome::stopped().by(METHOD);
    }
    match fault {
        None => Outcome::ok(METHOD),
        fault => Outcome::new(State::Truncated)
            .by(METHOD)
            .after(fault)
            .because("netsh did not answer every question"),
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii)
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// The number at the end of a line that begins with something else.
fn labelled(line: &[u8]) -> Option<u16> {
    let label = line.iter().rposition(|byte| !byte.is_ascii_digit())?;
    number(line.get(label + 1..)?)
}

/// Two numbers, and whether a `*` follows.
fn pair(line: &[u8]) -> Option<(u16, u16, bool)> {
    let mut words = words(line);
    let (start, end) = (number(words.next()?)?, number(words.next()?)?);
    let administered = match words.next() {
        None => false,
        Some(b"*") => true,
        Some(_) => return None,
    };
    (start <= end && words.next().is_none()).then_some((start, end, administered))
}

/// Two columns of dashes.
fn is_rule(line: &[u8]) -> bool {
    words(line).count() == 2 && words(line).flatten().all(|byte| *byte == b'-')
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
