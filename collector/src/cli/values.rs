//! The values of options.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::plan;

/// From when on events are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So long before the run.
    Ago(Duration),
    /// From that moment on.
    At(Timestamp),
}

impl Since {
    /// The moment that it means in a run that starts now.
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(moment) => moment,
            Self::Ago(age) => SignedDuration::try_from(age)
                .ok()
                .and_then(|age| now.checked_sub(age).ok())
                .unwrap_or(Timestamp::MIN),
        }
    }
}

/// Reads an age, a date or a moment.
pub(super) fn since(text: &str) -> Result<Since, String> {
    if let Some(age) = duration(text, 'd') {
        return Ok(Since::Ago(age));
    }
    let moment = text.parse::<Timestamp>().ok().or_else(|| {
        let day = text.parse::<Date>().ok()?;
        Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    moment.map(Since::At).ok_or_else(|| {
        "neither an age (12h, 30d, 8w) nor a date (2026-11-01, 2026-11-01T08:00:00Z)".to_owned()
    })
}

/// Reads the time for a run.
pub(super) fn deadline(text: &str) -> Result<Duration, String> {
    duration(text, 's')
        .filter(|time| !time.is_zero())
        .ok_or_else(|| "not a time such as 120 (seconds), 90s, 5m or 1h".to_owned())
}

/// Reads the name of an item or of a family of items.
pub(super) fn item(text: &str) -> Result<String, String> {
    if plan::is_known(text) {
        Ok(text.to_owned())
    } else {
        Err("no such item; --list names them".to_owned())
    }
}

/// A whole number and a unit; without one it is in `unit`.
fn duration(text: &str, unit: char) -> Option<Duration> {
    let (number, unit) = match text.char_indices().next_back()? {
        (_, digit) if digit.is_ascii_digit() => (text, unit),
        (at, letter) => (text.get(..at)?, letter),
    };
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let number: u32 = number.parse().ok()?;
    Some(Duration::from_secs(seconds.checked_mul(number.into())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_times_have_units() {
        let seconds = |text| duration(text, 'd').map(|time| time.as_secs());
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("12h"), Some(43_200));
        assert_eq!(seconds("30"), seconds("30d"));
        assert_eq!(seconds("2w"), Some(1_209_600));
        for bad in [
            "",
            "d",
            "-1d",
            "1.5h",
            "5 m",
            "5y",
            "99999999999d",
            "1\u{e9}",
        ] {
            assert_eq!(seconds(bad), None, "{bad:?}");
        }
        assert!(deadline("0s").is_err());
    }

    #[test]
    fn a_start_of_events_is_an_age_or_a_date() {
        let now: Timestamp = "2026-11-26T12:00:00Z".parse().unwrap();
        let from = |text| since(text).unwrap().before(now).to_string();
        assert_eq!(from("30d"), "2026-10-27T12:00:00Z");
        assert_eq!(from("2026-11-01"), "2026-11-01T00:00:00Z");
        assert_eq!(from("2026-11-01T08:30:00Z"), "2026-11-01T08:30:00Z");
        assert_eq!(since("4000000000d").unwrap().before(now), Timestamp::MIN);
        assert!(since("yesterday").is_err());
    }
}
