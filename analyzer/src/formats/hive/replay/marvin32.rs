//! Marvin32, the checksum of log entries.

/// The seed that the kernel uses for log entries: the bytes `82 EF 4D 88 7A 4E 55 C5`, the more
/// significant word first.
const SEED: (u32, u32) = (0x7A4E_55C5, 0x82EF_4D88);

/// The 64-bit Marvin32 hash of `data`.
pub(super) fn marvin32(data: &[u8]) -> u64 {
    let (words, tail) = data.as_chunks::<4>();
    let mut state = SEED;
    for word in words {
        state = mix(state, u32::from_le_bytes(*word));
    }
    let mut last = [0; 4];
    for (to, from) in last.iter_mut().zip(tail.iter().chain(&[0x80])) {
        *to = *from;
    }
    state = mix(state, u32::from_le_bytes(last));
    let (low, high) = mix(state, 0);
    u64::from(low) | u64::from(high) << 32
}

fn mix((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}
