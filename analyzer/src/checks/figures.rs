//! Figures in comparisons and in words.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// A count as a number to compare thresholds with; exact below 2^53.
pub fn real(count: u64) -> f64 {
    let low = u32::try_from(count & u64::from(u32::MAX)).map_or(0.0, f64::from);
    let high = u32::try_from(count >> 32).map_or(0.0, f64::from);
    high * 4_294_967_296.0 + low
}

/// Bytes in words, cut to one decimal: `3.9 GiB`.
pub fn size(bytes: u64) -> String {
    let (unit, name) = match bytes {
        GIB.. => (GIB, "GiB"),
        MIB.. => (MIB, "MiB"),
        KIB.. => (KIB, "KiB"),
        _ => return format!("{bytes} bytes"),
    };
    let tenths = bytes % unit * 10 / unit;
    match tenths {
        0 => format!("{} {name}", bytes / unit),
        _ => format!("{}.{tenths} {name}", bytes / unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_become_numbers() {
        for (count, number) in [
            (0, 0.0),
            (u64::from(u32::MAX), 4_294_967_295.0),
            (1 << 32, 4_294_967_296.0),
            ((1 << 53) - 1, 9_007_199_254_740_991.0),
        ] {
            assert!((real(count) - number).abs() < f64::EPSILON, "{count}");
        }
    }

    #[test]
    fn sizes_are_cut_not_rounded() {
        assert_eq!(size(0), "0 bytes");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(512 << 20), "512 MiB");
        assert_eq!(size((8 << 30) - 1), "7.9 GiB");
        assert_eq!(size(8 << 30), "8 GiB");
        assert_eq!(size(u64::MAX), "17179869183.9 GiB");
    }
}
