//! Values in the words of a comparison, a headline or a reason: never the debug text of a type.

use std::fmt::Display;

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
