//! The text of `netsh int ipv4|ipv6 show dynamicport|excludedportrange tcp|udp`, in any language.
//!
//! Only numbers and the words `tcp`, `udp`, `ipv4`, `ipv6` count; netsh translates none of these.
//! A dynamic range is two lines that end in a colon and a number: first port, number of ports. A
//! table of excluded ranges stands under a rule of two columns, each row two ports and perhaps a
//! `*`. netsh does not print the family: it is that of the command where the text shows one, else
//! the first block of a protocol is IPv4 and the second IPv6.

use nom::bytes::complete::is_not;
use nom::character::complete::{char, one_of, space0, space1, u32 as number};
use nom::combinator::{all_consuming, map, opt, value};
use nom::multi::many1_count;
use nom::sequence::delimited;
use nom::{IResult, Parser, branch::alt};

use super::netstat::Protocol;

/// What the text holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortRanges {
    /// Dynamic ranges, in order.
    pub dynamic: Vec<Range>,
    /// Excluded ranges, in order.
    pub excluded: Vec<Range>,
    /// Protocol and family of every table of excluded ranges, empty ones included.
    pub tables: Vec<(Protocol, Family)>,
    /// Lines with numbers that make no range.
    pub malformed: Vec<u32>,
}

/// Internet protocol version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The line that gives its first port, from 1.
    pub line: u32,
    /// Protocol.
    pub protocol: Protocol,
    /// Family.
    pub family: Family,
    /// First port.
    pub first: u16,
    /// Last port, included.
    pub last: u16,
}

/// A line by its shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `label : number`.
    Labelled(u32),
    /// `first last`, perhaps with `*`.
    Pair(u32, u32),
    /// A rule of two columns.
    Columns,
    /// Anything else.
    Words,
}

/// What was read of the block at hand.
#[derive(Default)]
struct Block {
    family: Option<Family>,
    protocol: Option<Protocol>,
    /// First port of a dynamic range and its line.
    start: Option<(u32, u32)>,
    /// Protocol and family of the table of excluded ranges at hand.
    table: Option<(Protocol, Family)>,
}

impl PortRanges {
    /// Reads the text.
    pub fn parse(text: &str) -> Self {
        let mut ranges = Self::default();
        let mut block = Block::default();
        for (line, text) in (1..=u32::MAX).zip(text.lines()) {
            match shape(text.trim()) {
                Shape::Words => block.heading(text),
                Shape::Columns => ranges.begin_table(&mut block),
                Shape::Labelled(number) => ranges.labelled(&mut block, line, number),
                Shape::Pair(first, last) => ranges.pair(&block, line, first, last),
            }
        }
        ranges
    }

    fn begin_table(&mut self, block: &mut Block) {
        block.table = block.protocol.map(|protocol| {
            let before = self.tables.iter().filter(|table| table.0 == protocol);
            (protocol, block.family.unwrap_or(nth(before.count())))
        });
        self.tables.extend(block.table);
    }

    fn labelled(&mut self, block: &mut Block, line: u32, number: u32) {
        let (Some(protocol), Some((start, first))) = (block.protocol, block.start.take()) else {
            block.start = Some((line, number));
            return;
        };
        let before = self
            .dynamic
            .iter()
            .filter(|range| range.protocol == protocol);
        let family = block.family.unwrap_or(nth(before.count()));
        let last = first.checked_add(number).and_then(|end| end.checked_sub(1));
        match range(start, protocol, family, first, last) {
            Some(range) => self.dynamic.push(range),
            None => self.malformed.push(start),
        }
    }

    fn pair(&mut self, block: &Block, line: u32, first: u32, last: u32) {
        let range = block
            .table
            .and_then(|(protocol, family)| range(line, protocol, family, first, Some(last)));
        match range {
            Some(range) => self.excluded.push(range),
            None => self.malformed.push(line),
        }
    }
}

impl Block {
    /// Takes protocol and family from a line of words.
    fn heading(&mut self, text: &str) {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            match word.to_ascii_lowercase().as_str() {
                "ipv4" => self.family = Some(Family::V4),
                "ipv6" => self.family = Some(Family::V6),
                "tcp" => self.begin(Protocol::Tcp),
                "udp" => self.begin(Protocol::Udp),
                _ => {}
            }
        }
    }

    fn begin(&mut self, protocol: Protocol) {
        self.protocol = Some(protocol);
        self.start = None;
        self.table = None;
    }
}

/// The family of the block that has so many of its protocol before it.
fn nth(before: usize) -> Family {
    if before == 0 { Family::V4 } else { Family::V6 }
}

fn range(
    line: u32,
    protocol: Protocol,
    family: Family,
    first: u32,
    last: Option<u32>,
) -> Option<Range> {
    let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last?).ok()?);
    (first <= last).then_some(Range {
        line,
        protocol,
        family,
        first,
        last,
    })
}

fn shape(line: &str) -> Shape {
    let mut any = all_consuming(alt((labelled, pair, columns)));
    let parsed: IResult<&str, Shape> = any.parse(line);
    parsed.map_or(Shape::Words, |(_, shape)| shape)
}

fn labelled(input: &str) -> IResult<&str, Shape> {
    let (rest, (_, _, _, number)) = (is_not(":："), one_of(":："), space0, number).parse(input)?;
    Ok((rest, Shape::Labelled(number)))
}

fn pair(input: &str) -> IResult<&str, Shape> {
    let star = opt(delimited(space0, char('*'), space0));
    map((number, space1, number, star), |(first, _, last, _)| {
        Shape::Pair(first, last)
    })
    .parse(input)
}

fn columns(input: &str) -> IResult<&str, Shape> {
    let dashes = || many1_count(char('-'));
    value(Shape::Columns, (dashes(), space1, dashes())).parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of netsh as people quote them, one after the other.
    const ENGLISH: &str = "\r
Protocol tcp Dynamic Port Range\r
---------------------------------\r
Start Port      : 49152\r
Number of Ports : 16384\r
\r
\r
Protocol udp Dynamic Port Range\r
---------------------------------\r
Start Port      : 1025\r
Number of Ports : 3976\r
\r
\r
Protocol tcp Dynamic Port Range\r
---------------------------------\r
Start Port      : 10000\r
Number of Ports : 55536\r
\r
\r
Protocol tcp Port Exclusion Ranges\r
\r
Start Port    End Port      \r
----------    --------      \r
      5357        5357      \r
     50000       50059     *\r
\r
* - Administered port exclusions.\r
\r
Protocol tcp Port Exclusion Ranges\r
\r
Start Port    End Port      \r
----------    --------      \r
\r
* - Administered port exclusions.\r
";

    fn short(range: &Range) -> (Protocol, Family, u16, u16) {
        (range.protocol, range.family, range.first, range.last)
    }

    #[test]
    fn ranges_are_read_by_position() {
        let ranges = PortRanges::parse(ENGLISH);
        let dynamic: Vec<_> = ranges.dynamic.iter().map(short).collect();
        assert_eq!(
            dynamic,
            [
                (Protocol::Tcp, Family::V4, 49152, 65535),
                (Protocol::Udp, Family::V4, 1025, 5000),
                (Protocol::Tcp, Family::V6, 10000, 65535),
            ]
        );
        assert_eq!(ranges.dynamic.first().map(|range| range.line), Some(4));
        let excluded: Vec<_> = ranges.excluded.iter().map(short).collect();
        assert_eq!(
            excluded,
            [
                (Protocol::Tcp, Family::V4, 5357, 5357),
                (Protocol::Tcp, Family::V4, 50000, 50059),
            ]
        );
        let tables = [(Protocol::Tcp, Family::V4), (Protocol::Tcp, Family::V6)];
        assert_eq!(ranges.tables, tables);
        assert_eq!(ranges.malformed, [0; 0]);
    }

    #[test]
    fn another_language_reads_the_same() {
        let chinese = "协议 tcp 动态端口范围\n------------\n启动端口        : 49152\n端口数          ：16384\n";
        let german = "Protokoll TCP - Dynamischer Portbereich\n----\nStartport : 49152\nAnzahl von Ports : 16384\n";
        for text in [chinese, german] {
            let ranges = PortRanges::parse(text);
            let dynamic: Vec<_> = ranges.dynamic.iter().map(short).collect();
            assert_eq!(dynamic, [(Protocol::Tcp, Family::V4, 49152, 65535)]);
        }
    }

    #[test]
    fn the_commands_tell_the_family_where_they_stand_in_the_text() {
        let text = "> netsh int ipv6 show dynamicport udp\n\nProtocol udp Dynamic Port Range\nStart Port : 2000\nNumber of Ports : 300\n";
        let dynamic: Vec<_> = PortRanges::parse(text).dynamic.iter().map(short).collect();
        assert_eq!(dynamic, [(Protocol::Udp, Family::V6, 2000, 2299)]);
    }

    #[test]
    fn impossible_numbers_are_no_range() {
        let text = "tcp\na : 60000\nb : 16384\ntcp\na : 0\nb : 0\ntcp\n-- --\n 9 8\n70000 70001\n";
        let ranges = PortRanges::parse(text);
        assert_eq!((ranges.dynamic.len(), ranges.excluded.len()), (0, 0));
        assert_eq!(ranges.malformed, [2, 5, 9, 10]);
        assert_eq!(PortRanges::parse("4 5\n").malformed, [1]);
        assert_eq!(PortRanges::parse("99999999999 1\n").malformed, [0; 0]);
    }
}
