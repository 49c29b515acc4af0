//! Connections that the collector tried to the Remote Desktop port of the machine itself.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use snapdiag_bundle::records::{Probe, ProbeKind, ProbeOutcome, Probes};

use crate::facts::document::{at, bare, typed};
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::sources::Sources;

/// What probes of the Remote Desktop port are called.
const PURPOSES: [&str; 2] = ["rdp-loopback", "rdp-own-address"];

/// A TCP connection that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectProbe {
    /// The address.
    pub target: IpAddr,
    /// The port.
    pub port: u16,
    /// What came of it.
    pub outcome: ProbeOutcome,
    /// The outcome in the record.
    pub evidence: Evidence,
}

/// The probes of the Remote Desktop port.
pub(super) fn gather(sources: &Sources) -> Fact<Vec<ConnectProbe>> {
    let record = sources.record::<Value>("network.probes");
    let probes = typed::<Probes>(&record).map(|probes| {
        let (Some(document), Some(whole)) = (record.value(), record.evidence.first()) else {
            return Vec::new();
        };
        let probe = |(index, probe): (usize, &Probe)| {
            let ProbeKind::Connect {
                target,
                port,
                purpose,
            } = &probe.probe
            else {
                return None;
            };
            let pointer = format!("/probes/{index}/outcome");
            let raw = document.pointer(&pointer).cloned().unwrap_or_default();
            PURPOSES.contains(&purpose.as_str()).then(|| ConnectProbe {
                target: *target,
                port: *port,
                outcome: probe.outcome.clone(),
                evidence: at(whole, pointer, raw),
            })
        };
        probes.probes.iter().enumerate().filter_map(probe).collect()
    });
    bare(probes)
}
