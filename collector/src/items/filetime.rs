//! Times as Windows counts them.

use jiff::Timestamp;

/// From 1601-01-01 to 1970-01-01, in units of 100 ns.
const UNIX_EPOCH: i128 = 116_444_736_000_000_000;

/// The moment of a FILETIME (100 ns since 1601, UTC); `None` for 0, which means "never", and
/// beyond what a timestamp can hold.
pub(super) fn timestamp(filetime: u64) -> Option<Timestamp> {
    if filetime == 0 {
        return None;
    }
    Timestamp::from_nanosecond((i128::from(filetime) - UNIX_EPOCH) * 100).ok()
}

/// Units of 100 ns as whole milliseconds.
pub(super) fn milliseconds(units: u64) -> u64 {
    units / 10_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filetime_is_a_moment_or_never() {
        assert_eq!(timestamp(0), None);
        assert_eq!(timestamp(u64::MAX), None);
        let known = timestamp(133_444_736_000_000_000).map(|time| time.to_string());
        assert_eq!(known.as_deref(), Some("2023-11-14T22:13:20Z"));
        assert_eq!(milliseconds(19_999), 1);
    }
}
