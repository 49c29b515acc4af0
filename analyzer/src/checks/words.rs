//! Values in the words of a comparison, a headline or a reason: never the debug text of a type.

use std::fmt::Display;

use jiff::Timestamp;

/// A time, to the second: the one form in which people read it.
pub fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A sentence with the instants in it, which print themselves for machines
/// (`2026-11-20T10:00:00Z`), as people read them. What stands behind a `=` or in quotes is part of
/// a locator or a command and stays as it is.
pub fn with_times(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, instant, end)) = first_instant(rest) {
        said.push_str(rest.get(..start).unwrap_or_default());
        said.push_str(&time(instant));
        rest = rest.get(end..).unwrap_or_default();
    }
    said.push_str(rest);
    said
}

/// The first instant in a text, with the bytes where it starts and ends.
fn first_instant(text: &str) -> Option<(usize, Timestamp, usize)> {
    const DATE: usize = "2026-11-20".len();
    text.match_indices('T').find_map(|(middle, _)| {
        let start = middle.checked_sub(DATE)?;
        let end = middle + text.get(middle..)?.find('Z')? + 1;
        let is_quoted = text.get(..start)?.ends_with(['=', '\'', '"']);
        let instant = text.get(start..end)?.parse().ok()?;
        (!is_quoted).then_some((start, instant, end))
    })
}

/// A value, or `not known`.
pub fn value<T: Display>(value: Option<T>) -> String {
    value.map_or_else(|| "not known".to_owned(), |value| value.to_string())
}

/// An answer, `yes` or `no`, or `not known`.
pub fn answer(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "yes",
        Some(false) => "no",
        None => "not known",
    }
}

/// The items with commas between them, or `none`.
pub fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

/// A count with its noun: `0 keys`, `1 key`, `2 entries`, `3 crashes`.
pub fn count<N: Display>(count: N, noun: &str) -> String {
    let count = count.to_string();
    if count == "1" {
        return format!("1 {noun}");
    }
    let vowel = |stem: &str| stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match noun.strip_suffix('y') {
        Some(stem) if !vowel(stem) => format!("{count} {stem}ies"),
        _ if noun.ends_with(['s', 'x']) || noun.ends_with("ch") || noun.ends_with("sh") => {
            format!("{count} {noun}es")
        }
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_words() {
        assert_eq!(value(Some(3)), "3");
        assert_eq!(value::<u32>(None), "not known");
        assert_eq!(answer(Some(true)), "yes");
        assert_eq!(answer(Some(false)), "no");
        assert_eq!(answer(None), "not known");
        assert_eq!(list(["a", "b"]), "a, b");
        assert_eq!(list::<&str>([]), "none");
    }

    #[test]
    fn times_are_read_to_the_second() {
        let instant: Timestamp = "2026-11-20T10:00:00.5Z".parse().unwrap();
        assert_eq!(time(instant), "2026-11-20 10:00:00 UTC");
    }

    #[test]
    fn a_sentence_has_one_form_of_time() {
        for (text, said) in [
            (
                "from 2026-11-20T10:00:00Z to 2026-11-20T10:00:01.25Z: 3 attempts",
                "from 2026-11-20 10:00:00 UTC to 2026-11-20 10:00:01 UTC: 3 attempts",
            ),
            (
                "TCP and \u{e4}T 2026-11-20T10:00Z",
                "TCP and \u{e4}T 2026-11-20 10:00:00 UTC",
            ),
            (
                "evt:System?after=2026-11-20T10:00:00Z",
                "evt:System?after=2026-11-20T10:00:00Z",
            ),
            (
                "-After '2026-11-20T10:00:00Z'",
                "-After '2026-11-20T10:00:00Z'",
            ),
            (
                "at 2026-11-20T99:00:00Z, Zulu",
                "at 2026-11-20T99:00:00Z, Zulu",
            ),
            ("", ""),
        ] {
            assert_eq!(with_times(text), said);
        }
    }

    #[test]
    fn nouns_follow_their_count() {
        for (number, noun, words) in [
            (0, "restart", "0 restarts"),
            (1, "key", "1 key"),
            (2, "key", "2 keys"),
            (1, "entry", "1 entry"),
            (2, "entry", "2 entries"),
            (2, "crash", "2 crashes"),
            (2, "process", "2 processes"),
            (2, "index", "2 indexes"),
        ] {
            assert_eq!(count(number, noun), words);
        }
        assert_eq!(count(1.0, "failure"), "1 failure");
        assert_eq!(count(1.5, "failure"), "1.5 failures");
    }
}
