//! Questions and answers of the Domain Name System (RFC 1035; SRV: RFC 2782), as far as probes need
//! them. An answer comes from the network: nothing in it is trusted.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use snapdiag_bundle::records::ProbeOutcome;

/// Record type of IPv4 addresses.
pub(super) const A: u16 = 1;
/// Record type of IPv6 addresses.
pub(super) const AAAA: u16 = 28;
/// Record type of services.
pub(super) const SRV: u16 = 33;

const INTERNET: u16 = 1;
const HEADER: usize = 12;
/// Flags of a question: recursion desired.
const RECURSION: u16 = 0x0100;
const RESPONSE: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
/// Most bytes of a name, and of one label.
const NAME: usize = 255;
const LABEL: usize = 63;
/// How often a name may continue elsewhere; each time further ahead in the message.
const JUMPS: u32 = 32;
/// Most values that are kept of one answer.
const VALUES: usize = 32;

/// A question.
pub(super) struct Question<'a> {
    pub(super) id: u16,
    pub(super) name: &'a str,
    pub(super) record_type: u16,
}

/// What a packet is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The answer to the question.
    Answer {
        outcome: ProbeOutcome,
        /// More would come over TCP.
        truncated: bool,
    },
    /// Something else: another id or question, or no message at all.
    Foreign,
}

impl Question<'_> {
    /// The packet that asks; `None` for a text that is no name.
    pub(super) fn packet(&self) -> Option<Vec<u8>> {
        let mut packet = Vec::with_capacity(HEADER + NAME);
        for number in [self.id, RECURSION, 1, 0, 0, 0] {
            packet.extend(number.to_be_bytes());
        }
        for label in self.name.trim_end_matches('.').split('.') {
            let length = u8::try_from(label.len()).ok()?;
            if label.is_empty() || label.len() > LABEL {
                return None;
            }
            packet.push(length);
            packet.extend(label.bytes());
        }
        packet.push(0);
        if packet.len() > HEADER + NAME {
            return None;
        }
        packet.extend(self.record_type.to_be_bytes());
        packet.extend(INTERNET.to_be_bytes());
        Some(packet)
    }

    /// Reads a packet.
    pub(super) fn read(&self, packet: &[u8]) -> Reading {
        self.try_read(packet).unwrap_or(Reading::Foreign)
    }

    fn try_read(&self, packet: &[u8]) -> Option<Reading> {
        let mut message = Message { packet, at: 0 };
        let (id, flags) = (message.number()?, message.number()?);
        let (questions, answers) = (message.number()?, message.number()?);
        message.at = HEADER;
        if id != self.id || flags & RESPONSE == 0 {
            return None;
        }
        let rcode = flags & 0xf;
        // Some servers that will not answer do not repeat the question either.
        if !(questions == 0 && rcode != 0) {
            let name = message.name()?;
            let same = name.eq_ignore_ascii_case(self.name.trim_end_matches('.'));
            let kind = (message.number()?, message.number()?);
            if questions != 1 || !same || kind != (self.record_type, INTERNET) {
                return None;
            }
        }
        let truncated = flags & TRUNCATED != 0;
        let outcome = match rcode {
            0 => match self.values(&mut message, answers) {
                (values, true) if values.is_empty() && !truncated => ProbeOutcome::NoData,
                (values, whole) if whole || truncated => ProbeOutcome::Answered { values },
                _ => ProbeOutcome::Malformed,
            },
            2 => ProbeOutcome::Servfail,
            3 => ProbeOutcome::Nxdomain,
            5 => ProbeOutcome::Refused { code: None },
            rcode => ProbeOutcome::OtherAnswer { rcode },
        };
        Some(Reading::Answer { outcome, truncated })
    }

    /// The values of the wanted type, and whether all records could be read.
    fn values(&self, message: &mut Message<'_>, answers: u16) -> (Vec<String>, bool) {
        let mut values = Vec::new();
        let whole = (0..answers).all(|_| self.record(message, &mut values).is_some());
        values.truncate(VALUES);
        (values, whole)
    }

    /// Reads a record and adds its value, if it has the wanted type. There are no more of them than
    /// a packet holds.
    fn record(&self, message: &mut Message<'_>, values: &mut Vec<String>) -> Option<()> {
        message.name()?;
        let (kind, class) = (message.number()?, message.number()?);
        message.take(4)?;
        let length = usize::from(message.number()?);
        let end = message.at.checked_add(length)?;
        let mut data = Message {
            packet: message.packet.get(..end)?,
            at: message.at,
        };
        if (kind, class) == (self.record_type, INTERNET) {
            values.push(data.value(kind)?);
        }
        message.at = end;
        Some(())
    }
}

struct Message<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Message<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.packet.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    /// The data of a record that ends with the packet.
    fn value(&mut self, kind: u16) -> Option<String> {
        let rest = self.packet.get(self.at..)?;
        match kind {
            A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(rest).ok()?).to_string()),
            AAAA => Some(Ipv6Addr::from(<[u8; 16]>::try_from(rest).ok()?).to_string()),
            SRV => {
                let (priority, weight, port) = (self.number()?, self.number()?, self.number()?);
                Some(format!("{priority} {weight} {port} {}", self.name()?))
            }
            _ => None,
        }
    }

    /// A name, dots between its labels. It may continue at an earlier place of the message.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut at = self.at;
        let mut earliest = self.at;
        let mut jumps = 0;
        let mut length = 0;
        loop {
            let first = *self.packet.get(at)?;
            match first >> 6 {
                0 if first == 0 => {
                    if jumps == 0 {
                        self.at = at + 1;
                    }
                    return Some(name);
                }
                0 => {
                    let end = at + 1 + usize::from(first);
                    let label = self.packet.get(at + 1..end)?;
                    length += label.len() + 1;
                    if length > NAME {
                        return None;
                    }
                    if !name.is_empty() {
                        name.push('.');
                    }
                    write_label(&mut name, label);
                    at = end;
                }
                3 => {
                    let low = *self.packet.get(at + 1)?;
                    let target = usize::from(u16::from_be_bytes([first & 0x3f, low]));
                    if jumps == 0 {
                        self.at = at + 2;
                    }
                    jumps += 1;
                    if target >= earliest || jumps > JUMPS {
                        return None;
                    }
                    (at, earliest) = (target, target);
                }
                _ => return None,
            }
        }
    }
}

/// Writes a label; what is no plain character becomes `\DDD`, as in zone files.
fn write_label(name: &mut String, label: &[u8]) {
    for &byte in label {
        if byte.is_ascii_graphic() && byte != b'.' && byte != b'\\' {
            name.push(byte.into());
        } else {
            // Writing to a string cannot fail.
            let _ = write!(name, "\\{byte:03}");
        }
    }
}

#[cfg(test)]
mod tests;
