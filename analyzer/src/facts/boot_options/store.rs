//! Limits in the boot configuration store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Loader;
use crate::facts::evidence::Evidence;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::Sources;
use crate::formats::bcd::{BcdError, Element, ElementId, Found, OS_LOADER, Store};
use crate::formats::registry::RegistryView;

/// How many loaders beside the default one are looked at.
const MAX_OTHERS: usize = 32;

/// The elements that limit what Windows uses.
const LIMITS: [(ElementId, &str); 5] = [
    (ElementId::TRUNCATE_MEMORY, "truncatememory"),
    (ElementId::REMOVE_MEMORY, "removememory"),
    (ElementId::BAD_MEMORY_LIST, "badmemorylist"),
    (ElementId::PROCESSORS, "numproc"),
    (ElementId::ONE_PROCESSOR, "onecpu"),
];

/// An element that holds for the loader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// Its number; 1 or 0 for a truth value, the number of entries for a list.
    pub value: u64,
    /// The entries of a list, at most sixty-four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<u64>,
    /// The object that holds it: the loader, or one that it inherits from.
    pub object: String,
}

/// A loader that is not the default one and limits what Windows would use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OtherLoader {
    /// The loader.
    pub loader: Loader,
    /// The names of its own limits, as `bcdedit` calls them.
    pub limits: Vec<String>,
    /// Where they stand.
    pub evidence: Vec<Evidence>,
}

/// How many entries of a list are kept.
const KEPT: usize = 64;

/// What the store says.
pub(super) struct Limits {
    pub(super) loader: Fact<Loader>,
    pub(super) truncate_memory: Fact<Setting>,
    pub(super) remove_memory: Fact<Setting>,
    pub(super) bad_pages: Fact<Setting>,
    pub(super) processors: Fact<Setting>,
    pub(super) one_processor: Fact<Setting>,
    pub(super) group_size: Fact<Setting>,
    pub(super) maximum_processors: Fact<Setting>,
    pub(super) others: Vec<OtherLoader>,
}

impl Limits {
    pub(super) fn gather(sources: &Sources) -> Self {
        let store = sources
            .bcd()
            .opened()
            .ok()
            .map(|opened| opened.view.as_ref());
        let reader = Reader {
            sources,
            view: store,
        };
        let loader = reader.loader();
        let setting = |id| reader.setting(&loader, id);
        Self {
            truncate_memory: setting(ElementId::TRUNCATE_MEMORY),
            remove_memory: setting(ElementId::REMOVE_MEMORY),
            bad_pages: setting(ElementId::BAD_MEMORY_LIST),
            processors: setting(ElementId::PROCESSORS),
            one_processor: setting(ElementId::ONE_PROCESSOR),
            group_size: setting(ElementId::GROUP_SIZE),
            maximum_processors: setting(ElementId::MAXIMUM_PROCESSORS),
            others: reader.others(&loader),
            loader,
        }
    }
}

/// The store with the evidence of its places.
struct Reader<'a> {
    sources: &'a Sources,
    view: Option<&'a dyn RegistryView>,
}

impl Reader<'_> {
    /// The evidence of a key.
    fn key(&self, path: &str) -> Vec<Evidence> {
        self.sources.bcd().root().key(path).evidence
    }

    /// The evidence of an element.
    fn element(&self, found: &Found) -> Vec<Evidence> {
        let root = self.sources.bcd().root();
        root.value(&found.path, "Element").evidence
    }

    fn loader(&self) -> Fact<Loader> {
        let Some(view) = self.view else {
            let root = self.sources.bcd().root().key("");
            return root.carry().unwrap_or_else(|| Fact::absent([]));
        };
        let store = Store::new(view);
        let loader = store
            .default_loader()
            .and_then(|id| id.map(|id| describe(&store, id)).transpose());
        match loader {
            Ok(Some(loader)) => {
                let path = format!("Objects\\{}", loader.id);
                let evidence = self.key(&path);
                Fact::known(loader, evidence)
            }
            Ok(None) => Fact::unreadable(
                "the boot manager of the store names no loader",
                self.key("Objects"),
            ),
            Err(error) => Fact::unreadable(error.to_string(), self.key("Objects")),
        }
    }

    fn setting(&self, loader: &Fact<Loader>, id: ElementId) -> Fact<Setting> {
        let (Some(view), Some(loader)) = (self.view, loader.value()) else {
            return loader.carry().unwrap_or_else(|| Fact::absent([]));
        };
        match Store::new(view).effective(&loader.id, id) {
            Ok(Some(found)) => {
                let evidence = self.element(&found);
                match number(&found.element) {
                    Some((value, entries)) => Fact::known(
                        Setting {
                            value,
                            entries,
                            object: found.object,
                        },
                        evidence,
                    ),
                    None => Fact::unreadable("no number", evidence),
                }
            }
            Ok(None) => Fact::absent(self.key(&format!("Objects\\{}\\Elements", loader.id))),
            Err(error) => Fact::new(State::Unreadable(error.to_string()), self.key("Objects")),
        }
    }

    /// Loaders of the store but the default one that hold limits themselves.
    fn others(&self, default: &Fact<Loader>) -> Vec<OtherLoader> {
        let Some(view) = self.view else {
            return Vec::new();
        };
        let store = Store::new(view);
        let is_other = |id: &String| {
            default
                .value()
                .is_none_or(|loader| !loader.id.eq_ignore_ascii_case(id))
                && store.object_type(id) == Ok(Some(OS_LOADER))
        };
        let objects = store.objects().unwrap_or_default();
        objects
            .into_iter()
            .filter(is_other)
            .take(MAX_OTHERS)
            .filter_map(|id| self.other(&store, id))
            .collect()
    }

    fn other(&self, store: &Store<'_>, id: String) -> Option<OtherLoader> {
        let mut limits = Vec::new();
        let mut evidence = Vec::new();
        for (element, name) in LIMITS {
            if let Ok(Some(found)) = store.own(&id, element) {
                limits.push(name.to_owned());
                evidence.extend(self.element(&found));
            }
        }
        let loader = describe(store, id).ok()?;
        (!limits.is_empty()).then_some(OtherLoader {
            loader,
            limits,
            evidence,
        })
    }
}

fn describe(store: &Store<'_>, id: String) -> Result<Loader, BcdError> {
    let description = store.own(&id, ElementId::DESCRIPTION)?;
    Ok(Loader {
        description: description.and_then(|found| match found.element {
            Element::Text(text) => Some(text),
            _ => None,
        }),
        id,
    })
}

/// The number of an element, and the entries of a list.
fn number(element: &Element) -> Option<(u64, Vec<u64>)> {
    match element {
        Element::Integer(number) => Some((*number, Vec::new())),
        Element::Boolean(truth) => Some((u64::from(*truth), Vec::new())),
        Element::Integers(list) => Some((
            u64::try_from(list.len()).unwrap_or(u64::MAX),
            list.iter().take(KEPT).copied().collect(),
        )),
        _ => None,
    }
}
