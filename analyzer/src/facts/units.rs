//! Numbers and their units.

/// Bytes in a MiB.
pub const MIB: f64 = 1_048_576.0;
/// Bytes in a GiB.
pub const GIB: f64 = 1_073_741_824.0;

/// A count or a number of bytes for comparison and display. Exact up to 2^53, which is 8 PiB.
#[allow(
    clippy::cast_precision_loss,
    reason = "a figure beyond 2^53 is compared with limits that are far below it"
)]
pub fn float(number: u64) -> f64 {
    number as f64
}

/// Bytes in words: `512 MiB`, `7.8 GiB`.
pub fn bytes(number: f64) -> String {
    if number >= GIB {
        format!("{:.1} GiB", number / GIB)
    } else {
        format!("{:.0} MiB", number / MIB)
    }
}
