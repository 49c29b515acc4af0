//! Escapes in quoted strings and key paths.

/// How far the text goes before an unescaped `close`.
pub(super) fn quoted_length(text: &str, close: char) -> Option<usize> {
    let mut escaped = false;
    let found = text.char_indices().find(|(_, c)| {
        let ends = *c == close && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    });
    found.map(|(at, _)| at)
}

/// regedit escapes backslash and quote, nothing else.
pub(super) fn unescape_regedit(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.next_if(|next| c == '\\' && matches!(next, '\\' | '"'));
        out.push(next.unwrap_or(c));
    }
    out
}

/// Wine escapes as C does: `\n` and the like, one to three octal digits, and `\x` with one to
/// four hex digits for a UTF-16 unit.
pub(super) fn unescape_wine(text: &str) -> String {
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (unit, length) = if c == '\\' {
            wine_escape(rest)
        } else {
            (None, c.len_utf8())
        };
        match unit {
            Some(unit) => units.push(unit),
            None => units.extend_from_slice(c.encode_utf16(&mut [0; 2])),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    String::from_utf16_lossy(&units)
}

/// The unit that an escape stands for, and how long it is.
fn wine_escape(text: &str) -> (Option<u16>, usize) {
    let Some(c) = text.chars().nth(1) else {
        return (None, 1);
    };
    let simple = match c {
        'a' => 7,
        'b' => 8,
        'e' => 27,
        'f' => 12,
        'n' => 10,
        'r' => 13,
        't' => 9,
        'v' => 11,
        'x' => return digits(text, 2, 4, 16).unwrap_or((Some(u16::from(b'x')), 2)),
        '0'..='7' => return digits(text, 1, 3, 8).unwrap_or((None, 1)),
        other => {
            let unit = u16::try_from(u32::from(other)).ok();
            return (unit, 1 + unit.map_or(0, |_| other.len_utf8()));
        }
    };
    (Some(simple), 2)
}

/// Up to `most` digits from `start`, and where they end.
fn digits(text: &str, start: usize, most: usize, radix: u32) -> Option<(Option<u16>, usize)> {
    let count = text
        .get(start..)?
        .chars()
        .take(most)
        .take_while(|c| c.is_digit(radix))
        .count();
    let number = u16::from_str_radix(text.get(start..start + count)?, radix).ok()?;
    Some((Some(number), start + count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape_regedit(r#"C:\\a \"b\" \n"#), r#"C:\a "b" \n"#);
        assert_eq!(
            unescape_wine(r"a\\b\x20acc\n\101\[\0"),
            "a\\b\u{20ac}c\nA[\0"
        );
        assert_eq!(unescape_wine(r"\xd83d\xde00 \x41 \"), "\u{1F600} A \\");
        assert_eq!(quoted_length(r#"a\"b"c"#, '"'), Some(4));
        assert_eq!(quoted_length(r"a\\]", ']'), Some(3));
        assert_eq!(quoted_length("open", '"'), None);
    }
}
