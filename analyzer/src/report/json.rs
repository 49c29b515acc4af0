//! The report for programs: JSON, in a stable order, with the version of its schema.

use std::io;

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter};

use super::sanitize;

/// Renders a value as pretty JSON.
///
/// Characters that could act on a terminal are escaped (`\u202e`), so that a file that is only
/// looked at is harmless, too; what is read back is the same.
///
/// # Errors
/// A value that JSON cannot hold (a map whose keys are no strings).
pub fn render(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = with(value, Escaping(PrettyFormatter::new()))?;
    text.push('\n');
    Ok(text)
}

/// Renders a value as one line of JSON, without the line's end.
///
/// # Errors
/// As [`render`].
pub fn render_line(value: &impl Serialize) -> serde_json::Result<String> {
    with(value, Escaping(serde_json::ser::CompactFormatter))
}

fn with(value: &impl Serialize, formatter: impl Formatter) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer)?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

/// A formatter that escapes hostile characters in strings and leaves the rest to another.
struct Escaping<F>(F);

/// Passes a call on to the formatter inside.
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $argument: $type)*) -> io::Result<()> {
            self.0.$name(writer $(, $argument)*)
        })*
    };
}

impl<F: Formatter> Formatter for Escaping<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(sanitize::is_hostile) {
            let (before, from) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    pass_on! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
        write_char_escape(escape: CharEscape);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hostile_characters_are_escaped_and_read_back() {
        let value = json!({"a\u{202e}": ["\u{9b}2J", "\u{1b}[31m", "\u{e0041}", "plain äöü"]});
        let text = render(&value).unwrap();
        assert!(text.contains("\"a\\u202e\""), "{text}");
        assert!(
            text.contains("\\u009b2J") && text.contains("\\udb40\\udc41"),
            "{text}"
        );
        assert!(
            text.contains("plain äöü") && !text.contains(|c| c != '\n' && sanitize::is_hostile(c))
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn a_line_is_a_line() {
        assert_eq!(
            render_line(&json!({"b": 1, "a": [2]})).unwrap(),
            r#"{"b":1,"a":[2]}"#
        );
    }
}
