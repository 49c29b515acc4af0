//! Receive side scaling of network adapters: whether packets are spread over processors.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::sources::Sources;
use super::sources::registry::Text;

/// The class of network adapters, below the control set.
const CLASS: &str = "Control\\Class\\{4d36e972-e325-11ce-bfc1-08002be10318}";
/// How many adapters are kept.
const KEPT: usize = 256;

/// An adapter's settings of receive side scaling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiveScaling {
    /// The adapter as its driver calls it.
    pub adapter: String,
    /// `*RSS`: `0` off, `1` on; absent where the driver does not know it.
    pub enabled: Fact<Text>,
    /// `*NumRssQueues`.
    pub queues: Fact<Text>,
    /// `*MaxRssProcessors`.
    pub processors: Fact<Text>,
}

/// The adapters that say something of receive side scaling, by key.
pub fn gather(sources: &Sources) -> Fact<Vec<ReceiveScaling>> {
    let class = sources.system().control_set().below(CLASS);
    let keys = class.subkeys("");
    let numbered = |key: &&String| key.len() == 4 && key.bytes().all(|b| b.is_ascii_digit());
    keys.map(|keys| {
        keys.iter()
            .filter(numbered)
            .take(KEPT)
            .filter_map(|key| {
                let enabled = class.text(key, "*RSS");
                enabled.value()?;
                Some(ReceiveScaling {
                    adapter: class
                        .text(key, "DriverDesc")
                        .value()
                        .map_or_else(|| key.clone(), |text| text.text.clone()),
                    enabled,
                    queues: class.text(key, "*NumRssQueues"),
                    processors: class.text(key, "*MaxRssProcessors"),
                })
            })
            .collect()
    })
}
