//! Sessions and listeners of the running system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::Sessions;

use crate::facts::document::{at, bare, typed};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// `WTSListen`.
const LISTEN: u32 = 6;
/// `WTSDown`.
const DOWN: u32 = 8;
/// How many sessions are read.
const MAX_SESSIONS: usize = 4096;

/// A session or a listener.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Station {
    /// Name: `RDP-Tcp` for a listener, `RDP-Tcp#5` for a session.
    pub name: String,
    /// `WTS_CONNECTSTATE_CLASS`: 0 active, 4 disconnected, 6 listen, 8 down.
    pub state: u32,
    /// Its row in the record.
    pub evidence: Evidence,
}

impl Station {
    /// Whether it is a listener that listens.
    pub fn listens(&self) -> bool {
        self.state == LISTEN
    }

    /// Whether it is down: its initialisation failed.
    pub fn is_down(&self) -> bool {
        self.state == DOWN
    }
}

/// The rows of the record.
pub(super) fn gather(sources: &Sources) -> Fact<Vec<Station>> {
    let record = sources.record::<Value>("system.sessions");
    let stations = typed::<Sessions>(&record).map(|sessions| {
        let (Some(document), Some(whole)) = (record.value(), record.evidence.first()) else {
            return Vec::new();
        };
        let rows = sessions.sessions.into_iter().enumerate();
        rows.take(MAX_SESSIONS)
            .map(|(index, session)| {
                let pointer = format!("/sessions/{index}");
                let raw = document.pointer(&pointer).cloned().unwrap_or_default();
                Station {
                    name: session.station,
                    state: session.state,
                    evidence: at(whole, pointer, raw),
                }
            })
            .collect()
    });
    bare(stations)
}
