//! The statements of a registry text, with nom.
//!
//! The dialects differ in escapes, in what `str(…)` and `#` mean, and in the code page of hex
//! strings; the shape is the same.

use encoding_rs::Encoding;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_while_m_n};
use nom::character::complete::{char, hex_digit1, line_ending, space0};
use nom::combinator::{eof, map, map_opt, map_res, not, opt, value};
use nom::multi::separated_list0;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::TextFormat;
use super::escapes::{quoted_length, unescape_regedit, unescape_wine};

/// One statement of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// An empty line or a comment.
    Nothing,
    /// `[path]`, with the seconds since 1970 that Wine writes behind it.
    Key { path: String, seconds: Option<i64> },
    /// `[-path]`
    DeleteKey(String),
    /// `"name"=data`; the default value has the name `""`.
    Value { name: String, data: Data },
    /// `"name"=-`
    DeleteValue(String),
    /// `#time=`: when the key was last written, as a FILETIME (Wine).
    Time(u64),
    /// `#class=` (Wine).
    Class(String),
    /// `;; All keys relative to …` (Wine).
    Base(String),
}

/// The data of a value, with the number of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) kind: u32,
    pub(super) bytes: Vec<u8>,
}

/// What a text is written in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) format: TextFormat,
    /// The code page of hex strings in `REGEDIT4`.
    pub(super) code_page: &'static Encoding,
}

/// The type numbers whose data is text.
const STRINGS: [u32; 3] = [1, 2, 7];

impl Dialect {
    /// Reads one statement and the end of its line.
    pub(super) fn statement(self, input: &str) -> IResult<&str, Statement> {
        let body = alt((
            |input| self.note(input),
            |input| self.key(input),
            |input| self.value(input),
            value(Statement::Nothing, tag("")),
        ));
        let comment = opt(pair(char(';'), take_till(is_line_end)));
        let end = (space0, comment, alt((value((), line_end), value((), eof))));
        delimited(space0, body, end).parse(input)
    }

    /// A line of Wine's that starts with `#`, or its line about the key that all are below.
    fn note(self, input: &str) -> IResult<&str, Statement> {
        let rest_of_line = |input| take_till(is_line_end).parse(input);
        let (rest, ()) = value((), |input| self.only(TextFormat::Wine, input)).parse(input)?;
        let base = preceded(tag(";; All keys relative to "), rest_of_line);
        alt((
            map(base, |path: &str| {
                Statement::Base(unescape_wine(path.trim()))
            }),
            map(preceded(tag("#time="), number), Statement::Time),
            map(
                preceded(tag("#class="), |i| self.quoted(i)),
                Statement::Class,
            ),
            value(Statement::Nothing, pair(char('#'), rest_of_line)),
        ))
        .parse(rest)
    }

    /// Consumes nothing; fails in every other format.
    fn only(self, format: TextFormat, input: &str) -> IResult<&str, &str> {
        map_opt(tag(""), |nothing| {
            (self.format == format).then_some(nothing)
        })
        .parse(input)
    }

    fn key(self, input: &str) -> IResult<&str, Statement> {
        let (rest, line) = preceded(char('['), take_till(is_line_end)).parse(input)?;
        let wine = self.format == TextFormat::Wine;
        // A name may hold a bracket. Wine escapes it; elsewhere the last one of the line closes.
        let close = if wine {
            quoted_length(line, ']')
        } else {
            line.rfind(']')
        };
        let parts = close.and_then(|close| Some((line.get(..close)?, line.get(close + 1..)?)));
        let Some((path, behind)) = parts else {
            return tag("]")
                .parse(rest)
                .map(|(rest, _)| (rest, Statement::Nothing));
        };
        let statement = match path.strip_prefix('-') {
            Some(path) if !wine => Statement::DeleteKey(path.to_owned()),
            _ => Statement::Key {
                path: if wine {
                    unescape_wine(path)
                } else {
                    path.to_owned()
                },
                seconds: behind
                    .split_whitespace()
                    .next()
                    .and_then(|first| first.parse().ok()),
            },
        };
        Ok((rest, statement))
    }

    fn value(self, input: &str) -> IResult<&str, Statement> {
        let default = value(String::new(), char('@'));
        let name = alt((default, |input| self.quoted(input)));
        let equals = delimited(space0, char('='), space0);
        let (rest, name) = terminated(name, equals).parse(input)?;
        let (rest, data) =
            alt((value(None, char('-')), map(|i| self.data(i), Some))).parse(rest)?;
        let statement = match data {
            Some(data) => Statement::Value { name, data },
            None => Statement::DeleteValue(name),
        };
        Ok((rest, statement))
    }

    fn data(self, input: &str) -> IResult<&str, Data> {
        let kind = delimited(char('('), number32, char(')'));
        let text_kind = delimited(tag("str"), opt(kind), char(':'));
        let text = pair(alt((text_kind, value(None, tag("")))), |input| {
            self.quoted(input)
        });
        let kind = delimited(char('('), number32, char(')'));
        let bytes = pair(delimited(tag("hex"), opt(kind), char(':')), byte_list);
        alt((
            map(preceded(tag("dword:"), number32), |number| Data {
                kind: 4,
                bytes: number.to_le_bytes().to_vec(),
            }),
            map(text, |(kind, text)| Data {
                kind: kind.unwrap_or(1),
                bytes: utf16(text.encode_utf16().chain([0])),
            }),
            map(bytes, |(kind, bytes)| self.hex(kind.unwrap_or(3), bytes)),
        ))
        .parse(input)
    }

    /// The data of a byte list. `REGEDIT4` writes the text types in its code page.
    fn hex(self, kind: u32, bytes: Vec<u8>) -> Data {
        let is_ansi = self.format == TextFormat::Regedit4 && STRINGS.contains(&kind);
        let bytes = if is_ansi {
            let (text, _) = self.code_page.decode_without_bom_handling(&bytes);
            utf16(text.encode_utf16())
        } else {
            bytes
        };
        Data { kind, bytes }
    }

    /// A string in quotes, which may span lines, without its escapes.
    fn quoted(self, input: &str) -> IResult<&str, String> {
        let (rest, _) = char('"').parse(input)?;
        let end = quoted_length(rest, '"').unwrap_or(rest.len());
        let (text, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let text = match self.format {
            TextFormat::Wine => unescape_wine(text),
            _ => unescape_regedit(text),
        };
        char('"').parse(rest).map(|(rest, _)| (rest, text))
    }
}

/// Bytes in hex between commas; a backslash at the end of a line continues on the next.
fn byte_list(input: &str) -> IResult<&str, Vec<u8>> {
    let hex = |c: char| c.is_ascii_hexdigit();
    let byte = map_res(take_while_m_n(1, 2, hex), |text| {
        u8::from_str_radix(text, 16)
    });
    let comma = delimited(gap, char(','), gap);
    terminated(
        preceded(gap, separated_list0(comma, byte)),
        (gap, opt(char(',')), gap),
    )
    .parse(input)
}

/// Spaces and continued lines.
fn gap(input: &str) -> IResult<&str, ()> {
    let mut rest = space0.parse(input)?.0;
    while let Ok((next, _)) = continued(rest) {
        rest = space0.parse(next)?.0;
    }
    Ok((rest, ()))
}

fn continued(input: &str) -> IResult<&str, &str> {
    delimited((char('\\'), space0), line_end, not(eof)).parse(input)
}

fn line_end(input: &str) -> IResult<&str, &str> {
    alt((line_ending, tag("\r"))).parse(input)
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\r' | '\n')
}

fn number(input: &str) -> IResult<&str, u64> {
    map_res(hex_digit1, |text| u64::from_str_radix(text, 16)).parse(input)
}

fn number32(input: &str) -> IResult<&str, u32> {
    map_res(hex_digit1, |text| u32::from_str_radix(text, 16)).parse(input)
}

fn utf16(units: impl Iterator<Item = u16>) -> Vec<u8> {
    units.flat_map(u16::to_le_bytes).collect()
}
