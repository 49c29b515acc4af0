//! The certificates that Remote Desktop shows to its clients.

mod stores;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use snapdiag_bundle::channel::{RCM_ADMIN, RCM_OPERATIONAL};
use snapdiag_bundle::records::MachineKeys;

use self::stores::Stores;
use super::events::{EventFamily, Want};
use super::fact::{Fact, State};
use super::inventory::Channel;
use super::records::{self, Record, Records};
use super::remote_desktop::{POLICIES, RDP_TCP};
use super::sources::Sources;
use super::sources::registry::{Text, hex};
use crate::formats::evtx::Event;

const SYSTEM: &str = "System";
const STATIONS: &str = "Control\\Terminal Server\\WinStations";
/// The store of self-signed certificates where `SelfSignedCertStore` is absent.
const REMOTE_DESKTOP: &str = "Remote Desktop";
/// Bytes of a SHA-1.
const SHA1_BYTES: usize = 20;

/// The certificates that Remote Desktop shows to its clients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Certificates {
    /// The certificate that RDP-Tcp refers to; absent where it refers to none.
    pub reference: Fact<Reference>,
    /// That certificate; absent where no store holds it.
    pub used: Fact<Certificate>,
    /// `CertTemplateName`, a policy: certificates of a CA, by template.
    pub template: Fact<Text>,
    /// How many certificates the store of self-signed ones holds.
    pub stored: Fact<u32>,
    /// Access to the machine's private keys.
    pub machine_keys: Fact<KeyAccess>,
    /// The newest records about certificates and TLS.
    pub records: Vec<Record<CertificateEvent>>,
    /// How far System reaches.
    pub system: Fact<Channel>,
}

/// What a listener refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// Thumbprint, 40 lower-case hexadecimal digits.
    pub thumbprint: String,
    /// Whether an administrator chose it (`SSLCertificateSHA1Hash`) or Windows made it
    /// (`SelfSignedCertificate`).
    pub chosen: bool,
    /// The store where it is looked for first.
    pub store: String,
}

/// A certificate in a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Thumbprint, 40 lower-case hexadecimal digits.
    pub thumbprint: String,
    /// The store's key in SOFTWARE.
    pub store: String,
    /// Subject (`CN=HOST-A`).
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// Object identifier of the signature algorithm.
    pub signature: String,
    /// Size of an RSA key in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsa_bits: Option<u32>,
    /// Object identifiers of its uses, where it names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usages: Option<Vec<String>>,
    /// Whether the store associates a private key with it.
    pub has_key: bool,
}

impl Certificate {
    /// Whether it is issued by itself.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Access to the machine's private keys, as SDDL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeyAccess {
    /// Of the folder `MachineKeys`.
    pub folder: Option<String>,
    /// Of the key file of Remote Desktop.
    pub key: Option<String>,
    /// Whether that file is there.
    pub key_exists: Option<bool>,
}

/// What a record about certificates says.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateEvent {
    /// `TermService` 1056: a self-signed certificate was made; the subject is its thumbprint.
    Created,
    /// 1057: none could be made.
    CreateFailed,
    /// 1058: an expired one could not be replaced.
    ReplaceFailed,
    /// 1051, 1053 to 1055, 1059: the configured certificate cannot be used.
    Unusable,
    /// 1052: the certificate is about to expire.
    AboutToExpire,
    /// 1064 to 1066: a certificate by template could not be had.
    Template,
    /// Schannel 36870: the private key of the server's certificate cannot be used.
    KeyRefused,
    /// Schannel 36871: TLS cannot be set up.
    TlsFailed,
    /// Schannel 36872: there is no suitable certificate for a server.
    NoServerCertificate,
}

impl Certificates {
    /// Gathers the facts of this family.
    pub fn gather(sources: &Sources) -> Self {
        let reference = reference(sources);
        let stores = Stores::new(sources);
        let policies = sources.software().below(POLICIES);
        Self {
            used: match reference.value() {
                Some(reference) => stores.find(&reference.store, &reference.thumbprint),
                None => reference.carry().unwrap_or_else(|| Fact::absent([])),
            },
            stored: stores.count(REMOTE_DESKTOP),
            template: policies.text("", "CertTemplateName"),
            machine_keys: machine_keys(sources),
            records: sources.events().certificates.records.gather(sources),
            system: sources.channel(SYSTEM),
            reference,
        }
    }
}

/// The hash that the listener names, else the self-signed one. Twenty zeros name none.
fn reference(sources: &Sources) -> Fact<Reference> {
    let stations = sources.system().control_set().below(STATIONS);
    let hash = |key: &str, name: &str| {
        stations
            .bytes(key, name)
            .and_then(|bytes| match bytes.len() {
                0 => Ok(None),
                SHA1_BYTES => Ok(bytes.iter().any(|byte| *byte != 0).then(|| hex(&bytes))),
                length => Err(format!("{length} bytes where a hash has 20")),
            })
            .optional()
    };
    let chosen = hash(RDP_TCP, "SSLCertificateSHA1Hash");
    if !chosen.is_absent() {
        return chosen.map(|thumbprint| Reference {
            thumbprint,
            chosen: true,
            store: "MY".to_owned(),
        });
    }
    let store = stations.text("", "SelfSignedCertStore");
    let name = match &store.state {
        State::Known(store) if stores::is_name(&store.text) => store.text.clone(),
        _ => REMOTE_DESKTOP.to_owned(),
    };
    let mut made = hash("", "SelfSignedCertificate").map(|thumbprint| Reference {
        thumbprint,
        chosen: false,
        store: name,
    });
    if made.is_absent() {
        made.evidence.extend(chosen.evidence);
    }
    made
}

fn machine_keys(sources: &Sources) -> Fact<KeyAccess> {
    let record = sources.record::<Value>("system.machine-keys");
    let typed = super::document::typed::<MachineKeys>(&record);
    let whole = record.value().cloned().unwrap_or_default();
    typed
        .at_pointer("", |_| json!(whole))
        .map(|keys| KeyAccess {
            folder: keys.folder_sddl,
            key: keys.rdp_key_sddl,
            key_exists: keys.rdp_key_exists,
        })
}

/// The newest records about certificates, while the logs are read.
#[derive(Default)]
pub struct Events {
    records: Records<CertificateEvent>,
}

/// `RemoteConnectionManager` under both its names.
const MANAGER: &[&str] = &[
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
    "TermService",
];
/// What it writes about certificates.
const OF_MANAGER: &[u32] = &[
    1051, 1052, 1053, 1054, 1055, 1056, 1057, 1058, 1059, 1064, 1065, 1066,
];

fn classify(event_id: u32) -> Option<CertificateEvent> {
    Some(match event_id {
        1056 => CertificateEvent::Created,
        1057 => CertificateEvent::CreateFailed,
        1058 => CertificateEvent::ReplaceFailed,
        1051 | 1053..=1055 | 1059 => CertificateEvent::Unusable,
        1052 => CertificateEvent::AboutToExpire,
        1064..=1066 => CertificateEvent::Template,
        36870 => CertificateEvent::KeyRefused,
        36871 => CertificateEvent::TlsFailed,
        36872 => CertificateEvent::NoServerCertificate,
        _ => return None,
    })
}

impl EventFamily for Events {
    const WANTS: &'static [Want] = &[
        Want {
            channel: SYSTEM,
            providers: MANAGER,
            ids: OF_MANAGER,
        },
        Want {
            channel: RCM_OPERATIONAL,
            providers: MANAGER,
            ids: OF_MANAGER,
        },
        Want {
            channel: RCM_ADMIN,
            providers: MANAGER,
            ids: OF_MANAGER,
        },
        Want {
            channel: SYSTEM,
            providers: &["Schannel", "Microsoft-Windows-Schannel"],
            ids: &[36870, 36871, 36872],
        },
    ];

    fn event(&mut self, event: &Event<'_>) {
        let header = &event.header;
        let kind = classify(header.event_id);
        let channel = records::channel(Self::WANTS, header);
        let (Some(kind), Some(channel)) = (kind, channel) else {
            return;
        };
        let subject = match kind {
            CertificateEvent::Created => event.fields.binary().map(hex),
            CertificateEvent::CreateFailed | CertificateEvent::ReplaceFailed => {
                event.fields.at(0).map(ToString::to_string)
            }
            CertificateEvent::KeyRefused => event.fields.get("Type").map(ToString::to_string),
            _ => None,
        };
        self.records.offer(kind, channel, event, subject);
    }

    fn merge(&mut self, later: Self) {
        self.records.merge(later.records);
    }
}

#[cfg(test)]
mod tests;
