//! Memory and processors: as the firmware has them, as Windows uses them, and what the edition
//! permits.

mod memory;
mod processors;
mod started;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::memory::LoggedMemory;
pub use self::processors::Present;
pub use self::started::{Events, Started};
use super::fact::Fact;
use super::machine::Firmware;
use super::sources::Sources;
use super::sources::registry::Number;
use crate::formats::product_policy::ProductPolicy;

/// Memory and processors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Topology {
    /// Memory that the firmware tells of, bytes.
    pub installed_bytes: Fact<u64>,
    /// Memory that Windows can use, bytes.
    pub visible_bytes: Fact<u64>,
    /// The largest physical memory among the newest memory shortages in the log.
    pub logged_memory: Fact<LoggedMemory>,
    /// The most memory that the edition uses, bytes (`ProductPolicy`).
    pub memory_cap_bytes: Fact<u64>,
    /// The service of a driver that takes memory away and gives it back while Windows runs.
    pub dynamic_memory: Fact<String>,
    /// `PROCESSOR_ARCHITECTURE`: `AMD64`, `ARM64`, `x86`.
    pub architecture: Fact<String>,
    /// Logical processors that Windows uses.
    pub active_processors: Fact<u32>,
    /// Logical processors that the machine has.
    pub present_processors: Fact<Present>,
    /// Processor sockets that are populated.
    pub sockets: Fact<u32>,
    /// The most sockets that the edition uses (`ProductPolicy`).
    pub socket_cap: Fact<u32>,
    /// `FeatureSettingsOverride`: which mitigations of processor flaws are on or off.
    pub feature_settings: Fact<Number>,
    /// Starts of Windows with the processors that were started, oldest first.
    pub started: Vec<Started>,
}

impl Topology {
    /// Gathers the facts of this family; `firmware` tells Hyper-V.
    pub fn gather(sources: &Sources, firmware: &Fact<Firmware>) -> Self {
        let control_set = sources.system().control_set();
        let environment = control_set.below("Control\\Session Manager\\Environment");
        let architecture = environment
            .text("", "PROCESSOR_ARCHITECTURE")
            .map(|text| text.text);
        let started = started::gather(sources);
        let memory = memory::Memory::gather(sources);
        let processors = processors::Processors::gather(sources, &environment);
        Self {
            installed_bytes: memory.installed,
            visible_bytes: memory.visible,
            logged_memory: memory.logged,
            memory_cap_bytes: memory_cap(sources, &architecture),
            dynamic_memory: memory::dynamic(sources, firmware),
            active_processors: processors.active,
            present_processors: processors.present,
            sockets: processors.sockets,
            socket_cap: policy(sources, "Kernel-RegisteredProcessors"),
            feature_settings: control_set.number(
                "Control\\Session Manager\\Memory Management",
                "FeatureSettingsOverride",
            ),
            started,
            architecture,
        }
    }
}

/// A number among the policies of the edition; absent where it is not mentioned.
fn policy(sources: &Sources, name: &'static str) -> Fact<u32> {
    sources
        .system()
        .control_set()
        .bytes("Control\\ProductOptions", "ProductPolicy")
        .and_then(|bytes| number(&bytes, name))
        .optional()
}

fn number(bytes: &[u8], name: &str) -> Result<Option<u32>, String> {
    let policy = ProductPolicy::parse(bytes).map_err(|error| error.to_string())?;
    let value = policy.get(name).map_err(ToString::to_string)?;
    value
        .map(|value| {
            value
                .as_number()
                .ok_or_else(|| format!("{name} is no number"))
        })
        .transpose()
}

/// The policy is in MiB, and there is one for each kind of processor.
fn memory_cap(sources: &Sources, architecture: &Fact<String>) -> Fact<u64> {
    let name = match architecture.value().map(String::as_str) {
        Some("x86") => "Kernel-WindowsMaxMemAllowedx86",
        _ => "Kernel-WindowsMaxMemAllowedx64",
    };
    policy(sources, name).map(|mib| u64::from(mib) << 20)
}

#[cfg(test)]
mod tests;
