//! Counters over time as text: what `typeperf`, `logman` and `relog` write (`-f CSV`, `-f TSV`).
//!
//! The header is `"(PDH-CSV 4.0)"`, perhaps with the time zone and its bias, and the path of each
//! counter; every further line is a sample: the local time and a value for each counter. Every
//! field stands in double quotes (Microsoft, Platform SDK, "Log File Formats"). What depends on
//! the locale is taken as it comes: the separator is what follows the first field (comma, tab,
//! semicolon), a value's decimal mark is `.` or `,`, and `" "` is a sample without a value. Local
//! times are in the order of the locale, repeat and jump with daylight saving: they only tell how
//! far samples are apart. Programs add lines of their own in the language of the system; a program
//! that was ended leaves a line that breaks off.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till};
use nom::character::complete::{char, digit0, digit1, one_of};
use nom::combinator::{all_consuming, map, map_res, opt};
use nom::multi::{count, many0};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use super::lines::Lines;

/// How many counters a text may have. Every counter of every process of a busy server are fewer.
const MAX_COLUMNS: usize = 16_384;
/// How many samples are kept: one a second for a day, and some.
const MAX_SAMPLES: usize = 100_000;
/// How many values are kept, of all samples together; 64 MB.
const MAX_VALUES: usize = 4_000_000;
/// What a header begins with.
const MARKS: [&str; 2] = ["\"(PDH-CSV", "\"(PDH-TSV"];

/// Counters over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CounterTable {
    /// The path of each counter, as it stands there: `\\HOST\Memory\Available MBytes`.
    pub paths: Vec<String>,
    /// In the order of the text.
    pub samples: Vec<Sample>,
    /// Seconds from one sample to the next: the median of those that two neighbours tell. `None`
    /// where no two do.
    pub interval_seconds: Option<f64>,
    /// Lines that begin like a sample and are none. Each is in `samples`, without values.
    pub malformed: Lines,
    /// Samples with a value that is no number; it counts as missing.
    pub bad_values: Lines,
    /// Lines of the program that wrote the text.
    pub other: Lines,
    /// Samples that were not read because there are too many.
    pub beyond: u64,
}

/// The counters at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sample {
    /// One for each path; empty where the line could not be read.
    pub values: Vec<Option<f64>>,
}

/// Why a text holds no counters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CounterTableError {
    /// No line begins as a header does.
    #[error("no header of a counter log")]
    NoHeader,
    /// The header names no counter, or cannot be read to its end.
    #[error("line {0}: the header of the counter log cannot be read")]
    Header(u32),
}

/// Whether a text begins as a counter log does, leaving out white space in front of it.
pub fn is_counter_log(text: &str) -> bool {
    is_header(text.trim_start())
}

fn is_header(line: &str) -> bool {
    MARKS.iter().any(|mark| line.starts_with(mark))
}

impl CounterTable {
    /// Reads the text.
    ///
    /// # Errors
    /// When there is no header, or it cannot be read.
    pub fn parse(text: &str) -> Result<Self, CounterTableError> {
        let mut lines = (1..=u32::MAX).zip(text.lines());
        let (number, first) = lines
            .find(|(_, line)| is_header(trim(line)))
            .ok_or(CounterTableError::NoHeader)?;
        let broken = CounterTableError::Header(number);
        let Ok((_, (separator, paths))) = header(trim(first)) else {
            return Err(broken);
        };
        if paths.is_empty() || paths.len() > MAX_COLUMNS {
            return Err(broken);
        }
        let mut table = Self {
            paths: paths.into_iter().map(str::to_owned).collect(),
            ..Self::default()
        };
        let mut times = Vec::new();
        for (number, line) in lines {
            // A log that was continued has its header again.
            if !trim(line).is_empty() && line != first {
                times.push(table.line(number, line, separator));
            }
        }
        table.interval_seconds = interval(&times);
        Ok(table)
    }

    /// Takes a line; returns the second of the day at which its sample was taken.
    fn line(&mut self, number: u32, text: &str, separator: char) -> Option<f64> {
        if !trim(text).starts_with('"') {
            self.other.add(number, text);
            return None;
        }
        let columns = self.paths.len();
        if self.samples.len() >= room(columns) {
            self.beyond += 1;
            return None;
        }
        let Ok((_, (time, fields))) = sample(trim(text), separator, columns) else {
            self.malformed.add(number, text);
            self.samples.push(Sample::default());
            return None;
        };
        let values: Vec<Result<Option<f64>, ()>> = fields.into_iter().map(value).collect();
        if values.iter().any(Result::is_err) {
            self.bad_values.add(number, text);
        }
        self.samples.push(Sample {
            values: values.into_iter().map(Result::unwrap_or_default).collect(),
        });
        second_of_day(time)
    }
}

/// How many samples of so many counters are kept.
fn room(columns: usize) -> usize {
    MAX_SAMPLES.min(MAX_VALUES / columns.max(1))
}

/// Without white space and the zeros that a file has behind its end when it grew in steps.
fn trim(line: &str) -> &str {
    line.trim_matches(|c: char| c == '\0' || (c != '\t' && c.is_whitespace()))
}

fn field(input: &str) -> IResult<&str, &str> {
    delimited(char('"'), take_till(|c| c == '"'), char('"')).parse(input)
}

/// The separator, and the paths of the counters.
fn header(line: &str) -> IResult<&str, (char, Vec<&str>)> {
    let (rest, _) = field(line)?;
    let (_, separator) = one_of(",;\t").parse(rest)?;
    let (rest, paths) = all_consuming(many0(preceded(char(separator), field))).parse(rest)?;
    Ok((rest, (separator, paths)))
}

/// The time and as many values as there are counters.
fn sample(line: &str, separator: char, columns: usize) -> IResult<&str, (&str, Vec<&str>)> {
    let values = count(preceded(char(separator), field), columns);
    all_consuming((field, values)).parse(line)
}

/// A value; `None` where the field is blank, an error where it is no finite number.
fn value(field: &str) -> Result<Option<f64>, ()> {
    let field = field.trim_matches(['\0', ' ']);
    if field.is_empty() {
        return Ok(None);
    }
    let (_, value) = all_consuming(number).parse(field).map_err(|_| ())?;
    value.is_finite().then_some(Some(value)).ok_or(())
}

/// Digits with one decimal mark of either kind; nothing groups them.
fn number(input: &str) -> IResult<&str, f64> {
    let sign = || map(opt(one_of("+-")), |sign| sign.unwrap_or('+'));
    let fraction = map(
        opt(preceded(one_of(".,"), digit0)),
        Option::unwrap_or_default,
    );
    let exponent = opt(preceded(one_of("eE"), (sign(), digit1)));
    map_res(
        (sign(), digit1, fraction, exponent),
        |(sign, whole, fraction, exponent)| {
            let (direction, power) = exponent.unwrap_or(('+', "0"));
            format!("{sign}{whole}.{fraction}e{direction}{power}").parse()
        },
    )
    .parse(input)
}

/// The second of the day behind a date in whatever order: `26.11.2026 18:16:07.123`. Half a day
/// of twelve hours is not told apart; only neighbours are compared.
fn second_of_day(time: &str) -> Option<f64> {
    let (_, clock) = time.trim().split_once(' ')?;
    let (_, (hour, minute, second, fraction)) = clock_time(clock.trim_start()).ok()?;
    let whole = |digits: &str, below: u32| {
        let number: u32 = digits.parse().ok()?;
        (number < below).then_some(f64::from(number))
    };
    let fraction: f64 = format!("0.{}", fraction.unwrap_or("0")).parse().ok()?;
    let seconds = whole(minute, 60)? * 60.0 + whole(second, 61)?;
    Some(whole(hour, 24)? * 3600.0 + seconds + fraction)
}

/// Hour, minute, second and the digits of its fraction; what follows is a word for half the day.
fn clock_time(input: &str) -> IResult<&str, (&str, &str, &str, Option<&str>)> {
    let mark = || alt((tag(":"), tag(".")));
    let fraction = preceded(one_of(".,:"), digit1);
    (
        digit1,
        preceded(mark(), digit1),
        preceded(mark(), digit1),
        opt(fraction),
    )
        .parse(input)
}

/// The median of what lies between neighbours, seconds; midnight may lie between them.
fn interval(times: &[Option<f64>]) -> Option<f64> {
    const DAY: f64 = 86_400.0;
    let mut steps: Vec<f64> = times
        .windows(2)
        .filter_map(|pair| match pair {
            [Some(from), Some(to)] => Some((to - from).rem_euclid(DAY)),
            _ => None,
        })
        .collect();
    steps.sort_by(f64::total_cmp);
    // The smaller one of the middle two: one jump of two steps is no median.
    steps.get(steps.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests;
