//! Name resolution: settings for the whole machine, and the hosts file.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::document::bare;
use crate::facts::evidence::Evidence;
use crate::facts::fact::Fact;
use crate::facts::locator::Locator;
use crate::facts::sources::Sources;

const PARAMETERS: &str = "Services\\Tcpip\\Parameters";
const POLICY: &str = "Policies\\Microsoft\\Windows NT\\DNSClient";
const RULES: &str = "DnsPolicyConfig";
const LOCAL_RULES: &str = "Services\\Dnscache\\Parameters\\DnsPolicyConfig";
/// How many entries of the hosts file are kept; block lists have hundreds of thousands.
const MAX_ENTRIES: usize = 100_000;

/// Settings for the whole machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dns {
    /// `Tcpip\Parameters\NameServer`, for every interface without servers of its own.
    pub name_servers: Fact<String>,
    /// `Tcpip\Parameters\DhcpNameServer`: those of the last lease.
    pub dhcp_name_servers: Fact<String>,
    /// Rules of the name resolution policy table by group policy: their key names.
    pub policy_rules: Fact<Vec<String>>,
    /// Local rules of that table.
    pub local_rules: Fact<Vec<String>>,
    /// The entries of the hosts file.
    pub hosts: Fact<Vec<HostsEntry>>,
}

/// A name in the hosts file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HostsEntry {
    /// The name, in lower case.
    pub name: String,
    /// Its address.
    pub address: IpAddr,
    /// The line.
    pub evidence: Evidence,
}

impl Dns {
    pub(super) fn gather(sources: &Sources) -> Self {
        let control_set = sources.system().control_set();
        let text = |name: &str| control_set.text(PARAMETERS, name).map(|text| text.text);
        Self {
            name_servers: text("NameServer"),
            dhcp_name_servers: text("DhcpNameServer"),
            policy_rules: sources.software().below(POLICY).subkeys(RULES),
            local_rules: control_set.subkeys(LOCAL_RULES),
            hosts: hosts(sources),
        }
    }
}

/// Lines of an address and names; `#` begins a comment.
fn hosts(sources: &Sources) -> Fact<Vec<HostsEntry>> {
    let text = sources.console_text("network.hosts-text");
    bare(text.map(|text| {
        let mut entries = Vec::new();
        for (number, line) in (1..=u32::MAX).zip(text.text.lines()) {
            let content = line.split('#').next().unwrap_or_default();
            let mut words = content.split_whitespace();
            let Some(address) = words.next().and_then(|word| word.parse().ok()) else {
                continue;
            };
            for name in words {
                if entries.len() >= MAX_ENTRIES {
                    return entries;
                }
                let place = Locator::line(text.artifact.as_str(), number);
                entries.push(HostsEntry {
                    name: name.trim_end_matches('.').to_ascii_lowercase(),
                    address,
                    evidence: Evidence::new(text.artifact.as_str(), place, line),
                });
            }
        }
        entries
    }))
}
