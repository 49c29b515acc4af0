//! What `show` found, for people and for programs.

use serde_json::{Value, json};

use super::canvas::{BOLD, Canvas, DIM, Look, PLAIN};
use super::{json as json_form, sanitize, words};
use crate::facts::locator::Locator;
use crate::formats::evtx::Row;
use crate::inspect::registry::{KeyShown, ValueShown};
use crate::inspect::show::Shown;

/// For a terminal. Nothing is shortened: this is what was asked for.
pub fn text(shown: &Shown, look: Look) -> String {
    let mut canvas = Canvas::new(look);
    match shown {
        Shown::Key(key) => show_key(&mut canvas, key),
        Shown::Value(value) => show_value(&mut canvas, value),
        Shown::Events(selected) => {
            for row in &selected.rows {
                show_event(&mut canvas, row);
            }
        }
        Shown::Json(value) => {
            // The pretty form has escaped what is hostile already.
            canvas.verbatim(0, "", &json_form::render(value).unwrap_or_default());
        }
        Shown::Line(line) => canvas.verbatim(0, "", line),
        Shown::Text(text) => canvas.verbatim(0, "", text),
    }
    canvas.finish()
}

/// For programs.
///
/// # Errors
/// None is known: everything shown is plain data.
pub fn json(shown: &Shown) -> serde_json::Result<String> {
    match shown {
        Shown::Key(key) => json_form::render(key),
        Shown::Value(value) => json_form::render(value),
        Shown::Events(selected) => json_form::render(&selected.rows),
        Shown::Json(value) => json_form::render(value),
        Shown::Line(line) => json_form::render(line),
        Shown::Text(text) => json_form::render(&text.lines().collect::<Vec<_>>()),
    }
}

fn show_key(canvas: &mut Canvas, key: &KeyShown) {
    let path = match key.key.as_str() {
        "" => "\\".to_owned(),
        path => whole(path),
    };
    canvas.pieces(&[(BOLD, &path)]);
    if let Some(time) = key.last_write {
        canvas.pieces(&[(DIM, &format!("last write {}", words::time(time)))]);
    }
    if let Some(class) = &key.class_name {
        canvas.pieces(&[(DIM, &format!("class {}", whole(class)))]);
    }
    for value in &key.values {
        show_value(canvas, value);
    }
    if !key.subkeys.is_empty() {
        canvas.blank();
    }
    for subkey in &key.subkeys {
        canvas.pieces(&[(PLAIN, &format!("{}\\", whole(subkey)))]);
    }
    for damage in &key.damage {
        canvas.pieces(&[(BOLD, &format!("damaged: {}", whole(damage)))]);
    }
}

fn show_value(canvas: &mut Canvas, value: &ValueShown) {
    let name = match value.name.as_str() {
        "" => "(default)".to_owned(),
        name => whole(name),
    };
    let kind = format!("  {}  ", value.kind);
    let data = match &value.data {
        Value::String(text) => whole(text),
        Value::Number(number) => match number.as_u64() {
            Some(small @ 0..10) => small.to_string(),
            Some(large) => format!("{large} ({large:#x})"),
            None => number.to_string(),
        },
        other => json_form::render_line(other).unwrap_or_default(),
    };
    canvas.pieces(&[(BOLD, &name), (DIM, &kind), (PLAIN, &data)]);
}

fn show_event(canvas: &mut Canvas, row: &Row) {
    canvas.blank();
    let head = format!("{} {} ", whole(&row.provider), row.event_id);
    let place = format!(
        "{}  {} record {}",
        row.time,
        whole(&row.channel),
        row.record_id
    );
    canvas.pieces(&[(BOLD, &head), (DIM, &place)]);
    for (name, value) in &row.fields {
        let value = match value {
            Value::String(text) => whole(text),
            other => json_form::render_line(other).unwrap_or_default(),
        };
        canvas.pieces(&[(DIM, &format!("  {}: ", whole(name))), (PLAIN, &value)]);
    }
}

/// A guest string on one line, whatever its length.
fn whole(text: &str) -> String {
    sanitize::shortened(text, usize::MAX)
}

/// What evidence carries of what is shown at its locator: see
/// [`crate::facts::evidence::Evidence::raw`].
pub fn raw(locator: &Locator, shown: &Shown) -> Value {
    let is_record = matches!(locator, Locator::Events(query) if query.record.is_some());
    match shown {
        Shown::Key(key) => json!(key.key.rsplit('\\').next().unwrap_or_default()),
        Shown::Value(value) => value.data.clone(),
        Shown::Events(selected) => match selected.rows.as_slice() {
            [only] if is_record => Value::Object(only.fields.clone()),
            _ => json!(selected.count),
        },
        Shown::Json(value) => value.clone(),
        Shown::Line(line) => json!(line),
        Shown::Text(_) => Value::Null,
    }
}
