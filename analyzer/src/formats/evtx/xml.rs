//! Reads the XML that the `evtx` crate renders, which is well-formed and has no prologue of
//! interest: elements, attributes, text, entities, CDATA sections, processing instructions.

use super::Value;
use super::tree::{Element, MAX_DEPTH, Node};

/// Parses a document into its root element; `None` if it is not well-formed or nests too deeply.
pub(super) fn parse(text: &str) -> Option<Element> {
    let mut rest = text;
    let mut open: Vec<Element> = Vec::new();
    while !rest.is_empty() {
        let Some(markup) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (content, after) = rest.split_at(end);
            push_text(open.last_mut(), unescape(content));
            rest = after;
            continue;
        };
        if let Some(cdata) = markup.strip_prefix("![CDATA[") {
            let (content, after) = cdata.split_once("]]>")?;
            push_text(open.last_mut(), content.to_owned());
            rest = after;
        } else if markup.starts_with('?') {
            rest = markup.split_once("?>")?.1;
        } else if let Some(end_tag) = markup.strip_prefix('/') {
            rest = end_tag.split_once('>')?.1;
            let element = open.pop()?;
            match open.last_mut() {
                Some(parent) => parent.children.push(Node::Element(element)),
                None => return Some(element),
            }
        } else {
            let (element, empty, after) = start_tag(markup)?;
            rest = after;
            if open.len() >= MAX_DEPTH {
                return None;
            }
            match (empty, open.last_mut()) {
                (false, _) => open.push(element),
                (true, Some(parent)) => parent.children.push(Node::Element(element)),
                (true, None) => return Some(element),
            }
        }
    }
    None
}

fn push_text(parent: Option<&mut Element>, text: String) {
    if let Some(parent) = parent {
        parent.children.push(Node::Value(Value::Text(text)));
    }
}

/// A start tag after its `<`: the element, whether it is empty, and what follows.
fn start_tag(markup: &str) -> Option<(Element, bool, &str)> {
    let name_end = markup.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))?;
    let (name, mut rest) = markup.split_at(name_end);
    let mut element = Element {
        name: name.to_owned(),
        ..Element::default()
    };
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix("/>") {
            return Some((element, true, after));
        }
        if let Some(after) = rest.strip_prefix('>') {
            return Some((element, false, after));
        }
        let (attribute, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        element
            .attributes
            .push((attribute.to_owned(), Value::Text(unescape(value))));
        rest = after;
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let reference = after.split_once(';');
        if let Some((character, after)) =
            reference.and_then(|(name, after)| Some((entity(name)?, after)))
        {
            out.push(character);
            rest = after;
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// The character of a predefined entity or a character reference.
pub(super) fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)
        }
    }
}
