//! The text of `ipconfig /all`, in any language.
//!
//! A block begins with a line that is not indented and ends in a colon. In it, by shape: a MAC
//! address is six pairs of digits; an IPv4 address is the dotted quad before a mask; the gateway
//! is what follows the mask, or the lines of the lease after it: the next line whose value is an
//! address or empty, with the lines below that hold an address and no label.

use std::net::{IpAddr, Ipv4Addr};

use nom::bytes::complete::{tag, take_until};
use nom::character::complete::{not_line_ending, space0};
use nom::{IResult, Parser};

/// The block of an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line of its heading, from 1.
    pub line: u32,
    /// The heading, without the colon.
    pub heading: String,
    /// MAC address, lower-case hex; `None` for a tunnel, whose address is longer.
    pub mac: Option<String>,
    /// IPv4 addresses and the lengths of their prefixes.
    pub addresses: Vec<(Ipv4Addr, u8)>,
    /// IPv4 gateways.
    pub gateways: Vec<Ipv4Addr>,
}

/// What is expected of the next line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// Nothing of interest.
    Any,
    /// The mask of an address.
    Mask(Ipv4Addr),
    /// The gateway, behind the lines of a lease.
    Gateway,
    /// Another gateway, without a label.
    MoreGateways,
}

/// Reads the blocks; the first, of the machine itself, is among them where it has a heading.
pub fn parse(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut next = Next::Any;
    for (number, line) in (1..=u32::MAX).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        if !line.starts_with([' ', '\t']) {
            if let Some(heading) = line.trim_end().strip_suffix([':', '：']) {
                blocks.push(Block {
                    line: number,
                    heading: heading.trim().to_owned(),
                    mac: None,
                    addresses: Vec::new(),
                    gateways: Vec::new(),
                });
            }
            next = Next::Any;
            continue;
        }
        if let Some(block) = blocks.last_mut() {
            next = block.line(line, next);
        }
    }
    blocks
}

impl Block {
    fn line(&mut self, line: &str, next: Next) -> Next {
        let labelled: IResult<&str, &str> = labelled(line);
        let (value, has_label) = match labelled {
            Ok((_, value)) => (value.trim(), true),
            Err(_) => (line.trim(), false),
        };
        if let Some(mac) = mac(value) {
            self.mac = self.mac.take().or(Some(mac));
            return Next::Any;
        }
        let address = address(value);
        match (next, address) {
            (Next::Mask(own), Some(IpAddr::V4(mask))) if is_mask(mask) => {
                // At most 32.
                let length = u8::try_from(u32::from(mask).leading_ones()).unwrap_or(32);
                self.addresses.push((own, length));
                Next::Gateway
            }
            // A second address of the interface comes before its own mask.
            (Next::Gateway | Next::MoreGateways, Some(found))
                if has_label || next == Next::MoreGateways =>
            {
                if has_label && next == Next::MoreGateways {
                    return Next::Any;
                }
                self.gateways.extend(v4(found));
                Next::MoreGateways
            }
            (Next::Gateway, None) if has_label && value.is_empty() => Next::Any,
            (Next::Gateway, None) => Next::Gateway,
            (Next::Any, Some(IpAddr::V4(own))) if has_label => Next::Mask(own),
            _ => Next::Any,
        }
    }
}

fn v4(address: IpAddr) -> Option<Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

/// The value behind `. :`.
fn labelled(input: &str) -> IResult<&str, &str> {
    let (rest, (_, _, _, value)) =
        (take_until(" :"), tag(" :"), space0, not_line_ending).parse(input)?;
    Ok((rest, value))
}

/// An address, without the remark in brackets and the zone behind it.
fn address(value: &str) -> Option<IpAddr> {
    let end = value.find(['(', '%', ' ']).unwrap_or(value.len());
    value.get(..end)?.parse().ok()
}

fn is_mask(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    bits.leading_ones() + bits.trailing_zeros() == 32 && bits != 0
}

fn mac(value: &str) -> Option<String> {
    let pairs: Vec<&str> = value.split('-').collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|c| c.is_ascii_hexdigit());
    (pairs.len() == 6 && pairs.iter().all(is_pair)).then(|| pairs.concat().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(name: &str) -> Option<Vec<Block>> {
        let folder = snapdiag_tests::captures()?.join("text/kellyjonbrazil-jc");
        let bytes = std::fs::read(folder.join(name)).unwrap();
        Some(parse(&String::from_utf8_lossy(&bytes)))
    }

    type Short = (Option<String>, Vec<String>, Vec<String>);

    fn with_address(blocks: &[Block]) -> Vec<Short> {
        let blocks = blocks.iter().filter(|block| !block.addresses.is_empty());
        blocks
            .map(|block| {
                let addresses = block.addresses.iter();
                (
                    block.mac.clone(),
                    addresses
                        .map(|(address, length)| format!("{address}/{length}"))
                        .collect(),
                    block.gateways.iter().map(ToString::to_string).collect(),
                )
            })
            .collect()
    }

    fn short(mac: &str, address: &str, gateways: &[&str]) -> Short {
        let mac = (!mac.is_empty()).then(|| mac.to_owned());
        let gateways = gateways.iter().map(|one| (*one).to_owned()).collect();
        (mac, vec![address.to_owned()], gateways)
    }

    #[test]
    fn real_texts() {
        let Some(server) = captured("windows-2016__ipconfig.out") else {
            return;
        };
        let expected = short("000c29d6122e", "192.168.22.153/24", &["192.168.22.1"]);
        assert_eq!(with_address(&server), [expected]);
        let ten = captured("windows-10__ipconfig.out").unwrap();
        let ten = with_address(&ten);
        // A tunnel without gateway, whose name servers must not be taken for one.
        assert!(
            ten.contains(&short("", "100.115.71.66/32", &[])),
            "{ten:#?}"
        );
        let card = short("f8e43badf26d", "10.50.13.132/24", &["10.50.13.1"]);
        assert!(ten.contains(&card), "{ten:#?}");
        for name in ["windows-7__ipconfig.out", "windows-xp__ipconfig.out"] {
            let blocks = with_address(&captured(name).unwrap());
            assert!(!blocks.is_empty(), "{name}");
        }
    }

    #[test]
    fn another_language_and_a_gateway_of_each_family() {
        let text = "Ethernet-Adapter Ethernet:\n\n   Physische Adresse . . . . . : 52-54-00-11-22-33\n   IPv4-Adresse  . . . . . . . : 10.0.0.4(Bevorzugt)\n   Subnetzmaske  . . . . . . . : 255.255.255.0\n   Lease erhalten. . . . . . . : Montag, 2. M\u{e4}rz 2026 10:00:00\n   Standardgateway . . . . . . : fe80::1%7\n                                 10.0.0.1\n   DHCP-Server . . . . . . . . : 10.0.0.2\n   DNS-Server  . . . . . . . . : 10.0.0.3\n";
        let expected = short("525400112233", "10.0.0.4/24", &["10.0.0.1"]);
        assert_eq!(with_address(&parse(text)), [expected]);
    }
}
