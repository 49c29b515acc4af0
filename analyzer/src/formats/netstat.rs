//! The text of `netstat -ano`, in any language.
//!
//! Only the shape of a row counts: protocol, local end, remote end, then for TCP the state's word
//! and, with `-o`, the process id. Headings are translated on every system, the state words on
//! some. So a listener is known by its remote end (`0.0.0.0:0`, `[::]:0`), other states by their
//! word where it is known, and `TIME_WAIT` by process id 0: the kernel owns such connections.
//! Every line that is no row is counted, and every word that is not known is reported.

mod endpoint;
mod state;

use nom::bytes::complete::tag_no_case;
use nom::character::complete::{multispace0, multispace1, not_line_ending};
use nom::combinator::value;
use nom::{IResult, Parser, branch::alt};

pub use endpoint::Endpoint;
pub use state::{Reading, TcpState};

use super::lines::Lines;

/// What the text holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Netstat {
    /// The rows, in order.
    pub rows: Vec<Row>,
    /// Lines that begin like a row and are none.
    pub malformed: Lines,
    /// Rows whose state word is not known, and which their shape does not tell either.
    pub unknown_states: Lines,
    /// Rows with an address that is none; they are in `rows` without it.
    pub bad_addresses: Lines,
    /// Headings and other lines that are no rows.
    pub other: Lines,
    /// Empty lines.
    pub blank: u64,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The number of its line, from 1.
    pub line: u32,
    /// The protocol.
    pub protocol: Protocol,
    /// The local end.
    pub local: Endpoint,
    /// The remote end; `None` for `*:*`.
    pub remote: Option<Endpoint>,
    /// The state of a TCP row, and by what it is known; `None` when it is not, and for UDP.
    pub state: Option<Reading>,
    /// The word in the column of the state; `None` where the column is empty.
    pub word: Option<String>,
    /// The process id; `None` without `-o`.
    pub pid: Option<u32>,
}

/// The protocol of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl Netstat {
    /// Reads the text.
    pub fn parse(text: &str) -> Self {
        let mut netstat = Self::default();
        for (number, line) in (1..=u32::MAX).zip(text.lines()) {
            netstat.line(number, line);
        }
        state::settle(&mut netstat.rows);
        netstat.report_unknown_states(text);
        netstat
    }

    fn line(&mut self, number: u32, text: &str) {
        if text.trim().is_empty() {
            self.blank += 1;
            return;
        }
        match row(text) {
            Ok((_, row)) => {
                let ends = [Some(&row.local), row.remote.as_ref()];
                if ends.into_iter().flatten().any(Endpoint::is_malformed) {
                    self.bad_addresses.add(number, text);
                }
                self.rows.push(Row {
                    line: number,
                    ..row
                });
            }
            Err(_) if protocol(text.trim_start()).is_ok() => self.malformed.add(number, text),
            Err(_) => self.other.add(number, text),
        }
    }

    fn report_unknown_states(&mut self, text: &str) {
        let mut unknown = self
            .rows
            .iter()
            .filter(|row| row.protocol == Protocol::Tcp && row.state.is_none())
            .map(|row| row.line)
            .peekable();
        for (number, line) in (1..=u32::MAX).zip(text.lines()) {
            if unknown.next_if_eq(&number).is_some() {
                self.unknown_states.add(number, line);
            }
        }
    }

    /// Whether every line that begins like a row of TCP or UDP was read as one.
    pub fn is_whole(&self) -> bool {
        self.malformed.count == 0
    }
}

/// The protocol's name, with white space behind it: a heading may begin with the same letters.
fn protocol(input: &str) -> IResult<&str, Protocol> {
    let name = alt((
        value(Protocol::Tcp, tag_no_case("tcp")),
        value(Protocol::Udp, tag_no_case("udp")),
    ));
    let (rest, (protocol, _)) = (name, multispace1).parse(input)?;
    Ok((rest, protocol))
}

fn row(input: &str) -> IResult<&str, Row> {
    let (rest, (_, protocol, local, _, remote)) = (
        multispace0,
        protocol,
        endpoint::endpoint,
        multispace1,
        endpoint::remote,
    )
        .parse(input)?;
    let (rest, tail) = not_line_ending(rest)?;
    let (word, pid) = split_tail(tail, protocol);
    let row = Row {
        line: 0,
        protocol,
        local,
        remote,
        state: None,
        word,
        pid,
    };
    Ok((rest, row))
}

/// The state's words and the process id. A state may have several words; the process id is a
/// number and comes last.
fn split_tail(tail: &str, protocol: Protocol) -> (Option<String>, Option<u32>) {
    let mut words: Vec<&str> = tail.split_whitespace().collect();
    let pid = words.last().and_then(|last| last.parse().ok());
    // Without `-o`, a state that ends in a number of its own ("FIN WAIT 1") stays whole: with it,
    // a TCP row has a word before the process id, too.
    let lone = protocol == Protocol::Tcp && words.len() == 1;
    let pid = pid.filter(|_| !lone);
    if pid.is_some() {
        words.pop();
    }
    (Some(words.join(" ")).filter(|word| !word.is_empty()), pid)
}

#[cfg(test)]
mod tests;
