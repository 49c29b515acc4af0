//! Certificate stores of the machine in SOFTWARE.

use super::Certificate;
use crate::facts::fact::{Fact, State};
use crate::facts::sources::Sources;
use crate::facts::sources::registry::{Below, hex};
use crate::formats::certificate::Blob;

/// Where stores stand: the machine's own, those that policies distribute, and the enterprise's.
const ROOTS: [&str; 3] = [
    "Microsoft\\SystemCertificates",
    "Policies\\Microsoft\\SystemCertificates",
    "Microsoft\\EnterpriseCertificates",
];
/// The store of certificates with private keys.
const MY: &str = "MY";

pub(super) struct Stores<'a> {
    software: Below<'a>,
}

/// Whether a text can be the name of a store: no path.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains('\\')
}

impl<'a> Stores<'a> {
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self {
            software: sources.software().root(),
        }
    }

    /// How many certificates a store holds.
    pub(super) fn count(&self, store: &str) -> Fact<u32> {
        let [root, ..] = ROOTS;
        let path = format!("{root}\\{store}\\Certificates");
        let mut count = self
            .software
            .subkeys(&path)
            .map(|keys| u32::try_from(keys.len()).unwrap_or(u32::MAX));
        // The list as one piece of evidence is the key, not its number.
        count.evidence.truncate(1);
        count
    }

    /// The certificate with that thumbprint: in `store`, else in MY, each in all places. Absent
    /// when all of them could be read and none has it; the evidence are then the places.
    pub(super) fn find(&self, store: &str, thumbprint: &str) -> Fact<Certificate> {
        let mut looked = Vec::new();
        let mut problem = None;
        for store in [store, MY] {
            for root in ROOTS {
                let place = format!("{root}\\{store}");
                let fact = self.read(&place, thumbprint);
                match fact.state {
                    State::Known(_) => return fact,
                    State::Absent => looked.extend(fact.evidence),
                    _ => problem = problem.or(Some(fact)),
                }
            }
        }
        // Both stores may be MY.
        looked.dedup();
        looked.truncate(2 * ROOTS.len());
        problem.unwrap_or_else(|| Fact::absent(looked))
    }

    fn read(&self, place: &str, thumbprint: &str) -> Fact<Certificate> {
        let key = format!("{place}\\Certificates\\{}", thumbprint.to_uppercase());
        self.software
            .bytes(&key, "Blob")
            .and_then(|bytes| decode(&bytes, place, thumbprint))
    }
}

/// Decodes a blob whose certificate must have the hash that its key is named by.
fn decode(bytes: &[u8], place: &str, thumbprint: &str) -> Result<Certificate, String> {
    let blob = Blob::parse(bytes).map_err(|error| error.to_string())?;
    let certificate = blob.certificate().map_err(|error| error.to_string())?;
    let found = hex(&certificate.sha1);
    if found != thumbprint {
        return Err(format!(
            "the certificate's SHA-1 is {found}, its key is named {thumbprint}"
        ));
    }
    Ok(Certificate {
        thumbprint: found,
        store: place.to_owned(),
        subject: certificate.subject,
        issuer: certificate.issuer,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        signature: certificate.signature,
        rsa_bits: certificate.rsa_bits,
        usages: certificate.usages,
        has_key: blob.has_key(),
    })
}
