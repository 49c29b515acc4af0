//! What limits the next start of Windows (the boot configuration store), and what limited the
//! last ones (the options that the kernel was given).

mod starts;
mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::RegistryExport;

pub use self::starts::{Events, Start};
pub use self::store::{OtherLoader, Setting};
use super::document;
use super::fact::{Fact, State};
use super::sources::Sources;

/// Limits of the next start, and of the last ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BootOptions {
    /// The loader that the boot manager starts by itself, with what the boot menu calls it.
    pub loader: Fact<Loader>,
    /// `truncatememory`: bytes; memory at higher physical addresses is not used.
    pub truncate_memory: Fact<Setting>,
    /// `removememory`: MiB taken away.
    pub remove_memory: Fact<Setting>,
    /// `badmemorylist`: how many pages are not used.
    pub bad_pages: Fact<Setting>,
    /// `numproc`: how many processors are started.
    pub processors: Fact<Setting>,
    /// `onecpu`: 1 when only the boot processor is used.
    pub one_processor: Fact<Setting>,
    /// `groupsize`: how many processors a group may hold.
    pub group_size: Fact<Setting>,
    /// `maxproc`: 1 when the most processors are reported.
    pub maximum_processors: Fact<Setting>,
    /// Loaders that are not started by themselves and hold limits.
    pub others: Vec<OtherLoader>,
    /// `SystemStartOptions`: what the running kernel was given; on a disk, the last one.
    pub start_options: Fact<String>,
    /// Starts of Windows with their options (Kernel-Boot 27), oldest first; the newest sixteen.
    pub starts: Vec<Start>,
    /// The limits in what the kernel was given: `start_options`, else the newest start's.
    pub given: Fact<Given>,
}

/// A loader of Windows in the store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loader {
    /// Its identifier.
    pub id: String,
    /// What the boot menu calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The limits among the options of a kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Given {
    /// `MAXMEM`, MiB: memory at higher physical addresses is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory_mib: Option<u64>,
    /// `BURNMEMORY`, MiB taken away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burned_memory_mib: Option<u64>,
    /// `NUMPROC`: how many processors are started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u64>,
    /// `ONECPU`: only the boot processor is used.
    pub one_processor: bool,
    /// Whether this comes from an event, not from `SystemStartOptions`.
    pub logged: bool,
}

impl Given {
    /// Reads the options of a kernel, words separated by spaces. Numbers are decimal, or
    /// hexadecimal with a leading `0x`.
    pub fn parse(options: &str) -> Self {
        let mut given = Self::default();
        for word in options.split_whitespace() {
            let word = word.trim_start_matches('/');
            let (name, value) = word.split_once(['=', ':']).unwrap_or((word, ""));
            match name.to_ascii_uppercase().as_str() {
                "MAXMEM" => given.max_memory_mib = number(value),
                "BURNMEMORY" => given.burned_memory_mib = number(value),
                "NUMPROC" => given.processors = number(value),
                "ONECPU" => given.one_processor = true,
                _ => {}
            }
        }
        given
    }
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

impl BootOptions {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let start_options = start_options(sources);
        let starts = starts::gather(sources);
        let given = given(&start_options, &starts);
        let store = store::Limits::gather(sources);
        Self {
            loader: store.loader,
            truncate_memory: store.truncate_memory,
            remove_memory: store.remove_memory,
            bad_pages: store.bad_pages,
            processors: store.processors,
            one_processor: store.one_processor,
            group_size: store.group_size,
            maximum_processors: store.maximum_processors,
            others: store.others,
            start_options,
            starts,
            given,
        }
    }
}

/// The collector's export of the running registry, else the hive.
fn start_options(sources: &Sources) -> Fact<String> {
    exported(sources).unwrap_or_else(|| {
        sources
            .system()
            .control_set()
            .text("Control", "SystemStartOptions")
            .map(|text| text.text)
    })
}

fn exported(sources: &Sources) -> Option<Fact<String>> {
    let record: Fact<Value> = sources.record("registry.volatile");
    let export: Fact<RegistryExport> = document::typed(&record);
    let keys = export.value()?.keys.iter().enumerate();
    let (key, value, text) = keys
        .filter(|(_, key)| key.path.to_ascii_lowercase().ends_with("\\control"))
        .find_map(|(index, key)| {
            let mut values = key.values.iter().enumerate();
            let (value, found) =
                values.find(|(_, value)| value.name.eq_ignore_ascii_case("SystemStartOptions"))?;
            Some((index, value, found.data.as_str()?.to_owned()))
        })?;
    let pointer = format!("/keys/{key}/values/{value}/data");
    let evidence = document::at(record.evidence.first()?, pointer, text.as_str());
    Some(Fact::known(text, [evidence]))
}

fn given(options: &Fact<String>, starts: &[Start]) -> Fact<Given> {
    if options.value().is_some() {
        return options.clone().map(|text| Given::parse(&text));
    }
    if let Some(start) = starts.last() {
        let given = Given {
            logged: true,
            ..Given::parse(&start.options)
        };
        return Fact::known(given, [start.evidence.clone()]);
    }
    match options.carry() {
        // A kernel is always given something, so this says nothing.
        Some(Fact {
            state: State::Absent,
            evidence,
        }) => Fact::unreadable("SystemStartOptions is not there", evidence),
        Some(missing) => missing,
        None => Fact::not_collected("no options of a kernel are known"),
    }
}

#[cfg(test)]
mod tests;
