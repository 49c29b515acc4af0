//! `network/probes.json` and `network/metadata.json`: what answered when asked.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Every probe that was made, in order of start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probes {
    /// The probes.
    pub probes: Vec<Probe>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Probe {
    /// What was asked of whom.
    pub probe: ProbeKind,
    /// When it started.
    pub started_at: Timestamp,
    /// Milliseconds until the answer, or until it was given up.
    pub latency_ms: u64,
    /// What came.
    pub outcome: ProbeOutcome,
}

/// What was asked of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ProbeKind {
    /// Address resolution of a neighbour (`SendARP`, `ResolveIpNetEntry2`). Clouds answer this
    /// for their gateways where they do not answer ICMP.
    Neighbour {
        /// Address asked for.
        target: IpAddr,
        /// Interface that asked.
        interface_index: Option<u32>,
    },
    /// ICMP echo (`IcmpSendEcho2`).
    Echo {
        /// Address asked.
        target: IpAddr,
    },
    /// One question to one DNS server, in a packet of the collector's own.
    Dns {
        /// The server asked.
        server: IpAddr,
        /// Over UDP or TCP, port 53.
        transport: Transport,
        /// Name asked for, without a search suffix.
        name: String,
        /// Record type: 1 A, 28 AAAA, 33 SRV.
        record_type: u16,
    },
    /// A TCP connection, closed at once.
    Connect {
        /// Address.
        target: IpAddr,
        /// Port.
        port: u16,
        /// What stands behind it: `rdp-loopback`, `rdp-own-address`, `kms`, `metadata`.
        purpose: String,
    },
}

/// What came of a probe. An error answer of a DNS server, a refusal and silence are different
/// things and stay so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ProbeOutcome {
    /// It answered: the neighbour's MAC address, the records of a DNS answer (addresses, or
    /// `priority weight port target` of SRV); nothing for a connection.
    Answered {
        /// The answer's values in its order.
        #[serde(default)]
        values: Vec<String>,
    },
    /// The server answered that the name does not exist (RCODE 3).
    Nxdomain,
    /// The server answered that the name has no record of this type (RCODE 0 without answer).
    NoData,
    /// The server answered that it failed (RCODE 2).
    Servfail,
    /// The server refused to answer (RCODE 5), or the target refused the connection.
    Refused {
        /// Error of Windows, for a connection.
        code: Option<u32>,
    },
    /// Another RCODE.
    OtherAnswer {
        /// The RCODE.
        rcode: u16,
    },
    /// An answer that cannot be read, or does not fit the question.
    Malformed,
    /// No answer in time.
    Timeout,
    /// The network or the host cannot be reached.
    Unreachable {
        /// Error of Windows or ICMP status.
        code: Option<u32>,
    },
    /// The probe could not be made.
    Failed {
        /// Error of Windows.
        code: u32,
        /// The call that gave it.
        call: String,
    },
}

/// What the cloud's metadata service says of this instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudMetadata {
    /// The cloud whose service answered: `tencent`, `alibaba`, `aws`, `gcp`, `azure`.
    pub cloud: String,
    /// Base address asked, such as `http://169.254.169.254/latest/meta-data/`.
    pub endpoint: String,
    /// The values asked for; credentials and user data never are.
    pub values: Vec<MetadataValue>,
}

/// One value of the metadata service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MetadataValue {
    /// Path below the endpoint, such as `network/interfaces/macs/`.
    pub path: String,
    /// HTTP status.
    pub status: u16,
    /// The body, cut at 4 KiB; `null` when the status is not 200.
    pub value: Option<String>,
}
