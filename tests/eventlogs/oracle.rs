//! What the `evtx` crate says of a whole file, in the form in which ours is compared with it.

use std::sync::Arc;

use evtx::{EvtxParser, ParserSettings};
use jiff::Timestamp;

/// A record, with its values as a list of names and texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) sequence: u64,
    pub(crate) record_id: u64,
    pub(crate) time: Timestamp,
    pub(crate) provider: String,
    pub(crate) channel: String,
    pub(crate) event_id: String,
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
        records.extend(xml.map(|xml| record_of(xml.event_record_id, xml.timestamp, &xml.data)));
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

fn record_of(sequence: u64, written: Timestamp, xml: &str) -> Record {
    let event = parse(xml);
    let mut record = Record {
        sequence,
        record_id: sequence,
        time: written,
        provider: String::new(),
        channel: String::new(),
        event_id: "0".to_owned(),
        system: Vec::new(),
        fields: Vec::new(),
    };
    for part in &event.children {
        match part.name.as_str() {
            "System" => {
                for child in &part.children {
                    match child.name.as_str() {
                        "Provider" => {
                            record.provider = attribute(child, "Name").unwrap_or_default()
                        }
                        "Channel" => record.channel.clone_from(&child.text),
                        "EventRecordID" => record.record_id = child.text.parse().unwrap(),
                        "TimeCreated" => {
                            let time = attribute(child, "SystemTime");
                            record.time = time.map_or(written, |time| time.parse().unwrap());
                        }
                        "EventID" => record.event_id.clone_from(&child.text),
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
    record
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

/// Parses well-formed XML without comments; entities beyond the predefined ones stay.
fn parse(xml: &str) -> Element {
    let mut stack = vec![Element::default()];
    let mut rest = xml;
    while let Some(start) = rest.find('<') {
        stack
            .last_mut()
            .unwrap()
            .text
            .push_str(&unescape(&rest[..start]));
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        if tag.starts_with('?') {
            stack.last_mut().unwrap().text.clear();
        } else if tag.starts_with('/') {
            let element = stack.pop().unwrap();
            stack.last_mut().unwrap().children.push(element);
        } else {
            let empty = tag.ends_with('/');
            let tag = tag.trim_end_matches('/');
            let (name, mut list) = tag.split_once(' ').unwrap_or((tag, ""));
            let mut element = Element {
                name: name.to_owned(),
                ..Element::default()
            };
            while let Some((name, after)) = list.split_once("=\"") {
                let (value, after) = after.split_once('"').unwrap();
                element
                    .attributes
                    .push((name.trim().to_owned(), unescape(value)));
                list = after;
            }
            if empty {
                stack.last_mut().unwrap().children.push(element);
            } else {
                stack.push(element);
            }
        }
    }
    assert_eq!(stack.len(), 1, "unbalanced XML");
    stack.pop().unwrap().children.pop().unwrap_or_default()
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// What the crate's XML makes of text: XML has no control characters.
pub(crate) fn xml_text(text: &str) -> String {
    let keep = |c: char| match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '_',
        _ => c,
    };
    text.chars().map(keep).collect()
}
