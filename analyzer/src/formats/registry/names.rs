//! Names of keys and values: comparing them without case, and writing them as text.

use std::char::DecodeUtf16Error;
use std::fmt::Write;

/// Folds one UTF-16 unit as the kernel does to compare names: to upper case where that is one
/// unit and reversible, so that `ß`, `ı`, `µ` and surrogates stay what they are.
pub(crate) fn fold(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x61..=0x7A => unit - 0x20,
            _ => unit,
        };
    }
    let upper = char::from_u32(unit.into()).and_then(|lower| {
        let upper = single(lower.to_uppercase())?;
        (single(upper.to_lowercase())? == lower).then_some(upper)
    });
    upper
        .and_then(|c| u16::try_from(u32::from(c)).ok())
        .unwrap_or(unit)
}

fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// The name that an escaped spelling stands for, folded for comparison.
pub(crate) fn folded(spelling: &str) -> Vec<u16> {
    unescape(spelling).into_iter().map(fold).collect()
}

/// The folded names of a path, from the root down. Empty names are skipped.
pub(crate) fn components(path: &str) -> impl Iterator<Item = Vec<u16>> {
    path.split('\\').filter(|name| !name.is_empty()).map(folded)
}

/// Appends a name to the path of its parent.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}\\{name}")
    }
}

/// Writes the name of a key by the rule of the module above.
pub(crate) fn escape_key(units: impl Iterator<Item = u16>) -> String {
    escape(units, |c| c == '\\' || is_control(c))
}

/// Writes the name of a value: as for a key, but a backslash needs no escape.
pub(crate) fn escape_value(units: impl Iterator<Item = u16>) -> String {
    escape(units, is_control)
}

fn is_control(c: char) -> bool {
    c < ' ' || c == '\u{7F}'
}

fn escape(units: impl Iterator<Item = u16>, must_escape: impl Fn(char) -> bool) -> String {
    let plain: Vec<_> = char::decode_utf16(units).collect();
    let mut text = String::with_capacity(plain.len());
    for (position, decoded) in plain.iter().enumerate() {
        match decoded {
            Ok('%') if looks_escaped(plain.get(position + 1..)) => push_escape(&mut text, 0x25),
            Ok(c) if must_escape(*c) => push_escape(&mut text, u32::from(*c)),
            Ok(c) => text.push(*c),
            Err(lone) => push_escape(&mut text, lone.unpaired_surrogate().into()),
        }
    }
    text
}

/// Whether what follows a stored percent sign would make it read as an escape.
fn looks_escaped(rest: Option<&[Result<char, DecodeUtf16Error>]>) -> bool {
    let rest = rest.unwrap_or_default();
    let hex = |c: &Result<char, _>| c.as_ref().is_ok_and(char::is_ascii_hexdigit);
    matches!(rest.first(), Some(Ok('u' | 'U')))
        && rest.get(1..5).is_some_and(|four| four.iter().all(hex))
}

fn push_escape(text: &mut String, unit: u32) {
    // Writing to a string cannot fail.
    let _ = write!(text, "%u{unit:04X}");
}

/// The UTF-16 units that an escaped spelling stands for.
fn unescape(spelling: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(spelling.len());
    let mut rest = spelling;
    while let Some(c) = rest.chars().next() {
        if let Some(unit) = escaped_unit(rest) {
            units.push(unit);
            rest = rest.get(6..).unwrap_or_default();
        } else {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    units
}

/// The unit of an escape that `text` begins with: `%u` and four hex digits, in any case.
fn escaped_unit(text: &str) -> Option<u16> {
    let rest = text
        .strip_prefix("%u")
        .or_else(|| text.strip_prefix("%U"))?;
    let digits = rest.get(..4)?;
    let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use nt_hive::NtHiveNameString;

    use super::*;

    #[test]
    fn odd_names_survive_the_spelling() {
        let names: [&[u16]; 5] = [
            &[0x7A, 0, 0x6B],
            &[0xD801],
            &[0x61, 0x5C, 0x62],
            &[0x25, 0x75, 0x30, 0x30, 0x34, 0x31],
            &[0xD801, 0xDC00, 0x0D, 0x0A],
        ];
        let spelled = names.map(|name| escape_key(name.iter().copied()));
        assert_eq!(
            spelled,
            [
                "z%u0000k",
                "%uD801",
                "a%u005Cb",
                "%u0025u0041",
                "\u{10400}%u000D%u000A"
            ]
        );
        assert_eq!(
            spelled.each_ref().map(|s| unescape(s)),
            names.map(<[u16]>::to_vec)
        );
    }

    #[test]
    fn ordinary_percent_signs_and_value_paths_stay() {
        let text = "%SystemRoot%_%u12g4";
        assert_eq!(escape_key(text.encode_utf16()), text);
        assert_eq!(folded("%u005c"), folded("%U005C"));
        assert_eq!(escape_value(r"C:\a".encode_utf16()), r"C:\a");
    }

    /// Letters that came to Unicode after nt-hive's table are left out.
    #[test]
    fn folding_agrees_with_nt_hive() {
        let newer = |unit: u16| matches!(unit, 0x1C89 | 0x2C2F | 0xA7C0..=0xA7F4);
        let mut letters = 0;
        for unit in 0..=u16::MAX {
            let folded = fold(unit);
            let (a, b) = (unit.to_le_bytes(), folded.to_le_bytes());
            let same = NtHiveNameString::Utf16LE(&a) == NtHiveNameString::Utf16LE(&b);
            assert!(same || newer(folded), "U+{unit:04X} and U+{folded:04X}");
            letters += u32::from(folded != unit);
        }
        assert!(letters > 900, "{letters} letters have a capital");
    }

    /// What `RtlUpcaseUnicodeChar` of Windows 10 leaves as it is; nt-hive folds all but the first
    /// and the last.
    #[test]
    fn letters_without_a_capital_of_one_unit_stay() {
        for unit in [0xDF, 0xB5, 0x131, 0x17F, 0x1C5, 0x3C2, 0x3D0, 0xD801] {
            assert_eq!(fold(unit), unit);
        }
        assert_eq!(fold(0xE4), 0xC4);
        assert_eq!(fold(0x43F), 0x41F);
    }
}
