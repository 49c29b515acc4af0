//! What the `evtx` crate says of a whole file, in the form in which ours is compared with it.

use std::sync::Arc;

use evtx::{EvtxParser, ParserSettings};
use jiff::Timestamp;

/// A record, with its values as a list of names and texts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_field_names, reason = "a record id is called that")]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) record_id: u64,
    pub(crate) time: Timestamp,
    pub(crate) provider: String,
    pub(crate) channel: String,
    pub(crate) event_id: u32,
    pub(crate) system: Vec<(Option<String>, String)>,
    pub(crate) fields: Vec<(Option<String>, String)>,
}

/// All records of a file that the crate can read, the way it is meant to be used.
pub(crate) fn read(bytes: &[u8], recover: bool) -> Option<Vec<Record>> {
    let settings = ParserSettings::new().indent(false).recover_records(recover);
    let settings = Arc::new(settings);
    let mut parser = EvtxParser::from_buffer(bytes.to_vec()).ok()?;
    let mut records = Vec::new();
    for chunk in parser.chunks() {
        let Ok(mut chunk) = chunk else { continue };
        let Ok(mut chunk) = chunk.parse(Arc::clone(&settings)) else {
            continue;
        };
        let xml = chunk
            .iter()
            .flatten()
            .filter_map(|record| record.into_xml().ok());
        records
            .extend(xml.filter_map(|xml| record_of(xml.event_record_id, xml.timestamp, &xml.data)));
    }
    Some(records)
}

#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

fn record_of(sequence: u64, written: Timestamp, xml: &str) -> Option<Record> {
    let event = parse(xml)?;
    let mut record = Record {
        sequence,
        record_id: sequence,
        time: written,
        provider: String::new(),
        channel: String::new(),
        event_id: 0,
        system: Vec::new(),
        fields: Vec::new(),
    };
    for part in &event.children {
        match part.name.as_str() {
            "System" => {
                for child in &part.children {
                    match child.name.as_str() {
                        "Provider" => {
                            record.provider = attribute(child, "Name").unwrap_or_default();
                        }
                        "Channel" => record.channel.clone_from(&child.text),
                        "EventRecordID" => {
                            record.record_id = child.text.parse().unwrap_or(sequence);
                        }
                        "TimeCreated" => {
                            let time = attribute(child, "SystemTime");
                            record.time =
                                time.and_then(|time| time.parse().ok()).unwrap_or(written);
                        }
                        "EventID" => record.event_id = child.text.parse().unwrap_or(0),
                        _ => {}
                    }
                    flatten(child, &child.name, &mut record.system);
                }
            }
            "EventData" => {
                for child in &part.children {
                    let name = attribute(child, "Name")
                        .or_else(|| (child.name != "Data").then(|| child.name.clone()));
                    if child.children.is_empty() {
                        record.fields.push((name, child.text.clone()));
                    } else {
                        below(child, name.as_deref().unwrap_or("Data"), &mut record.fields);
                    }
                }
                if let Some(name) = attribute(part, "Name") {
                    record.fields.push((Some("@Name".to_owned()), name));
                }
            }
            "UserData" => {
                for root in &part.children {
                    if root.children.is_empty() {
                        flatten(root, &root.name, &mut record.fields);
                    }
                    for child in &root.children {
                        flatten(child, &child.name, &mut record.fields);
                    }
                }
            }
            name => flatten(part, name, &mut record.fields),
        }
    }
    for (name, text) in record.system.iter_mut().chain(&mut record.fields) {
        *name = name.as_deref().map(xml_text);
        *text = xml_text(text);
    }
    Some(record)
}

fn attribute(element: &Element, name: &str) -> Option<String> {
    element
        .attributes
        .iter()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.clone())
}

fn flatten(element: &Element, path: &str, out: &mut Vec<(Option<String>, String)>) {
    let attributes: Vec<_> = element
        .attributes
        .iter()
        .filter(|(name, _)| !name.starts_with("xmlns"))
        .collect();
    let bare = element.children.is_empty() && attributes.is_empty();
    if bare || !element.text.is_empty() {
        out.push((Some(path.to_owned()), element.text.clone()));
    }
    for (name, value) in attributes {
        out.push((Some(format!("{path}@{name}")), value.clone()));
    }
    below(element, path, out);
}

fn below(element: &Element, path: &str, out: &mut Vec<(Option<String>, String)>) {
    for child in &element.children {
        flatten(child, &format!("{path}/{}", child.name), out);
    }
}

/// Parses well-formed XML without comments; `None` for what damaged names make of it.
fn parse(xml: &str) -> Option<Element> {
    let mut stack = vec![Element::default()];
    let mut rest = xml;
    while let Some((text, markup)) = rest.split_once('<') {
        stack.last_mut()?.text.push_str(&unescape(text));
        let (tag, after) = markup.split_once('>')?;
        rest = after;
        if tag.starts_with('?') {
            stack.last_mut()?.text.clear();
        } else if tag.starts_with('/') {
            let element = stack.pop()?;
            stack.last_mut()?.children.push(element);
        } else {
            let element = start_tag(tag.trim_end_matches('/'))?;
            if tag.ends_with('/') {
                stack.last_mut()?.children.push(element);
            } else {
                stack.push(element);
            }
        }
    }
    let root = stack.pop()?.children.pop();
    root.filter(|_| stack.is_empty())
}

fn start_tag(tag: &str) -> Option<Element> {
    let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
    let mut element = Element {
        name: name.to_owned(),
        ..Element::default()
    };
    while let Some((name, after)) = list.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        element
            .attributes
            .push((name.trim_matches(' ').to_owned(), unescape(value)));
        list = after;
    }
    Some(element)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// What the crate's XML makes of text: XML has no control characters, nor half characters.
pub(crate) fn xml_text(text: &str) -> String {
    let keep = |c: char| match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffd}'..='\u{ffff}' => '_',
        _ => c,
    };
    text.chars().map(keep).collect()
}
