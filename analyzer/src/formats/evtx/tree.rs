//! An event as a tree of elements, and what the reader makes of it.

use jiff::Timestamp;

use super::{Fields, Value};

/// How deep elements may nest; Windows stays under ten.
pub(super) const MAX_DEPTH: usize = 64;

/// An element of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, Value)>,
    pub(super) children: Vec<Node>,
}

/// What an element contains.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Element(Element),
    Value(Value),
}

/// The parts of `System` that make a record's header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct System {
    pub(super) provider: String,
    pub(super) source: Option<String>,
    pub(super) event_id: u32,
    pub(super) channel: String,
    pub(super) computer: String,
    pub(super) record_id: Option<u64>,
    pub(super) created: Option<Timestamp>,
}

impl Node {
    /// Whether it is a value with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Value(value) if value.is_empty())
    }
}

impl Element {
    pub(super) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Value(_) => None,
        })
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.name == name)
    }

    fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// The content apart from elements: a lone value keeps its type, several become text.
    pub(super) fn value(&self) -> Value {
        let mut values = self.children.iter().filter_map(|node| match node {
            Node::Value(value) => Some(value),
            Node::Element(_) => None,
        });
        match (values.next(), values.next()) {
            (None, _) => Value::Null,
            (Some(only), None) => only.clone(),
            (Some(first), Some(second)) => {
                let mut text = format!("{first}{second}");
                values.for_each(|value| text.push_str(&value.to_string()));
                Value::Text(text)
            }
        }
    }

    fn text(&self) -> String {
        self.value().to_string()
    }
}

/// Reads the header's parts from an event's tree.
pub(super) fn system(event: &Element) -> System {
    let Some(system) = event.child("System") else {
        return System::default();
    };
    let provider = |name| {
        system
            .child("Provider")
            .and_then(|element| element.attribute(name))
    };
    let number = |name| {
        system
            .child(name)
            .and_then(|element| element.value().as_u64())
    };
    let text = |name| system.child(name).map(Element::text).unwrap_or_default();
    System {
        provider: provider("Name")
            .map(ToString::to_string)
            .unwrap_or_default(),
        source: provider("EventSourceName")
            .map(ToString::to_string)
            .filter(|name| !name.is_empty()),
        event_id: number("EventID")
            .and_then(|id| u32::try_from(id).ok())
            .unwrap_or_default(),
        channel: text("Channel"),
        computer: text("Computer"),
        record_id: number("EventRecordID"),
        created: system
            .child("TimeCreated")
            .and_then(|element| element.attribute("SystemTime"))
            .and_then(Value::as_time),
    }
}

/// Flattens the `System` element.
pub(super) fn system_fields(event: &Element) -> Fields {
    let mut fields = Fields::default();
    for element in event
        .child("System")
        .iter()
        .flat_map(|system| system.elements())
    {
        flatten(element, &element.name, &mut fields);
    }
    fields
}

/// Flattens what the event says, as `Field::name` documents it.
pub(super) fn event_fields(event: &Element) -> Fields {
    let mut fields = Fields::default();
    for part in event.elements() {
        match part.name.as_str() {
            "System" => {}
            "EventData" => event_data(part, &mut fields),
            "UserData" => {
                for root in part.elements() {
                    user_data(root, &mut fields);
                }
            }
            name => flatten(part, name, &mut fields),
        }
    }
    fields
}

fn event_data(part: &Element, fields: &mut Fields) {
    for element in part.elements() {
        let name = match (element.name.as_str(), element.attribute("Name")) {
            (_, Some(name)) => Some(name.to_string()),
            ("Data", None) => None,
            (name, None) => Some(name.to_owned()),
        };
        if element.elements().next().is_some() {
            children(element, name.as_deref().unwrap_or("Data"), fields);
        } else {
            let value = match element.value() {
                Value::Null => Value::Text(String::new()),
                value => value,
            };
            fields.push(name, value);
        }
    }
    // The template's own name, which some manifests give it.
    if let Some(name) = part.attribute("Name") {
        fields.push(Some("@Name".to_owned()), name.clone());
    }
}

/// The element below `UserData` only names the structure, so paths start below it.
fn user_data(root: &Element, fields: &mut Fields) {
    if root.elements().next().is_none() {
        flatten(root, &root.name, fields);
    }
    for element in root.elements() {
        flatten(element, &element.name, fields);
    }
}

fn flatten(element: &Element, path: &str, fields: &mut Fields) {
    let has_elements = element.elements().next().is_some();
    let value = element.value();
    let attributes = || {
        element
            .attributes
            .iter()
            .filter(|(name, _)| !name.starts_with("xmlns"))
    };
    let bare = !has_elements && attributes().next().is_none();
    if bare || !value.is_empty() {
        fields.push(Some(path.to_owned()), value);
    }
    for (name, value) in attributes() {
        fields.push(Some(format!("{path}@{name}")), value.clone());
    }
    children(element, path, fields);
}

fn children(element: &Element, path: &str, fields: &mut Fields) {
    for child in element.elements() {
        flatten(child, &format!("{path}/{}", child.name), fields);
    }
}
