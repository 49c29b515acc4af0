//! The boot configuration store: objects, their types and elements, over a registry tree.
//!
//! An object is the key `Objects\{guid}`; its type is `Description::Type`, its elements are the
//! keys `Elements\XXXXXXXX` (eight hex digits in either case), each with one value `Element`. Bits
//! 24 to 27 of that number tell the format of the data: Microsoft, "BCD element
//! types" (`BcdElementType`, `BcdLibraryElementTypes`, `BcdOSLoaderElementTypes`). The layout of
//! the data was confirmed on real stores; `BCD-Template` stores integers in fewer than eight bytes.

use std::collections::BTreeSet;

use super::registry::{RegistryError, RegistryView, Value, ValueKind};

/// The boot manager.
pub const BOOT_MANAGER: &str = "{9dea862c-5cdd-4e70-acc1-f32b344d4795}";
/// How many objects the chain of inheritance may hold; real ones have five.
const MAX_INHERITED: usize = 64;

/// The type of an object that loads Windows.
pub const OS_LOADER: u32 = 0x1020_0003;

/// The number of an element, which tells its format, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ElementId(pub u32);

impl ElementId {
    /// `description`: what boot menus show.
    pub const DESCRIPTION: Self = Self(0x1200_0004);
    /// `inherit`: the objects whose elements hold where an object has none of its own.
    pub const INHERIT: Self = Self(0x1400_0006);
    /// `truncatememory`: the physical address, in bytes, above which memory is not used.
    pub const TRUNCATE_MEMORY: Self = Self(0x1500_0007);
    /// `badmemorylist`: numbers of pages that are not used.
    pub const BAD_MEMORY_LIST: Self = Self(0x1700_000a);
    /// `default`: the loader that the boot manager starts.
    pub const DEFAULT: Self = Self(0x2300_0003);
    /// `displayorder`: the loaders in the order of the boot menu.
    pub const DISPLAY_ORDER: Self = Self(0x2400_0001);
    /// `removememory`: the memory, in MiB, that is taken away.
    pub const REMOVE_MEMORY: Self = Self(0x2500_0031);
    /// `numproc`: how many processors are started.
    pub const PROCESSORS: Self = Self(0x2500_0061);
    /// `groupsize`: how many processors a group may hold.
    pub const GROUP_SIZE: Self = Self(0x2500_0066);
    /// `onecpu`: only the boot processor is used.
    pub const ONE_PROCESSOR: Self = Self(0x2600_0060);
    /// `maxproc`: the most processors are reported.
    pub const MAXIMUM_PROCESSORS: Self = Self(0x2600_0062);

    fn format(self) -> u32 {
        self.0 >> 24 & 0xf
    }
}

/// The value of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A device, as bytes.
    Device(Vec<u8>),
    /// A text.
    Text(String),
    /// The identifier of another object.
    Object(String),
    /// Identifiers of other objects.
    Objects(Vec<String>),
    /// A number.
    Integer(u64),
    /// A truth value.
    Boolean(bool),
    /// Numbers.
    Integers(Vec<u64>),
}

impl Element {
    /// Reads the data of the value `Element`.
    ///
    /// # Errors
    /// Data that does not fit the element's format, in words.
    pub fn decode(id: ElementId, value: &Value) -> Result<Self, String> {
        let misfit = || {
            format!(
                "element {:08x} holds {} of {} bytes",
                id.0,
                value.kind.name(),
                value.data.len()
            )
        };
        let bytes = || {
            (value.kind == ValueKind::Binary)
                .then_some(value.data.as_slice())
                .ok_or_else(misfit)
        };
        match id.format() {
            1 => bytes().map(|bytes| Self::Device(bytes.to_vec())),
            2 => value.as_string().map(Self::Text).ok_or_else(misfit),
            3 => value.as_string().map(Self::Object).ok_or_else(misfit),
            4 => value
                .as_multi_string()
                .map(Self::Objects)
                .ok_or_else(misfit),
            5 => bytes().and_then(|bytes| integer(bytes).map(Self::Integer).ok_or_else(misfit)),
            6 => match bytes()? {
                [byte] => Ok(Self::Boolean(*byte != 0)),
                _ => Err(misfit()),
            },
            7 => {
                let (numbers, rest) = bytes()?.as_chunks::<8>();
                match rest {
                    [] => Ok(Self::Integers(
                        numbers.iter().map(|n| u64::from_le_bytes(*n)).collect(),
                    )),
                    _ => Err(misfit()),
                }
            }
            _ => Err(format!("element {:08x} is of no known format", id.0)),
        }
    }
}

/// One to eight bytes, the lowest first.
fn integer(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() || bytes.len() > 8 {
        return None;
    }
    let shifted = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    Some(bytes.iter().rev().fold(0, shifted))
}

/// Why something of the store is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BcdError {
    /// Damage of the hive.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A structure of the store that is not as it should be.
    #[error("{path}: {why}")]
    Store {
        /// The key, from the root of the store.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

/// An element and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The identifier of the object that holds it.
    pub object: String,
    /// The key of the element, from the root of the store; its value is called `Element`.
    pub path: String,
    /// Its value.
    pub element: Element,
}

/// A boot configuration store.
pub struct Store<'a> {
    view: &'a dyn RegistryView,
}

impl<'a> Store<'a> {
    /// The store in a hive.
    pub fn new(view: &'a dyn RegistryView) -> Self {
        Self { view }
    }

    /// The identifiers of all objects, in stored order.
    ///
    /// # Errors
    /// Damage on the way, or in the list.
    pub fn objects(&self) -> Result<Vec<String>, BcdError> {
        let listing = self.view.subkeys("Objects")?;
        let Some(listing) = listing else {
            return Err(store("Objects", "there is no such key"));
        };
        match listing.damage.into_iter().next() {
            Some(damage) => Err(damage.into()),
            None => Ok(listing.items.into_iter().map(|key| key.name).collect()),
        }
    }

    /// The type of an object (`0x10200003` loads Windows); `None` when there is no such object.
    ///
    /// # Errors
    /// Damage on the way, or a type that is no number.
    pub fn object_type(&self, object: &str) -> Result<Option<u32>, BcdError> {
        let path = format!("Objects\\{object}\\Description");
        let Some(value) = self.view.value(&path, "Type")? else {
            return Ok(None);
        };
        let kind = value.as_u32();
        kind.map(Some)
            .ok_or_else(|| store(&path, "Type is no REG_DWORD"))
    }

    /// An element that the object itself holds.
    ///
    /// # Errors
    /// Damage on the way, or data that does not fit the element.
    pub fn own(&self, object: &str, id: ElementId) -> Result<Option<Found>, BcdError> {
        let path = format!("Objects\\{object}\\Elements\\{:08x}", id.0);
        let Some(value) = self.view.value(&path, "Element")? else {
            return Ok(None);
        };
        let element = Element::decode(id, &value).map_err(|why| store(&path, &why))?;
        Ok(Some(Found {
            object: object.to_owned(),
            path,
            element,
        }))
    }

    /// An element that holds for an object: its own, else that of the objects it inherits from,
    /// in their order, each with what it inherits itself.
    ///
    /// # Errors
    /// Damage on the way, data that does not fit, or a chain longer than any real one.
    pub fn effective(&self, object: &str, id: ElementId) -> Result<Option<Found>, BcdError> {
        let mut seen = BTreeSet::new();
        let mut open = vec![object.to_owned()];
        while let Some(object) = open.pop() {
            if !seen.insert(object.to_ascii_lowercase()) {
                continue;
            }
            if seen.len() > MAX_INHERITED {
                let path = format!("Objects\\{object}");
                return Err(store(&path, "inherits from more than 64 objects"));
            }
            if let Some(found) = self.own(&object, id)? {
                return Ok(Some(found));
            }
            let inherit = self.own(&object, ElementId::INHERIT)?;
            if let Some(Element::Objects(objects)) = inherit.map(|found| found.element) {
                // The last is taken first, so the first has to be last.
                open.extend(objects.into_iter().rev());
            }
        }
        Ok(None)
    }

    /// The loader that the boot manager starts by itself: its `default`, else the first of its
    /// `displayorder`. `None` when it names none.
    ///
    /// # Errors
    /// Damage on the way, or a name that leads to no object.
    pub fn default_loader(&self) -> Result<Option<String>, BcdError> {
        let named = match self.own(BOOT_MANAGER, ElementId::DEFAULT)? {
            Some(found) => Some(found),
            None => self.own(BOOT_MANAGER, ElementId::DISPLAY_ORDER)?,
        };
        let Some(found) = named else {
            return Ok(None);
        };
        let loader = match found.element {
            Element::Object(object) => Some(object),
            Element::Objects(objects) => objects.into_iter().next(),
            _ => None,
        };
        match loader {
            Some(loader) if self.object_type(&loader)?.is_none() => {
                let why = format!("names {loader}, and there is no such object");
                Err(store(&found.path, &why))
            }
            loader => Ok(loader),
        }
    }
}

fn store(path: &str, why: &str) -> BcdError {
    BcdError::Store {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests;
