//! Keys and values by their locator.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value as Json;

use super::show::{ShowError, Shown};
use super::used;
use crate::facts::inventory::Kind;
use crate::facts::locator::RegistryLocator;
use crate::facts::sources::container::Container;
use crate::facts::sources::registry::{Hive, data};
use crate::facts::sources::{Sources, hives};
use crate::formats::hive::reg_text::RegText;
use crate::formats::registry::{RegistryError, RegistryView, Value};

/// A key as `show` gives it.
#[derive(Debug, Serialize)]
pub struct KeyShown {
    /// The path from the hive's root, as spelled; empty for the root.
    pub key: String,
    /// When the key, or one of its values, was last written.
    pub last_write: Option<Timestamp>,
    /// The class name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Its values, in stored order.
    pub values: Vec<ValueShown>,
    /// The names of its subkeys, in stored order.
    pub subkeys: Vec<String>,
    /// What of these lists could not be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<String>,
}

/// A value as `show` gives it.
#[derive(Debug, Serialize)]
pub struct ValueShown {
    /// The name; empty for the default value.
    pub name: String,
    /// The type (`REG_DWORD`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The data: see [`data`].
    pub data: Json,
}

impl ValueShown {
    fn new(value: &Value) -> Self {
        Self {
            name: value.name.clone(),
            kind: value.kind.name(),
            data: data(value),
        }
    }
}

/// A view that belongs to the opened snapshot, or was opened for the question.
enum View<'a> {
    Opened(&'a dyn RegistryView),
    Own(Box<dyn RegistryView>),
}

impl View<'_> {
    fn get(&self) -> &dyn RegistryView {
        match self {
            Self::Opened(view) => *view,
            Self::Own(view) => view.as_ref(),
        }
    }
}

/// Looks a key or a value up.
///
/// # Errors
/// When there is no such hive, key or value (the message names the nearest key that exists), or
/// damage is in the way.
pub(super) fn look_up(sources: &Sources, place: &RegistryLocator) -> Result<Shown, ShowError> {
    let view = view(sources, &place.hive)?;
    let view = view.get();
    let path = in_force(sources, view, place);
    let Some(key) = view.key(&path).map_err(damaged)? else {
        return Err(ShowError::NotFound(nearest(view, &place.hive, &path)));
    };
    let Some(name) = &place.value else {
        return show_key(view, key.path, key.last_write, key.class_name);
    };
    match view.value(&path, name).map_err(damaged)? {
        Some(value) => Ok(Shown::Value(ValueShown::new(&value))),
        None => Err(ShowError::NotFound(no_value(
            view,
            &place.hive,
            &path,
            name,
        ))),
    }
}

fn show_key(
    view: &dyn RegistryView,
    key: String,
    last_write: Option<Timestamp>,
    class_name: Option<String>,
) -> Result<Shown, ShowError> {
    let values = view.values(&key).map_err(damaged)?;
    let subkeys = view.subkeys(&key).map_err(damaged)?;
    let damage = values
        .iter()
        .flat_map(|listing| &listing.damage)
        .chain(subkeys.iter().flat_map(|listing| &listing.damage))
        .map(ToString::to_string)
        .collect();
    Ok(Shown::Key(KeyShown {
        key,
        last_write,
        class_name,
        values: values
            .iter()
            .flat_map(|listing| &listing.items)
            .map(ValueShown::new)
            .collect(),
        subkeys: subkeys
            .into_iter()
            .flat_map(|listing| listing.items)
            .map(|key| key.name)
            .collect(),
        damage,
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(error: RegistryError) -> ShowError {
    ShowError::Unreadable(format!("damaged: {error}"))
}

/// `CurrentControlSet` is a link that exists only on the running machine: the set it led to.
fn in_force(sources: &Sources, view: &dyn RegistryView, place: &RegistryLocator) -> String {
    const LINK: &str = "CurrentControlSet";
    let (first, rest) = place.key.split_once('\\').unwrap_or((&place.key, ""));
    let is_link = first.eq_ignore_ascii_case(LINK)
        && place.hive.eq_ignore_ascii_case(sources.system().name())
        && matches!(view.key(LINK), Ok(None));
    match sources.system().control_set().path() {
        Some(set) if is_link && rest.is_empty() => set.to_owned(),
        Some(set) if is_link => format!("{set}\\{rest}"),
        _ => place.key.clone(),
    }
}

fn view<'a>(sources: &'a Sources, hive: &str) -> Result<View<'a>, ShowError> {
    if let Some(artifact) = hive.strip_prefix('@') {
        return own(sources, artifact);
    }
    let known = [sources.system(), sources.software(), sources.bcd()];
    if hive.is_empty() {
        return only(sources, &known);
    }
    let named = known
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(hive));
    match named.map(|named| (named, named.opened())) {
        Some((_, Ok(opened))) => Ok(View::Opened(opened.view.as_ref())),
        other => match file_called(sources, hive) {
            Some(artifact) => own(sources, &artifact),
            None => Err(ShowError::NotFound(no_hive(
                sources,
                hive,
                other.map(|(hive, _)| hive),
            ))),
        },
    }
}

/// The root of the only hive.
fn only<'a>(sources: &'a Sources, known: &[&'a Hive]) -> Result<View<'a>, ShowError> {
    let files = all_hives(sources);
    if let [artifact] = files.as_slice() {
        return own(sources, artifact);
    }
    let mut opened = known.iter().filter_map(|hive| hive.opened().ok());
    match (files.is_empty(), opened.next(), opened.next()) {
        (true, Some(opened), None) => Ok(View::Opened(opened.view.as_ref())),
        _ => Err(ShowError::NotFound(format!(
            "there is not exactly one hive; name one: {}",
            list(files.iter().map(|file| format!("reg:@{file}\\")))
        ))),
    }
}

fn no_hive(sources: &Sources, hive: &str, known: Option<&Hive>) -> String {
    let why = match known.map(Hive::opened) {
        Some(Err(missing)) => missing
            .fact::<()>()
            .why_unsettled()
            .unwrap_or_else(|| "there is none on the machine".to_owned()),
        _ => "there is none in the snapshot".to_owned(),
    };
    let others = all_hives(sources);
    format!(
        "no hive {hive} ({why}); there is {}",
        list(others.iter().map(|file| format!("reg:@{file}\\")))
    )
}

fn all_hives(sources: &Sources) -> Vec<String> {
    sources
        .inventory()
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == Kind::Hive)
        .map(|artifact| artifact.path.clone())
        .collect()
}

/// A hive file by its own name, such as `NTUSER.DAT`.
fn file_called(sources: &Sources, name: &str) -> Option<String> {
    all_hives(sources).into_iter().find(|path| {
        path.rsplit('/')
            .next()
            .is_some_and(|file| file.eq_ignore_ascii_case(name))
    })
}

/// Opens a hive, or registry text with the roots in it as first names of its paths.
fn own<'a>(sources: &'a Sources, artifact: &str) -> Result<View<'a>, ShowError> {
    let not_found = || ShowError::NotFound(format!("no file {artifact} is in the snapshot"));
    let container = sources.container().ok_or_else(not_found)?;
    let name = super::entry_name(container, artifact).ok_or_else(not_found)?;
    if used(sources, Kind::RegText).any(|text| text == name) {
        return reg_text(container, name).map(View::Own);
    }
    hives::open(container, name)
        .map(|candidate| View::Own(candidate.into_opened().view))
        .map_err(|why| ShowError::Unreadable(format!("{name}: {why}")))
}

fn reg_text(container: &Container, name: &str) -> Result<Box<dyn RegistryView>, ShowError> {
    let unreadable = |why: String| ShowError::Unreadable(format!("{name}: {why}"));
    let bytes = container
        .read(name, super::LARGEST)
        .map_err(|problem| unreadable(problem.why))?;
    let text = RegText::parse(&bytes, encoding_rs::WINDOWS_1252)
        .map_err(|error| unreadable(error.to_string()))?;
    match text.view("") {
        Some(view) => Ok(Box::new(view)),
        None => Err(unreadable("it holds no keys".to_owned())),
    }
}

/// How far the path goes, and what is there.
fn nearest(view: &dyn RegistryView, hive: &str, path: &str) -> String {
    let mut parent = path;
    loop {
        parent = parent.rsplit_once('\\').map_or("", |(parent, _)| parent);
        if parent.is_empty() || matches!(view.key(parent), Ok(Some(_))) {
            break;
        }
    }
    let below = view.subkeys(parent).ok().flatten();
    let names = below.into_iter().flat_map(|listing| listing.items);
    format!(
        "no key {path}; the nearest is reg:{hive}\\{parent} with the subkeys {}",
        list(names.map(|key| key.name))
    )
}

fn no_value(view: &dyn RegistryView, hive: &str, path: &str, name: &str) -> String {
    let values = view.values(path).ok().flatten();
    let names = values.into_iter().flat_map(|listing| listing.items);
    format!(
        "no value '{name}' in reg:{hive}\\{path}, which has {}",
        list(names.map(|value| match value.name.as_str() {
            "" => "the default value".to_owned(),
            name => name.to_owned(),
        }))
    )
}

/// A few names and how many more there are.
fn list(names: impl Iterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let mut names = names;
    let mut shown: Vec<String> = names.by_ref().take(SHOWN).collect();
    let more = names.count();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.as_slice() {
        [] => "none".to_owned(),
        shown => shown.join(", "),
    }
}
